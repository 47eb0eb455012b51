"""Small workflow documents, written as lines: `A -> B`, `A:1 -> B:0` (output, input)."""

from collections.abc import Mapping
from typing import Any

from weft_contracts.messages import RunSegment
from weft_contracts.traits import UNKNOWN, Traits
from weft_engine.graph import Graph
from weft_engine.model import AnyEffect, Completed, Finished, Run, Started
from weft_engine.segment import Segment
from weft_engine.state import State

KINDS = {
    "trigger": Traits(trigger=True, inputs=0),
    "set": Traits(),
    "if": Traits(outputs=2),
    "merge": Traits(inputs=2),
    "choose": Traits(inputs=2, waits_for_all=True),
    "http": Traits(idempotency="unsafe"),
    "wait": Traits(suspends=True),
    "code": Traits(pool="code"),
    "ai": Traits(pool="ai"),
}


def traits(json: Mapping[str, Any]) -> Traits:
    return KINDS.get(str(json.get("type")), UNKNOWN)


def document(edges: str, order: str | None = "v1", kinds: str = "", **settings: Any) -> dict[str, Any]:
    """Nodes stand below each other in the order in which they are named first; T is a trigger. `kinds` gives
    the types of others: `M=merge X=http`."""
    types = dict(pair.split("=") for pair in kinds.split())
    connections: dict[str, Any] = {}
    names: dict[str, None] = {}
    for line in edges.split(","):
        source, _, target = (part.strip() for part in line.partition("->"))
        (name, _, output), (to, _, slot) = source.partition(":"), target.partition(":")
        names[name] = None
        if to:
            names[to] = None
            outputs = connections.setdefault(name, {"main": []})["main"]
            outputs.extend([] for _ in range(int(output or 0) + 1 - len(outputs)))
            outputs[int(output or 0)].append({"node": to, "type": "main", "index": int(slot or 0)})
    nodes = [
        {"name": name, "type": types.get(name, "trigger" if name == "T" else "set"), "position": [0, 100 * y]}
        for y, name in enumerate(names)
    ]
    if order is not None:
        settings["executionOrder"] = order
    return {"nodes": nodes, "connections": connections, "settings": settings}


def graph(edges: str, order: str | None = "v1", kinds: str = "", **settings: Any) -> Graph:
    return Graph.compile(document(edges, order, kinds, **settings), traits)


def started(trigger: str = "T", counts: tuple[int, ...] = (1,), **more: Any) -> Started:
    return Started(0, trigger, counts, **more)


def counts_of(given: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, ...]:
    return given.get(name, (1, 1))


def walk(compiled: Graph, start: Started | None = None, **counts: tuple[int, ...]) -> list[str]:
    """Node names in the order in which they begin, each run completed at once; the status at the end."""
    state = State(compiled)
    effects = state.apply(start or started())
    order: list[str] = []
    queue: list[AnyEffect] = list(effects)
    while queue:
        effect = queue.pop(0)
        if isinstance(effect, Finished):
            return [*order, effect.status]
        assert isinstance(effect, Run)
        run = effect.activation
        order.append(run.node)
        queue += state.apply(Completed(0, run.node, run.run_index, counts_of(counts, run.node)))
    return order


def task(state: State, effect: Run, pools: frozenset[str] = frozenset(), destination: str = "") -> RunSegment:
    """What an orchestrator would send for the activation."""
    return RunSegment(
        dispatch_id="d",
        execution_id="e",
        project_id="p",
        workflow_id="w",
        version_id="v",
        mode="manual",
        shard=0,
        entry=effect.activation,
        nodes=state.segment(effect.activation, pools),
        exclusive=state.quiet_beside(effect.activation),
        started_at=0,
        runs=dict(state.runs),
        destination_node=destination,
    )


def segment_walk(compiled: Graph, state: State, effect: Run, **counts: tuple[int, ...]) -> list[str]:
    """Names of the nodes that a runner runs in one go."""
    segment = Segment(compiled, task(state, effect))
    names = []
    while segment.current is not None:
        names.append(segment.current.node)
        segment.completed(counts_of(counts, segment.current.node))
    return names

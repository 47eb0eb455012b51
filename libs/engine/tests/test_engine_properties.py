"""Properties over generated graphs with merges, loops, branches and any counts."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from weft_contracts.messages import TERMINAL, NodeError
from weft_engine.graph import Graph
from weft_engine.model import (
    AnyEffect,
    AnyEvent,
    Completed,
    Failed,
    Finished,
    Lost,
    Refused,
    Resumed,
    Run,
    Started,
    Stopped,
    Suspended,
)
from weft_engine.segment import Segment
from weft_engine.state import State

from libs.engine.tests.engine_documents import task, traits

Counts = Callable[[str, int], tuple[int, ...]]
KINDS = ["set", "set", "set", "if", "merge", "merge", "choose", "http", "wait", "code", "unheard-of"]
STEPS = 200
"""A loop with a Wait may go on for ever; then only its beginning is compared."""
POOLS = frozenset({"default", "code"})


@st.composite
def documents(draw: st.DrawFn, orders: tuple[str, ...] = ("v1", "v0", "parallel")) -> dict[str, Any]:
    size = draw(st.integers(1, 8))
    names = ["T", *(f"N{n}" for n in range(size))]
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names[1:]} | {"T": "trigger"}
    connections: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 2 * size + 1))):
        source, target = draw(st.sampled_from(names)), draw(st.sampled_from(names[1:]))
        outputs = connections.setdefault(source, {"main": [[], []]})["main"]
        slot = draw(st.integers(0, 1)) if kinds[target] in ("merge", "choose") else 0
        outputs[draw(st.integers(0, 1))].append({"node": target, "type": "main", "index": slot})
    nodes = [
        {
            "name": name,
            "type": kinds[name],
            "position": [draw(st.integers(0, 2)), draw(st.integers(0, 2))],
            "disabled": draw(st.integers(0, 9)) == 0,
        }
        for name in names
    ]
    chosen = {"executionOrder": draw(st.sampled_from(orders)), "loopLimit": draw(st.integers(1, 5))}
    return {"nodes": nodes, "connections": connections, "settings": chosen}


@st.composite
def counting(draw: st.DrawFn) -> Counts:
    """Item counts as a function of node and run, so that two ways through one execution see the same."""
    table = draw(st.lists(st.sampled_from([(1, 0), (0, 1), (1, 1), (2, 0), ()]), min_size=1, max_size=7))
    return lambda name, run: table[(sum(name.encode()) * 7 + run) % len(table)]


@st.composite
def starts(draw: st.DrawFn, counts: Counts) -> Started:
    destination = draw(st.sampled_from(["", "", "N0", "N1"]))
    given = draw(st.lists(st.tuples(st.sampled_from(["N0", "N1", "N2", "T"]), st.integers(0, 2)), max_size=3))
    run_data = tuple((name, run, counts(name, run)) for name, run in dict.fromkeys(given))
    return Started(0, "T", (1, 1), run_data, destination)


def node_by_node(compiled: Graph, start: Started, counts: Counts) -> tuple[list[object], State]:
    state = State(compiled)
    queue: list[AnyEffect] = list(state.apply(start))
    trace: list[object] = []
    while queue and len(trace) < STEPS:
        effect = queue.pop(0)
        trace.append(effect)
        if isinstance(effect, Run):
            run = effect.activation
            queue += state.apply(Completed(0, run.node, run.run_index, counts(run.node, run.run_index)))
    return trace, state


def walked(compiled: Graph, state: State, effect: Run, start: Started, counts: Counts) -> list[Completed]:
    """What a runner reports for one dispatch."""
    segment = Segment(compiled, task(state, effect, POOLS, start.destination))
    reports = []
    while (run := segment.current) is not None:
        made = counts(run.node, run.run_index)
        reports.append(Completed(0, run.node, run.run_index, made))
        segment.completed(made)
    assert len({report.node for report in reports}) == len(reports)
    return reports


@given(st.data(), documents(("v1", "v0")), counting())
@settings(max_examples=400, deadline=None)
def test_segments_and_single_nodes_go_the_same_way(
    data: st.DataObject, doc: dict[str, Any], counts: Counts
) -> None:
    compiled = Graph.compile(doc, traits)
    start = data.draw(starts(counts))
    expected, alone = node_by_node(compiled, start, counts)
    state = State(compiled)
    effects = state.apply(start)
    trace: list[object] = []
    while isinstance(effect := effects[0], Run) and len(trace) < STEPS:
        for report in walked(compiled, state, effect, start, counts):
            assert isinstance(effects[0], Run)
            run = effects[0].activation
            assert (run.node, run.run_index) == (report.node, report.run_index)
            trace.append(effects[0])
            effects = state.apply(report)
            assert len(effects) == 1
    assert [*trace, effects[0]][:STEPS] == expected
    assert len(expected) == STEPS or state == alone


@given(st.data(), documents(("parallel",)), counting())
@settings(max_examples=300, deadline=None)
def test_parallel_segments_are_never_refused(
    data: st.DataObject, doc: dict[str, Any], counts: Counts
) -> None:
    """Dispatches run side by side; the reports of each come in order, those of different ones in any."""
    compiled = Graph.compile(doc, traits)
    start = data.draw(starts(counts))
    state = State(compiled)
    effects = state.apply(start)
    dispatched: list[list[Completed]] = []
    claimed: set[tuple[str, int]] = set()
    while state.status not in TERMINAL and len(claimed) < STEPS:
        for effect in effects:
            assert isinstance(effect, Run)
            key = (effect.activation.node, effect.activation.run_index)
            if key not in claimed:
                dispatched.append(walked(compiled, state, effect, start, counts))
                claimed.update((report.node, report.run_index) for report in dispatched[-1])
        reports = dispatched[data.draw(st.integers(0, len(dispatched) - 1))]
        effects = state.apply(reports.pop(0))
        dispatched = [reports for reports in dispatched if reports]
    assert len(claimed) >= STEPS or isinstance(effects[-1], Finished)


def any_event(data: st.DataObject, state: State, counts: Counts) -> AnyEvent:
    """Mostly about runs that are active, sometimes about anything."""
    keys = [*state.active] or [("N0", 0)]
    name, run = data.draw(st.sampled_from([*keys, *keys, ("N0", 0), ("T", 0), ("nobody", 1)]))
    error = NodeError("boom")
    return data.draw(
        st.sampled_from(
            [
                Completed(0, name, run, counts(name, run)),
                Completed(0, name, run, counts(name, run)),
                Completed(0, name, run, counts(name, run)),
                Failed(0, name, run, error, 5),
                Suspended(0, name, run, "timer", 7),
                Resumed(0, name, run),
                Resumed(0, name, run),
                Lost(0, name, run),
                Failed(0, name, run, error),
                Started(0, "T", (1,)),
                Stopped(0, "cancelled"),
            ]
        )
    )


@given(st.data(), documents(), counting())
@settings(max_examples=300, deadline=None)
def test_fold_equals_live_and_refusals_change_nothing(
    data: st.DataObject, doc: dict[str, Any], counts: Counts
) -> None:
    compiled = Graph.compile(doc, traits)
    live = State(compiled)
    taken: list[tuple[AnyEvent, list[AnyEffect]]] = []
    start = data.draw(starts(counts))
    for event in [start, *(None for _ in range(25))]:
        event = event or any_event(data, live, counts)  # noqa: PLW2901 - drawn from what the state is now
        before = live.snapshot()
        try:
            taken.append((event, live.apply(event)))
        except Refused:
            assert live.snapshot() == before
    fold = State(compiled)
    assert [fold.apply(event) for event, _ in taken] == [effects for _, effects in taken]
    assert fold == live
    finished = [effect for _, effects in taken for effect in effects if isinstance(effect, Finished)]
    assert len(finished) == (live.status in TERMINAL)


@given(documents(), counting())
@settings(max_examples=300, deadline=None)
def test_every_execution_ends(doc: dict[str, Any], counts: Counts) -> None:
    for node in doc["nodes"]:
        if node["type"] == "wait":
            node["type"] = "set"  # loops with a Wait may go on for ever
    compiled = Graph.compile(doc, traits)
    state = State(compiled)
    ready = state.apply(Started(0, "T", (1, 1)))
    begun = 0
    while isinstance(ready[-1], Run):
        run = ready.pop().activation
        begun += 1
        ready += state.apply(Completed(0, run.node, run.run_index, counts(run.node, run.run_index)))
    assert isinstance(ready[-1], Finished)
    assert begun <= len(compiled.nodes) * compiled.loop_limit
    assert state.status in ("success", "error")

"""A workflow version, compiled once: who follows whom, in which order, and what may run in one segment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.traits import Traits

from weft_engine.document import Connection, Declared, GraphIssue, read_connections, read_nodes

LOOP_LIMIT: Final = 100_000
"""Runs of one node in one execution, unless `settings.loopLimit` says otherwise."""

Order = Literal["v1", "v0", "parallel"]
OnError = Literal["stopWorkflow", "continueRegularOutput", "continueErrorOutput"]
Targets = tuple[tuple[tuple[int, int], ...], ...]
"""Per output: (node, input); as the document has them in v0, by position in the other orders."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a version. `targets[i]` are the (node, input) pairs that output i leads to."""

    name: str
    type: str
    version: float
    json: Mapping[str, Any]
    traits: Traits
    disabled: bool
    position: tuple[float, float]
    on_error: OnError
    max_tries: int
    wait_between_ms: int
    execute_once: bool
    always_output: bool
    passes_input: bool = False
    """A failure passes the input on: `continueOnFail` beside an `onError` that says to stop, as in n8n."""
    targets: tuple[tuple[tuple[str, int], ...], ...] = ()

    @property
    def safe(self) -> bool:
        """May run again freely. A disabled node only passes items on."""
        return self.disabled or self.traits.idempotency == "safe"


@dataclass(slots=True)
class Graph:
    """Built by `compile`. Nodes have numbers inside the engine: their place in `names`.

    `width[n]` is the number of inputs of node n, `sources[n][i]` who is connected to input i, `connected[n]`
    how many of its inputs are connected at all. `rank[n]` tells which of several nodes is higher on the canvas,
    then further left; all are 0 in v0, where the place does not count.
    """

    nodes: dict[str, Node]
    issues: list[GraphIssue]
    settings: Mapping[str, Any]
    order: Order
    loop_limit: int
    triggers: tuple[str, ...]
    names: tuple[str, ...]
    index: dict[str, int]
    targets: tuple[Targets, ...]
    sources: tuple[tuple[tuple[int, ...], ...], ...]
    width: tuple[int, ...]
    connected: tuple[int, ...]
    rank: tuple[int, ...]
    _reach: dict[int, frozenset[int]] = field(default_factory=dict)
    _leading: dict[int, frozenset[int]] = field(default_factory=dict)
    _segments: dict[tuple[str, frozenset[str]], tuple[str, ...]] = field(default_factory=dict)
    _exempt: dict[int, bool] = field(default_factory=dict)
    _single: frozenset[int] | None = None

    @classmethod
    def compile(cls, document: Mapping[str, Any], traits: Callable[[Mapping[str, Any]], Traits]) -> "Graph":
        """Never raises for what a document may hold: dangling connections, doubled names and the like become
        `issues` and are left out. Cycles are no issue."""
        issues: list[GraphIssue] = []
        declared = read_nodes(document, issues)
        facts = [traits(node.json) for node in declared]
        edges = read_connections(document, declared, issues)
        width = _widths(facts, edges)
        names = tuple(node.name for node in declared)
        kept = []
        for edge in edges:
            if edge.input < width[edge.target]:
                kept.append(edge)
            fact = facts[edge.target]
            if fact.known and edge.input >= fact.inputs:
                waits = ": it waits for what comes, and leaves it out" if fact.inputs > 1 else ""
                text = f"'{names[edge.target]}' has no input {edge.input}{waits}."
                issues.append(GraphIssue("DANGLING_CONNECTION", names[edge.source], text))
        settings = document.get("settings")
        settings = settings if isinstance(settings, Mapping) else {}
        order = _order(settings.get("executionOrder"))
        rank = (0,) * len(declared) if order == "v0" else _ranks(declared)
        targets = _targets(rank, kept)
        sources = _sources(width, kept)
        nodes = {
            node.name: _node(node, fact, tuple(tuple((names[t], i) for t, i in out) for out in follow))
            for node, fact, follow in zip(declared, facts, targets, strict=True)
        }
        limit = settings.get("loopLimit")
        return cls(
            nodes=nodes,
            issues=issues,
            settings=settings,
            order=order,
            loop_limit=limit if isinstance(limit, int) and limit > 0 else LOOP_LIMIT,
            triggers=tuple(n.name for n in nodes.values() if n.traits.trigger and not n.disabled),
            names=names,
            index={name: number for number, name in enumerate(names)},
            targets=targets,
            sources=sources,
            width=width,
            connected=tuple(sum(1 for slot in slots if slot) for slots in sources),
            rank=rank,
        )

    def start_node(self, preferred: str = "") -> str:
        """`preferred`, else the manual trigger, else the first trigger by position, else the first node.

        Raises WeftError VALIDATION_ERROR where there is no such node.
        """
        if preferred:
            if preferred not in self.nodes:
                raise WeftError(ErrorCode.VALIDATION_ERROR, f"The workflow has no node '{preferred}'.")
            return preferred
        triggers = sorted(self.triggers, key=lambda name: self.nodes[name].position[::-1])
        for name in triggers:
            if self.nodes[name].type.rpartition(".")[2] == "manualTrigger":
                return name
        for name in (*triggers, *self.nodes):
            return name
        raise WeftError(ErrorCode.VALIDATION_ERROR, "The workflow has no nodes.")

    def parents(self, name: str) -> tuple[str, ...]:
        """Nodes with a connection to `name`, by input, each once."""
        found = [self.names[n] for slot in self.sources[self.index[name]] for n in slot]
        return tuple(dict.fromkeys(found))

    def reach(self, node: int) -> frozenset[int]:
        """Everything that can run because `node` ran; itself only if it lies on a cycle."""
        found = self._reach.get(node)
        if found is None:
            found = self._reach[node] = _closure(node, self._next_nodes)
        return found

    def leading_to(self, name: str) -> frozenset[int]:
        """`name` and all its ancestors; nothing where there is no such node."""
        node = self.index.get(name)
        if node is None:
            return frozenset()
        found = self._leading.get(node)
        if found is None:
            back = _closure(node, lambda n: [source for slot in self.sources[n] for source in slot])
            found = self._leading[node] = back | {node}
        return found

    def over_limit(self, node: int, run_index: int) -> bool:
        """Whether this run is one too many. Loops that give up their slot (a Wait in them) may go on for
        ever."""
        if run_index < self.loop_limit:
            return False
        exempt = self._exempt.get(node)
        if exempt is None:
            cycle = [n for n in self.reach(node) if node in self.reach(n)]
            exempt = self._exempt[node] = any(self._suspends(self.nodes[self.names[n]]) for n in cycle)
        return not exempt

    @property
    def single(self) -> frozenset[int]:
        """Nodes that run at most once in any execution: on every way to them there is one connection per
        node."""
        if self._single is None:
            heads = [n for n in range(len(self.names)) if not any(self.sources[n])]
            found = set(heads)
            while heads:
                node = heads.pop()
                for target in self._next_nodes(node):
                    if sum(map(len, self.sources[target])) == 1:
                        found.add(target)
                        heads.append(target)
            self._single = frozenset(found)
        return self._single

    def segment(self, entry: str, pools: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Nodes that one runner may run in one go after `entry`, `entry` first.

        `pools` are those the runner serves besides the entry's own. Left out are unknown nodes, triggers,
        nodes that may suspend, and merges with an input from elsewhere. A node that is not safe may be in
        it, but what follows only through it may not. A live execution asks `State.segment`, which knows what
        has arrived.
        """
        found = self._segments.get((entry, pools))
        if found is None:
            found = self._segments[entry, pools] = tuple(self._grow(entry, pools))
        return found

    def _grow(self, entry: str, pools: frozenset[str]) -> list[str]:
        served = pools | {self.nodes[entry].traits.pool}
        inside = {self.index[entry]: None}
        open_ends = [self.index[entry]]
        while open_ends:
            node = open_ends.pop(0)
            if not self.nodes[self.names[node]].safe:
                continue
            for target in self._next_nodes(node):
                if target not in inside and self._may_join(target, inside, served):
                    inside[target] = None
                    open_ends.append(target)
        return [self.names[node] for node in inside]

    def _may_join(self, number: int, inside: Mapping[int, None], served: frozenset[str]) -> bool:
        node = self.nodes[self.names[number]]
        if not node.disabled:
            facts = node.traits
            if not facts.known or facts.trigger or facts.suspends or facts.pool not in served:
                return False
        if self.width[number] == 1:
            return True
        return all(
            n in inside and self.nodes[self.names[n]].safe for slot in self.sources[number] for n in slot
        )

    def _next_nodes(self, node: int) -> list[int]:
        return [target for output in self.targets[node] for target, _ in output]

    @staticmethod
    def _suspends(node: Node) -> bool:
        return node.traits.suspends and not node.disabled


def _closure(start: int, steps: Callable[[int], list[int]]) -> frozenset[int]:
    found: set[int] = set()
    ends = steps(start)
    while ends:
        node = ends.pop()
        if node not in found:
            found.add(node)
            ends.extend(steps(node))
    return frozenset(found)


def _widths(facts: list[Traits], edges: list[Connection]) -> tuple[int, ...]:
    """Inputs per node. Of an unknown type only the connections tell; one that waits for several inputs waits for all
    that are connected, as in n8n (tests/compat, waiting), even beyond those it reads."""
    width = [max(1, fact.inputs) for fact in facts]
    for edge in edges:
        if not facts[edge.target].known or facts[edge.target].inputs > 1:
            width[edge.target] = max(width[edge.target], edge.input + 1)
    return tuple(width)


def _order(given: Any) -> Order:
    return "v1" if given == "v1" else "parallel" if given == "parallel" else "v0"


def _ranks(declared: list[Declared]) -> tuple[int, ...]:
    places = {place: rank for rank, place in enumerate(sorted({node.position[::-1] for node in declared}))}
    return tuple(places[node.position[::-1]] for node in declared)


def _targets(rank: tuple[int, ...], edges: list[Connection]) -> tuple[Targets, ...]:
    outputs: list[list[list[tuple[int, int]]]] = [[] for _ in rank]
    for edge in edges:
        per_output = outputs[edge.source]
        per_output.extend([] for _ in range(edge.output + 1 - len(per_output)))
        per_output[edge.output].append((edge.target, edge.input))
    for per_output in outputs:
        for pairs in per_output:
            pairs.sort(key=lambda pair: rank[pair[0]])
    return tuple(tuple(tuple(pairs) for pairs in per_output) for per_output in outputs)


def _sources(width: tuple[int, ...], edges: list[Connection]) -> tuple[tuple[tuple[int, ...], ...], ...]:
    inputs: list[list[list[int]]] = [[[] for _ in range(count)] for count in width]
    for edge in edges:
        inputs[edge.target][edge.input].append(edge.source)
    return tuple(tuple(tuple(slot) for slot in slots) for slots in inputs)


def _node(declared: Declared, traits: Traits, targets: tuple[tuple[tuple[str, int], ...], ...]) -> Node:
    json = declared.json
    tries, wait = json.get("maxTries"), json.get("waitBetweenTries")
    tries = int(tries) if isinstance(tries, (int, float)) else 3
    return Node(
        name=declared.name,
        type=declared.type,
        version=declared.version,
        json=json,
        traits=traits,
        disabled=json.get("disabled") is True,
        position=declared.position,
        on_error=_on_error(json),
        passes_input=json.get("continueOnFail") is True and json.get("onError") == "stopWorkflow",
        max_tries=max(1, tries) if json.get("retryOnFail") is True else 1,
        wait_between_ms=max(0, int(wait)) if isinstance(wait, (int, float)) else 1000,
        execute_once=json.get("executeOnce") is True,
        always_output=json.get("alwaysOutputData") is True,
        targets=targets,
    )


def _on_error(json: Mapping[str, Any]) -> OnError:
    """`continueOnFail`, the older spelling, counts where nothing else is said."""
    value = json.get("onError")
    if value == "continueErrorOutput":
        return "continueErrorOutput"
    goes_on = value == "continueRegularOutput" or (value is None and json.get("continueOnFail") is True)
    return "continueRegularOutput" if goes_on else "stopWorkflow"

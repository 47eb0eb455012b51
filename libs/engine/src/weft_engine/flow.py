"""The order of work: what becomes ready when a node run has given its counts. State and Segment share it.

v1 goes depth first (a stack), v0 breadth first (a queue), parallel hands out everything at once. The targets of
a run are taken from top to bottom, then left to right, whichever output leads to them; in v0 output by output, as
the document has them. In v0, too, a branch that got nothing runs with an empty item before a merge that waits for it.
"""

from collections import deque

from weft_contracts.messages import EMPTY_ITEM, Source

from weft_engine.graph import Graph

Inputs = tuple[Source | None, ...]
Ready = tuple[int, Inputs]
"""A node, by number, and what each of its inputs brought; `OUTSIDE` where this walk may not go there."""

OUTSIDE: Inputs = ()


class Flow:
    """What is ready, which inputs of which merges have arrived, and how often each node has run.

    `leading`: nodes that may run at all (partial runs). `inside`: the nodes of a segment; a target outside
    of it takes its place in the order as `OUTSIDE`, since only the whole state knows whether it is ready.
    """

    __slots__ = ("graph", "inside", "leading", "pending", "ready", "runs")

    def __init__(
        self,
        graph: Graph,
        runs: dict[str, int],
        leading: frozenset[int] | None,
        inside: frozenset[int] | None = None,
    ) -> None:
        self.graph = graph
        self.leading = leading
        self.inside = inside
        self.runs = runs
        self.ready: deque[Ready] = deque()
        self.pending: dict[int, list[list[Source | None]]] = {}

    def deliver(self, node: int, run_index: int, counts: tuple[int, ...]) -> None:
        """Passes the items of a finished run on to what follows it. An output without items leads nowhere."""
        graph = self.graph
        arrived: list[Ready] = []
        lacking: list[tuple[int, Source]] = []
        for output, (targets, count) in enumerate(zip(graph.targets[node], counts, strict=False)):
            if count <= 0 or not targets:
                continue
            source = Source(graph.names[node], output, run_index)
            for target, slot in targets:
                if self.leading is not None and target not in self.leading:
                    continue
                if self.inside is not None and target not in self.inside:
                    arrived.append((target, OUTSIDE))
                elif graph.width[target] == 1:
                    arrived.append((target, (source,)))
                elif (inputs := self._collect(target, slot, source)) is not None:
                    arrived.append((target, inputs))
                elif graph.order == "v0":
                    lacking.append((target, source))
        for target, source in lacking:
            arrived += self._empty_branches(target, source, [*arrived, *self.ready])
        if len(arrived) > 1 and graph.order != "v0":
            arrived.sort(key=lambda ready: graph.rank[ready[0]])
        if graph.order == "v1":
            arrived.reverse()
        self.ready.extend(arrived)

    def next(self) -> Ready | None:
        """Takes what is to run next out of what is ready."""
        if not self.ready:
            return None
        return self.ready.pop() if self.graph.order == "v1" else self.ready.popleft()

    def overdue(self) -> Ready | None:
        """With nothing left that could bring data: the earliest merge runs with what it has.

        Earliest is one that no other waiting merge can still feed; among those, the one that began to wait
        first.
        """
        graph = self.graph
        waiting = [n for n in self.pending if not graph.nodes[graph.names[n]].traits.waits_for_all]
        if graph.order == "v0":
            waiting = [n for n in waiting if self._has_first(n)]
        for node in waiting:
            if all(node not in graph.reach(other) or other in graph.reach(node) for other in waiting):
                return node, tuple(self._take(node, 0))
        return None

    def begin(self, node: int) -> int:
        """The run index of a run that begins now."""
        name = self.graph.names[node]
        run_index = self.runs.get(name, 0)
        self.runs[name] = run_index + 1
        return run_index

    def snapshot(self) -> tuple[object, ...]:
        pending = [(node, [tuple(slots) for slots in sets]) for node, sets in self.pending.items()]
        return list(self.ready), pending, dict(self.runs), self.leading

    def _collect(self, node: int, slot: int, source: Source) -> Inputs | None:
        """Adds an arrival to the first set that lacks it; the whole set once every connected input has
        arrived."""
        sets = self.pending.setdefault(node, [])
        place = next((n for n, slots in enumerate(sets) if slots[slot] is None), len(sets))
        if place == len(sets):
            sets.append([None] * self.graph.width[node])
        sets[place][slot] = source
        if sum(1 for part in sets[place] if part is not None) < self.graph.connected[node]:
            return None
        if self.graph.order == "v0" and not self._has_first(node):
            return None
        return tuple(self._take(node, place))

    def _has_first(self, merge: int) -> bool:
        """v0, as seen of n8n: no merge runs without its first input, but where one node feeds that and another."""
        slots, first = self.pending[merge][0], self.graph.sources[merge][0]
        fed = (self.graph.index[part.node] for part in slots if part is not None)
        return slots[0] is not None or any(node in first for node in fed)

    def _empty_branches(self, merge: int, source: Source, ready: list[Ready]) -> list[Ready]:
        """v0, as seen of n8n: once a merge has got something, what leads to its other inputs and has not run runs with
        one empty item, from the outermost such node on. What is ready already brings its own."""
        graph, found = self.graph, list[Ready]()
        if merge not in self.pending:
            return []
        slots = self.pending[merge][-1]
        empty = (Source(source.node, EMPTY_ITEM, source.run),)
        for slot, nodes in enumerate(graph.sources[merge]):
            start = self._start_of(nodes[-1]) if nodes and slots[slot] is None else None
            if start is None or any(start == each[0] for each in (*ready, *found)):
                continue
            if self.leading is not None and start not in self.leading:
                continue
            outside = self.inside is not None and start not in self.inside
            found.append((start, OUTSIDE if outside else empty))
        return found

    def _start_of(self, node: int) -> int | None:
        """Of the nodes that lead to it without a run, itself included, the outermost; None where that is itself one
        that has run, a trigger, or a merge."""
        graph, seen = self.graph, set[int]()
        if self._ran(node):
            return None
        while True:
            seen.add(node)
            before = [n for slot in graph.sources[node] for n in slot if n not in seen and not self._ran(n)]
            if not before:
                break
            node = before[-1]
        return None if graph.nodes[graph.names[node]].traits.trigger or graph.width[node] != 1 else node

    def _ran(self, node: int) -> bool:
        return self.graph.names[node] in self.runs

    def _take(self, node: int, place: int) -> list[Source | None]:
        sets = self.pending[node]
        slots = sets.pop(place)
        if not sets:
            del self.pending[node]
        return slots

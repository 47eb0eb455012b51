"""The order of work: what becomes ready when a node run has given its counts. State and Segment share it.

v1 goes depth first (a stack), v0 breadth first (a queue), parallel hands out everything at once. The targets of
a run are taken from top to bottom, then left to right, whichever output leads to them; in v0 output by output, as
the document has them.
"""

from collections import deque

from weft_contracts.messages import Source

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
        return tuple(self._take(node, place))

    def _take(self, node: int, place: int) -> list[Source | None]:
        sets = self.pending[node]
        slots = sets.pop(place)
        if not sets:
            del self.pending[node]
        return slots

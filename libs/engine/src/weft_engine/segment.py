"""A runner's walk through one segment, in the very order in which the orchestrator's State will replay it.

Where only the whole state could say what comes next (a node outside, a second run of a node, the siblings of
a breadth-first or parallel execution), the walk ends early, which is always right.
"""

from weft_contracts.messages import Activation, RunSegment

from weft_engine.flow import OUTSIDE, Flow, Ready
from weft_engine.graph import Graph


class Segment:
    """`current` is the activation to run now, None once the segment is over."""

    __slots__ = ("_done", "_exclusive", "_flow", "_graph", "current")

    def __init__(self, graph: Graph, task: RunSegment) -> None:
        inside = frozenset(graph.index[name] for name in task.nodes)
        leading = graph.leading_to(task.destination_node) if task.destination_node else None
        self.current: Activation | None = task.entry
        self._graph = graph
        self._exclusive = task.exclusive
        self._flow = Flow(graph, dict(task.runs), leading, inside)
        self._done = {graph.index[task.entry.node]}

    def completed(self, counts: tuple[int, ...]) -> Activation | None:
        """The current run gave `counts[i]` items on output i. What comes next here, or None at the end."""
        current = self.current
        if current is None:
            return None
        node = self._graph.nodes[current.node]
        self.current = None
        if node.safe:
            self._flow.deliver(self._graph.index[current.node], current.run_index, counts)
            self.current = self._follow()
        return self.current

    def failed(self) -> None:
        """The current run failed or is to be tried again later: the segment is over."""
        self.current = None

    def suspended(self) -> None:
        """The current run waits: the segment is over."""
        self.current = None

    def _follow(self) -> Activation | None:
        ready = self._next()
        if ready is None:
            return None
        number, inputs = ready
        if inputs is OUTSIDE or number in self._done:
            return None
        run_index = self._flow.begin(number)
        if self._graph.over_limit(number, run_index):
            return None
        self._done.add(number)
        return Activation(self._graph.names[number], run_index, inputs)

    def _next(self) -> Ready | None:
        flow, order = self._flow, self._graph.order
        if order == "parallel" and len(flow.ready) > 1:
            return None
        ready = flow.next()
        if self._exclusive:
            return ready or flow.overdue()
        if order == "v1":
            return ready
        # Others may be ahead in the queue (v0), or run beside this (parallel) and give the same node its
        # next run.
        return ready if order == "parallel" and ready and ready[0] in self._graph.single else None

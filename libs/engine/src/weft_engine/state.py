"""The state of one execution: `apply(event)` gives the effects. No clock, no randomness, no look into items.

Folding the same events over a new State gives an equal State with the same effects, which is how an
execution is taken over. In the orders v1 and v0 one activation is active at a time and one that sleeps (a
wait, a retry) holds up the rest; in `parallel` everything ready is active at once.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from weft_contracts.messages import TERMINAL, Activation, ExecutionStatus, NodeError

from weft_engine.flow import Flow, Ready
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
    Sleep,
    Started,
    Stopped,
    Suspended,
)

Key = tuple[str, int]
LOSSES: Final = 3
"""So many lost runners end the execution: the node is what kills them."""


class State:
    """`active` holds every run that has begun and not ended, sleeping ones included; `asleep` says why those
    sleep. `runs` is the next run index per node, `losses` and `attempts` count per active run (absent: 0
    losses, try 1).
    """

    __slots__ = (
        "_flow",
        "_given",
        "active",
        "asleep",
        "attempts",
        "error",
        "graph",
        "last_node",
        "losses",
        "status",
    )

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.status: ExecutionStatus = "queued"
        self.last_node = ""
        self.error: NodeError | None = None
        self.active: dict[Key, Activation] = {}
        self.asleep: dict[Key, str] = {}
        self.attempts: dict[Key, int] = {}
        self.losses: dict[Key, int] = {}
        self._flow = Flow(graph, {}, None)
        self._given: dict[str, list[tuple[int, ...]]] = {}

    @property
    def runs(self) -> dict[str, int]:
        return self._flow.runs

    def apply(self, event: AnyEvent) -> list[AnyEffect]:
        """Raises Refused, and then nothing has changed, where the event does not fit."""
        if self.status in TERMINAL:
            raise Refused(f"The execution has ended as {self.status}.")
        return self._HANDLERS[type(event)](self, event)

    def quiet_beside(self, activation: Activation) -> bool:
        """Nothing but this activation is active, ready, or collecting inputs."""
        flow = self._flow
        return (
            not flow.ready
            and not flow.pending
            and list(self.active) == [(activation.node, activation.run_index)]
        )

    def segment(self, activation: Activation, pools: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """`Graph.segment` without the nodes that only the state can judge: merges that have inputs already,
        and nodes whose runs are given (partial runs)."""
        nodes = self.graph.segment(activation.node, pools)
        if not self._flow.pending and not self._given:
            return nodes
        left_out = {self.graph.names[n] for n in self._flow.pending} | self._given.keys()
        return tuple(name for name in nodes if name not in left_out or name == activation.node)

    def snapshot(self) -> tuple[object, ...]:
        """Everything that decides what happens next, in values that compare."""
        return (
            self.status,
            self.last_node,
            self.error,
            dict(self.active),
            dict(self.asleep),
            dict(self.attempts),
            dict(self.losses),
            {name: list(runs) for name, runs in self._given.items()},
            self._flow.snapshot(),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.snapshot() == other.snapshot()

    __hash__ = None  # type: ignore[assignment] # states change

    def _start(self, event: Started) -> list[AnyEffect]:
        if self.status != "queued":
            raise Refused("The execution has started already.")
        number = self.graph.index.get(event.trigger)
        if number is None:
            raise Refused(f"The workflow has no node '{event.trigger}'.")
        flow = self._flow
        flow.leading = self.graph.leading_to(event.destination) if event.destination else None
        for name, _, counts in sorted(event.run_data, key=lambda run: run[1]):
            if name in self.graph.index:
                self._given.setdefault(name, []).append(counts)
        given = self._take_given(event.trigger)
        self.status = "running"
        elsewhere = self._given_elsewhere(number)
        self._flow_on(number, event.counts if given is None else given)
        behind = flow.ready.appendleft if self.graph.order == "v1" else flow.ready.append
        for node in elsewhere:
            behind((node, (None,) * self.graph.width[node]))
        return self._advance()

    def _complete(self, event: Completed) -> list[AnyEffect]:
        key = self._awake(event.node, event.run_index)
        self._forget(key)
        self.last_node = event.node
        self._flow.deliver(self.graph.index[event.node], event.run_index, event.counts)
        return self._advance()

    def _fail(self, event: Failed) -> list[AnyEffect]:
        key = self._awake(event.node, event.run_index)
        if event.retry_at is None:
            self.last_node = event.node
            return [self._finish("error", event.error)]
        return [self._sleep(key, "retry", event.retry_at)]

    def _suspend(self, event: Suspended) -> list[AnyEffect]:
        return [self._sleep(self._awake(event.node, event.run_index), event.kind, event.until)]

    def _resume(self, event: Resumed) -> list[AnyEffect]:
        key = (event.node, event.run_index)
        if key not in self.asleep:
            raise Refused(f"Run {event.run_index} of '{event.node}' does not wait.")
        if self.asleep.pop(key) == "retry":
            self.attempts[key] = self.attempts.get(key, 1) + 1
        self._judge_waiting()
        return [Run(self.active[key], self.attempts.get(key, 1))]

    def _lose(self, event: Lost) -> list[AnyEffect]:
        key = self._awake(event.node, event.run_index)
        losses = self.losses[key] = self.losses.get(key, 0) + 1
        if losses < LOSSES:
            return [Run(self.active[key], self.attempts.get(key, 1))]
        self.last_node = event.node
        text = f"The process that ran '{event.node}' died {LOSSES} times."
        return [self._finish("error", NodeError(text, code="CRASHED", cause="crashed", node=event.node))]

    def _stop(self, event: Stopped) -> list[AnyEffect]:
        if event.status not in ("cancelled", "error"):
            raise Refused(f"An execution is not stopped as {event.status}.")
        return [self._finish(event.status, event.error)]

    def _awake(self, node: str, run_index: int) -> Key:
        key = (node, run_index)
        if key not in self.active or key in self.asleep:
            raise Refused(f"Run {run_index} of '{node}' is not active.")
        return key

    def _forget(self, key: Key) -> None:
        del self.active[key]
        self.attempts.pop(key, None)
        self.losses.pop(key, None)
        if self.asleep:
            self._judge_waiting()

    def _sleep(self, key: Key, kind: Any, until: int | None) -> Sleep:
        self.asleep[key] = kind
        self._judge_waiting()
        return Sleep(self.active[key], kind, until)

    def _judge_waiting(self) -> None:
        """Waiting: all that could go on waits for the outside. A pause before a retry still counts as
        running."""
        waits = len(self.asleep) == len(self.active) > 0 and "retry" not in self.asleep.values()
        self.status = "waiting" if waits else "running"

    def _finish(self, status: ExecutionStatus, error: NodeError | None) -> Finished:
        self.status, self.error = status, error
        self.active.clear()
        self.asleep.clear()
        return Finished(status, self.last_node, error)

    def _advance(self) -> list[AnyEffect]:
        """Begins what is ready, as far as the order allows."""
        effects: list[AnyEffect] = []
        flow, several = self._flow, self.graph.order == "parallel"
        while several or not self.active:
            ready = flow.next()
            if ready is None:
                if self.active:
                    break
                ready = flow.overdue()
            if ready is None:
                effects.append(self._finish("success", None))
                break
            effect = self._begin(ready)
            if effect is not None:
                effects.append(effect)
            if self.status in TERMINAL:
                return effects[-1:]
        if self.asleep:
            self._judge_waiting()
        return effects

    def _begin(self, ready: Ready) -> AnyEffect | None:
        number, inputs = ready
        name = self.graph.names[number]
        given = self._take_given(name) if self._given else None
        if given is not None:
            self._flow_on(number, given)
            return None
        run_index = self._flow.begin(number)
        if self.graph.over_limit(number, run_index):
            self.last_node = name
            text = f"'{name}' ran {run_index} times. A loop that does not end was stopped."
            return self._finish("error", NodeError(text, code="LOOP_LIMIT", node=name))
        activation = self.active[name, run_index] = Activation(name, run_index, inputs)
        return Run(activation)

    def _flow_on(self, number: int, counts: tuple[int, ...]) -> None:
        """A run that nobody has to make: the trigger's, or one that was given."""
        run_index = self._flow.begin(number)
        self.last_node = self.graph.names[number]
        self._flow.deliver(number, run_index, counts)

    def _take_given(self, name: str) -> tuple[int, ...] | None:
        """The oldest given run of a node that has not been used."""
        runs = self._given.get(name)
        if runs is None:
            return None
        counts = runs.pop(0)
        if not runs:
            del self._given[name]
        return counts

    def _given_elsewhere(self, trigger: int) -> list[int]:
        """Given nodes that no way leads to from the trigger or from another given node: other starting
        points."""
        given = [self.graph.index[name] for name in self._given]
        leading = self._flow.leading
        return [
            node
            for node in given
            if (leading is None or node in leading)
            and node != trigger
            and not any(node in self.graph.reach(other) for other in (trigger, *given) if other != node)
        ]

    _HANDLERS: ClassVar[dict[type, Callable[["State", Any], list[AnyEffect]]]] = {
        Started: _start,
        Completed: _complete,
        Failed: _fail,
        Suspended: _suspend,
        Resumed: _resume,
        Lost: _lose,
        Stopped: _stop,
    }

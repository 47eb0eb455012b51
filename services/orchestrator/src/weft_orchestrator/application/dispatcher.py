"""Hands out tasks to runners, and knows which of them goes on where."""

import logging
import time
from typing import Any, Final

import msgspec
from weft_contracts import messages as m
from weft_contracts import topics
from weft_contracts.ids import new_id
from weft_kit import items
from weft_kit.bus import EventBus
from weft_kit.telemetry import metrics
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.envelopes import envelope
from weft_orchestrator.domain.fleet import Dispatch, Fleet
from weft_orchestrator.domain.live import Key, Live
from weft_orchestrator.domain.tasks import task_of

log = logging.getLogger("weft.orchestrator")

TICK_SECONDS: Final = 0.1
STALL_SECONDS: Final = 1.0

_ready = metrics.gauge("ready_tasks", "Node tasks that wait for a runner", ("pool",))
_oldest = metrics.gauge(
    "oldest_ready_task_seconds", "How long the node task that waits longest has waited", ("pool",)
)
_lost = metrics.counter("lost_dispatches", "Tasks whose runner died")


class Dispatcher:
    """`lives`: the executions in memory; what waits for a runner and is no longer there is not handed out."""

    def __init__(self, bus: EventBus, lives: dict[str, Live], lease: float) -> None:
        self._bus = bus
        self._lives = lives
        self._by_execution: dict[str, list[Dispatch]] = {}
        self._ticked = time.monotonic()
        self.fleet = Fleet(lease)

    # --- handing out ----------------------------------------------------------------------------------------

    def settle(self, live: Live) -> None:
        """Hands out what is ready and not on its way."""
        if not live.ready:
            return
        held = self._by_execution.get(live.id, ())
        for key in list(live.ready):
            if any(key[0] in dispatch.nodes and key != dispatch.entry for dispatch in held):
                continue
            pool = _pool(live, key)
            queue = self.fleet.queue(pool)
            if queue.holds(live.project_id) or not self._dispatch(live, key, pool):
                queue.put(live, key, time.monotonic())

    def pump(self) -> None:
        """Hands out what has waited, as far as there is room."""
        for pool, queue in self.fleet.queues.items():
            while queue.length and self.fleet.choose(pool) is not None:
                taken = queue.take()
                if taken is None:
                    break
                live, key = taken
                if self._lives.get(live.id) is live:
                    self._dispatch(live, key, pool)

    def _dispatch(self, live: Live, key: Key, pool: str) -> bool:
        runner = self.fleet.choose(pool, live.project_id)
        if runner is None:
            return False
        run = live.ready.pop(key)
        nodes = live.state.segment(run.activation, frozenset(runner.slots))
        dispatch = Dispatch(new_id(), live, key, frozenset(nodes), runner.name, pool, time.monotonic())
        task = task_of(live, run, nodes, dispatch.id, runner.name)
        self._add(dispatch)
        self._bus.send(topics.node_tasks(pool), envelope(task, live.id, live.project_id), runner.partition)
        return True

    def confirm(self, message: m.SegmentReports, report: m.NodeStarted, *, granted: bool) -> None:
        """Tells the runner whether the node may begin."""
        body = m.StartConfirmed(message.dispatch_id, report.node, report.run_index, granted)
        self._tell(message.runner, body)

    def _tell(self, name: str, body: m.Message) -> None:
        runner = self.fleet.runners.get(name)
        if runner is not None:
            self._bus.send(topics.RUNNER_CONTROL, envelope(body, name), runner.partition)

    # --- what goes on ---------------------------------------------------------------------------------------

    def get(self, dispatch_id: str) -> Dispatch | None:
        return self.fleet.dispatches.get(dispatch_id)

    def any_of(self, live: Live) -> bool:
        return bool(self._by_execution.get(live.id))

    def runs(self, dispatch: Dispatch) -> bool:
        """Whether its entry is to end by it, and by no later dispatch."""
        live, entry = dispatch.live, dispatch.entry
        awake = entry in live.state.active and entry not in live.state.asleep
        return awake and not self.elsewhere(live, entry, dispatch.id)

    def elsewhere(self, live: Live, key: Key, dispatch_id: str) -> bool:
        """Whether the run has been handed out in another dispatch than this one."""
        return any(
            each.entry == key and each.id != dispatch_id for each in self._by_execution.get(live.id, ())
        )

    def inherit(self, live: Live, key: Key, dispatch_id: str, runner: str = "") -> Dispatch:
        """A dispatch of the owner before us that goes on. Which runner has it, its heartbeats tell."""
        live.ready.pop(key, None)
        pool, node = _pool(live, key), frozenset({key[0]})
        dispatch = Dispatch(dispatch_id, live, key, node, runner, pool, time.monotonic())
        self._add(dispatch)
        return dispatch

    def _add(self, dispatch: Dispatch) -> None:
        self.fleet.add(dispatch)
        self._by_execution.setdefault(dispatch.live.id, []).append(dispatch)

    # --- ends -----------------------------------------------------------------------------------------------

    def end(self, dispatch: Dispatch) -> None:
        """Its runner is done with it. Where its entry neither ended nor sleeps (a message was lost, or the runner could
        not go on), it is lost."""
        if self.runs(dispatch):
            self._withdraw(dispatch)
            self.lose(dispatch, begun=True)
        else:
            self._close(dispatch)

    def lose(self, dispatch: Dispatch, *, begun: bool) -> None:
        """Its runner is gone."""
        live, now = dispatch.live, now_us()
        _lost.inc()
        self._close(dispatch)
        held = [key for key in live.ready if key[0] in dispatch.nodes]
        for key in [dispatch.entry] if self.runs(dispatch) else held:
            if live.over:
                break
            made = live.lost(key, now, counts=begun)
            if made is not None:
                live.completed(_with_items(made))

    def leave(self, live: Live, *, withdraw: bool) -> None:
        """Nothing of it is ours any more. `withdraw`: runners are told to stop."""
        for dispatch in self._by_execution.pop(live.id, ()):
            if withdraw:
                self._withdraw(dispatch)
            else:
                self.fleet.close(dispatch)

    def _withdraw(self, dispatch: Dispatch) -> None:
        self.fleet.close(dispatch)
        self._tell(dispatch.runner, m.CancelDispatch(dispatch.id))

    def _close(self, dispatch: Dispatch) -> None:
        self.fleet.close(dispatch)
        held = self._by_execution.get(dispatch.live.id)
        if held is not None and dispatch in held:
            held.remove(dispatch)
            if not held:
                del self._by_execution[dispatch.live.id]

    # --- time -----------------------------------------------------------------------------------------------

    def tick(self) -> list[Live]:
        """Judges leases, every TICK_SECONDS; the executions that have lost a runner."""
        now, away = time.monotonic(), time.monotonic() - self._ticked - TICK_SECONDS
        self._ticked = now
        if away > STALL_SECONDS:
            self.fleet.forgive(away)
        lost = self.fleet.lost(now)
        for dispatch in lost:
            log.warning(
                "a task is given to another runner",
                extra=fields(execution=dispatch.live.id, node=dispatch.entry[0], runner=dispatch.runner),
            )
            self.lose(dispatch, begun=dispatch.begun)
        return list({dispatch.live.id: dispatch.live for dispatch in lost}.values())

    def measure(self) -> None:
        for pool, queue in self.fleet.queues.items():
            oldest = queue.oldest()
            _oldest.labels(pool).set(0.0 if oldest is None else time.monotonic() - oldest)
            _ready.labels(pool).set(queue.length)


def _pool(live: Live, key: Key) -> str:
    return live.graph.nodes[key[0]].traits.pool


def _with_items(made: m.NodeCompleted) -> m.NodeCompleted:
    """An end that no runner has written: its items say the error."""
    text = made.error.message if made.error else ""
    outputs: list[list[dict[str, Any]]] = [[{"json": {"error": text}}] * count for count in made.counts]
    return msgspec.structs.replace(made, output=items.encode_outputs(outputs))

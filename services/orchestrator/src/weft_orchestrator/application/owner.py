"""The owner of shards: takes commands and results in, moves executions, hands out tasks, commits in groups.

One loop, no awaits inside a transition. What a transition asks of others leaves at once where it can be repeated
(tasks), and after the commit where it can't (answers, events, permission to begin).
"""

import asyncio
import contextlib
import heapq
import logging
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from weft_contracts import messages as m
from weft_contracts import topics, wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import derived_id, new_id, shard_of
from weft_contracts.messages import Envelope
from weft_contracts.payload import Payload
from weft_contracts.traits import UNKNOWN
from weft_engine.graph import Graph
from weft_engine.model import Refused
from weft_kit import items
from weft_kit.bus import EventBus, Received
from weft_kit.crash import point
from weft_kit.outbox import Row
from weft_kit.signals import Signals
from weft_kit.telemetry import metrics
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.ports import (
    Commits,
    Entry,
    Executions,
    ExistingError,
    FencedError,
    Group,
    Positions,
    UnstorableError,
    Versions,
)
from weft_orchestrator.domain.fleet import Dispatch, Fleet
from weft_orchestrator.domain.live import Key, Live
from weft_orchestrator.domain.records import Head, head_of

log = logging.getLogger("weft.orchestrator")
T = TypeVar("T")
Work = Callable[[], Awaitable[None]]
Action = Callable[[Live | None], None]
Step = tuple[Work, Action, Received | None, "Shard | None"]
"""What waits for its turn: what is to be read first, what is done then, its message and the shard that has it open."""

TICK_SECONDS: Final = 0.1
STALL_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 0.5
"""Between two tries to reach something of ours."""
TRIES: Final = 10
HORIZON: Final = 30_000_000
"""Microseconds: what is due within is kept in memory."""
NO_GRAPH: Final = Graph.compile({}, lambda _: UNKNOWN)

_ready = metrics.gauge("ready_tasks", "Node tasks that wait for a runner", ("pool",))
_ended = metrics.counter("executions", "Executions that ended", ("status",))
_commits = metrics.counter("commits", "Group commits")
_grouped = metrics.counter("committed_executions", "Executions in group commits")
_lost = metrics.counter("lost_dispatches", "Tasks whose runner died")


def now_us() -> int:
    return time.time_ns() // 1000


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What it gives, once what it needs is in reach. Raises whatever else it raises; INTERNAL, as which the death of
    who was asked may appear, only the tenth time."""
    broken = 0
    while True:
        try:
            return await work()
        except WeftError as error:
            broken += error.code is ErrorCode.INTERNAL
            if error.code not in (ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL) or broken == TRIES:
                raise
            await asyncio.sleep(AGAIN_SECONDS)


class Shard:
    """`next`: offsets up to which everything was taken in; `open`: earlier ones that still wait for something."""

    __slots__ = ("epoch", "next", "number", "open", "recovered")

    def __init__(self, number: int, epoch: int, positions: Positions) -> None:
        self.number = number
        self.epoch = epoch
        self.next = {topics.EXECUTION_COMMANDS: positions[0], topics.NODE_RESULTS: positions[1]}
        self.open: dict[str, set[int]] = {topics.EXECUTION_COMMANDS: set(), topics.NODE_RESULTS: set()}
        self.recovered = False

    def position(self, topic: str) -> int:
        waiting = self.open[topic]
        return min(waiting) if waiting else self.next[topic]

    @property
    def positions(self) -> Positions:
        return self.position(topics.EXECUTION_COMMANDS), self.position(topics.NODE_RESULTS)


class Owner:
    """`exclusive`: one fence row stands for all shards, and nothing of the bus outlives the process."""

    def __init__(
        self,
        instance: str,
        bus: EventBus,
        signals: Signals,
        commits: Commits,
        executions: Executions,
        versions: Versions,
        *,
        lease: float,
        commit_delay: float,
        memory: int,
        exclusive: bool,
    ) -> None:
        self.instance = instance
        self._bus = bus
        self._signals = signals
        self._commits = commits
        self._executions = executions
        self._versions = versions
        self._delay = commit_delay
        self._memory = memory
        self._exclusive = exclusive
        self.fleet = Fleet(lease)
        self.shards: dict[int, Shard] = {}
        self.lives: dict[str, Live] = {}
        self._by_execution: dict[str, list[Dispatch]] = {}
        self._waiting: dict[str, deque[Step]] = {}
        self._timers: list[tuple[int, str]] = []
        self._dirty: dict[str, Live] = {}
        self._touched: set[tuple[str, int]] = set()
        self._after: list[tuple[Live, Callable[[], None]]] = []
        self._outbox: list[tuple[Live, Row]] = []
        self._asked = asyncio.Event()
        self._urgent = asyncio.Event()
        self._flushed: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.waiters: dict[str, list[asyncio.Future[None]]] = {}
        self.on_outbox: Callable[[], None] = lambda: None
        self.on_follow_up: Callable[[str], None] = lambda _: None
        self._reader = bus.reader()
        self._ticked = time.monotonic()

    # --- taking messages in -----------------------------------------------------------------------------

    async def assign(self, shards: dict[int, Shard]) -> None:
        """Reads these shards from now on; what is in memory of others is dropped. Raises UNAVAILABLE; then none was
        added."""
        for live in [live for live in self.lives.values() if live.shard not in shards]:
            self._forget(live, withdraw=False)
        before, self.shards = self.shards, shards
        try:
            await self._reader.assign(
                {
                    (topic, number): shard.position(topic)
                    for number, shard in shards.items()
                    for topic in (topics.NODE_RESULTS, topics.EXECUTION_COMMANDS)
                }
            )
        except WeftError:
            self.shards = {n: shard for n, shard in before.items() if n in shards}
            raise

    async def read(self) -> None:
        """For ever."""
        while True:
            for received in await self._reader.fetch():
                self._take(received)
            self._pump()

    async def end_of_results(self, shard: int) -> int:
        return await self._reader.end(topics.NODE_RESULTS, shard)

    def _take(self, received: Received) -> None:
        shard = self.shards.get(received.partition)
        if shard is None or received.offset < shard.next[received.topic]:
            return
        shard.next[received.topic] = received.offset + 1
        self._touched.add((received.topic, received.partition))
        self._asked.set()
        if received.envelope is None:
            self._poison(received.key, received.error)
            return
        try:
            self._handle(received.envelope.body, received)
        except Exception as error:
            log.exception("a message could not be handled", extra=fields(topic=received.topic))
            self._bury(received, error)

    def _handle(self, body: m.Message, received: Received) -> None:
        if isinstance(body, m.SegmentReports):
            self._reports(body, received)
        elif isinstance(body, m.StartExecution):
            self._start(body, received)
        elif isinstance(body, m.ResumeExecution):
            self._with(body.execution_id, lambda live: self._wake(live, body), received)
        elif isinstance(body, m.CancelExecution):
            self._with(body.execution_id, lambda live: self._cancel(live, body), received)
        elif isinstance(body, m.RetryExecution):
            self._retry(body, received)

    def _bury(self, received: Received, error: Exception) -> None:
        """The position stays open until the dead letter can't be lost."""
        shard, envelope = self.shards[received.partition], received.envelope
        assert envelope is not None
        shard.open[received.topic].add(received.offset)

        async def bury() -> None:
            letter = ""
            while not letter:
                try:
                    letter = await self._bus.dead_letter(received.topic, envelope, repr(error))
                except Exception as failure:  # noqa: BLE001 - whatever it is, nothing may pass the message
                    log.warning("a dead letter can't be written: %r", failure)
                    await asyncio.sleep(AGAIN_SECONDS)
            self._done_with(received, shard)
            start = envelope.body if isinstance(envelope.body, m.StartExecution) else None
            self._poison(envelope.key, f"dead letter {letter}", start)

        self._spawn(bury())

    def _done_with(self, received: Received, shard: Shard) -> None:
        shard.open[received.topic].discard(received.offset)
        self._touched.add((received.topic, received.partition))
        self._asked.set()

    def _poison(self, execution_id: str, reason: str, start: m.StartExecution | None = None) -> None:
        """`start`: what could not even begin; it gets an execution that says so."""
        text = f"A message of this execution could not be handled ({reason})."
        failure = m.NodeError(text, code="CRASHED", cause="crashed")

        def end(live: Live | None) -> None:
            if live is not None and not live.over:
                self._stop(live, "error", failure)
            elif live is None and start is not None:
                shard = shard_of(start.execution_id)
                live = self._stillborn(start, shard, head_of(start, ""), failure, now_us())
                self.lives[live.id] = live
                self._changed(live)

        if execution_id:
            self._with(execution_id, end, None)

    def _with(self, execution_id: str, action: Action, received: Received | None) -> None:
        """Does it to the execution, now if it is in memory, else once it is loaded; None: it is over or unknown."""
        live = self.lives.get(execution_id)
        if live is not None and execution_id not in self._waiting:
            action(live)
        else:
            self._wait(execution_id, lambda: self._load(execution_id), action, received)

    def _wait(self, execution_id: str, work: Work, action: Action, received: Received | None) -> None:
        """Does it after `work`, in its turn among what waits for this execution. Until then the message's position
        stays open."""
        shard = None if received is None else self.shards[received.partition]
        if received is not None and shard is not None:
            shard.open[received.topic].add(received.offset)
        steps = self._waiting.get(execution_id)
        if steps is None:
            steps = self._waiting[execution_id] = deque()
            self._spawn(self._in_turn(execution_id, steps))
        steps.append((work, action, received, shard))

    async def _in_turn(self, execution_id: str, steps: deque[Step]) -> None:
        while steps:
            work, action, received, shard = steps[0]
            try:
                await patiently(work)
                action(self.lives.get(execution_id))
            except Exception as error:
                log.exception("a message could not be handled", extra=fields(execution=execution_id))
                if received is not None and self.shards.get(received.partition) is shard:
                    self._bury(received, error)
            else:
                if received is not None and shard is not None:
                    self._done_with(received, shard)
            steps.popleft()
        del self._waiting[execution_id]
        self._pump()

    async def _load(self, execution_id: str) -> None:
        """Where its version is gone, or what is stored can't be folded, it ends. Raises UNAVAILABLE, INTERNAL."""
        number = shard_of(execution_id)
        shard = self.shards.get(number)
        if execution_id in self.lives or shard is None:
            return
        failure: Exception | None = None
        try:
            live = await self._executions.load(execution_id, self._versions)
        except Exception as error:
            if isinstance(error, WeftError) and error.code is not ErrorCode.NOT_FOUND:
                raise
            log.exception("an execution can't be read", extra=fields(execution=execution_id))
            live, failure = await self._executions.bare(execution_id), error
        if live is None or self.shards.get(number) is not shard:
            return
        if failure is None:
            self._adopt(live)
        else:
            self.lives[live.id] = live
            text = f"The execution can't be read back, and so can't go on: {failure}"
            self._stop(live, "error", m.NodeError(text, code="CRASHED", cause="crashed"))

    def _adopt(self, live: Live) -> None:
        """A run that was allowed to begin by the owner before us may still run: its dispatch goes on."""
        self.lives[live.id] = live
        live.outlived = self._exclusive
        for key, row in list(live.rows.items()):
            if row.details.dispatch_id and key in live.ready:
                dispatch = self._inherit(live, key, row.details.dispatch_id)
                if self._exclusive:  # it began in the process that is gone
                    self._give_up(dispatch, begun=True)
                    self._changed(live)
        self._settle(live)

    # --- starts ---------------------------------------------------------------------------------------------

    def _start(self, command: m.StartExecution, received: Received) -> None:
        known = self.lives.get(command.execution_id)
        if known is not None:
            self._repeated(known, command)
            return
        graph = self._versions.cached(command.version_id)
        if graph is not None and command.execution_id not in self._waiting:
            self._begin(command, graph)
            return

        def begin(live: Live | None) -> None:
            if live is not None:
                self._repeated(live, command)
            else:
                self._begin(command, self._versions.cached(command.version_id) or NO_GRAPH)

        self._wait(command.execution_id, lambda: self._fetch(command.version_id), begin, received)

    async def _fetch(self, version_id: str) -> None:
        """Until it is cached, or known to be nowhere."""
        try:
            await self._versions.graph(version_id)
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise

    def _retry(self, command: m.RetryExecution, received: Received) -> None:
        """As a start, with what the first run had done."""
        start: m.StartExecution | None = None

        async def read() -> None:
            nonlocal start
            try:
                start = await self._executions.retry(command)
            except WeftError as error:
                if error.code not in (ErrorCode.NOT_FOUND, ErrorCode.CONFLICT):
                    raise
                log.warning("a retry has no effect: %s", error.message)
            else:
                await self._fetch(start.version_id)

        def begin(live: Live | None) -> None:
            if start is not None and live is None:
                self._begin(start, self._versions.cached(start.version_id) or NO_GRAPH)

        self._wait(command.execution_id, read, begin, received)

    def _repeated(self, live: Live, command: m.StartExecution) -> None:
        """The same execution again: its caller is answered with the others."""
        if command.reply_to and command.reply_to not in (live.head.reply_to, *live.listeners):
            live.listeners.append(command.reply_to)

    def _begin(self, command: m.StartExecution, graph: Graph) -> None:
        now, shard = now_us(), shard_of(command.execution_id)
        suspends = any(node.traits.suspends for node in graph.nodes.values())
        head = head_of(command, secrets.token_hex(16) if suspends else "")
        try:
            if graph is NO_GRAPH:
                raise Refused("The version of the workflow is gone.")
            if any("\x00" in name for name in graph.nodes):
                raise Refused("A node's name holds the zero character, which can't be stored.")
            live = Live.begin(command, shard, head, graph, now)
        except Refused as refusal:
            failure = m.NodeError(str(refusal), code="VALIDATION_ERROR")
            live = self._stillborn(command, shard, head, failure, now)
        self.lives[live.id] = live
        if command.response not in ("last_node", "response_node"):
            self._urgent.set()
        self._changed(live)

    @staticmethod
    def _stillborn(command: m.StartExecution, shard: int, head: Head, failure: m.NodeError, now: int) -> Live:
        live = Live(
            command.execution_id,
            shard,
            command.project_id,
            command.workflow_id,
            command.version_id,
            command.mode,
            head,
            NO_GRAPH,
            now,
        )
        live.stop("error", failure, now)
        return live

    # --- results ----------------------------------------------------------------------------------------------

    def _reports(self, message: m.SegmentReports, received: Received) -> None:
        dispatch = self.fleet.dispatches.get(message.dispatch_id)
        if dispatch is not None and dispatch.live.id == message.execution_id:
            dispatch.begun = True
            self._apply(dispatch.live, message, dispatch)
            return
        if self.shards[received.partition].recovered and message.execution_id not in self._waiting:
            self._refuse(message)
        else:
            self._with(message.execution_id, lambda live: self._inherited(live, message), received)

    def _inherited(self, live: Live | None, message: m.SegmentReports) -> None:
        """A result for the owner before us: it counts while its run is open and we have not handed it out again."""
        dispatch = self.fleet.dispatches.get(message.dispatch_id)
        if live is None or live.over or (dispatch is None and self._by_execution.get(live.id)):
            self._refuse(message)
        else:
            self._apply(live, message, dispatch)

    def _refuse(self, message: m.SegmentReports) -> None:
        """A late result. One that asks to begin is told not to."""
        for report in message.reports:
            if isinstance(report, m.NodeStarted) and report.confirm:
                self._confirm(message, report, granted=False)

    def _apply(self, live: Live, message: m.SegmentReports, dispatch: Dispatch | None) -> None:
        try:
            for report in message.reports:
                self._report(live, report, message)
        except Refused as refusal:
            log.warning("a result does not fit: %s", refusal, extra=fields(execution=live.id))
            self._refuse(message)
            over = True
        else:
            over = message.last
        if dispatch is not None and over:
            self._end_of(dispatch)
        self._changed(live)

    def _end_of(self, dispatch: Dispatch) -> None:
        """Where its entry neither ended nor sleeps (a message was lost, or the runner could not go on), it is lost."""
        if self._runs(dispatch):
            self._withdraw(dispatch)
            self._give_up(dispatch, begun=True)
        else:
            self._close(dispatch)

    def _runs(self, dispatch: Dispatch) -> bool:
        """Whether its entry is to end by it, and by no later dispatch."""
        live, entry = dispatch.live, dispatch.entry
        awake = entry in live.state.active and entry not in live.state.asleep
        return awake and not self._elsewhere(live, entry, dispatch.id)

    def _elsewhere(self, live: Live, key: Key, dispatch_id: str) -> bool:
        """Whether the run has been handed out in another dispatch than this one."""
        return any(
            each.entry == key and each.id != dispatch_id for each in self._by_execution.get(live.id, ())
        )

    def _report(self, live: Live, report: m.NodeReport, message: m.SegmentReports) -> None:
        if isinstance(report, m.NodeCompleted):
            live.completed(report)
        elif isinstance(report, m.NodeStarted):
            if report.confirm:
                self._claim(live, (report.node, report.run_index), message)
            live.started(report, message.dispatch_id)
            if report.confirm:
                self._urgent.set()
                self._after.append((live, lambda: self._confirm(message, report, granted=True)))
        elif isinstance(report, m.NodeFailed):
            live.failed(report)
        elif isinstance(report, m.NodeWaiting):
            self._children(live, report)
        else:
            self._respond(live, report)

    def _claim(self, live: Live, key: Key, message: m.SegmentReports) -> None:
        """What is not safe begins in one dispatch, and is handed out to no other while that goes on. One that the owner
        before us gave out may ask for a run that waits in our queue, or that we have given out. Raises Refused."""
        if key not in live.state.active or key in live.state.asleep:
            raise Refused(f"Run {key[1]} of '{key[0]}' is not active.")
        if self._elsewhere(live, key, message.dispatch_id):
            raise Refused(f"Run {key[1]} of '{key[0]}' has been given to another runner.")
        dispatch = self.fleet.dispatches.get(message.dispatch_id)
        if dispatch is None:
            dispatch = self._inherit(live, key, message.dispatch_id, message.runner)
            dispatch.begun = True
        dispatch.nodes |= {key[0]}

    def _inherit(self, live: Live, key: Key, dispatch_id: str, runner: str = "") -> Dispatch:
        """A dispatch of the owner before us that goes on. Which runner has it, its heartbeats tell."""
        live.ready.pop(key, None)
        pool, node = self._pool(live, key), frozenset({key[0]})
        dispatch = Dispatch(dispatch_id, live, key, node, runner, pool, time.monotonic())
        self.fleet.add(dispatch)
        self._by_execution.setdefault(live.id, []).append(dispatch)
        return dispatch

    def _confirm(self, message: m.SegmentReports, report: m.NodeStarted, *, granted: bool) -> None:
        runner = self.fleet.runners.get(message.runner)
        if runner is not None:
            body = m.StartConfirmed(message.dispatch_id, report.node, report.run_index, granted)
            self._bus.send(topics.RUNNER_CONTROL, self._envelope(body, message.runner), runner.partition)

    def _respond(self, live: Live, report: m.WebhookResponse) -> None:
        if live.head.response != "response_node" or live.reply is not None:
            return
        reply = m.WebhookReply(live.id, "response", report.status, report.headers, report.body)
        live.reply = wire.encode_signal(reply)
        self._urgent.set()
        self._answer(live, reply)

    def _answer(self, live: Live, reply: m.WebhookReply) -> None:
        """After the commit, to everybody who waits for it."""
        channels = [channel for channel in (live.head.reply_to, *live.listeners) if channel]
        if channels:

            def publish() -> None:
                for channel in channels:
                    self._signals.publish(channel, reply)

            self._after.append((live, publish))

    def _children(self, live: Live, report: m.NodeWaiting) -> None:
        started = live.waiting(report)
        row = live.rows.get((report.node, report.run_index))
        first = 0 if row is None else row.details.woken_before
        for index, child in enumerate(started):
            body = m.StartExecution(
                self._child_id(live, (report.node, report.run_index), report.at, index),
                live.project_id,
                child.workflow_id,
                child.version_id,
                "sub_workflow",
                child.trigger_node,
                child.items,
                child.counts,
                parent=m.ParentLink(live.id, report.node, report.run_index, first + index, child.wait),
                root_id=live.head.root_id or live.id,
                depth=live.head.depth + 1,
                created_by=live.head.created_by,
            )
            self._stage(live, body)

    @staticmethod
    def _child_id(live: Live, key: Key, at: int, index: int) -> str:
        return derived_id(at // 1000, live.id, *key, index)

    def _stage(self, live: Live, command: m.ExecutionCommand) -> None:
        """To another owner, by the outbox of the commit that has this change of the execution in it."""
        envelope = self._envelope(command, command.execution_id, live.project_id)
        row = topics.EXECUTION_COMMANDS, envelope, shard_of(command.execution_id)
        self._outbox.append((live, row))

    # --- wakes, cancels, losses ---------------------------------------------------------------------------

    def _wake(self, live: Live | None, command: m.ResumeExecution) -> None:
        if live is None:
            return
        try:
            live.wake(command, now_us())
        except Refused as refusal:
            log.info("a call wakes nothing: %s", refusal, extra=fields(execution=live.id))
            return
        if command.reply_to and command.reply_to not in (live.head.reply_to, *live.listeners):
            live.listeners.append(command.reply_to)
        self._urgent.set()
        self._changed(live)

    def _cancel(self, live: Live | None, command: m.CancelExecution) -> None:
        if live is not None and not live.over:
            error = m.NodeError(command.reason, "CANCELLED", "cancelled") if command.reason else None
            self._stop(live, "cancelled", error)

    def _stop(self, live: Live, status: str, error: m.NodeError | None) -> None:
        rows = dict(live.rows)
        for key in live.stop(status, error, now_us()):
            details = rows[key].details
            for index in range(details.children):
                child = self._child_id(live, key, details.child_started, index)
                self._stage(live, m.CancelExecution(child, reason="The parent ended."))
        self._urgent.set()
        self._changed(live)

    def _give_up(self, dispatch: Dispatch, *, begun: bool) -> None:
        """Its runner is gone."""
        live, now = dispatch.live, now_us()
        _lost.inc()
        self._close(dispatch)
        held = [key for key in live.ready if key[0] in dispatch.nodes]
        for key in [dispatch.entry] if self._runs(dispatch) else held:
            if live.over:
                break
            made = live.lost(key, now, counts=begun)
            if made is not None:
                text = made.error.message if made.error else ""
                outputs: list[list[dict[str, Any]]] = [
                    [{"json": {"error": text}}] * count for count in made.counts
                ]
                live.completed(msgspec.structs.replace(made, output=items.encode_outputs(outputs)))

    def tick(self) -> None:
        """Timers and leases; a few times a second."""
        now, away = time.monotonic(), time.monotonic() - self._ticked - TICK_SECONDS
        self._ticked = now
        if away > STALL_SECONDS:
            self.fleet.forgive(away)
        for dispatch in self.fleet.lost(now):
            log.warning(
                "a task is given to another runner",
                extra=fields(execution=dispatch.live.id, node=dispatch.entry[0], runner=dispatch.runner),
            )
            self._give_up(dispatch, begun=dispatch.begun)
            self._changed(dispatch.live)
        self._elapse()
        self._pump()
        for pool, queue in self.fleet.queues.items():
            _ready.labels(pool).set(queue.length)

    def _elapse(self) -> None:
        now = now_us()
        while self._timers and self._timers[0][0] <= now:
            _, execution_id = heapq.heappop(self._timers)
            self.look(execution_id)

    def look(self, execution_id: str) -> None:
        """Wakes what is due in it."""

        def elapse(live: Live | None) -> None:
            if live is not None and not live.over and live.elapse(now_us()):
                self._urgent.set()
                self._changed(live)

        if shard_of(execution_id) in self.shards:
            self._with(execution_id, elapse, None)

    def resume(self, execution_id: str) -> None:
        """Reads an execution that should be running, so that it goes on."""
        if shard_of(execution_id) in self.shards and execution_id not in self.lives:
            self._with(execution_id, lambda _: None, None)

    def heard(self, beat: m.Heartbeat) -> None:
        self.fleet.heard(beat, time.monotonic())
        self._pump()

    # --- handing out ------------------------------------------------------------------------------------------

    def _changed(self, live: Live) -> None:
        """After every transition."""
        self._dirty[live.id] = live
        self._asked.set()
        if live.over:
            for dispatch in self._by_execution.pop(live.id, ()):
                self._withdraw(dispatch)
            self._finished(live)
        else:
            self._settle(live)
            due = live.due() if live.state.asleep or live.deadline is not None else None
            if due is not None and due != live.timer and due < now_us() + HORIZON:
                self.remind(due, live.id)
                live.timer = due

    def remind(self, due: int, execution_id: str) -> None:
        """Looks at the execution at that time."""
        heapq.heappush(self._timers, (due, execution_id))

    def _withdraw(self, dispatch: Dispatch) -> None:
        self.fleet.close(dispatch)
        runner = self.fleet.runners.get(dispatch.runner)
        if runner is not None:
            body = self._envelope(m.CancelDispatch(dispatch.id), dispatch.runner)
            self._bus.send(topics.RUNNER_CONTROL, body, runner.partition)

    def _finished(self, live: Live) -> None:
        status = live.state.status
        _ended.labels(status).inc()
        head = live.head
        if live.reply is None and (head.response in ("last_node", "response_node") or live.listeners):
            self._urgent.set()
            self._answer(live, final_reply(live))
        if live.id in self.waiters or not head.reply_to:
            self._urgent.set()
        parent = head.parent
        if parent is not None and parent.wait:
            row = live.last.get(live.state.last_node)
            ended = m.ResumeExecution(
                parent.execution_id,
                parent.node,
                parent.run_index,
                "child",
                index=parent.index,
                data=row.output if row else None,
                counts=row.details.counts if row else (),
                error=None if status == "success" else live.error or m.NodeError(f"The run was {status}."),
            )
            self._stage(live, ended)

    def _settle(self, live: Live) -> None:
        """Hands out what is ready and not on its way."""
        if not live.ready:
            return
        held = self._by_execution.get(live.id, ())
        for key in list(live.ready):
            if any(key[0] in dispatch.nodes and key != dispatch.entry for dispatch in held):
                continue
            pool = self._pool(live, key)
            queue = self.fleet.queue(pool)
            if queue.holds(live.project_id) or not self._dispatch(live, key, pool):
                queue.put(live, key)

    def _pump(self) -> None:
        """Hands out what has waited, as far as there is room."""
        for pool, queue in self.fleet.queues.items():
            while queue.length and self.fleet.choose(pool) is not None:
                taken = queue.take()
                if taken is None:
                    break
                live, key = taken
                if self.lives.get(live.id) is live:
                    self._dispatch(live, key, pool)

    @staticmethod
    def _pool(live: Live, key: Key) -> str:
        return live.graph.nodes[key[0]].traits.pool

    def _dispatch(self, live: Live, key: Key, pool: str) -> bool:
        runner = self.fleet.choose(pool, live.project_id)
        if runner is None:
            return False
        run = live.ready.pop(key)
        activation, head = run.activation, live.head
        nodes = live.state.segment(activation, frozenset(runner.slots))
        dispatch = Dispatch(new_id(), live, key, frozenset(nodes), runner.name, pool, time.monotonic())
        task = m.RunSegment(
            dispatch.id,
            live.id,
            live.project_id,
            live.workflow_id,
            live.version_id,
            live.mode,
            live.shard,
            activation,
            nodes,
            live.state.quiet_beside(activation),
            live.created_at,
            dict(live.state.runs),
            live.carried(activation),
            run.attempt,
            live.resume_of(key),
            head.resume_token,
            None if head.pins is None else Payload(*head.pins),
            head.destination_node,
            head.root_id,
            head.depth,
            head.retry_of,
            live.static_data,
            runner.name,
            live.outlived,
            dict(live.custom_data),
        )
        self.fleet.add(dispatch)
        self._by_execution.setdefault(live.id, []).append(dispatch)
        self._bus.send(
            topics.node_tasks(pool), self._envelope(task, live.id, live.project_id), runner.partition
        )
        return True

    def _close(self, dispatch: Dispatch) -> None:
        self.fleet.close(dispatch)
        held = self._by_execution.get(dispatch.live.id)
        if held is not None and dispatch in held:
            held.remove(dispatch)
            if not held:
                del self._by_execution[dispatch.live.id]

    @staticmethod
    def _envelope(body: m.Message, key: str, tenant: str = "") -> Envelope:
        return Envelope(new_id(), body, key, tenant, now_us())

    # --- commits --------------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """For ever: one group after the other. A group that nobody waits for is held back a moment for company."""
        while True:
            await self._asked.wait()
            if not self._urgent.is_set() and self._flushed is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), self._delay)
            self._asked.clear()
            self._urgent.clear()
            flushed, self._flushed = self._flushed, None
            await self._write_group()
            if flushed is not None and not flushed.done():
                flushed.set_result(None)

    async def flush(self) -> None:
        """Returns when everything up to now is committed."""
        if self._flushed is None:
            self._flushed = asyncio.get_running_loop().create_future()
        flushed = self._flushed
        self._asked.set()
        self._urgent.set()
        await flushed

    async def _write_group(self) -> None:
        for live in [each for each in self._dirty.values() if each.shard not in self.shards]:
            self._forget(live)  # it began while its shard was taken from us
        lives, self._dirty = list(self._dirty.values()), {}
        touched, self._touched = self._touched, set()
        after, self._after = self._after, []
        staged, self._outbox = self._outbox, []
        group = Group()
        changes = [(live, tuple(live.changes)) for live in lives if live.changes]
        for live in lives:
            group.entries.append(_entry(live))
        positions = {
            (topic, number): self.shards[number].position(topic)
            for topic, number in touched
            if number in self.shards
        }
        self._fence(group, {number for _, number in positions})
        point("commit.before")
        await self._commit(group, staged)
        point("commit.after")
        for (topic, number), position in positions.items():
            if number in self.shards:
                point("position.before")
                self._reader.commit(topic, number, position)
        _commits.inc()
        _grouped.inc(len(group.entries))
        kept = {id(entry.live) for entry in group.entries}
        for live, act in after:
            if id(live) in kept:
                act()
        self._publish([each for each in changes if id(each[0]) in kept])
        if group.outbox:
            self.on_outbox()
        for entry in group.entries:
            self._settled(entry)

    def _fence(self, group: Group, numbers: set[int]) -> None:
        if self._exclusive:
            shard = self.shards[0]
            group.fences[0] = (shard.epoch, (0, 0))
            return
        for number in numbers | {entry.live.shard for entry in group.entries}:
            shard = self.shards[number]
            group.fences[number] = (shard.epoch, shard.positions)

    async def _commit(self, group: Group, staged: list[tuple[Live, Row]]) -> None:
        """Until it is written, or nothing of it is ours any more."""
        pause = 0.05
        while group.entries or group.fences:
            kept = {id(entry.live) for entry in group.entries}
            group.outbox = [row for live, row in staged if id(live) in kept]
            try:
                await self._commits.commit(group)
                break
            except ExistingError as error:
                for entry in [each for each in group.entries if each.live.id in error.execution_ids]:
                    group.entries.remove(entry)
                    self._known(entry.live)
            except UnstorableError as error:
                for entry in [each for each in group.entries if each.live.id in error.execution_ids]:
                    group.entries.remove(entry)
                    self._unstorable(entry.live)
            except FencedError:
                log.warning("another orchestrator has taken shards over")
                await self.fenced()
                group.entries = [each for each in group.entries if each.live.shard in self.shards]
                group.fences = {n: fence for n, fence in group.fences.items() if n in self.shards}
            except WeftError as error:
                log.warning("a commit has to wait: %s", error.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def fenced(self) -> None:
        """Set by the keeper of leases: finds out which shards are still ours."""
        self.shards = {}

    def _known(self, live: Live) -> None:
        """We took a repeat for something new: the stored execution is the one. Its caller is answered from there."""
        channels = [each for each in (live.head.reply_to, *live.listeners) if each]
        self._forget(live)
        self._spawn(self._answer_stored(live.id, channels))
        self.resume(live.id)

    def _unstorable(self, live: Live) -> None:
        """It goes on from what is stored, and ends there. A new one is kept without what it held."""
        log.error("an execution holds what can't be stored", extra=fields(execution=live.id))
        self._forget(live)
        failure = m.NodeError("The execution holds data that can't be stored.", code="VALIDATION_ERROR")
        if live.stored:

            def end(found: Live | None) -> None:
                if found is not None:
                    self._stop(found, "error", failure)

            self._with(live.id, end, None)
        elif live.graph is not NO_GRAPH:
            bare = Live(
                live.id,
                live.shard,
                live.project_id,
                live.workflow_id,
                live.version_id,
                live.mode,
                live.head,
                NO_GRAPH,
                live.created_at,
            )
            bare.listeners = live.listeners
            self.lives[live.id] = bare
            self._stop(bare, "error", failure)

    async def _answer_stored(self, execution_id: str, channels: list[str]) -> None:
        found = await patiently(lambda: self._executions.reply(execution_id))
        if found is not None:
            for channel in channels:
                self._signals.publish(channel, wire.decode_signal(found))

    def _publish(self, changes: list[tuple[Live, tuple[m.ExecutionChange, ...]]]) -> None:
        for live, steps in changes:
            body = m.ExecutionChanged(live.id, live.project_id, live.workflow_id, steps)
            self._bus.send(
                topics.EXECUTION_EVENTS, self._envelope(body, live.id, live.project_id), live.shard
            )
        if changes:
            point("publish.after")

    def _settled(self, entry: Entry) -> None:
        """It is committed up to the entry's seq."""
        live = entry.live
        live.stored, live.committed = True, max(live.committed, entry.seq)
        if not live.over or live.id in self._dirty:
            if (
                len(self.lives) > self._memory
                and live.state.status == "waiting"
                and live.id not in self._dirty
            ):
                self._forget(live)
            return
        self._forget(live)
        for waiter in self.waiters.pop(live.id, ()):
            if not waiter.done():
                waiter.set_result(None)
        if live.follow_up:
            self.on_follow_up(live.id)

    def _forget(self, live: Live, *, withdraw: bool = True) -> None:
        """`withdraw` False: its tasks go on for the next owner, who adopts them."""
        for dispatch in self._by_execution.pop(live.id, ()):
            if withdraw:
                self._withdraw(dispatch)
            else:
                self.fleet.close(dispatch)
        if self.lives.get(live.id) is live:
            del self.lives[live.id]
        self._dirty.pop(live.id, None)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reader.close()


def _entry(live: Live) -> Entry:
    """Takes what has changed out of the execution."""
    rows, wakes = list(live.dirty.values()), live.new_wakes
    live.dirty, live.changes = {}, []
    live.new_wakes = []
    return Entry(live, not live.stored, live.seq, live.state.status, live.due(), rows, wakes)


def final_reply(live: Live) -> m.WebhookReply:
    """What a caller hears who waits for the end."""
    return reply_at_end(
        live.id, live.head.response, live.state.status, live.last.get(live.state.last_node), live.error
    )


def reply_at_end(
    execution_id: str, response: str, status: str, last: Any, error: m.NodeError | None
) -> m.WebhookReply:
    if status != "success":
        return m.WebhookReply(execution_id, "failed", 500, error=error)
    if response == "response_node":
        return m.WebhookReply(execution_id, "none")
    return m.WebhookReply(execution_id, "finished", body=last.output if last is not None else None)

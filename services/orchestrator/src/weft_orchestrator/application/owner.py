"""The owner of shards: takes commands and results in, moves executions, hands out tasks, commits in groups.

One loop, no awaits inside a transition. What a transition asks of others leaves at once where it can be repeated
(tasks), and after the commit where it can't (answers, events, permission to begin).
"""

import asyncio
import logging
import time
from collections.abc import Callable

from weft_contracts import messages as m
from weft_contracts.ids import shard_of
from weft_engine.model import Refused
from weft_kit.bus import EventBus, Received
from weft_kit.signals import Signals
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.admission import Admission
from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.committer import Committer
from weft_orchestrator.application.dispatcher import Dispatcher
from weft_orchestrator.application.inbox import Inbox
from weft_orchestrator.application.memory import Memory
from weft_orchestrator.application.ports import Commits, Executions, Versions
from weft_orchestrator.application.results import Results
from weft_orchestrator.application.transitions import Transitions
from weft_orchestrator.domain.live import NO_GRAPH, Live
from weft_orchestrator.domain.shard import Shard

log = logging.getLogger("weft.orchestrator")


class Owner:
    """`exclusive`: one fence row stands for all shards, and nothing of the bus outlives the process. `memory`: how many
    executions are kept at hand when all that they do is wait."""

    def __init__(
        self,
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
        asked = asyncio.Event()
        self.lives: dict[str, Live] = {}
        self.inbox = Inbox(bus, self, self.lives, asked)
        self.committer = Committer(
            bus, commits, self.inbox, self, asked, delay=commit_delay, exclusive=exclusive
        )
        self.dispatcher = Dispatcher(bus, self.lives, lease)
        self.transitions = Transitions(self.committer, self.dispatcher, signals)
        self.memory = Memory(
            self.lives,
            self.inbox,
            self.committer,
            self.dispatcher,
            self.transitions,
            executions,
            versions,
            exclusive=exclusive,
        )
        self.results = Results(self.inbox, self.committer, self.dispatcher, self.transitions, self.memory)
        self.admission = Admission(self.inbox, self.transitions, self.memory, executions, versions)
        self.on_follow_up: Callable[[str], None] = lambda _: None
        self._most_waiting = memory

    async def assign(self, shards: dict[int, Shard]) -> None:
        """Owns these shards from now on; what is in memory of others is dropped. Raises UNAVAILABLE; then none was
        added."""
        for live in [live for live in self.lives.values() if live.shard not in shards]:
            self.memory.forget(live, withdraw=False)
        await self.inbox.assign(shards)

    async def close(self) -> None:
        await self.inbox.close()

    # --- messages (the inbox's Handler) ---------------------------------------------------------------------

    def handle(self, body: m.Message, received: Received) -> None:
        if isinstance(body, m.SegmentReports):
            self.results.take(body, received)
        elif isinstance(body, m.StartExecution):
            self.admission.start(body, received)
        elif isinstance(body, m.ResumeExecution):
            self.memory.use(body.execution_id, lambda live: self._wake(live, body), received)
        elif isinstance(body, m.CancelExecution):
            self.memory.use(body.execution_id, lambda live: self._cancel(live, body), received)
        elif isinstance(body, m.RetryExecution):
            self.admission.retry(body, received)

    def rest(self) -> None:
        self.dispatcher.pump()

    def give_up(self, execution_id: str, reason: str, start: m.StartExecution | None = None) -> None:
        """The execution ends; a start that could not begin gets one that says so."""
        text = f"A message of this execution could not be handled ({reason})."
        failure = m.NodeError(text, code="CRASHED", cause="crashed")

        def end(live: Live | None) -> None:
            if live is not None and not live.over:
                self.transitions.stop(live, "error", failure)
            elif live is None and start is not None:
                self.admission.fail(start, failure)

        if execution_id:
            self.memory.use(execution_id, end, None)

    def _wake(self, live: Live | None, command: m.ResumeExecution) -> None:
        if live is None:
            return
        try:
            live.wake(command, now_us())
        except Refused as refusal:
            log.info("a call wakes nothing: %s", refusal, extra=fields(execution=live.id))
            return
        self.transitions.listen(live, command.reply_to)
        self.transitions.changed(live, urgent=True)

    def _cancel(self, live: Live | None, command: m.CancelExecution) -> None:
        if live is not None and not live.over:
            error = m.NodeError(command.reason, "CANCELLED", "cancelled") if command.reason else None
            self.transitions.stop(live, "cancelled", error)

    # --- time -----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Timers and leases; every TICK_SECONDS."""
        for live in self.dispatcher.tick():
            self.transitions.changed(live)
        for execution_id in self.transitions.timers.take(now_us()):
            self._look(execution_id)
        self.dispatcher.pump()
        self.dispatcher.measure()

    def _look(self, execution_id: str) -> None:
        """Wakes what is due in it."""

        def elapse(live: Live | None) -> None:
            if live is not None and not live.over and live.elapse(now_us()):
                self.transitions.changed(live, urgent=True)

        if shard_of(execution_id) in self.inbox.shards:
            self.memory.use(execution_id, elapse, None)

    def heard(self, beat: m.Heartbeat) -> None:
        self.dispatcher.fleet.heard(beat, time.monotonic())
        self.dispatcher.pump()

    def resume(self, execution_id: str) -> None:
        """Reads an execution that should be running, so that it goes on."""
        if shard_of(execution_id) in self.inbox.shards and execution_id not in self.lives:
            self.memory.use(execution_id, lambda _: None, None)

    # --- commits (the committer's Outcomes) -----------------------------------------------------------------

    def committed(self, live: Live, seq: int) -> None:
        live.stored, live.committed = True, max(live.committed, seq)
        if self.committer.holds(live):
            return
        if live.over:
            self.memory.forget(live)
            self.transitions.ended(live)
            if live.follow_up:
                self.on_follow_up(live.id)
        elif live.state.status == "waiting" and len(self.lives) > self._most_waiting and not live.listeners:
            self.memory.forget(live)  # listeners are nowhere else

    def foreign(self, live: Live) -> None:
        self.memory.forget(live)

    def existing(self, live: Live) -> None:
        self.admission.existing(live)

    def unstorable(self, live: Live) -> None:
        """It goes on from what is stored, and ends there. A new one is kept without what it held."""
        log.error("an execution holds what can't be stored", extra=fields(execution=live.id))
        self.memory.forget(live)
        failure = m.NodeError("The execution holds data that can't be stored.", code="VALIDATION_ERROR")
        if live.stored:

            def end(found: Live | None) -> None:
                if found is not None:
                    self.transitions.stop(found, "error", failure)

            self.memory.use(live.id, end, None)
        elif live.graph is not NO_GRAPH:
            bare = live.bare()
            self.lives[live.id] = bare
            self.transitions.stop(bare, "error", failure)

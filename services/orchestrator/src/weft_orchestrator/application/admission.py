"""Starts of executions, and repeats of them."""

import logging
import secrets

from weft_contracts import messages as m
from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import shard_of
from weft_engine.graph import Graph
from weft_engine.model import Refused
from weft_kit.bus import Received

from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.inbox import Inbox
from weft_orchestrator.application.memory import Memory
from weft_orchestrator.application.patience import patiently
from weft_orchestrator.application.ports import Executions, Versions
from weft_orchestrator.application.transitions import Transitions
from weft_orchestrator.domain.live import NO_GRAPH, Live
from weft_orchestrator.domain.records import head_of

log = logging.getLogger("weft.orchestrator")


class Admission:
    """A start may come again: the execution is the same, and every caller gets its answer."""

    def __init__(
        self,
        inbox: Inbox,
        transitions: Transitions,
        memory: Memory,
        executions: Executions,
        versions: Versions,
    ) -> None:
        self._inbox = inbox
        self._transitions = transitions
        self._memory = memory
        self._executions = executions
        self._versions = versions

    def start(self, command: m.StartExecution, received: Received) -> None:
        known = self._memory.lives.get(command.execution_id)
        if known is not None:
            self._transitions.join(known, command.reply_to)
            return
        graph = self._versions.cached(command.version_id)
        if graph is not None and not self._inbox.busy(command.execution_id):
            self.begin(command, graph)
            return

        def begin(live: Live | None) -> None:
            if live is not None:
                self._transitions.join(live, command.reply_to)
            else:
                self.begin(command, self._versions.cached(command.version_id) or NO_GRAPH)

        self._inbox.wait(command.execution_id, lambda: self._fetch(command.version_id), begin, received)

    def retry(self, command: m.RetryExecution, received: Received) -> None:
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
                self.begin(start, self._versions.cached(start.version_id) or NO_GRAPH)

        self._inbox.wait(command.execution_id, read, begin, received)

    async def _fetch(self, version_id: str) -> None:
        """Until it is cached, or known to be nowhere."""
        try:
            await self._versions.graph(version_id)
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise

    def begin(self, command: m.StartExecution, graph: Graph) -> None:
        """What can't begin is kept as an execution that has failed. NO_GRAPH: its version is gone."""
        now, shard = now_us(), shard_of(command.execution_id)
        suspends = any(node.traits.suspends for node in graph.nodes.values())
        head = head_of(command, secrets.token_hex(16) if suspends else "")
        try:
            if graph is NO_GRAPH:
                raise Refused("The version of the workflow is gone.")
            if any("\x00" in name for name in graph.nodes):
                raise Refused("A node's name holds the zero character, which can't be stored.")
            live = Live.of(command, shard, head, graph, now)
            live.begin(command, now)
        except Refused as refusal:
            failure = m.NodeError(str(refusal), code="VALIDATION_ERROR")
            live = Live.stillborn(command, shard, head, failure, now)
        self._memory.lives[live.id] = live
        self._transitions.changed(live, urgent=command.response not in ("last_node", "response_node"))

    def fail(self, command: m.StartExecution, failure: m.NodeError) -> None:
        """Keeps a start that could not be handled as an execution that says so."""
        shard = shard_of(command.execution_id)
        live = Live.stillborn(command, shard, head_of(command, ""), failure, now_us())
        self._memory.lives[live.id] = live
        self._transitions.changed(live)

    def existing(self, live: Live) -> None:
        """We took a repeat for something new: the stored execution is the one, and its callers wait for that."""
        channels = [each for each in (live.head.reply_to, *live.listeners) if each]
        self._memory.forget(live)

        def join(stored: Live | None) -> None:
            if stored is None:
                self._inbox.spawn(self._answer_stored(live.id, channels))
            else:
                for channel in channels:
                    self._transitions.join(stored, channel)

        self._memory.use(live.id, join, None)

    async def _answer_stored(self, execution_id: str, channels: list[str]) -> None:
        found = await patiently(lambda: self._executions.reply(execution_id))
        if found is not None:
            self._transitions.tell(channels, wire.decode_signal(found))

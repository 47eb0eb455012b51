"""Executions in memory: read from the tables when something comes for them, forgotten when they need nothing."""

import logging

from weft_contracts import messages as m
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import shard_of
from weft_kit.bus import Received
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.committer import Committer
from weft_orchestrator.application.dispatcher import Dispatcher
from weft_orchestrator.application.inbox import Action, Inbox
from weft_orchestrator.application.ports import Executions, Versions
from weft_orchestrator.application.transitions import Transitions
from weft_orchestrator.domain.live import Live

log = logging.getLogger("weft.orchestrator")


class Memory:
    """`lives`: by id. `exclusive`: no runner outlives the process, nor what it has begun."""

    def __init__(
        self,
        lives: dict[str, Live],
        inbox: Inbox,
        committer: Committer,
        dispatcher: Dispatcher,
        transitions: Transitions,
        executions: Executions,
        versions: Versions,
        *,
        exclusive: bool,
    ) -> None:
        self.lives = lives
        self._inbox = inbox
        self._committer = committer
        self._dispatcher = dispatcher
        self._transitions = transitions
        self._executions = executions
        self._versions = versions
        self._exclusive = exclusive

    def use(self, execution_id: str, action: Action, received: Received | None) -> None:
        """Does it to the execution, now if it is in memory, else once it is loaded; None: it is over or unknown."""
        live = self.lives.get(execution_id)
        if live is not None and not self._inbox.busy(execution_id):
            action(live)
        else:
            self._inbox.wait(execution_id, lambda: self._load(execution_id), action, received)

    def forget(self, live: Live, *, withdraw: bool = True) -> None:
        """`withdraw` False: its tasks go on for the next owner, who adopts them."""
        self._dispatcher.leave(live, withdraw=withdraw)
        if self.lives.get(live.id) is live:
            del self.lives[live.id]
        self._committer.drop(live)

    async def _load(self, execution_id: str) -> None:
        """Where its version is gone, or what is stored can't be folded, it ends. Raises WeftError but NOT_FOUND."""
        number = shard_of(execution_id)
        shard = self._inbox.shards.get(number)
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
        if live is None or self._inbox.shards.get(number) is not shard:
            return
        self.lives[live.id] = live
        if failure is None:
            self._adopt(live)
        else:
            text = f"The execution can't be read back, and so can't go on: {failure}"
            self._transitions.stop(live, "error", m.NodeError(text, code="CRASHED", cause="crashed"))

    def _adopt(self, live: Live) -> None:
        """A run that was allowed to begin by the owner before us may still run: its dispatch goes on."""
        live.outlived = self._exclusive
        for key, row in list(live.rows.items()):
            if row.details.dispatch_id and key in live.ready:
                dispatch = self._dispatcher.inherit(live, key, row.details.dispatch_id)
                if self._exclusive:  # it began in the process that is gone
                    self._dispatcher.lose(dispatch, begun=True)
                    self._transitions.changed(live)
        self._dispatcher.settle(live)

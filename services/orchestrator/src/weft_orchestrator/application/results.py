"""What runners report."""

import logging

from weft_contracts import messages as m
from weft_engine.model import Refused
from weft_kit.bus import Received
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.committer import Committer
from weft_orchestrator.application.dispatcher import Dispatcher
from weft_orchestrator.application.inbox import Inbox
from weft_orchestrator.application.memory import Memory
from weft_orchestrator.application.transitions import Transitions
from weft_orchestrator.domain.fleet import Dispatch
from weft_orchestrator.domain.live import Key, Live

log = logging.getLogger("weft.orchestrator")


class Results:
    """A report counts while its dispatch is outstanding."""

    def __init__(
        self,
        inbox: Inbox,
        committer: Committer,
        dispatcher: Dispatcher,
        transitions: Transitions,
        memory: Memory,
    ) -> None:
        self._inbox = inbox
        self._committer = committer
        self._dispatcher = dispatcher
        self._transitions = transitions
        self._memory = memory

    def take(self, message: m.SegmentReports, received: Received) -> None:
        dispatch = self._dispatcher.get(message.dispatch_id)
        if dispatch is not None and dispatch.live.id == message.execution_id:
            dispatch.begun = True
            self._apply(dispatch.live, message, dispatch)
            return
        if self._inbox.shards[received.partition].recovered and not self._inbox.busy(message.execution_id):
            self._refuse(message)
        else:
            self._memory.use(message.execution_id, lambda live: self._inherited(live, message), received)

    def _inherited(self, live: Live | None, message: m.SegmentReports) -> None:
        """A result for the owner before us: it counts while its run is open and we have not handed it out again."""
        dispatch = self._dispatcher.get(message.dispatch_id)
        if live is None or live.over or (dispatch is None and self._dispatcher.any_of(live)):
            self._refuse(message)
        else:
            self._apply(live, message, dispatch)

    def _refuse(self, message: m.SegmentReports) -> None:
        """A late result. One that asks to begin is told not to."""
        for report in message.reports:
            if isinstance(report, m.NodeStarted) and report.confirm:
                self._dispatcher.confirm(message, report, granted=False)

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
            self._dispatcher.end(dispatch)
        self._transitions.changed(live)

    def _report(self, live: Live, report: m.NodeReport, message: m.SegmentReports) -> None:
        if isinstance(report, m.NodeCompleted):
            live.completed(report)
        elif isinstance(report, m.NodeStarted):
            self._started(live, report, message)
        elif isinstance(report, m.NodeFailed):
            live.failed(report)
        elif isinstance(report, m.NodeWaiting):
            self._transitions.suspend(live, report)
        else:
            self._transitions.respond(live, report)

    def _started(self, live: Live, report: m.NodeStarted, message: m.SegmentReports) -> None:
        if report.confirm:
            self._claim(live, (report.node, report.run_index), message)
        live.started(report, message.dispatch_id)
        if report.confirm:
            self._committer.urge()
            self._committer.after(live, lambda: self._dispatcher.confirm(message, report, granted=True))

    def _claim(self, live: Live, key: Key, message: m.SegmentReports) -> None:
        """What is not safe begins in one dispatch, and is handed out to no other while that goes on. One that the owner
        before us gave out may ask for a run that waits in our queue, or that we have given out. Raises Refused."""
        if key not in live.state.active or key in live.state.asleep:
            raise Refused(f"Run {key[1]} of '{key[0]}' is not active.")
        if self._dispatcher.elsewhere(live, key, message.dispatch_id):
            raise Refused(f"Run {key[1]} of '{key[0]}' has been given to another runner.")
        dispatch = self._dispatcher.get(message.dispatch_id)
        if dispatch is None:
            dispatch = self._dispatcher.inherit(live, key, message.dispatch_id, message.runner)
            dispatch.begun = True
        dispatch.nodes |= {key[0]}

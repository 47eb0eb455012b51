"""What follows from a change of an execution: it is written, goes on or ends, and others hear of it."""

import asyncio
from typing import Final

from weft_contracts import messages as m
from weft_contracts import wire
from weft_kit.signals import Signals
from weft_kit.telemetry import metrics

from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.committer import Committer
from weft_orchestrator.application.dispatcher import Dispatcher
from weft_orchestrator.domain import children
from weft_orchestrator.domain.live import Live
from weft_orchestrator.domain.replies import final_reply
from weft_orchestrator.domain.timers import Timers

HORIZON: Final = 30_000_000
"""Microseconds: what is due within is kept in memory."""

_ended = metrics.counter("executions", "Executions that ended", ("status",))


class Transitions:
    """`waiters`: execution id to futures that are done when its end is committed."""

    def __init__(self, committer: Committer, dispatcher: Dispatcher, signals: Signals) -> None:
        self._committer = committer
        self._dispatcher = dispatcher
        self._signals = signals
        self.timers = Timers()
        self.waiters: dict[str, list[asyncio.Future[None]]] = {}

    def changed(self, live: Live, *, urgent: bool = False) -> None:
        """After every transition. `urgent`: somebody waits for it."""
        if urgent:
            self._committer.urge()
        self._committer.add(live)
        if live.over:
            self._dispatcher.leave(live, withdraw=True)
            self._finished(live)
        else:
            self._dispatcher.settle(live)
            due = live.due() if live.state.asleep or live.deadline is not None else None
            if due is not None and due != live.timer and due < now_us() + HORIZON:
                self.timers.add(due, live.id)
                live.timer = due

    def stop(self, live: Live, status: str, error: m.NodeError | None) -> None:
        """Ends it from outside, and the children that it waits for."""
        rows = dict(live.rows)
        for key in live.stop(status, error, now_us()):
            details = rows[key].details
            for cancel in children.cancels(live, key, details.children, details.child_started):
                self._committer.stage(live, cancel)
        self.changed(live, urgent=True)

    def _finished(self, live: Live) -> None:
        head = live.head
        _ended.labels(live.state.status).inc()
        if live.reply is None and (head.response in ("last_node", "response_node") or live.listeners):
            self._committer.urge()
            self._answer(live, final_reply(live))
        if live.id in self.waiters or not head.reply_to:
            self._committer.urge()
        if (ended := children.end_of(live)) is not None:
            self._committer.stage(live, ended)

    def suspend(self, live: Live, report: m.NodeWaiting) -> None:
        """A node waits; it may have asked for children. Raises Refused."""
        started = live.waiting(report)
        for start in children.starts(live, report, started):
            self._committer.stage(live, start)

    # --- callers --------------------------------------------------------------------------------------------

    def respond(self, live: Live, report: m.WebhookResponse) -> None:
        """What the workflow itself answers; the first answer counts."""
        if live.head.response != "response_node" or live.reply is not None:
            return
        reply = m.WebhookReply(live.id, "response", report.status, report.headers, report.body)
        live.reply = wire.encode_signal(reply)
        self._committer.urge()
        self._answer(live, reply)

    def _answer(self, live: Live, reply: m.WebhookReply) -> None:
        """After the commit, to everybody who waits for it."""
        channels = [channel for channel in (live.head.reply_to, *live.listeners) if channel]
        if channels:
            self._committer.after(live, lambda: self.tell(channels, reply))

    def tell(self, channels: list[str], reply: m.Signal) -> None:
        for channel in channels:
            self._signals.publish(channel, reply)

    @staticmethod
    def listen(live: Live, channel: str) -> None:
        """A further caller waits for its answer."""
        if channel and channel not in (live.head.reply_to, *live.listeners):
            live.listeners.append(channel)

    def join(self, live: Live, channel: str) -> None:
        """The caller of a repeated start: it gets what has been answered, or waits for it as well."""
        if live.reply is None:
            self.listen(live, channel)
        elif channel:
            reply = wire.decode_signal(live.reply)
            self._committer.after(live, lambda: self.tell([channel], reply))
            self._committer.add(live)

    def ended(self, live: Live) -> None:
        """Its end is committed."""
        for waiter in self.waiters.pop(live.id, ()):
            if not waiter.done():
                waiter.set_result(None)

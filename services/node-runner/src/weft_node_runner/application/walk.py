"""One segment, from its entry to its end, and what the orchestrator hears of it."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any, Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import (
    Activation,
    ChildStart,
    NodeCompleted,
    NodeError,
    NodeFailed,
    NodeReport,
    NodeStarted,
    NodeWaiting,
    RunSegment,
    WebhookResponse,
)
from weft_contracts.payload import Payload
from weft_engine.segment import Segment
from weft_expressions.turns import give_way
from weft_kit import items
from weft_kit.telemetry.logs import fields
from weft_node_sdk.context import NodeRunError, Suspend

from weft_node_runner.application.called import called
from weft_node_runner.application.context import YIELD_SECONDS
from weft_node_runner.application.custom_data import CustomData
from weft_node_runner.application.data import Data
from weft_node_runner.application.execute import Outcome, execute, now_us
from weft_node_runner.application.ports import Outside
from weft_node_runner.application.static_data import StaticData
from weft_node_runner.domain.plan import Plan

log = logging.getLogger("weft.node_runner")

SILENT_SECONDS: Final = 0.05
"""A segment that takes longer tells how far it has come."""
AGAIN_SECONDS: Final = 2.0
"""Between two tries to store an output."""
_AT_ONCE: Final = 1000
"""Items written between two looks at what else there is to do: a few milliseconds."""

Send = Callable[[RunSegment, Sequence[NodeReport], bool], None]
Confirm = Callable[[RunSegment, Activation], Awaitable[bool | None]]


class Walk:
    """`send(task, reports, last)`; `confirm(task, activation)` waits for the permission to begin, None: nobody
    has answered."""

    def __init__(self, task: RunSegment, plan: Plan, outside: Outside, send: Send, confirm: Confirm) -> None:
        self._task = task
        self._plan = plan
        self._outside = outside
        self._send = send
        self._confirm = confirm
        self._reports: list[NodeReport] = []
        static = StaticData(task.workflow_id, task.static_data, outside)
        custom = CustomData(task.custom_data)
        self._data = Data(task.execution_id, task.runs, outside, static, custom)
        self._data.add(task.outputs)
        self._current: Activation | None = None
        self._told: Activation | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.granted = False
        """A node that isn't safe may have begun: this task may not be walked again."""
        self._yielded = perf_counter()
        self._answered = False
        """The caller's answer is ready and must not wait for the rest of the segment."""

    async def run(self) -> None:
        """Raises UNAVAILABLE where something of ours is out of reach before anything was done; later the segment ends
        early, and what is left is handed out again."""
        task = self._task
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SILENT_SECONDS, self._progress)
        try:
            segment = Segment(self._plan.graph, task)
            pins = await self._pins()
            while segment.current is not None:
                activation = self._current = segment.current
                node = self._plan.graph.nodes[activation.node]
                attempt = task.attempt if activation == task.entry else 1
                if (task.announce or not node.safe) and not isinstance(pins.get(node.name), list):
                    if not await self._permission(activation, attempt):
                        return
                    self.granted = self.granted or not node.safe
                try:
                    if not await self._node(segment, activation, pins, attempt):
                        break
                except WeftError as error:
                    if error.code is not ErrorCode.UNAVAILABLE or activation == task.entry or not node.safe:
                        raise
                    break
            self._current = None
            self._flush(last=True)
        finally:
            self._timer.cancel()

    def left(self) -> tuple[Activation, list[NodeReport]]:
        """Where it was when it was given up, and what nobody has heard of yet."""
        reports, self._reports = self._reports, []
        return self._current or self._task.entry, reports

    async def _permission(self, activation: Activation, attempt: int) -> bool:
        """Asks until somebody answers: who was asked first may have died after the commit, before the answer."""
        began = now_us()
        self._told = activation
        while True:
            started = NodeStarted(
                activation.node,
                activation.run_index,
                began,
                activation.inputs,
                confirm=True,
                attempt=attempt,
            )
            self._reports.append(started)
            answer = self._confirm(self._task, activation)
            self._flush(last=False)
            granted = await answer
            if granted is not None:
                return granted

    async def _node(
        self, segment: Segment, activation: Activation, pins: dict[str, Any], attempt: int
    ) -> bool:
        """Whether the segment goes on. Others have their turn between nodes that take long."""
        if perf_counter() - self._yielded > YIELD_SECONDS:
            await give_way()
            self._yielded = perf_counter()
        began = now_us()
        outcome = await execute(
            self._task, self._plan, activation, self._data, self._outside, pins, attempt, self._respond
        )
        if outcome.suspend is not None:
            if not await self._suspend(activation, outcome, outcome.suspend, began, attempt):
                segment.suspended()
                return False
            outcome = Outcome(outcome.suspend.output or [[]], logs=outcome.logs)
        if outcome.outputs is None or outcome.fatal:
            await self._fail(activation, outcome, began, attempt)
            segment.failed()
            return False
        counts = tuple(len(each) for each in outcome.outputs)
        value: Any = outcome.outputs
        if outcome.state is not None:
            value = {"outputs": outcome.outputs, "state": outcome.state}
        self._data.put(activation, outcome.outputs, outcome.state)
        stored = await self._stored(
            activation, value
        )  # before the list of reports is taken: meanwhile it may be sent
        self._reports.append(
            NodeCompleted(
                activation.node,
                activation.run_index,
                now_us(),
                began,
                activation.inputs,
                counts,
                stored,
                outcome.error,
                attempt,
                outcome.logs,
                outcome.pinned,
                self._data.static.changed(),
                self._data.custom.changed(),
            )
        )
        segment.completed(counts)
        if self._answered and segment.current is not None:
            self._answered = False
            self._flush(last=False)
        return True

    async def _stored(self, activation: Activation, value: Any) -> Payload:
        payload = await _encoded(value)
        node = hashlib.sha256(activation.node.encode()).hexdigest()[:16]
        key = f"{self._task.execution_id}/{node}/{activation.run_index}/{self._task.dispatch_id}"
        while True:
            try:
                return await items.claim(payload, self._outside.blobs, key)
            except WeftError as error:
                # what a node that isn't safe has done can't be done again: it is kept for as long as we have the lease
                if error.code is not ErrorCode.UNAVAILABLE or not self.granted:
                    raise
                log.warning(
                    "an output waits: %s", error.message, extra=fields(execution=self._task.execution_id)
                )
                await asyncio.sleep(AGAIN_SECONDS)

    async def _fail(self, activation: Activation, outcome: Outcome, began: int, attempt: int) -> None:
        node = self._plan.graph.nodes[activation.node]
        error = outcome.error or NodeError("The node failed.", node=activation.node)
        retry_at = None
        if not outcome.fatal and attempt < node.max_tries:
            retry_at = now_us() + node.wait_between_ms * 1000
        output = None if outcome.outputs is None else await self._stored(activation, outcome.outputs)
        self._reports.append(
            NodeFailed(
                activation.node,
                activation.run_index,
                now_us(),
                began,
                activation.inputs,
                error,
                attempt,
                retry_at,
                tuple(len(each) for each in outcome.outputs or ()),
                output,
                outcome.logs,
                self._data.custom.changed(),
            )
        )

    async def _suspend(
        self, activation: Activation, outcome: Outcome, suspend: Suspend, began: int, attempt: int
    ) -> bool:
        """True where it does not wait after all: children that nobody waits for."""
        children: list[ChildStart] = []
        given = f"{self._task.execution_id}/given/{self._task.dispatch_id}"
        for child in suspend.children:
            try:
                call = await called(child, self._task, self._outside)
            except NodeRunError as error:
                told = NodeError(
                    error.message, error.code, node=activation.node, description=error.description
                )
                await self._fail(activation, Outcome(error=told, fatal=True), began, attempt)
                return False
            payload = items.encode_outputs([call.items])
            children.append(
                ChildStart(
                    call.workflow_id,
                    call.plan.version_id,
                    call.trigger,
                    await items.claim(payload, self._outside.blobs, f"{given}/{len(children)}"),
                    (len(call.items),),
                    child.wait,
                )
            )
        self._reports.append(
            NodeWaiting(
                activation.node,
                activation.run_index,
                now_us(),
                began,
                activation.inputs,
                suspend.kind,
                suspend.until,
                tuple(children),
            )
        )
        return suspend.kind == "child" and not any(child.wait for child in children)

    async def _pins(self) -> dict[str, Any]:
        if self._task.mode not in ("manual", "test"):
            return {}
        if self._task.pins is None:
            return dict(self._plan.pins)
        pins: dict[str, Any] = items.decode(await items.unclaim(self._task.pins, self._outside.blobs))
        return pins

    def _respond(self, status: int, headers: Sequence[tuple[str, str]], body: Payload) -> None:
        current = self._current
        if current is not None:
            self._reports.append(
                WebhookResponse(current.node, current.run_index, now_us(), status, tuple(headers), body)
            )
            if self._told is not None or len(body.data) > 65_536:
                self._flush(last=False)

    def _progress(self) -> None:
        """Says what is done and what is running."""
        current = self._current
        if current is not None and current != self._told:
            self._told = current
            self._reports.append(NodeStarted(current.node, current.run_index, now_us(), current.inputs))
        if self._reports:
            self._flush(last=False)
        self._timer = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._progress)

    def _flush(self, *, last: bool) -> None:
        reports, self._reports = self._reports, []
        self._send(self._task, reports, last)


async def _encoded(value: Any) -> Payload:
    """As `items.encode`; of many items in parts, between which others have their turns, and compressed beside them."""
    if type(value) is not list or sum(map(len, value)) <= _AT_ONCE:
        return items.encode(value)
    outputs = []
    for output in value:
        parts = []
        for first in range(0, len(output), _AT_ONCE):
            parts.append(items.dumps_js([output[first : first + _AT_ONCE]])[2:-2])
            await give_way()
        outputs.append(b",".join(parts))
    return await asyncio.to_thread(items.packed, b"[[" + b"],[".join(outputs) + b"]]")

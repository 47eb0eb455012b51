"""Takes segments, keeps its leases, answers to the orchestrators."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import (
    Activation,
    CancelDispatch,
    Envelope,
    Heartbeat,
    NodeError,
    NodeFailed,
    NodeReport,
    RunSegment,
    SegmentReports,
    StartConfirmed,
)
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_contracts.rpc.orchestrator import Executions
from weft_kit.bus import EventBus
from weft_kit.tasks import end
from weft_kit.telemetry import metrics
from weft_kit.telemetry.logs import fields

from weft_node_runner.application.ports import Outside
from weft_node_runner.application.slots import Slots
from weft_node_runner.application.walk import Walk

log = logging.getLogger("weft.runner")

BEAT_SECONDS: Final = 1.5
HEARD_SECONDS: Final = 0.5
"""In which an orchestrator hears that a runner leaves."""
CONFIRM_SECONDS: Final = 5.0
"""Then it asks again."""
_running = metrics.gauge("running_segments", "Segments at work")


class Runner:
    """`slots`: pool to how many segments at once."""

    def __init__(
        self, name: str, bus: EventBus, executions: Executions, outside: Outside, slots: dict[str, int]
    ) -> None:
        self._name = name
        self._bus = bus
        self._executions = executions
        self._outside = outside
        self._slots = slots
        self._free = {pool: Slots(count) for pool, count in slots.items()}
        self._reader = bus.reader()
        self._partition = -1
        self._held: dict[str, asyncio.Task[None]] = {}
        self._confirming: dict[tuple[str, str, int], asyncio.Future[bool]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False

    async def start(self) -> None:
        """Raises UNAVAILABLE."""
        request = pb.RegisterRunnerRequest(runner=self._name, pools=list(self._slots))
        self._partition = (await self._executions.RegisterRunner(request)).partition
        wanted = [*(topics.node_tasks(pool) for pool in self._slots), topics.RUNNER_CONTROL]
        await self._reader.assign({(topic, self._partition): None for topic in wanted})
        spawn = asyncio.get_running_loop().create_task
        self._tasks = [spawn(self._read()), spawn(self._beats())]

    def ready(self) -> str:
        broken = any(task.done() for task in self._tasks)
        return "" if self._tasks and not broken else "not running"

    async def drain(self) -> None:
        """No new work; what is there ends, and what was on its way when the orchestrators heard of it. What comes later
        still is not taken, and so given to another runner; begun here, it would be cut off."""
        self._leaving = True
        self._beat()
        await asyncio.sleep(HEARD_SECONDS)
        while self._held:
            await asyncio.wait(list(self._held.values()))
        await end(*self._tasks[:1])  # it reads
        self._beat()

    async def stop(self) -> None:
        for task in [*self._tasks, *self._held.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._held.values(), return_exceptions=True)
        self._tasks = []
        await self._reader.close()

    async def _read(self) -> None:
        create = asyncio.get_running_loop().create_task
        while True:
            for received in await self._reader.fetch():
                self._reader.commit(received.topic, received.partition, received.offset + 1)
                body = None if received.envelope is None else received.envelope.body
                if isinstance(body, RunSegment):
                    if body.dispatch_id not in self._held and body.runner in ("", self._name):
                        pool = received.topic.removeprefix("node.tasks.")
                        self._hold(body.dispatch_id, create(self._run(body, pool)))
                elif received.key != self._name:
                    continue  # another runner has our partition: we were away for longer than it is kept
                elif isinstance(body, StartConfirmed):
                    future = self._confirming.pop((body.dispatch_id, body.node, body.run_index), None)
                    if future is not None and not future.done():
                        future.set_result(body.granted)
                elif isinstance(body, CancelDispatch):
                    task = self._held.get(body.dispatch_id)
                    if task is not None:
                        task.cancel()

    async def _run(self, task: RunSegment, pool: str) -> None:
        free = self._free[pool]
        await free.acquire(task.project_id)
        try:
            await self._walk(task)
        finally:
            free.release(task.project_id)

    def _hold(self, dispatch_id: str, task: "asyncio.Task[None]") -> None:
        """Until it ends, also where it was cancelled before it began."""
        self._held[dispatch_id] = task
        task.add_done_callback(lambda _: self._held.pop(dispatch_id, None))

    async def _walk(self, task: RunSegment) -> None:
        """What we can't reach is tried again for as long as we have the lease."""
        pause, walk = 0.2, None  # type: float, Walk | None
        while True:
            try:
                plan = await self._outside.plan(task.version_id)
                walk = Walk(task, plan, self._outside, self._send, self._confirm)
                return await walk.run()
            except WeftError as error:
                if error.code is not ErrorCode.UNAVAILABLE or (walk is not None and walk.granted):
                    log.exception("a segment can't run", extra=fields(execution=task.execution_id))
                    return self._let_go(task, walk, error)
                log.warning("a segment waits: %s", error.message, extra=fields(execution=task.execution_id))
            except Exception as error:
                log.exception("a segment failed", extra=fields(execution=task.execution_id))
                return self._let_go(task, walk, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _let_go(self, task: RunSegment, walk: Walk | None, error: Exception) -> None:
        """What fails here would fail anywhere. Where something of ours is away, the orchestrator judges."""
        activation, reports = (task.entry, []) if walk is None else walk.left()
        if not isinstance(error, WeftError) or error.code is not ErrorCode.UNAVAILABLE:
            code = error.code.value if isinstance(error, WeftError) else "INTERNAL"
            told = NodeError(f"The node could not be run: {error}", code, node=activation.node)
            now = time.time_ns() // 1000
            attempt = task.attempt if activation == task.entry else 1
            reports.append(
                NodeFailed(activation.node, activation.run_index, now, now, activation.inputs, told, attempt)
            )
        self._send(task, reports, last=True)

    def _send(self, task: RunSegment, reports: Sequence[NodeReport], last: bool) -> None:
        body = SegmentReports(task.execution_id, task.dispatch_id, self._name, tuple(reports), last)
        envelope = Envelope(new_id(), body, task.execution_id, task.project_id, time.time_ns() // 1000)
        self._bus.send(topics.NODE_RESULTS, envelope, task.shard)

    async def _confirm(self, task: RunSegment, activation: Activation) -> bool | None:
        """None: no answer in time. `Walk` sends the request first, but nothing can come back before we wait here."""
        key = (task.dispatch_id, activation.node, activation.run_index)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._confirming[key] = future
        try:
            return await asyncio.wait_for(future, CONFIRM_SECONDS)
        except TimeoutError:
            return None
        finally:
            self._confirming.pop(key, None)

    async def _beats(self) -> None:
        while True:
            self._beat()
            _running.set(len(self._held))
            await asyncio.sleep(BEAT_SECONDS)

    def _beat(self) -> None:
        body = Heartbeat(
            self._name,
            self._partition,
            self._slots,
            tuple(self._held),
            time.time_ns() // 1000,
            self._leaving,
        )
        self._bus.send(topics.RUNNER_HEARTBEATS, Envelope(new_id(), body, self._name))

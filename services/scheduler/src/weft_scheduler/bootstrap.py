"""The one file of the scheduler that knows concrete classes."""

import asyncio
from collections.abc import Mapping

from weft_contracts import topics
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.scheduler import Schedules
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit.identity.access import AccessPolicy
from weft_kit.service import AsgiApp, Infra
from weft_kit.tasks import end

from weft_scheduler.adapters.postgres import PostgresSchedules
from weft_scheduler.application.clock import Clock
from weft_scheduler.entrypoints.grpc import SchedulesServicer
from weft_scheduler.settings import SchedulerSettings


class SchedulerService:
    name = "scheduler"
    asgi: AsgiApp | None = None

    def __init__(self, servicer: SchedulesServicer, clock: Clock) -> None:
        self.servicers: Mapping[type, object] = {Schedules: servicer}
        self._clock = clock
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._clock.reconcile()
        await self._clock.join()
        self._running = asyncio.create_task(self._clock.run())

    async def drain(self) -> None:
        await self.stop()

    async def stop(self) -> None:
        if self._running is not None:
            await end(self._running)
            self._running = None
            await self._clock.leave()

    def ready(self) -> str:
        return "" if self._running is not None and not self._running.done() else "not running"


def build(settings: SchedulerSettings, infra: Infra) -> SchedulerService:
    schedules = PostgresSchedules(infra.database)
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    clock = Clock(
        schedules,
        infra.rpc.client(Workflows),
        infra.bus,
        settings.late_minutes * 60_000_000,
        infra.instance,
        exclusive=settings.exclusive,
    )
    infra.bus.subscribe(topics.WORKFLOW_EVENTS, clock.changed, "scheduler")
    return SchedulerService(SchedulesServicer(schedules, policy), clock)

"""Fires what is due. A tick's execution id is made of the tick, so that it runs once, whoever fires it."""

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from weft_contracts import topics
from weft_contracts.errors import WeftError
from weft_contracts.ids import derived_id, new_id, shard_of
from weft_contracts.messages import (
    Envelope,
    ScheduleRule,
    StartExecution,
    WorkflowDeleted,
    WorkflowPublished,
    WorkflowUnpublished,
)
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit import items
from weft_kit.bus import EventBus
from weft_kit.telemetry import metrics

from weft_scheduler.domain.ticks import item, next_tick, started_item, ticks_between

if TYPE_CHECKING:
    from weft_scheduler.adapters.postgres import PostgresSchedules, Schedule

log = logging.getLogger("weft.scheduler")

MOST: Final = 100
LONGEST_SLEEP: Final = 1.0
RECONCILE_SECONDS: Final = 60.0
RENEW_SECONDS: Final = 3.0
MEMBER_SECONDS: Final = 10.0
"""How long a scheduler that was killed counts as one that runs."""
_fired = metrics.counter("ticks", "Ticks of schedules that were fired")
_late = metrics.histogram("tick_delay_seconds", "From a tick's time to its start being durable")


def _now() -> int:
    return time.time_ns() // 1000


class Clock:
    """`late`: microseconds within which missed ticks all fire. `exclusive`: no other clock runs."""

    def __init__(
        self,
        schedules: "PostgresSchedules",
        workflows: Workflows,
        bus: EventBus,
        late: int,
        instance: str,
        *,
        exclusive: bool = False,
    ) -> None:
        self._schedules = schedules
        self._workflows = workflows
        self._bus = bus
        self._late = late
        self._instance = instance
        self._exclusive = exclusive
        self._poked = asyncio.Event()

    async def changed(self, envelope: Envelope) -> None:
        """A workflow was published, unpublished or deleted. Raises UNAVAILABLE, and is called again then."""
        event = envelope.body
        if isinstance(event, WorkflowPublished):
            now = _now()
            rules = [
                (
                    event.project_id,
                    event.version_id,
                    event.timezone,
                    rule,
                    next_tick(rule, event.timezone, now),
                )
                for rule in event.schedules
            ]
            await self._schedules.replace(event.workflow_id, event.seq, rules)
        elif isinstance(event, WorkflowUnpublished | WorkflowDeleted):
            await self._schedules.replace(event.workflow_id, event.seq, [])
        self._poked.set()

    async def reconcile(self) -> None:
        """What the store says, where an event was lost. Raises UNAVAILABLE."""
        before = await self._schedules.known()
        answer = await self._workflows.ListSchedules(pb.ListSchedulesRequest())
        now, found = _now(), dict[str, tuple[int, list[Any]]]()
        for row in answer.schedules:
            rule = msgspec.json.decode(row.rule, type=ScheduleRule)
            _, rules = found.setdefault(row.workflow_id, (row.seq, []))
            rules.append(
                (row.project_id, row.version_id, row.timezone, rule, next_tick(rule, row.timezone, now))
            )
        for workflow_id, (seq, rules) in found.items():
            await self._schedules.replace(workflow_id, seq, rules)
        for workflow_id, seq in before.items():
            if workflow_id not in found:
                await self._schedules.remove(workflow_id, seq)

    async def join(self) -> None:
        """Counts among the schedulers that run. The first is the installation's start, and what waits for that is due.
        Raises UNAVAILABLE."""
        await self._schedules.join(self._instance, _now(), MEMBER_SECONDS, exclusive=self._exclusive)

    async def leave(self) -> None:
        with contextlib.suppress(WeftError):  # it is forgotten by itself
            await self._schedules.leave(self._instance)

    async def run(self) -> None:
        """For ever."""
        reconciled = renewed = time.monotonic()
        while True:
            try:
                # first: it runs even where the bus takes nothing
                if time.monotonic() - renewed > RENEW_SECONDS:
                    await self._schedules.renew(self._instance, MEMBER_SECONDS)
                    renewed = time.monotonic()
                while await self._fire() == MOST:
                    pass
                soonest = await self._schedules.soonest()
                if time.monotonic() - reconciled > RECONCILE_SECONDS:
                    await self.reconcile()
                    reconciled = time.monotonic()
            except WeftError as error:
                log.warning("ticks have to wait: %s", error.message)
                soonest = None
            except Exception:
                log.exception("the clock stumbled")
                soonest = None
            left = LONGEST_SLEEP if soonest is None else (soonest - _now()) / 1_000_000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(left, 0.0), LONGEST_SLEEP)):
                    await self._poked.wait()
            self._poked.clear()

    async def _fire(self) -> int:
        now = _now()
        async with self._schedules.due(now, MOST) as (due, move):
            await asyncio.gather(*[self._start(schedule, now) for schedule in due])
            for schedule in due:
                await move(schedule, next_tick(schedule.rule, schedule.timezone, now))
        return len(due)

    async def _start(self, schedule: "Schedule", now: int) -> None:
        """Returns once all its ticks are durable."""
        ticks = ticks_between(schedule.rule, schedule.timezone, schedule.next_at, now, self._late)
        rule = schedule.rule
        for tick in ticks:
            told = (
                started_item(tick, schedule.workflow_id) if rule.at_start else item(tick, schedule.timezone)
            )
            execution_id = derived_id(tick // 1000, "tick", schedule.workflow_id, rule.node, rule.rule, tick)
            command = StartExecution(
                execution_id,
                schedule.project_id,
                schedule.workflow_id,
                schedule.version_id,
                "trigger" if rule.at_start else "schedule",
                rule.node,
                items.encode_outputs([[{"json": told}]]),
                (1,),
            )
            envelope = Envelope(new_id(), command, execution_id, schedule.project_id, _now())
            await self._bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(execution_id))
            _fired.inc()
            _late.observe((_now() - tick) / 1_000_000)

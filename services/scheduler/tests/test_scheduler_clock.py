"""Ticks become executions: once each, after downtimes, and whoever fires them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import derived_id
from weft_contracts.messages import Envelope, ScheduleRule, WorkflowDeleted, WorkflowUnpublished
from weft_contracts.pb import scheduler_pb2 as pb
from weft_kit import items
from weft_kit.rpc import Caller, current
from weft_scheduler.application import clock as clock_module

pytestmark = pytest.mark.integration
World = Any
SECOND = 1_000_000
MINUTE = 60 * SECOND
MINUTELY = ScheduleRule("Clock", 0, cron="* * * * *")
HOURLY = ScheduleRule("Clock", 1, cron="0 * * * *")
AT_START = ScheduleRule("Started", 0, at_start=True)


class Time:
    """The wall clock of the schedulers."""

    def __init__(self, text: str) -> None:
        self.set(text)

    def set(self, text: str) -> None:
        self.now = at(text)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time("2026-01-05T12:00:30")
    monkeypatch.setattr(clock_module, "_now", lambda: made.now)
    return made


def ticks(world: World) -> list[str]:
    """The times that the items of the starts say, in order."""
    return sorted(items.decode(start.trigger)[0][0]["json"]["timestamp"][11:16] for start in world.starts)


async def fire(world: World, number: int = 0) -> int:
    fired: int = await world.services[number]._clock._fire()
    return fired


async def test_a_tick_starts_its_workflow_once(world: World, wall: Time) -> None:
    await world.publish(MINUTELY)
    assert await fire(world) == 0
    wall.set("2026-01-05T12:01:00")
    assert await fire(world) == 1
    assert await fire(world) == 0
    (start,) = world.starts
    assert (start.workflow_id, start.version_id, start.project_id, start.mode) == (
        "w1",
        "v1",
        "p1",
        "schedule",
    )
    assert start.trigger_node == "Clock"
    assert start.execution_id == derived_id(wall.now // 1000, "tick", "w1", "Clock", 0, wall.now)
    assert ticks(world) == ["12:01"]


async def test_after_a_downtime_young_ticks_fire_once_each_and_of_old_ones_the_newest(
    world: World, wall: Time
) -> None:
    await world.publish(MINUTELY)
    wall.set("2026-01-05T12:04:10")
    await fire(world)
    assert ticks(world) == ["12:01", "12:02", "12:03", "12:04"]
    world.starts.clear()
    wall.set("2026-01-05T15:30:10")
    await fire(world)
    assert ticks(world) == ["15:25", "15:26", "15:27", "15:28", "15:29", "15:30"]
    await fire(world)
    assert len(world.starts) == 6


async def test_of_ticks_that_are_all_old_the_newest_fires(world: World, wall: Time) -> None:
    await world.publish(HOURLY)
    wall.set("2026-01-06T09:30:00")
    await fire(world)
    await fire(world)
    assert ticks(world) == ["09:00"]
    assert await world.table.soonest() == at("2026-01-06T10:00:00")


async def test_two_clocks_never_fire_a_tick_twice(world: World, wall: Time) -> None:
    world.scheduler()
    for number in range(150):
        await world.publish(MINUTELY, workflow=f"w{number}")
    for text in ("2026-01-05T12:01:00", "2026-01-05T12:02:00"):
        wall.set(text)
        world.starts.clear()
        for _ in range(3):
            await asyncio.gather(fire(world, 0), fire(world, 1), fire(world, 0), fire(world, 1))
        assert len(world.starts) == 150
        assert len({start.execution_id for start in world.starts}) == 150


async def test_a_tick_that_was_fired_but_not_noted_is_the_same_execution_again(
    world: World, wall: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.publish(MINUTELY)
    wall.set("2026-01-05T12:01:05")

    def dies(*_: object) -> int:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(clock_module, "next_tick", dies)
        with pytest.raises(RuntimeError):
            await fire(world)
    await fire(world)
    assert len(world.starts) == 2
    assert len({start.execution_id for start in world.starts}) == 1


async def test_a_tick_that_the_bus_refuses_stays_due(world: World, wall: Time) -> None:
    await world.publish(MINUTELY)
    wall.set("2026-01-05T12:01:05")
    world.refuse = True
    with pytest.raises(WeftError):
        await fire(world)
    world.refuse = False
    assert await fire(world) == 1
    assert ticks(world) == ["12:01"]


async def test_a_rule_that_stays_keeps_its_tick_and_starts_the_new_version(world: World, wall: Time) -> None:
    await world.publish(MINUTELY, HOURLY)
    wall.set("2026-01-05T12:01:05")
    await world.publish(MINUTELY, seq=2, version_id="v2")
    await fire(world)
    assert ticks(world) == ["12:01"]
    assert world.starts[0].version_id == "v2"
    await world.publish(HOURLY, seq=2)
    assert await world.table.soonest() == at("2026-01-05T12:02:00")


@pytest.mark.parametrize("kind", [WorkflowUnpublished, WorkflowDeleted])
async def test_a_workflow_that_is_not_published_does_not_tick(world: World, wall: Time, kind: Any) -> None:
    await world.publish(MINUTELY)
    await world.services[0]._clock.changed(Envelope("x", kind("w1", "p1", 2)))
    await world.publish(MINUTELY, seq=1)
    wall.set("2026-01-05T12:05:00")
    assert await fire(world) == 0
    assert await world.table.soonest() is None


async def test_a_rule_without_any_tick_waits_for_ever(world: World, wall: Time) -> None:
    await world.publish(ScheduleRule("Clock", 0, cron="0 0 30 2 *"), ScheduleRule("Clock", 1))
    assert await world.table.soonest() is None
    assert await fire(world) == 0


async def test_lost_events_are_made_good_from_the_store(world: World, wall: Time) -> None:
    await world.publish(MINUTELY, workflow="gone")
    await world.publish(MINUTELY, workflow="kept")
    world.played.schedules = [
        world.row(MINUTELY, "kept"),
        world.row(HOURLY, "new"),
        world.row(MINUTELY, "new"),
    ]
    await world.services[0]._clock.reconcile()
    assert await world.table.known() == {"kept": 1, "new": 1}
    wall.set("2026-01-05T13:00:00")
    await fire(world)
    assert {start.workflow_id for start in world.starts} == {"kept", "new"}


async def test_what_is_published_during_a_reconciliation_stays(
    world: World, wall: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_schedules = world.played.ListSchedules

    async def meanwhile(request: Any) -> Any:
        answer = await list_schedules(request)
        await world.publish(MINUTELY)
        return answer

    monkeypatch.setattr(world.played, "ListSchedules", meanwhile)
    await world.services[0]._clock.reconcile()
    assert await world.table.known() == {"w1": 1}


async def test_what_was_missed_may_be_published_again(world: World, wall: Time) -> None:
    """Its unpublication was not heard of, seq 2; its publication is, seq 3 or later."""
    await world.publish(MINUTELY)
    await world.services[0]._clock.reconcile()
    assert await world.table.known() == {}
    await world.publish(MINUTELY, seq=2)
    assert await world.table.known() == {"w1": 2}


async def test_a_bug_does_not_stop_the_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    service, failures = world.services[0], [RuntimeError("bug")]
    soonest = type(world.table).soonest

    async def flaky(table: Any) -> Any:
        if failures:
            raise failures.pop()
        return await soonest(table)

    monkeypatch.setattr(type(world.table), "soonest", flaky)
    await service.start()
    await world.publish(ScheduleRule("Clock", 0, interval_seconds=1))
    async with asyncio.timeout(30):
        while not world.starts:
            await asyncio.sleep(0.01)
    assert failures == []


async def test_the_service_fires_by_itself_over_a_time_without_a_bus(world: World) -> None:
    service = world.services[0]
    assert service.ready() == "not running"
    world.refuse = True
    await service.start()
    assert service.ready() == ""
    every_second = ScheduleRule("Clock", 0, interval_seconds=1)
    await world.publish(every_second)
    async with asyncio.timeout(30):
        while (await world.table.soonest() or 0) > clock_module._now():
            await asyncio.sleep(0.01)
        world.refuse = False
        while len(world.starts) < 3:
            await asyncio.sleep(0.01)
    await service.drain()
    assert service.ready() == "not running"
    moments = [start.execution_id[:13] for start in world.starts]
    assert moments == sorted(set(moments))


async def test_next_ticks_are_listed_of_the_callers_projects(world: World, wall: Time) -> None:
    await world.publish(HOURLY, MINUTELY)
    await world.publish(MINUTELY, workflow="w2", project_id="p2")
    token = current.set(Caller("ada"))
    for wanted in ([], ["p1", "p2"]):
        answer = await world.listed.ListNext(pb.ListNextRequest(project_ids=wanted, limit=10))
        assert [(tick.workflow_id, tick.at.ToMicroseconds()) for tick in answer.ticks] == [
            ("w1", at("2026-01-05T12:01:00")),
            ("w1", at("2026-01-05T13:00:00")),
        ]
    assert not (await world.listed.ListNext(pb.ListNextRequest(project_ids=["p2"]))).ticks
    current.reset(token)
    with pytest.raises(WeftError) as caught:
        await world.listed.ListNext(pb.ListNextRequest())
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_the_first_scheduler_is_a_start_and_each_start_fires_once(world: World, wall: Time) -> None:
    first, second = world.services[0], world.scheduler()
    await world.publish(AT_START)
    world.played.schedules = [world.row(AT_START)]
    assert await fire(world) == 0
    await first.start()
    await second.start()
    async with asyncio.timeout(30):
        while not world.starts:
            await asyncio.sleep(0.01)
    wall.set("2026-01-05T12:00:31")
    await first.stop()
    await first.start()
    await second.stop()
    assert await fire(world) == 0
    (start,) = world.starts
    assert (start.workflow_id, start.mode, start.trigger_node) == ("w1", "trigger", "Started")
    told = {"event": "Instance started", "timestamp": "2026-01-05T12:00:30.000Z", "workflow_id": "w1"}
    assert items.decode(start.trigger) == [[{"json": told}]]
    await first.stop()
    await world.publish(AT_START, seq=2, version_id="v2")
    await second._clock.join()
    assert await fire(world) == 1
    assert world.starts[1].version_id == "v2"


@pytest.mark.parametrize("exclusive", [False, True])
async def test_a_scheduler_that_was_killed_counts_until_its_time_is_over(
    world: World, wall: Time, exclusive: bool
) -> None:
    await world.publish(AT_START)
    await world.services[0]._clock.join()
    await fire(world)
    await world.scheduler(exclusive=exclusive)._clock.join()
    assert await fire(world) == (1 if exclusive else 0)
    await world.table.leave("i1")
    await world.table.renew("i0", -1)
    await world.scheduler()._clock.join()
    assert await fire(world) == 1


@pytest.mark.parametrize("refused", [False, True])
async def test_a_scheduler_at_work_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    monkeypatch.setattr(clock_module, "RENEW_SECONDS", 0.0)
    world.refuse = refused
    await world.publish(AT_START)
    world.played.schedules = [world.row(AT_START)]
    await world.services[0].start()
    await world.table.leave("i0")
    async with asyncio.timeout(30):
        while not await world.table._fetch("SELECT 1 FROM scheduler.members WHERE instance = 'i0'"):
            await asyncio.sleep(0.01)
    world.refuse = False
    async with asyncio.timeout(30):
        while not world.starts:
            await asyncio.sleep(0.01)
    await world.scheduler()._clock.join()
    assert await fire(world) == 0
    assert len(world.starts) == 1

"""When rules tick, over the shifts of daylight saving and over downtimes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.messages import ScheduleRule
from weft_scheduler.domain.ticks import item, next_tick, ticks_between

BERLIN, SECOND = "Europe/Berlin", 1_000_000
MINUTE = 60 * SECOND


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def cron(expression: str) -> ScheduleRule:
    return ScheduleRule("S", 0, cron=expression)


def local(tick: int | None, zone: str) -> str:
    assert tick is not None
    return datetime.fromtimestamp(tick / SECOND, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 9 * * *", "2026-01-05T10:00:00", "2026-01-06 09:00:00"),
        ("30 0 9 * * *", "2026-01-05T07:00:00", "2026-01-05 09:00:30"),
        ("*/15 * * * *", "2026-01-05T10:07:00", "2026-01-05 11:15:00"),
        ("0 9 * * 1", "2026-01-06T10:00:00", "2026-01-12 09:00:00"),
    ],
)
def test_cron_in_the_workflows_zone(expression: str, after: str, expected: str) -> None:
    assert local(next_tick(cron(expression), BERLIN, at(after)), BERLIN) == expected


def test_a_skipped_local_time_ticks_at_the_shift() -> None:
    # 2026-03-29: 02:00 becomes 03:00 in Berlin, at 01:00 UTC
    assert next_tick(cron("30 2 * * *"), BERLIN, at("2026-03-29T00:00:00")) == at("2026-03-29T01:00:00")
    following = next_tick(cron("30 2 * * *"), BERLIN, at("2026-03-29T01:00:00"))
    assert local(following, BERLIN) == "2026-03-30 02:30:00"


def test_a_doubled_local_time_ticks_once() -> None:
    # 2026-10-25: 03:00 becomes 02:00 in Berlin, at 01:00 UTC
    first = next_tick(cron("30 2 * * *"), BERLIN, at("2026-10-24T12:00:00"))
    assert first == at("2026-10-25T00:30:00")
    assert local(next_tick(cron("30 2 * * *"), BERLIN, first), BERLIN) == "2026-10-26 02:30:00"


def test_an_interval_is_aligned_to_local_time() -> None:
    every_three_days = ScheduleRule("S", 0, interval_seconds=3 * 86_400, offset_seconds=9 * 3600 + 1800)
    tick = next_tick(every_three_days, BERLIN, at("2026-06-01T00:00:00"))
    assert local(tick, BERLIN).endswith("09:30:00")


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"])
@given(start=st.integers(1_700_000_000, 1_900_000_000), step=st.integers(1, 59))
def test_ticks_rise_and_none_is_left_out(zone: str, start: int, step: int) -> None:
    rule = cron(f"*/{step} * * * *")
    tick = start * SECOND
    for _ in range(5):
        following = next_tick(rule, zone, tick)
        assert following is not None
        assert following > tick
        assert following - tick <= 2 * 3600 * SECOND + 60 * MINUTE
        assert next_tick(rule, zone, following - 1) == following
        tick = following


def test_missed_ticks_fire_late_and_of_old_ones_only_the_newest() -> None:
    rule, now = cron("* * * * *"), at("2026-01-05T12:00:30")
    fresh = ticks_between(rule, "UTC", at("2026-01-05T11:58:00"), now, 5 * MINUTE)
    assert fresh == [at("2026-01-05T11:58:00"), at("2026-01-05T11:59:00"), at("2026-01-05T12:00:00")]
    hourly = cron("0 * * * *")
    old = ticks_between(hourly, "UTC", at("2026-01-04T01:00:00"), at("2026-01-05T12:30:00"), 5 * MINUTE)
    assert old == [at("2026-01-05T12:00:00")]

    many = cron("* * * * * *")
    late = ticks_between(many, "UTC", at("2026-01-05T10:00:00"), at("2026-01-05T12:00:00"), 60 * MINUTE)
    assert late == [at("2026-01-05T10:59:59") + n * SECOND for n in range(3602)]


def test_the_item_says_when() -> None:
    made = item(at("2026-01-05T08:00:00"), BERLIN)
    assert made["timestamp"] == "2026-01-05T09:00:00.000+01:00"
    assert made["Readable date"] == "January 5th 2026, 9:00:00 am"
    assert made["Day of week"] == "Monday"

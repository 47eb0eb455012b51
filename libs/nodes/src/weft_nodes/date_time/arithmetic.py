"""Adding to dates, rounding them, and the time between two, by the calendar of their zone."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from weft_node_sdk.values import number_text

MONTHS: Final[Mapping[str, int]] = {"year": 12, "quarter": 3, "month": 1}
DAYS: Final[Mapping[str, int]] = {"week": 7, "day": 1}
SECONDS: Final[Mapping[str, float]] = {"hour": 3600, "minute": 60, "second": 1, "millisecond": 0.001}
UNITS: Final = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
_LENGTHS: Final[Mapping[str, int]] = {"year": 365, "quarter": 91, "month": 30, "week": 7, "day": 1}
"""Days of 24 hours: what a part of a unit is counted by."""


def _months_later(moment: datetime, months: int) -> datetime:
    """The same day, or the month's last. Raises ValueError and OverflowError beyond the years 1 to 9999."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _seconds_later(moment: datetime, seconds: float) -> datetime:
    return (moment.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(moment.tzinfo)


def later(moment: datetime, amount: float, unit: str) -> datetime:
    """`unit`: year, quarter, month, week, day, hour, minute, second, millisecond. A day is one by the clock on
    the wall. Raises ValueError and OverflowError beyond the years 1 to 9999."""
    if unit in SECONDS:
        return _seconds_later(moment, amount * SECONDS[unit])
    whole = int(amount)
    if unit in MONTHS:
        moved = _months_later(moment, whole * MONTHS[unit])
    else:
        moved = moment + timedelta(days=whole * DAYS[unit])
    # the clock may have been put forward over that hour
    moved = moved.astimezone(UTC).astimezone(moment.tzinfo)
    return _seconds_later(moved, (amount - whole) * _LENGTHS[unit] * 86_400) if amount != whole else moved


def start_of(moment: datetime, unit: str) -> datetime:
    """The start of its year, month, week (Monday), day, hour, minute or second."""
    if unit == "second":
        return moment.replace(microsecond=0)
    if unit == "minute":
        return moment.replace(second=0, microsecond=0)
    if unit == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "week":
        return start - timedelta(days=start.weekday())
    if unit == "month":
        return start.replace(day=1)
    return start.replace(month=1, day=1) if unit == "year" else start


def _whole_units(start: datetime, end: datetime, unit: str) -> int:
    """How many whole units lie between a time and a later one."""
    if unit in SECONDS:
        return int((end - start).total_seconds() / SECONDS[unit])
    size = timedelta(days=DAYS.get(unit, 0) or MONTHS[unit] * 31)
    count = int((end - start) / size)
    while later(start, count + 1, unit) <= end:
        count += 1
    return count


def between(start: datetime, end: datetime, units: Iterable[str]) -> dict[str, float]:
    """The time from `start` to `end` by unit, the greatest first; the last one has the fraction. Where `end` is
    earlier, what lies between them, below 0."""
    if end < start:
        return {unit: 0 - number for unit, number in between(end, start, units).items()}
    wanted = set(units)
    chosen = [unit for unit in UNITS if unit in wanted]
    result: dict[str, float] = {}
    for unit in chosen:
        whole = _whole_units(start, end, unit)
        reached = later(start, whole, unit)
        result[unit] = whole
        if unit == chosen[-1] and reached != end:
            following = later(start, whole + 1, unit)
            result[unit] += (end - reached).total_seconds() / (following - reached).total_seconds()
        start = reached
    return result


def iso_duration(parts: Mapping[str, float]) -> str:
    """ISO 8601: P2M14.4375D."""
    letters = {"year": "Y", "month": "M", "week": "W", "day": "D"}
    days = "".join(
        f"{number_text(parts[unit])}{letter}" for unit, letter in letters.items() if parts.get(unit)
    )
    clock = {"hour": parts.get("hour", 0), "minute": parts.get("minute", 0)}
    clock["second"] = parts.get("second", 0) + parts.get("millisecond", 0) / 1000
    time = "".join(f"{number_text(number)}{unit[0].upper()}" for unit, number in clock.items() if number)
    return f"P{days}T{time}" if time else f"P{days}" if days else "PT0S"

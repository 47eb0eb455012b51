"""Dates in parameters and items: ISO 8601 as luxon reads it, RFC 2822, and milliseconds since the epoch."""

import calendar
import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORMATS = (
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
)
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})(T.*|$)")
_ISO_LIKE = re.compile(r"\d{4}(-?\d\d|-?W\d\d|-?\d{3})?")


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _iso(text: str) -> datetime | None:
    if not _ISO_LIKE.match(text):
        return None
    if re.fullmatch(r"\d{4}-\d\d", text):
        text += "-01"
    if ordinal := _ORDINAL.match(text):
        year, day, rest = ordinal.groups()
        first = _iso(f"{year}-01-01{rest}")
        if not first or not 1 <= int(day) <= 365 + calendar.isleap(first.year):
            return None
        return first + timedelta(days=int(day) - 1)
    try:
        if text[10:].lstrip("T ").startswith("24:00"):
            return datetime.fromisoformat(text[:10]) + timedelta(days=1)
        # a zone name in brackets is luxon's; its offset stands before it
        return datetime.fromisoformat(re.sub(r"\[.*\]$", "", text))
    except (ValueError, OverflowError):
        return None


def _other(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError):
        pass
    for shape in _FORMATS:
        try:
            return datetime.strptime(text, shape)  # noqa: DTZ007 - the caller's zone is put in by `parse`
        except ValueError:
            continue
    return None


def parse(given: Any, timezone: str = "UTC") -> datetime | None:
    """An aware time, or None. A time without an offset is in `timezone`; a number is milliseconds since the
    epoch."""
    if isinstance(given, bool):
        return None
    if isinstance(given, str) and re.fullmatch(r"-?\d{11,14}", given.strip()):
        given = int(given)
    if isinstance(given, int | float):
        try:
            return datetime.fromtimestamp(given / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return None
    if not isinstance(given, str):
        return None
    text = given.strip()
    found = _iso(text) or _other(text)
    if found is not None and found.tzinfo is None:
        found = found.replace(tzinfo=zone(timezone))
    return found


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

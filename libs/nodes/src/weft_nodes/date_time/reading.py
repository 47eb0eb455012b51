"""Dates, durations and time zones as parameters give them."""

from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from weft_node_sdk import dates
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import NotConvertible, shown, to_number, value

_LATEST_IN_SECONDS: Final = 10**11
"""Smaller numbers are seconds since the epoch, greater ones milliseconds."""


def parsed(given: Any, source: tzinfo = UTC, *, seconds: bool = True) -> datetime:
    """An aware time; a text without an offset is in `source`, null and empty are the epoch. `seconds`: small numbers
    count seconds since the epoch. Raises NodeRunError."""
    if given is None or given == "":
        return datetime.fromtimestamp(0, UTC)
    number = given
    if isinstance(given, str) and given.strip().lstrip("-").isdigit() and len(given.strip()) > 8:
        number = int(given)
    if seconds and isinstance(number, int | float) and not isinstance(number, bool):
        number = number * 1000 if abs(number) < _LATEST_IN_SECONDS else number
    moment = dates.parse(number, getattr(source, "key", "UTC"))
    if moment is None:
        raise NodeRunError(
            f"{shown(given)} can't be read as a date",
            description="Write it like 2030-01-31T09:30:00Z, or name its format in From format.",
        )
    return moment


def iso(moment: datetime) -> str:
    """With milliseconds; UTC as Z."""
    text = moment.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def zone(name: Any) -> tzinfo:
    """Raises NodeRunError where there is no such time zone."""
    try:
        return UTC if name == "UTC" else ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise NodeRunError(
            f"{shown(name)} is not a time zone", description="Name one like Europe/Berlin."
        ) from None


def number_of(given: Any) -> float:
    """Raises NodeRunError."""
    try:
        number = to_number(value(given))
    except NotConvertible:
        number = None
    if number is None:
        raise NodeRunError(f"{shown(given)} is not a duration")
    return float(number)

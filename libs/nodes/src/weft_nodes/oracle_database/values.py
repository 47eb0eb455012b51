"""Values of Oracle Database, as the field knows them from JavaScript."""

from array import array
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from weft_node_sdk.values import compact_json

from weft_nodes.databases.values import buffer, number

_SAFE: Final = 2**53


def bound(given: Any) -> Any:
    """For the driver: objects are JSON texts, truth is a number (types before 23ai have no other)."""
    if isinstance(given, bool):
        return int(given)
    return compact_json(given) if isinstance(given, dict | list) else given


def plain(held: Any, *, exact: bool = False) -> Any:
    """Numbers come with all their digits; `exact`: one that JavaScript would round stays a text."""
    match held:
        case None | bool() | dict():
            return held
        case Decimal():
            return _number(str(held), exact=exact)
        case int() | float():
            return held
        case datetime():
            moment = held.replace(tzinfo=UTC) if held.tzinfo is None else held.astimezone(UTC)
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case timedelta():
            return held.total_seconds()
        case bytes():
            return buffer(held)
        case array():
            return held.tolist()
        case list():
            return [plain(each, exact=exact) for each in held]
    return held if isinstance(held, str) else str(held)


def _number(text: str, *, exact: bool) -> Any:
    found = number(text)
    return text if exact and isinstance(found, int | float) and abs(found) > _SAFE else found

"""Conditions of the first versions of If, Filter and Switch: two values and an operation, types converted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from weft_node_sdk import dates, values
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.display import same
from weft_node_sdk.values import NotConvertible


def _number(given: Any) -> float:
    try:
        number = values.to_number(values.value(given))
    except NotConvertible:
        return float("nan")
    return 0 if number is None else float(number)


def _test_string(operation: str, left: str, right: str) -> bool:
    if operation in ("regex", "notRegex"):
        from weft_node_sdk.patterns import found

        return found(right, left) is (operation == "regex")
    results = {
        "equal": left == right,
        "contains": right in left,
        "startsWith": left.startswith(right),
        "endsWith": left.endswith(right),
        "isEmpty": not left,
        **_order(left, right),
    }
    return _either(operation, results)


def _test_number(operation: str, left: float, right: float) -> bool:
    return _either(operation, {"equal": left == right, **_order(left, right)})


def _order(left: Any, right: Any) -> dict[str, bool]:
    """Of two numbers, or of two texts."""
    return {
        "smaller": left < right,
        "smallerEqual": left <= right,
        "larger": left > right,
        "largerEqual": left >= right,
    }


def _either(operation: str, results: Mapping[str, bool]) -> bool:
    if operation in results:
        return results[operation]
    positive = f"{operation[3:4].lower()}{operation[4:]}"
    if operation == "isNotEmpty":
        positive = "isEmpty"
    if positive in results and "ot" in operation[:5]:
        return not results[positive]
    raise NodeRunError(f"'{operation}' is not a known operation")


def fulfilled(kind: str, operation: str, left: Any, right: Any, timezone: str = "UTC") -> bool:
    """Whether `left operation right` holds. Raises NodeRunError for an unknown operation or a date that can't
    be read."""
    left, right = values.value(left), values.value(right)
    if kind == "boolean":
        return same(bool(left), bool(right)) is (operation == "equal")
    if kind == "number":
        if operation in ("isEmpty", "isNotEmpty"):
            return (left in (None, "")) is (operation == "isEmpty")
        return _test_number(operation, _number(left), _number(right))
    if kind == "dateTime":
        first, second = _moment(left, timezone), _moment(right, timezone)
        return first > second if operation == "after" else first < second
    return _test_string(operation, values.text_of(left), values.text_of(right))


def _moment(given: Any, timezone: str) -> datetime:
    moment = dates.parse(given, timezone)
    if moment is None:
        raise NodeRunError(f"{values.shown(given)} can't be read as a date")
    return moment


def all_fulfilled(conditions: Any, combine: str, timezone: str = "UTC") -> bool:
    """The groups `boolean`, `dateTime`, `number`, `string` of If 1 and Filter 1. `combine`: all or any (AND,
    OR); without any condition they are fulfilled."""
    values.value(conditions)
    results = (
        fulfilled(
            kind,
            values.text_of(entry.get("operation", _DEFAULTS[kind])),
            entry.get("value1"),
            entry.get("value2"),
            timezone,
        )
        for kind in _DEFAULTS
        for entry in values.entries({"conditions": conditions}, "conditions", kind)
    )
    wanted = combine in ("any", "OR")
    decided = None
    for result in results:
        if result is wanted:
            return wanted
        decided = result
    return True if decided is None else not wanted


_DEFAULTS: Mapping[str, str] = {
    "boolean": "equal",
    "dateTime": "after",
    "number": "smaller",
    "string": "equal",
}

"""Date & Time 1: formats a date, or adds to it; the result stands beside the item's fields."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from weft_node_sdk.context import Item, NodeRunError
from weft_node_sdk.values import members, shown, value

from weft_nodes.date_time.arithmetic import later
from weft_nodes.date_time.formats import formatted, read
from weft_nodes.date_time.reading import iso, number_of, parsed, zone


def _read(given: Any, options: Any, source: tzinfo, *, seconds: bool = True) -> datetime:
    """A text without an offset is in `source`. `seconds`: numbers may be such. Raises NodeRunError."""
    notation = value(options.get("fromFormat"))
    if not notation:
        moment = parsed(given, source, seconds=seconds)
    elif (found := read(str(given), str(notation), source, moment=True)) is None:
        raise NodeRunError(f"{shown(given)} does not have the format {notation}")
    else:
        moment = found
    return moment


def _formatted(parameters: dict[str, Any], options: Any, home: tzinfo) -> str:
    source, target = value(options.get("fromTimezone")), value(options.get("toTimezone"))
    zoned = bool(source or target)
    # without either option the workflow's zone does not count
    moment = _read(
        value(parameters.get("value")), options, (zone(source) if source else home) if zoned else UTC
    )
    moment = moment.astimezone((zone(target) if target else home) if zoned else UTC)
    return formatted(moment, str(value(parameters.get("toFormat")) or ""), moment=True)


def _calculated(parameters: dict[str, Any], options: Any) -> str:
    moment = _read(value(parameters.get("value")), options, UTC, seconds=False).astimezone(UTC)
    sign = -1 if parameters.get("operation") == "subtract" else 1
    unit = str(parameters.get("timeUnit", "days")).removesuffix("s")
    return iso(later(moment, sign * number_of(parameters.get("duration", 0)), unit))


def changed(item: Item, parameters: dict[str, Any], home: tzinfo) -> dict[str, Any]:
    """The item's JSON with the result. Raises NodeRunError, ValueError and OverflowError."""
    options = members(parameters)
    if parameters.get("action", "format") == "calculate":
        result = _calculated(parameters, options)
    else:
        result = _formatted(parameters, options, home)
    return {**item["json"], str(value(parameters.get("dataPropertyName")) or "data"): result}

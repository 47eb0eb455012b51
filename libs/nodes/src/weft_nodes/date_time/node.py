"""Date & Time: the present time, dates as texts, adding, rounding, parts, and the time between."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, Final

from weft_node_sdk import dates
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.values import members, shown, text_of, value

from weft_nodes.date_time.arithmetic import between, iso_duration, later, start_of
from weft_nodes.date_time.formats import formatted, read
from weft_nodes.date_time.reading import iso, number_of, parsed, zone
from weft_nodes.date_time.version_1 import changed


def _current(parameters: dict[str, Any], options: Any, home: tzinfo) -> Any:
    now = datetime.now(zone(options["timezone"]) if value(options.get("timezone")) else home)
    return iso(now if parameters.get("includeTime", True) is True else start_of(now, "day"))


def _moved(parameters: dict[str, Any], _: Any, home: tzinfo, sign: int) -> Any:
    moment = parsed(value(parameters.get("magnitude"))).astimezone(home)
    unit = str(parameters.get("timeUnit", "days")).removesuffix("s")
    return iso(later(moment, sign * number_of(parameters.get("duration", 0)), unit))


def _format(parameters: dict[str, Any], options: Any, home: tzinfo) -> Any:
    given = value(parameters.get("date"))
    if given is None:
        return None
    notation = value(options.get("fromFormat"))
    if notation:
        moment = read(str(given), str(notation), home)
        if moment is None:
            raise NodeRunError(f"{shown(given)} does not have the format {notation}")
        moment = moment.astimezone(UTC)
    else:
        moment = parsed(given)
    if options.get("timezone") is True:
        moment = moment.astimezone(home)
    name = "customFormat" if parameters.get("format") == "custom" else "format"
    return formatted(moment, str(value(parameters.get(name)) or ""))


def _rounded(parameters: dict[str, Any], _: Any, home: tzinfo) -> Any:
    moment = parsed(value(parameters.get("date"))).astimezone(home)
    if parameters.get("mode") == "roundUp":
        unit = str(value(parameters.get("to", "month")))
        return iso(later(start_of(moment, unit), 1, unit))
    return iso(start_of(moment, str(value(parameters.get("toNearest", "month")))))


def _between(parameters: dict[str, Any], options: Any, home: tzinfo) -> Any:
    start, end = (parsed(value(parameters.get(name))).astimezone(home) for name in ("startDate", "endDate"))
    units = value(parameters.get("units", ["day"]))
    parts = between(start, end, units if isinstance(units, list) else [units])
    if options.get("isoString") is True:
        return iso_duration(parts)
    return {f"{unit}s": int(part) if float(part).is_integer() else part for unit, part in parts.items()}


def _part(parameters: dict[str, Any], _: Any, home: tzinfo) -> Any:
    moment = parsed(value(parameters.get("date"))).astimezone(home)
    part = parameters.get("part", "month")
    if part == "week":
        return moment.isocalendar().week
    if part not in ("year", "month", "day", "hour", "minute", "second"):
        raise NodeRunError(f"'{part}' is no part of a date")
    return getattr(moment, part)


_OPERATIONS: Final[Mapping[str, tuple[Callable[[dict[str, Any], Any, tzinfo], Any], str]]] = {
    "getCurrentDate": (_current, "currentDate"),
    "addToDate": (partial(_moved, sign=1), "newDate"),
    "subtractFromDate": (partial(_moved, sign=-1), "newDate"),
    "formatDate": (_format, "formattedDate"),
    "roundDate": (_rounded, "roundedDate"),
    "getTimeBetweenDates": (_between, "timeDifference"),
    "extractDate": (_part, "datePart"),
}


def _json(item: Item, parameters: dict[str, Any], home: tzinfo) -> dict[str, Any]:
    operation = text_of(parameters.get("operation", "getCurrentDate"))
    if operation not in _OPERATIONS:
        raise NodeRunError(f"'{operation}' is not a known operation")
    work, name = _OPERATIONS[operation]
    options = members(parameters)
    result = work(parameters, options, home)
    kept = item["json"] if options.get("includeInputFields") is True else {}
    return {**kept, str(value(parameters.get("outputFieldName", name)) or name): result}


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    home = dates.zone(ctx.execution.timezone)
    work = changed if ctx.node.version < 2 else _json

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        try:
            output.append(made(work(item, parameters, home), index, item if ctx.node.version < 2 else None))
        except (OverflowError, ValueError) as error:
            raise NodeRunError(f"The date is beyond the calendar: {error}") from None

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]

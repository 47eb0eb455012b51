"""Wait: gives up its slot until a time, for an interval, or until its resume address is called."""

from datetime import UTC, datetime
from typing import Any

from weft_node_sdk import dates
from weft_node_sdk.context import NodeRunError, Outputs, RunContext, Suspend
from weft_node_sdk.items import made, passed_all
from weft_node_sdk.values import shown, text_of, to_number, value

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_LONGEST = 100 * 366 * 86_400


def after(amount: Any, unit: Any) -> int:
    """Microseconds since the epoch, so long from now. Raises NodeRunError."""
    try:
        number = to_number(value(amount))
    except ValueError:
        number = None
    unit = text_of(unit)
    if number is None or not 0 <= number * _SECONDS.get(unit, 1) <= _LONGEST:
        raise NodeRunError(f"{shown(amount)} {unit} is no time to wait")
    return dates.micros(datetime.now(UTC)) + int(number * _SECONDS.get(unit, 1) * 1_000_000)


def _at(given: Any, timezone: str) -> int:
    moment = dates.parse(value(given), timezone)
    if moment is None:
        raise NodeRunError(
            f"{shown(given)} can't be read as a date and time",
            description="Write it like 2030-01-31T09:30:00, with an offset or in the workflow's time zone.",
        )
    return dates.micros(moment)


def _limit(parameters: dict[str, Any], timezone: str) -> int | None:
    if parameters.get("limitWaitTime") is not True:
        return None
    if parameters.get("limitType") == "atSpecifiedTime":
        return _at(parameters.get("maxDateAndTime"), timezone)
    return after(parameters.get("resumeAmount", 1), parameters.get("resumeUnit", "hours"))


async def run(ctx: RunContext) -> Outputs | Suspend:
    await ctx.checkpoint()
    if ctx.resume is not None:
        if ctx.resume.kind in ("webhook", "form"):
            return [[made(item["json"], 0, item) for item in ctx.resume.items]]
        return [passed_all(ctx.items)]
    parameters = await ctx.parameters_for(0)
    timezone = ctx.execution.timezone
    kind = parameters.get("resume", "timeInterval")
    if kind == "webhook":
        return Suspend("webhook", until=_limit(parameters, timezone))
    if kind == "form":
        return Suspend("form", until=_limit(parameters, timezone))
    if kind == "specificTime":
        return Suspend("timer", until=_at(parameters.get("dateTime"), timezone))
    first = ctx.node.version < 1.1
    amount = parameters.get("amount", 1 if first else 5)
    return Suspend("timer", until=after(amount, parameters.get("unit", "hours" if first else "seconds")))

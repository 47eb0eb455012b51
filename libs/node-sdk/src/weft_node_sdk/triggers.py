"""Routes and schedules of a workflow's trigger nodes, as the ingress and the scheduler take them."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import msgspec
import orjson
from weft_contracts.messages import Route, ScheduleRule

_UNITS = {"seconds": 1, "minutes": 60}
DAY = 86_400
_CONSTANT = re.compile(r"\{\{\s*(?:(?P<number>\d+)|(['\"])(?P<text>[^'\"\\]*)\2)\s*\}\}")


def routes_of(node: Mapping[str, Any], parameters: Mapping[str, Any], version: float) -> Iterator[Route]:
    """One route per method and address. `parameters` with defaults filled in; they travel as JSON."""
    webhook_id = str(node.get("webhookId") or "")
    path = str(parameters.get("path") or webhook_id).strip().strip("/")
    if not path:
        return
    pattern = any(part.startswith(":") for part in path.split("/"))
    paths = [path]
    if pattern and webhook_id and not path.startswith(webhook_id):
        # n8n puts the webhook's id in front of a path with parameters; both addresses answer
        paths.append(f"{webhook_id}/{path}")
    method = parameters.get("httpMethod", "GET")
    raw = msgspec.Raw(orjson.dumps(parameters))
    credentials = {
        kind: str(held.get("id") or "")
        for kind, held in (node.get("credentials") or {}).items()
        if isinstance(held, Mapping)
    }
    for name, address in product(method if isinstance(method, list) else [method], paths):
        yield Route(
            method=str(name).upper(),
            path=address,
            node=str(node.get("name", "")),
            node_type=str(node.get("type", "")),
            type_version=version,
            parameters=raw,
            webhook_id=webhook_id,
            pattern=pattern,
            credentials=credentials,
        )


def _whole(rule: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = rule.get(name, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None
    if not low <= number <= high:
        raise ValueError(f"{name} must be between {low} and {high}, not {number}")
    return number


def _times(rule: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Fields of the ScheduleRules that one interval of a Schedule Trigger stands for. Raises ValueError."""
    field = rule.get("field", "days")
    if field in _UNITS:
        every = _whole(rule, f"{field}Interval", 30 if field == "seconds" else 5, 1, 365 * DAY)
        yield {"interval_seconds": every * _UNITS[field]}
        return
    if field == "cronExpression":
        cron = " ".join(str(rule.get("expression", "")).lstrip("=").split())
        if len(cron.split(" ")) not in (5, 6) or "{{" in cron:
            raise ValueError(f"{cron!r} is not a cron expression of five or six fields")
        yield {"cron": cron}
        return
    minute = _whole(rule, "triggerAtMinute", 0, 0, 59)
    if field == "hours":
        every = _whole(rule, "hoursInterval", 1, 1, 24 * 365)
        yield (
            {"cron": f"{minute} * * * *"}
            if every == 1
            else {
                "interval_seconds": every * 3600,
                "offset_seconds": minute * 60,
            }
        )
        return
    hour = _whole(rule, "triggerAtHour", 0, 0, 23)
    at = hour * 3600 + minute * 60
    if field == "days":
        every = _whole(rule, "daysInterval", 1, 1, 3650)
        yield (
            {"cron": f"{minute} {hour} * * *"}
            if every == 1
            else {
                "interval_seconds": every * DAY,
                "offset_seconds": at,
            }
        )
    elif field == "weeks":
        every = _whole(rule, "weeksInterval", 1, 1, 520)
        days = sorted({_whole({"day": day}, "day", 0, 0, 6) for day in rule.get("triggerAtDay") or [0]})
        if every == 1:
            yield {"cron": f"{minute} {hour} * * {','.join(map(str, days))}"}
            return
        for day in days:
            # 1970-01-01 was a Thursday (day 4): Sunday of the first whole week is three days later
            yield {"interval_seconds": every * 7 * DAY, "offset_seconds": (3 + day) * DAY + at}
    elif field == "months":
        every = _whole(rule, "monthsInterval", 1, 1, 12)
        day = _whole(rule, "triggerAtDayOfMonth", 1, 1, 31)
        yield {"cron": f"{minute} {hour} {day} */{every} *" if every > 1 else f"{minute} {hour} {day} * *"}
    else:
        raise ValueError(f"{field!r} is not a known interval")


def _older_times(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the ScheduleRule that one time of a Cron node stands for. Raises ValueError."""
    mode = entry.get("mode", "everyDay")
    if mode == "everyMinute":
        return {"cron": "* * * * *"}
    if mode == "custom":
        return next(_times({"field": "cronExpression", "expression": entry.get("cronExpression", "")}))
    if mode == "everyX":
        unit = entry.get("unit", "hours")
        every = _whole(entry, "value", 2, 1, 59 if unit == "minutes" else 23)
        return {"cron": f"*/{every} * * * *" if unit == "minutes" else f"0 */{every} * * *"}
    minute = _whole(entry, "minute", 0, 0, 59)
    if mode == "everyHour":
        return {"cron": f"{minute} * * * *"}
    hour = _whole(entry, "hour", 14, 0, 23)
    if mode == "everyDay":
        return {"cron": f"{minute} {hour} * * *"}
    if mode == "everyWeek":
        return {"cron": f"{minute} {hour} * * {_whole(entry, 'weekday', 1, 0, 7) % 7}"}
    if mode == "everyMonth":
        return {"cron": f"{minute} {hour} {_whole(entry, 'dayOfMonth', 1, 1, 31)} * *"}
    raise ValueError(f"{mode!r} is not a known mode")


def _entries(parameters: Mapping[str, Any], collection: str, group: str) -> list[Mapping[str, Any]]:
    held = parameters.get(collection)
    found = held.get(group) if isinstance(held, Mapping) else None
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    return [{name: _plain(value) for name, value in entry.items()} for entry in entries]


def _plain(value: Any) -> Any:
    """What an expression without any data says: `={{ 12 }}` and `={{ 'days' }}`, and a text after a lone `=`."""
    if not isinstance(value, str) or not value.startswith("="):
        return value
    found = _CONSTANT.fullmatch(value[1:].strip())
    if found is None:
        return value if "{{" in value else value[1:]
    return found["number"] or found["text"]


def _rules(parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """By the parameters that a node has: n8n Trigger's, Cron's, Interval's or Schedule Trigger's. Raises ValueError."""
    if "events" in parameters:
        if "init" in (parameters["events"] or ()):
            yield {"at_start": True}
    elif "triggerTimes" in parameters:
        yield from map(_older_times, _entries(parameters, "triggerTimes", "item"))
    elif "interval" in parameters:
        unit = parameters.get("unit", "seconds")
        seconds = {**_UNITS, "hours": 3600}.get(unit)
        if seconds is None:
            raise ValueError(f"{unit!r} is not a known unit")
        yield {"interval_seconds": _whole(parameters, "interval", 1, 1, 365 * DAY) * seconds}
    else:
        for interval in _entries(parameters, "rule", "interval"):
            yield from _times(interval)


def schedules_of(node: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[ScheduleRule]:
    """The rules of one schedule node, numbered in order. Raises ValueError where one makes no sense."""
    for number, fields in enumerate(_rules(parameters)):
        yield ScheduleRule(node=str(node.get("name", "")), rule=number, **fields)

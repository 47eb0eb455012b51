"""Values as PostgreSQL's text, and back as the field knows them from JavaScript."""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson
from weft_node_sdk.values import compact_json, to_text

from weft_nodes.databases.values import buffer, moment, number

_NUMBERS: Final = {"int2", "int4", "oid"}
_LARGE: Final = {"int8", "numeric"}
_TEXTS: Final = {
    "text",
    "varchar",
    "bpchar",
    "name",
    "uuid",
    "time",
    "timetz",
    "money",
    "xml",
    "inet",
    "cidr",
    "macaddr",
    "bit",
    "varbit",
    "path",
    "box",
    "polygon",
    "line",
    "lseg",
    "tsvector",
    "tsquery",
    "jsonpath",
}


def encode(value: Any) -> str:
    """Whatever JSON it is, as the server reads it."""
    return compact_json(value) if isinstance(value, dict | list) else str(to_text(value))


def _interval(text: str) -> dict[str, Any]:
    """In the session's style, iso_8601: P1Y2M3DT4H5M6.7S."""
    date, _, time = text.removeprefix("P").partition("T")
    names = {"Y": "years", "M": "months", "D": "days"}
    found: dict[str, Any] = {names[unit]: int(amount) for amount, unit in re.findall(r"(-?\d+)([YMD])", date)}
    for amount, unit in re.findall(r"(-?[\d.]+)([HMS])", time):
        if unit == "S":
            whole, _, part = amount.partition(".")
            if int(whole or 0):
                found["seconds"] = int(whole)
            if part:
                found["milliseconds"] = float(f"{'-' if amount.startswith('-') else ''}0.{part}") * 1000
        else:
            found[{"H": "hours", "M": "minutes"}[unit]] = int(amount)
    return found


def _bytes(text: str) -> dict[str, Any]:
    return buffer(bytes.fromhex(text.removeprefix("\\x")))


def _point(text: str) -> dict[str, Any]:
    x, y = text.strip("()").split(",")
    return {"x": number(x), "y": number(y)}


def _circle(text: str) -> dict[str, Any]:
    """`<(x,y),radius>`"""
    x, y, radius = text.strip("<>").replace("(", "").replace(")", "").split(",")
    return {"x": number(x), "y": number(y), "radius": number(radius)}


def decoders(*, days: bool = False) -> dict[str, Callable[[str], Any]]:
    """By type; large numbers are texts (see `reading`). `days`: dates as they stand, not as the instant at which they
    begin."""
    found: dict[str, Callable[[str], Any]] = dict.fromkeys(_TEXTS, str)
    found |= dict.fromkeys(_NUMBERS, int)
    found |= dict.fromkeys(_LARGE, str)
    found |= dict.fromkeys(("float4", "float8"), number)
    found |= {"date": str if days else moment} | dict.fromkeys(("timestamp", "timestamptz"), moment)
    found |= dict.fromkeys(("json", "jsonb"), orjson.loads)
    found |= {"bool": "t".__eq__, "bytea": _bytes, "interval": _interval, "point": _point}
    return found | {"circle": _circle}


def reading(kind: str, *, large_as_numbers: bool) -> Callable[[Any], Any]:
    """What becomes of the decoded values of a column, by its type. Large numbers are numbers, with a loss of digits,
    where the option says so; in arrays, whatever it says, those of `numeric` are, and those of `int8` are not."""
    numbers = kind == "numeric[]" or (large_as_numbers and kind in _LARGE)
    return _numbers if numbers else plain


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return number(value) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """What the driver decoded by itself (types of the database's own), as JSON."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    items = getattr(value, "items", None)
    return {name: plain(each) for name, each in items()} if callable(items) else str(value)

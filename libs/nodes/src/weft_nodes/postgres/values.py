"""Values as PostgreSQL's text, and back as the field knows them from JavaScript."""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson
from weft_node_sdk.values import compact_json, to_text

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


def _number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(text) if re.fullmatch(r"-?\d+", text) else number if abs(number) != float("inf") else text


def _float(text: str) -> float | int | str | None:
    if text == "NaN":
        return None
    number = _number(text)
    return (
        int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number
    )


def moment(text: str) -> str:
    """ISO 8601 in UTC, milliseconds: the session's zone is UTC."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(\.\d+)?)?(?:\+00)?", text)
    if found is None:
        return text
    return f"{found[1]}T{found[2] or '00:00:00'}.{(found[3] or '.').lstrip('.')[:3].ljust(3, '0')}Z"


def _interval(text: str) -> dict[str, Any]:
    """In the session's style, iso_8601: P1Y2M3DT4H5M6.7S."""
    date, _, time = text.removeprefix("P").partition("T")
    names = {"Y": "years", "M": "months", "D": "days"}
    found: dict[str, Any] = {names[unit]: int(number) for number, unit in re.findall(r"(-?\d+)([YMD])", date)}
    for number, unit in re.findall(r"(-?[\d.]+)([HMS])", time):
        if unit == "S":
            whole, _, part = number.partition(".")
            if int(whole or 0):
                found["seconds"] = int(whole)
            if part:
                found["milliseconds"] = float(f"{'-' if number.startswith('-') else ''}0.{part}") * 1000
        else:
            found[{"H": "hours", "M": "minutes"}[unit]] = int(number)
    return found


def _bytes(text: str) -> dict[str, Any]:
    return {"type": "Buffer", "data": list(bytes.fromhex(text.removeprefix("\\x")))}


def _point(text: str) -> dict[str, Any]:
    x, y = text.strip("()").split(",")
    return {"x": _float(x), "y": _float(y)}


def decoders(large_numbers: str) -> dict[str, Callable[[str], Any]]:
    """By type. `large_numbers`: `text`, or `numbers` with a loss of digits."""
    found: dict[str, Callable[[str], Any]] = dict.fromkeys(_TEXTS, str)
    found |= dict.fromkeys(_NUMBERS, int)
    found |= dict.fromkeys(_LARGE, _float if large_numbers == "numbers" else str)
    found |= dict.fromkeys(("float4", "float8"), _float)
    found |= dict.fromkeys(("date", "timestamp", "timestamptz"), moment)
    found |= dict.fromkeys(("json", "jsonb"), orjson.loads)
    return found | {"bool": "t".__eq__, "bytea": _bytes, "interval": _interval, "point": _point}


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

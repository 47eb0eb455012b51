"""Methods and functions of JavaScript that are exact in Python for plain values. All bail on what they don't cover."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from math import ceil, floor
from typing import Any, Final

import orjson

from weft_expressions.values import (
    SPACE,
    UNDEFINED,
    Bail,
    join,
    settle,
    strictly_equal,
    to_string,
    truthy,
    units,
)

Call = Callable[..., Any]
"""`method(receiver, *arguments)`; a wrong number of arguments is a TypeError, which the caller turns into Bail."""


EXACT_LENGTH: Final = 2**31
_DIGITS: Final = Context(prec=64)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Bail
    return units(value)


def _index(value: Any, default: int, length: int) -> int:
    """A start or end of slice(): negative ones count from the end."""
    if value is UNDEFINED:
        return default
    if type(value) is not int:
        raise Bail
    return max(length + value, 0) if value < 0 else min(value, length)


def _count(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise Bail
    return value


def _ascii(value: str) -> str:
    if not value.isascii():
        raise Bail
    return value


def _split(value: str, separator: Any) -> list[str]:
    separator = _text(separator)
    if separator:
        return value.split(separator)
    return list(units(value))


def _slice(value: Any, start: Any = UNDEFINED, end: Any = UNDEFINED) -> Any:
    length = len(units(value) if type(value) is str else value)
    return value[_index(start, 0, length) : _index(end, length, length)]


def _substring(value: str, start: Any, end: Any = UNDEFINED) -> str:
    length = len(units(value))
    start = _count(start, EXACT_LENGTH)
    end = length if end is UNDEFINED else _count(end, EXACT_LENGTH)
    return value[min(start, end) : max(start, end)]


def _pad(value: str, length: Any, fill: Any, *, at_start: bool) -> str:
    missing = _count(length, 10_000) - len(units(value))
    fill = _text(fill)
    if missing <= 0 or not fill:
        return value
    padding = (fill * (missing // len(fill) + 1))[:missing]
    return padding + value if at_start else value + padding  # type: ignore[no-any-return]


def _replace(count: int) -> Call:
    def replace(value: str, pattern: Any, replacement: Any) -> str:
        if "$" in _text(replacement) or not _text(pattern):
            raise Bail
        return value.replace(pattern, replacement, count)

    return replace


def _at(value: Any, index: Any) -> Any:
    if type(index) is not int:
        raise Bail
    length = len(units(value) if type(value) is str else value)
    return value[index] if -length <= index < length else UNDEFINED


def _char_at(value: str, index: Any = 0) -> str:
    found = _at(value, _count(index, EXACT_LENGTH))
    return "" if found is UNDEFINED else str(found)


def _index_of(value: list[Any], wanted: Any) -> int:
    return next((i for i, part in enumerate(value) if strictly_equal(part, wanted)), -1)


def _joined(value: list[Any], separator: Any = ",") -> str:
    if type(separator) is not str:
        raise Bail
    return join(value, separator)


def _fixed(value: float, digits: Any = 0) -> str:
    """Of the two nearest decimals the one away from zero, by the exact value of the double (ECMA-262 toFixed)."""
    if not -1e21 < value < 1e21:
        raise Bail
    unit = Decimal(1).scaleb(-_count(digits, 20))
    return format(Decimal(value).quantize(unit, ROUND_HALF_UP, _DIGITS), "f")


def _first(values: list[Any]) -> Any:
    return values[0] if values else UNDEFINED


def _last(values: list[Any]) -> Any:
    return values[-1] if values else UNDEFINED


STRING: Final[dict[str, Call]] = {
    "toUpperCase": lambda v: _ascii(v).upper(),
    "toLowerCase": lambda v: _ascii(v).lower(),
    "trim": lambda v: v.strip(SPACE),
    "trimStart": lambda v: v.lstrip(SPACE),
    "trimEnd": lambda v: v.rstrip(SPACE),
    "split": _split,
    "includes": lambda v, part: _text(part) in v,
    "startsWith": lambda v, part: v.startswith(_text(part)),
    "endsWith": lambda v, part: v.endswith(_text(part)),
    "indexOf": lambda v, part: units(v).find(_text(part)),
    "lastIndexOf": lambda v, part: units(v).rfind(_text(part)),
    "slice": _slice,
    "substring": _substring,
    "charAt": _char_at,
    "at": _at,
    "padStart": lambda v, length, fill=" ": _pad(v, length, fill, at_start=True),
    "padEnd": lambda v, length, fill=" ": _pad(v, length, fill, at_start=False),
    "replace": _replace(1),
    "replaceAll": _replace(-1),
    "repeat": lambda v, count: v * _count(count, 1_000),
    "concat": lambda v, *parts: v + "".join(to_string(part) for part in parts),
    "toString": lambda v: v,
}

ARRAY: Final[dict[str, Call]] = {
    "join": _joined,
    "includes": lambda v, wanted: any(strictly_equal(part, wanted) for part in v),
    "indexOf": _index_of,
    "slice": _slice,
    "at": _at,
    "toString": to_string,
    "first": _first,
    "last": _last,
}

NUMBER: Final[dict[str, Call]] = {"toString": to_string, "toFixed": _fixed}
BOOLEAN: Final[dict[str, Call]] = {"toString": to_string}


def _map(values: list[Any], call: Call) -> list[Any]:
    return [call(value, at) for at, value in enumerate(values)]


def _filter(values: list[Any], call: Call) -> list[Any]:
    return [value for at, value in enumerate(values) if truthy(call(value, at))]


def _find(values: list[Any], call: Call) -> Any:
    return next((value for at, value in enumerate(values) if truthy(call(value, at))), UNDEFINED)


def _find_index(values: list[Any], call: Call) -> int:
    return next((at for at, value in enumerate(values) if truthy(call(value, at))), -1)


CALLBACK: Final[dict[str, Call]] = {
    "map": _map,
    "filter": _filter,
    "find": _find,
    "findIndex": _find_index,
    "some": lambda values, call: _find_index(values, call) >= 0,
    "every": lambda values, call: all(truthy(call(value, at)) for at, value in enumerate(values)),
}
"""Methods of arrays that take a function of (element, index)."""


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        raise Bail
    return value


_ROUNDABLE: Final = 2**51


def _round(value: Any) -> int:
    """Math.round: halves go up, also below zero."""
    if type(value) is int:
        return int(settle(value))
    if not -_ROUNDABLE < _number(value) < _ROUNDABLE:
        raise Bail
    whole = floor(value)
    return whole + 1 if value - whole >= 0.5 else whole  # type: ignore[no-any-return]


def _extreme(choose: Call) -> Call:
    def extreme(*values: Any) -> Any:
        if not values:
            raise Bail
        return choose([settle(_number(value)) for value in values])

    return extreme


_INEXACT_JSON: Final = re.compile(rb"\d[eE][+-]?\d|\d\.0+(?![\d])|-0(?![.\d])")
"""Where orjson and JSON.stringify may print a number differently."""


def _stringify(value: Any, replacer: Any = None, indent: Any = None) -> Any:
    if replacer is not None or indent not in (None, 2) or indent is True or value is UNDEFINED:
        raise Bail
    try:
        data = orjson.dumps(value, None, orjson.OPT_INDENT_2 if indent else 0)
    except TypeError:
        raise Bail from None
    if _INEXACT_JSON.search(data):
        raise Bail
    return data.decode()


def _keys(value: Any) -> list[str]:
    if type(value) is not dict:
        raise Bail
    return list(value)


def _values(value: Any) -> list[Any]:
    if type(value) is not dict:
        raise Bail
    return list(value.values())


_DECIMAL: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


def _to_number(value: Any) -> Any:
    if type(value) in (int, float):
        return value
    if type(value) is str and _DECIMAL.fullmatch(value) and value.isascii():
        return settle(float(value))
    raise Bail


FUNCTIONS: Final[dict[str, Call]] = {
    "String": to_string,
    "Number": _to_number,
    "Boolean": truthy,
}

STATIC: Final[dict[tuple[str, str], Call]] = {
    ("Math", "round"): _round,
    ("Math", "floor"): lambda v: settle(floor(_number(v))),
    ("Math", "ceil"): lambda v: settle(ceil(_number(v))),
    ("Math", "abs"): lambda v: settle(abs(_number(v))),
    ("Math", "min"): _extreme(min),
    ("Math", "max"): _extreme(max),
    ("JSON", "stringify"): _stringify,
    ("Object", "keys"): _keys,
    ("Object", "values"): _values,
    ("Array", "isArray"): lambda v: type(v) is list,
}


def _empty(value: Any) -> bool:
    if value is None or value is UNDEFINED:
        return True
    if type(value) in (str, list, dict):
        return not value
    raise Bail


EXTENSIONS: Final[dict[str, Call]] = {
    "isEmpty": _empty,
    "isNotEmpty": lambda v: not _empty(v),
}
"""n8n's own methods that also work on null and undefined."""


_BY_TYPE: Final[dict[type, dict[str, Call]]] = {
    str: STRING,
    list: ARRAY,
    int: NUMBER,
    float: NUMBER,
    bool: BOOLEAN,
}


def method(receiver: Any, name: str) -> Call:
    """The method of that name. Bails where the native path has none."""
    found = _BY_TYPE.get(type(receiver), {}).get(name)
    if found is None:
        raise Bail
    return found

"""JSON that nodes read from texts and answers, as JavaScript would hold it, and JSON that they write."""

import json
import re
from collections.abc import Callable
from typing import Any

import orjson

from weft_node_sdk.whole import Whole

_SUSPICIOUS = re.compile(rb"\d(?:\.\d|[eE])|\d{16}")


def _as_javascript(parsed: Any) -> Any:
    """Integral floats as ints, ints beyond 2^53 as doubles hold them."""
    if isinstance(parsed, dict):
        return {name: _as_javascript(member) for name, member in parsed.items()}
    if isinstance(parsed, list):
        return [_as_javascript(member) for member in parsed]
    if type(parsed) is int and abs(parsed) > 2**53:
        parsed = float(parsed)
    if type(parsed) is float and parsed.is_integer() and abs(parsed) < 1e21:
        return int(parsed) if abs(parsed) <= 2**53 else _printed(parsed)
    return parsed


def _printed(number: float) -> int:
    """The integer that JavaScript prints for a double: its shortest digits, filled with zeros."""
    digits, _, exponent = repr(number).replace("+", "").partition("e")
    whole, _, fraction = digits.partition(".")
    shift = int(exponent or 0)
    fraction = fraction.rstrip("0")
    return int(whole + fraction.ljust(shift, "0")) if shift >= len(fraction) else int(number)


def parse_json(text: str | bytes) -> Any:
    """Raises ValueError (orjson.JSONDecodeError) where it is no JSON."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    parsed = orjson.loads(data)
    return _as_javascript(parsed) if _SUSPICIOUS.search(data) else parsed


def _with_wholes(default: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    def said(held: Any) -> Any:
        if isinstance(held, Whole):
            return held.value
        if default is None:
            raise TypeError(f"{type(held).__name__} is no JSON")
        return default(held)

    return said


def json_bytes(given: Any, option: int = 0, default: Callable[[Any], Any] | None = None) -> bytes:
    """`option`, `default`: as orjson has them. Also of what items may hold and orjson refuses: whole numbers of more
    than 64 bits, halves of surrogate pairs. Raises TypeError for what JSON can't say."""
    default = _with_wholes(default)
    try:
        return orjson.dumps(given, default, option)
    except TypeError:
        pretty = bool(option & orjson.OPT_INDENT_2)
        text = json.dumps(
            given,
            default=default,
            sort_keys=bool(option & orjson.OPT_SORT_KEYS),
            indent=2 if pretty else None,
            separators=(",", ": " if pretty else ":"),
        )
        return text.encode()

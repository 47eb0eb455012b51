"""Values as they stand in MySQL's statements, and its results as the field knows them from JavaScript."""

import re
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson
from weft_node_sdk.values import compact_json

from weft_nodes.databases.values import buffer, moment, number

_SAFE: Final = 2**53
_CANONICAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")


class Reading(NamedTuple):
    """How results are read. `large_as_text`: all 64-bit numbers, else those that JavaScript can't hold, or with
    `exact` off none."""

    moments: bool = False
    decimals: bool = False
    large_as_text: bool = False
    exact: bool = True


def encode(value: Any) -> Any:
    """A bound value, as the driver quotes it: objects as JSON, a list as a row of values."""
    if isinstance(value, dict):
        return compact_json(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    return tuple(map(encode, value)) if isinstance(value, list) else value


def stored(value: Any) -> Any:
    """A value of a column: lists and objects as JSON."""
    return compact_json(value) if isinstance(value, dict | list) else value


def as_number(value: Any) -> Any:
    """Texts that are numbers, as such; not where a number would lose something (leading zeros, many digits)."""
    if isinstance(value, str) and _CANONICAL.fullmatch(value) and len(value) <= 15:
        return Decimal(value) if "." in value else int(value)
    return value


def decoders(reading: Reading) -> Mapping[int, Callable[[Any], Any]]:
    """By the protocol's type of a column; types that are not named are texts or bytes."""
    from asyncmy.constants import FIELD_TYPE as TYPE

    def large(text: str) -> int | str:
        found = int(text)
        return text if reading.large_as_text or (reading.exact and abs(found) >= _SAFE) else found

    texts = (TYPE.VAR_STRING, TYPE.STRING, TYPE.VARCHAR, TYPE.ENUM, TYPE.SET)
    blobs = (TYPE.TINY_BLOB, TYPE.MEDIUM_BLOB, TYPE.LONG_BLOB, TYPE.BLOB, TYPE.BIT)
    small = (TYPE.TINY, TYPE.SHORT, TYPE.LONG, TYPE.INT24, TYPE.YEAR)
    dates = (TYPE.DATE, TYPE.NEWDATE, TYPE.DATETIME, TYPE.TIMESTAMP)
    found: dict[int, Callable[[Any], Any]] = dict.fromkeys((*texts, *blobs), _text)
    found |= dict.fromkeys(small, int)
    found |= dict.fromkeys((TYPE.FLOAT, TYPE.DOUBLE), number)
    found |= dict.fromkeys((TYPE.DECIMAL, TYPE.NEWDECIMAL), number if reading.decimals else str)
    found |= dict.fromkeys(dates, moment if reading.moments else str)
    return found | {TYPE.TIME: str, TYPE.LONGLONG: large, TYPE.JSON: _json, TYPE.GEOMETRY: _geometry}


def _text(given: str | bytes) -> Any:
    return buffer(given) if isinstance(given, bytes) else given


def _json(text: str) -> Any:
    return orjson.loads(text)


def _geometry(given: bytes) -> Any:
    """Points as `{x, y}`, all else as lists of them. After four bytes of its system comes OGC's well-known binary."""
    try:
        return _shape(given, 4)[0]
    except (struct.error, RecursionError):
        return buffer(given)


def _shape(data: bytes, at: int) -> tuple[Any, int]:
    """(the shape, where it ends)."""
    order = "<" if data[at : at + 1] == b"\x01" else ">"
    (kind,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 5
    if kind == 1:
        return _point(data, at, order)
    found = []
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    for _ in range(count):
        if kind == 2:
            part, at = _point(data, at, order)
        elif kind == 3:
            part, at = _ring(data, at, order)
        else:
            part, at = _shape(data, at)
        found.append(part)
    return found, at


def _ring(data: bytes, at: int, order: str) -> tuple[Any, int]:
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    found = []
    for _ in range(count):
        part, at = _point(data, at, order)
        found.append(part)
    return found, at


def _point(data: bytes, at: int, order: str) -> tuple[Any, int]:
    x, y = struct.unpack_from(f"{order}dd", data, at)
    return {"x": number(repr(x)), "y": number(repr(y))}, at + 16

"""The one codec of item data: JSON in and out as JavaScript would have it, and payloads made of it.

Rules of JSON.parse and JSON.stringify that plain Python does not follow: integral floats are integers (`1.0`
is 1), numbers keep the digits a double prints (12345678901234567890 is 12345678901234567000), `-0` is 0, keys
that are array indices come first in ascending order, lone surrogates become U+FFFD, NaN and infinities are
written as null. The fast path is orjson and one walk that finds nothing to mend.
"""

import codecs
import json
import re
import threading
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import orjson
import zstandard
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.payload import BINARY, RAW_JSON, ZSTD_JSON, Payload

from weft_kit.blobs import CLAIM_CHECK_BYTES, BlobStore

MAX_DEPTH: Final = 200
"""Containers within containers that a document from outside may have."""
COMPRESS_BYTES: Final = 512
"""JSON longer than this is compressed."""

_OWN_DEPTH = 40
"""How deep we may wrap such a document ourselves before we write it."""
_ORJSON_DEPTH: Final = 254
"""Deeper values orjson does not write."""
_EXACT = 2**53
_MAX_INDEX = 2**32 - 2
_SURROGATE_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class _TooDeepError(Exception):
    pass


def unmarked(data: bytes) -> bytes:
    """Received JSON without its byte order mark: RFC 8259, 8.1 lets parsers pass over it, which JSON.parse does not."""
    return data.removeprefix(codecs.BOM_UTF8)


def loads_js(data: bytes) -> Any:
    """What JSON.parse gives. Raises VALIDATION_ERROR with `line` and `column` for what is not JSON in UTF-8,
    for numbers that no double holds, and for nesting over MAX_DEPTH."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        value = _loads_surrogates(data, error)
    try:
        return _mend(value) if _odd((value,), 0) else value
    except _TooDeepError:
        raise _too_deep(data) from None


def dumps_js(value: Any) -> bytes:
    """What JSON.stringify gives, without spaces. Raises VALIDATION_ERROR for what JSON can't say (objects of
    unknown types, cycles)."""
    try:
        data = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
        if _plain(data):
            return data
    except TypeError:
        pass
    try:
        if _odd((value,), -_OWN_DEPTH):
            value = _mend(value)
        return _dump(value)
    except (TypeError, ValueError, _TooDeepError) as error:
        reason = (
            f"it is nested over {MAX_DEPTH} levels deep" if isinstance(error, _TooDeepError) else str(error)
        )
        raise WeftError(
            ErrorCode.VALIDATION_ERROR, f"The value can't be written as JSON: {reason}."
        ) from None


def encode(value: Any) -> Payload:
    """A payload of any JSON value. Raises VALIDATION_ERROR as `dumps_js` does."""
    return packed(dumps_js(value))


def packed(data: bytes) -> Payload:
    """A payload of JSON as `dumps_js` writes it."""
    if len(data) <= COMPRESS_BYTES:
        return Payload(RAW_JSON, data, len(data))
    return Payload(ZSTD_JSON, _zstd.compressor.compress(data), len(data))


def encode_outputs(outputs: list[list[Any]]) -> Payload:
    """The payload of a node run: a list of items per output."""
    return encode(outputs)


def decode(payload: Payload) -> Any:
    """The value of a payload that `encode` made (trusted: not checked again), or the bytes of a binary one.
    One that travels by reference must have been through `unclaim`."""
    if payload.ref:
        raise WeftError(ErrorCode.INTERNAL, f"The payload {payload.ref} has not been fetched.")
    if payload.codec == RAW_JSON:
        return orjson.loads(payload.data)
    if payload.codec == BINARY:
        return payload.data
    return orjson.loads(_zstd.decompressor.decompress(payload.data))


def too_deep(values: list[Any]) -> bool:
    """Whether one of these objects and lists is nested over MAX_DEPTH."""
    wrapped: Any = values
    for _ in range(_ORJSON_DEPTH - MAX_DEPTH - 1):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)  # whose own limit is ours now; a tenth of the time of the walk
    except TypeError:
        pass
    else:
        return False
    level = values
    for _ in range(MAX_DEPTH):
        held = [value.values() if type(value) is dict else value for value in level]
        level = [part for each in held for part in each if type(part) in (dict, list)]
        if not level:
            return False
    return True


def outputs_of(value: Any) -> list[list[Any]]:
    """The outputs of a decoded node run. A node that keeps a state between its runs (Loop Over Items) has it in the
    same payload: `{"outputs": [[item, …], …], "state": {…}}`."""
    if isinstance(value, dict):
        value = value.get("outputs")
    return value if isinstance(value, list) else []


async def claim(payload: Payload, blobs: BlobStore, key: str) -> Payload:
    """The payload itself, or, where it is large, a reference to the blob `key` that now holds it."""
    if len(payload.data) <= CLAIM_CHECK_BYTES:
        return payload
    await blobs.put(key, payload.data)
    return Payload(payload.codec, b"", payload.size, key)


async def unclaim(payload: Payload, blobs: BlobStore) -> Payload:
    """The payload with its bytes. Raises NOT_FOUND where the blob is gone."""
    if not payload.ref:
        return payload
    return Payload(payload.codec, await blobs.get(payload.ref), payload.size)


class _Zstd(threading.local):
    """Compression contexts are dear to make and not safe between threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


_DIGITS: Final = b"0123456789"
_EMPTY_KEY: Final = re.compile(rb'"":')
_WHOLE_FLOAT: Final = re.compile(rb"\.0[,\]}]")


def _plain(data: bytes) -> bool:
    """Whether these bytes of orjson's, which wrote no integer over 53 bits, surely hold nothing that `_odd` finds; a
    twentieth of the time of that walk. Without digits a key that is an index leaves an empty one. A search for one
    byte is far quicker than one for more; for more, an expression is quicker than `in`."""
    return not (
        (b"+" in data and b"e+" in data)
        or (b"." in data and (_WHOLE_FLOAT.search(data) or data.endswith(b".0")))
        or _EMPTY_KEY.search(data.translate(None, _DIGITS))
    )


def _odd(container: Any, depth: int) -> bool:
    """Whether anything inside needs mending. Raises _TooDeepError."""
    if depth > MAX_DEPTH:
        raise _TooDeepError
    odd = False
    if type(container) is dict:
        for key in container:
            if type(key) is not str or (key < ":" and _is_index(key)):
                odd = True
        container = container.values()
    for value in container:
        kind = type(value)
        if kind is str:
            continue
        if kind is dict or kind is list or kind is tuple:
            odd = _odd(value, depth + 1) or odd
        elif kind is int:
            odd = odd or not -_EXACT <= value <= _EXACT
        elif kind is float:
            odd = odd or value.is_integer() or not isfinite(value)
        elif value is not None and kind is not bool:
            odd = True
    return odd


def _mend(value: Any) -> Any:
    """A copy in which numbers, keys and their order are what JavaScript would have."""
    kind = type(value)
    if kind is dict:
        mended = {_key(key): _mend(part) for key, part in value.items()}
        indices = sorted((key for key in mended if _is_index(key)), key=int)
        return {key: mended[key] for key in indices} | mended if indices else mended
    if kind is list or kind is tuple:
        return [_mend(part) for part in value]
    if kind is float or (kind is int and not -_EXACT <= value <= _EXACT):
        return _number(value)
    return value


def _number(value: float) -> int | float | None:
    """A double as JavaScript prints it: no point in whole numbers below 1e21, null for the infinite."""
    try:
        double = float(value)
    except OverflowError:
        return None
    if not isfinite(double):
        return None
    if not double.is_integer() or abs(double) >= 1e21:
        return double
    return int(double) if abs(double) <= _EXACT else int(Decimal(repr(double)))


def _key(key: Any) -> str:
    """A Python dictionary's key as a property name."""
    if type(key) is str:
        return key
    if key is None or isinstance(key, bool | int | float):
        return dumps_js(key).decode()
    raise TypeError(f"a key of type {type(key).__name__}")


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key == "0" or (key[0] != "0" and int(key) <= _MAX_INDEX))


def _dump(value: Any) -> bytes:
    """Bytes of a mended value; the slow way is for lone surrogates and integers of over 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        text = json.dumps(
            value,
            ensure_ascii=False,
            separators=(",", ":"),
            default=lambda part: orjson.loads(orjson.dumps(part)),
        )
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _loads_surrogates(data: bytes, error: orjson.JSONDecodeError) -> Any:
    """A second try with lone surrogate escapes replaced. Raises the first failure with its place."""
    mended = _SURROGATE_ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], data)
    if mended != data:
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError as second:
            error, data = second, mended
    if "depth" in error.msg:
        raise _too_deep(data) from None
    position, message = len(error.doc[: error.pos].encode()) if error.pos else 0, error.msg
    try:
        data.decode()
    except UnicodeDecodeError as failure:
        position, message = failure.start, "the bytes are not UTF-8"
    raise _refused(data, position, f"Malformed JSON: {message}") from None


def _too_deep(data: bytes) -> WeftError:
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(data):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        if depth > MAX_DEPTH:
            return _refused(data, found.start(), f"JSON nested over {MAX_DEPTH} levels deep")
    return _refused(data, 0, f"JSON nested over {MAX_DEPTH} levels deep")


def _refused(data: bytes, position: int, message: str) -> WeftError:
    """`position` in bytes; the place counts from one, the column in characters."""
    before = data[:position].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return WeftError(
        ErrorCode.VALIDATION_ERROR, f"{message} (line {line}, column {column}).", line=line, column=column
    )

"""Paths into items: `a.b`, `a[0].b`, `a['x.y']`; a plain key of that name goes first, as lodash has it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from weft_node_sdk.context import NodeRunError

MISSING: Final = object()
_PART = re.compile(r"[^.\[\]]+|\[(?:(-?\d+)|([\"'])(.*?)\2)\]")
_MAX_INDEX = 100_000


class NoPlace(NodeRunError, ValueError):
    """A path leads to no place that a list can have."""


@lru_cache(maxsize=4096)
def parse(path: str) -> tuple[str | int, ...]:
    """The steps of a path; an index in brackets is an int."""
    steps: list[str | int] = []
    for found in _PART.finditer(path):
        index, quote, quoted = found.groups()
        steps.append(_index(index) if index is not None else quoted if quote else found.group())
    return tuple(steps)


def _index(digits: str) -> int:
    """More digits than any list has places stand for the first place that none has."""
    return int(digits) if len(digits) < 16 else _MAX_INDEX


def _step(holder: Any, key: str | int) -> Any:
    if isinstance(holder, Mapping):
        return holder.get(str(key), MISSING)
    if isinstance(holder, list):
        try:
            index = int(key)
        except ValueError:
            return len(holder) if key == "length" else MISSING
        return holder[index] if 0 <= index < len(holder) else MISSING
    return MISSING


def get(json: Mapping[str, Any], path: str, *, dots: bool = True) -> Any:
    """What lies at a path, or MISSING."""
    if path in json:
        return json[path]
    if not dots:
        return MISSING
    found: Any = json
    for key in parse(path):
        found = _step(found, key)
        if found is MISSING:
            return MISSING
    return MISSING if found is json else found


def put(json: dict[str, Any], path: str, value: Any, *, dots: bool = True) -> None:
    """Sets what lies at a path. `json` is changed, the containers on the way are replaced by copies (they
    belong to someone else); missing ones are made. Raises NoPlace."""
    steps = parse(path) if dots else ()
    if len(steps) < 2:
        json[path if not steps else str(steps[0])] = value
        return
    holder: Any = json
    for key, following in pairwise(steps):
        inner = _step(holder, key)
        if isinstance(inner, dict):
            inner = dict(inner)
        elif isinstance(inner, list):
            inner = list(inner)
        else:
            inner = [] if isinstance(following, int) else {}
        _assign(holder, key, inner)
        holder = inner
    _assign(holder, steps[-1], value)


def _assign(holder: Any, key: str | int, value: Any) -> None:
    if isinstance(holder, dict):
        holder[str(key)] = value
        return
    index = int(key) if re.fullmatch(r"\d{1,9}", str(key), re.ASCII) else -1
    if not 0 <= index < _MAX_INDEX:
        raise NoPlace(
            f"'{str(key)[:40]}' is no index of a list", description=f"The largest is {_MAX_INDEX - 1}."
        )
    holder.extend([None] * (index + 1 - len(holder)))
    holder[index] = value


def drop(json: dict[str, Any], path: str, *, dots: bool = True) -> None:
    """Removes what lies at a path, where it is; containers on the way are replaced by copies."""
    if path in json:
        del json[path]
        return
    steps = parse(path) if dots else ()
    if len(steps) < 2 or get(json, path) is MISSING:
        return
    holder: Any = json
    for key in steps[:-1]:
        inner = _step(holder, key)
        inner = dict(inner) if isinstance(inner, dict) else list(inner)
        _assign(holder, key, inner)
        holder = inner
    del holder[str(steps[-1]) if isinstance(holder, dict) else int(steps[-1])]


def last_name(path: str, *, dots: bool = True) -> str:
    """The last name of a path: what a value found there is called."""
    steps = parse(path) if dots else ()
    return str(steps[-1]) if steps else path

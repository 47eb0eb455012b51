"""When a parameter shows: compiled `show` and `hide` conditions, and the matching they share with trait
rules."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Rule = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
"""(parameters beside it, parameters at the root) -> whether it shows."""

_MISSING: Final = object()


def same(left: object, right: object) -> bool:
    """JSON equality: true is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": same,
    "not": lambda actual, wanted: not same(actual, wanted),
    "gt": lambda actual, wanted: _number(actual) and actual > wanted,
    "gte": lambda actual, wanted: _number(actual) and actual >= wanted,
    "lt": lambda actual, wanted: _number(actual) and actual < wanted,
    "lte": lambda actual, wanted: _number(actual) and actual <= wanted,
    "between": lambda actual, wanted: _number(actual) and wanted["from"] <= actual <= wanted["to"],
    "startsWith": lambda actual, wanted: isinstance(actual, str) and actual.startswith(wanted),
    "endsWith": lambda actual, wanted: isinstance(actual, str) and actual.endswith(wanted),
    "includes": lambda actual, wanted: isinstance(actual, str | list) and wanted in actual,
    "regex": lambda actual, wanted: isinstance(actual, str) and re.search(wanted, actual) is not None,
    "exists": lambda actual, wanted: (actual not in (None, "", _MISSING)) == bool(wanted),
}


def matches(actual: object, wanted: object) -> bool:
    """Whether one value fulfils one entry of a condition."""
    if isinstance(wanted, Mapping) and "_cnd" in wanted:
        ((name, argument),) = wanted["_cnd"].items()
        return _COMPARISONS[name](actual, argument)
    return same(actual, wanted)


def fulfils(actual: object, wanted: list[Any]) -> bool:
    """Whether a value, or one member of a list, fulfils one entry of a condition."""
    if isinstance(actual, Mapping) and "__rl" in actual:
        actual = actual.get("value")
    if isinstance(actual, list):
        return any(matches(member, entry) for member in actual for entry in wanted)
    return any(matches(actual, entry) for entry in wanted)


def _may_fulfil(actual: object, wanted: list[Any]) -> bool:
    """As `fulfils`; an expression may become any value."""
    return (isinstance(actual, str) and actual.startswith("=")) or fulfils(actual, wanted)


def _look_up(key: str, beside: Mapping[str, Any], root: Mapping[str, Any]) -> object:
    if not key.startswith("/"):
        return beside.get(key, _MISSING)
    found: object = root
    for part in key[1:].split("."):
        found = found.get(part, _MISSING) if isinstance(found, Mapping) else _MISSING
    return found


def compile_rule(show: Mapping[str, list[Any]], hide: Mapping[str, list[Any]], version: float) -> Rule | bool:
    """True or False where the version alone decides, else a function of the parameters."""
    needed = {key: wanted for key, wanted in show.items() if not key.startswith("@")}
    barred = {key: wanted for key, wanted in hide.items() if not key.startswith("@")}
    context = {"@version": version, "@tool": False}
    if any(key.startswith("@") and not fulfils(context.get(key), wanted) for key, wanted in show.items()):
        return False
    if any(key.startswith("@") and fulfils(context.get(key), wanted) for key, wanted in hide.items()):
        return False
    if not needed and not barred:
        return True

    def shows(beside: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
        return all(
            _may_fulfil(_look_up(key, beside, root), wanted) for key, wanted in needed.items()
        ) and not any(fulfils(_look_up(key, beside, root), wanted) for key, wanted in barred.items())

    return shows

"""JavaScript's semantics on plain values, as far as Python has them exactly.

Values: str, bool, int (integral numbers), float (the others), None (null), UNDEFINED, list, dict. Wherever the exact
result is not certain (NaN, infinities, code units outside the BMP, prototypes' own members, object identity, numbers
past 2**53) `Bail` is raised and V8 evaluates the whole expression instead. `-0` is kept as 0: what could tell them
apart bails.
"""

from collections.abc import Callable
from math import fmod, isfinite
from typing import Any, Final


class Bail(Exception):
    """V8 must decide."""


class Thrown(Exception):
    """The expression throws; the message is V8's."""


class Undefined:
    """The type of UNDEFINED."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()
EXACT: Final = 2**53
SPACE: Final = "\t\n\v\f\r \xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501
"""What trim() takes off: WhiteSpace and LineTerminator of ECMA-262."""

INHERITED: Final = frozenset(
    [
        "constructor",
        "__defineGetter__",
        "__defineSetter__",
        "hasOwnProperty",
        "__lookupGetter__",
        "__lookupSetter__",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toString",
        "valueOf",
        "__proto__",
        "toLocaleString",
    ]
)
_ARRAY: Final = INHERITED | frozenset(
    [
        "at",
        "concat",
        "copyWithin",
        "fill",
        "find",
        "findIndex",
        "findLast",
        "findLastIndex",
        "lastIndexOf",
        "pop",
        "push",
        "reverse",
        "shift",
        "unshift",
        "slice",
        "sort",
        "splice",
        "includes",
        "indexOf",
        "join",
        "keys",
        "entries",
        "values",
        "forEach",
        "filter",
        "flat",
        "flatMap",
        "map",
        "every",
        "some",
        "reduce",
        "reduceRight",
        "toReversed",
        "toSorted",
        "toSpliced",
        "with",
    ]
)
_STRING: Final = INHERITED | frozenset(
    [
        "anchor",
        "at",
        "big",
        "blink",
        "bold",
        "charAt",
        "charCodeAt",
        "codePointAt",
        "concat",
        "endsWith",
        "fontcolor",
        "fontsize",
        "fixed",
        "includes",
        "indexOf",
        "italics",
        "lastIndexOf",
        "link",
        "localeCompare",
        "match",
        "matchAll",
        "normalize",
        "padEnd",
        "padStart",
        "repeat",
        "replace",
        "replaceAll",
        "search",
        "slice",
        "small",
        "split",
        "strike",
        "sub",
        "substr",
        "substring",
        "sup",
        "startsWith",
        "trim",
        "trimStart",
        "trimLeft",
        "trimEnd",
        "trimRight",
        "toLocaleLowerCase",
        "toLocaleUpperCase",
        "toLowerCase",
        "toUpperCase",
        "isWellFormed",
        "toWellFormed",
    ]
)
_NUMBER: Final = INHERITED | frozenset(["toExponential", "toFixed", "toPrecision"])


def units(text: str) -> str:
    """The text, if its characters are UTF-16 code units; else bails."""
    if not text.isascii() and max(text) > "\uffff":
        raise Bail
    return text


def member(value: Any, key: str) -> Any:
    """`value.key`"""
    kind = type(value)
    if kind is dict:
        found = value.get(key, UNDEFINED)
        if found is UNDEFINED and key in INHERITED:
            raise Bail
        return found
    if kind is list:
        if key == "length":
            return len(value)
        if key in _ARRAY or key.isdigit():
            raise Bail
        return UNDEFINED
    if kind is str:
        if key == "length":
            return len(units(value))
        if key in _STRING or key.isdigit():
            raise Bail
        return UNDEFINED
    if value is None or value is UNDEFINED:
        raise Thrown(f"Cannot read properties of {to_string(value)} (reading '{key}')")
    if key in _NUMBER:
        raise Bail
    return UNDEFINED


def element(value: Any, key: Any) -> Any:
    """`value[key]` with a computed or numeric key"""
    if type(key) is str:
        return member(value, key)
    if type(key) is not int or not 0 <= key < 2**32 - 1:
        raise Bail
    kind = type(value)
    if kind is list:
        return value[key] if key < len(value) else UNDEFINED
    if kind is str:
        return value[key] if key < len(units(value)) else UNDEFINED
    return member(value, str(key))


def truthy(value: Any) -> bool:
    return bool(value) or type(value) in (list, dict)


def to_string(value: Any) -> str:
    """`String(value)`"""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int and -(10**21) < value < 10**21:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if kind is list:
        return join(value, ",")
    if kind is dict and not ("toString" in value or "valueOf" in value or "__proto__" in value):
        return "[object Object]"
    if kind is float and 1e-4 <= abs(value) < 1e15:
        return str(int(value)) if value.is_integer() else repr(value)
    raise Bail


def join(values: list[Any], separator: str) -> str:
    """`values.join(separator)`: null and undefined are empty"""
    return separator.join(
        [v if type(v) is str else "" if v is None or v is UNDEFINED else to_string(v) for v in values]
    )


def text(value: Any) -> str:
    """What a segment's value is in the middle of text."""
    return "" if value is None or value is UNDEFINED else to_string(value)


def kind_of(value: Any) -> str:
    """`typeof value`"""
    if value is UNDEFINED:
        return "undefined"
    return {bool: "boolean", int: "number", float: "number", str: "string"}.get(type(value), "object")


def settle(result: float) -> int | float:
    """A result of arithmetic in the form we keep numbers in; bails where that is not exact."""
    if type(result) is int:
        if -EXACT <= result <= EXACT:
            return result
        raise Bail
    if not isfinite(result):
        raise Bail
    if result.is_integer():
        return settle(int(result))
    return result


def _numbers(a: Any, b: Any) -> None:
    if type(a) not in (int, float) or type(b) not in (int, float):
        raise Bail


def _exact(value: Any) -> Any:
    """A number that Python and a double hold alike."""
    if type(value) is int and not -EXACT <= value <= EXACT:
        raise Bail
    return value


def add(a: Any, b: Any) -> Any:
    if type(a) is str or type(b) is str:
        return to_string(a) + to_string(b)
    _numbers(a, b)
    return settle(_exact(a) + _exact(b))


def subtract(a: Any, b: Any) -> Any:
    _numbers(a, b)
    return settle(_exact(a) - _exact(b))


def multiply(a: Any, b: Any) -> Any:
    _numbers(a, b)
    return settle(_exact(a) * _exact(b))


def divide(a: Any, b: Any) -> Any:
    _numbers(a, b)
    if not b:
        raise Bail
    return settle(_exact(a) / _exact(b))


def remainder(a: Any, b: Any) -> Any:
    _numbers(a, b)
    if not b:
        raise Bail
    return settle(fmod(_exact(a), _exact(b)))


def strictly_equal(a: Any, b: Any) -> bool:
    """`a === b`"""
    kind, other = type(a), type(b)
    if kind in (list, dict) or other in (list, dict):
        if kind in (list, dict) and other in (list, dict):
            raise Bail
        return False
    if kind is other or (kind in (int, float) and other in (int, float)):
        return bool(_exact(a) == _exact(b))
    return False


def loosely_equal(a: Any, b: Any) -> bool:
    """`a == b`"""
    if a is None or a is UNDEFINED:
        return b is None or b is UNDEFINED
    if b is None or b is UNDEFINED:
        return False
    if type(a) is type(b) or not {type(a), type(b)} - {int, float}:
        return strictly_equal(a, b)
    raise Bail


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(a: Any, b: Any) -> bool:
        if type(a) is str and type(b) is str:
            return compare(units(a), units(b))
        _numbers(a, b)
        return compare(_exact(a), _exact(b))

    return ordered


BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "===": strictly_equal,
    "!==": lambda a, b: not strictly_equal(a, b),
    "==": loosely_equal,
    "!=": lambda a, b: not loosely_equal(a, b),
    "<": _ordered(lambda a, b: a < b),
    ">": _ordered(lambda a, b: a > b),
    "<=": _ordered(lambda a, b: a <= b),
    ">=": _ordered(lambda a, b: a >= b),
}


def border(value: Any) -> Any:
    """A result as JSON has it: undefined is null in lists; shared parts are copied only where they change."""
    if value is UNDEFINED:
        return None
    if type(value) is list:
        return [border(part) for part in value]
    return value

"""Parameter values: failed expressions, and conversions with JavaScript's and n8n's meaning."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.json_text import json_bytes, parse_json

_JSON_TYPES: Final = frozenset({str, int, float, bool, type(None), list, dict})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Infinity)")


class NotConvertible(ValueError):
    """The value does not fit the type. `kind` is the type that was wanted."""

    def __init__(self, value: Any, kind: str) -> None:
        super().__init__(f"{shown(value)} is {article(type_name(value))}, not {article(kind)}")
        self.value = value
        self.kind = kind


def value(given: Any, item_index: int | None = None) -> Any:
    """The parameter's value. Raises NodeRunError where it is an expression that failed (no JSON type)."""
    if type(given) in _JSON_TYPES:
        return given
    raise NodeRunError(
        str(getattr(given, "message", given)),
        description=str(getattr(given, "description", "")),
        code=str(getattr(given, "code", "EXPRESSION_ERROR")),
        item_index=getattr(given, "item_index", None) if item_index is None else item_index,
        leaf=getattr(given, "leaf", None),
    )


def checked(given: Any, item_index: int | None = None) -> Any:
    """As `value`, for a whole tree."""
    value(given, item_index)
    for member in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        if type(member) is not str:
            checked(member, item_index)
    return given


def type_name(given: Any) -> str:
    """The name that people know a JSON value's type by."""
    if given is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(given), "value")


def article(kind: str) -> str:
    if kind == "null":
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def shown(given: Any) -> str:
    """A value in an error message, short."""
    text = f"'{given}'" if isinstance(given, str) else compact_json(given)
    return text if len(text) <= 80 else f"{text[:77]}…"


def compact_json(given: Any) -> str:
    """JSON without blanks, as JSON.stringify writes it."""
    return json_bytes(given, orjson.OPT_NON_STR_KEYS, str).decode()


def number_text(number: float) -> str:
    """A number as JavaScript prints it."""
    if isinstance(number, int):
        return str(number)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    text = repr(number)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    return f"{mantissa}e{'+' if int(exponent) > 0 else ''}{int(exponent)}"


def to_text(given: Any) -> Any:
    """A string; objects and arrays as compact JSON; null stays null."""
    if type(given) is str or given is None:
        return given
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int | float):
        return number_text(given)
    return compact_json(given)


def text_of(given: Any) -> str:
    """A parameter as a text; null is an empty one. Raises NodeRunError where it is an expression that failed."""
    return well_formed(str(to_text(value(given)) or ""))


def well_formed(text: str) -> str:
    """The text as UTF-8 can say it: U+FFFD for the halves of surrogate pairs that stand alone."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def parse_number(text: str) -> int | float | None:
    """JavaScript's Number(text): an empty text is 0; None where it is NaN."""
    text = text.strip()
    if not text:
        return 0
    if _NUMBER.fullmatch(text):
        number = float(text.replace("Infinity", "inf"))
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+", text):
        return int(text, 0)
    return None


def to_number(given: Any) -> Any:
    """A number; null stays null. Raises NotConvertible."""
    if given is None or type(given) is int or type(given) is float:
        return given
    if isinstance(given, bool):
        return int(given)
    number = parse_number(given) if isinstance(given, str) else None
    if number is None:
        raise NotConvertible(given, "number")
    return number


def to_whole(given: Any) -> Any:
    """As `to_number`, the fraction cut off. Raises NotConvertible also where it is infinite or not a number."""
    number = to_number(given)
    if number is None:
        return None
    if not math.isfinite(number):
        raise NotConvertible(given, "finite number")
    return int(number)


def to_boolean(given: Any) -> Any:
    """A boolean from true, false, 1 and 0, also as text; null stays null. Raises NotConvertible."""
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, int | float) and given in (0, 1):
        return given == 1
    if isinstance(given, str) and (text := given.strip().lower()) in {"true", "false", "1", "0"}:
        return text in {"true", "1"}
    raise NotConvertible(given, "boolean")


def _to_container(given: Any, container: type, kind: str) -> Any:
    if given is None or isinstance(given, container):
        return given
    if isinstance(given, str):
        try:
            parsed = parse_json(given)
        except ValueError:
            raise NotConvertible(given, kind) from None
        if isinstance(parsed, container):
            return parsed
    raise NotConvertible(given, kind)


def to_array(given: Any) -> Any:
    """A list, also from its JSON; null stays null. Raises NotConvertible."""
    return _to_container(given, list, "array")


def to_object(given: Any) -> Any:
    """An object, also from its JSON; null stays null. Raises NotConvertible."""
    return _to_container(given, dict, "object")


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "string": to_text,
    "number": to_number,
    "boolean": to_boolean,
    "array": to_array,
    "object": to_object,
}


def names_in(text: Any) -> list[str]:
    """Field names from a text with commas, or from a list of them."""
    parts = text if isinstance(text, list) else str(text or "").split(",")
    return [name for part in parts if (name := str(part).strip())]


def entries(parameters: Mapping[str, Any], collection: str, group: str) -> list[dict[str, Any]]:
    """The entries of a fixed collection's group; empty where nothing usable is there."""
    held = parameters.get(collection)
    found = held.get(group) if isinstance(held, Mapping) else None
    found = [found] if isinstance(found, dict) else found
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def members(parameters: Mapping[str, Any], collection: str = "options") -> Mapping[str, Any]:
    """The members of a collection that are there."""
    held = parameters.get(collection)
    return held if isinstance(held, Mapping) else {}


def located(given: Any) -> Any:
    """The value of a resource locator (`{__rl, mode, value}`), or the plain value."""
    return given.get("value") if isinstance(given, Mapping) and "value" in given else given

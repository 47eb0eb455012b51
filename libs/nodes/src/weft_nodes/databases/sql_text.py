"""SQL as text: statements apart, and the places where values go."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from weft_node_sdk.context import NodeRunError

_PART = re.compile(
    r"(?P<skip>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag))"
    r"|\$(?P<number>\d+)(?::(?P<mode>name|csv|list|json|text|value|raw)|(?P<sign>[~^#](?![\w(])))?"
    r"|(?P<end>;)",
    re.DOTALL,
)


class Statement(NamedTuple):
    """`text` has the driver's own signs where values go; `values` in their order."""

    text: str
    values: list[Any]


def statements(
    text: str,
    values: Sequence[Any],
    *,
    place: Callable[[int], str],
    quote: Callable[[str], str],
    escape: Callable[[str], str] = str,
) -> list[Statement]:
    """The statements of a text with `$1`, `$2`, … : each number stands for one of `values`, `$1:name` for an
    identifier, `$1:csv` for a list of values. `place(n)` is the driver's sign for its n-th value, `escape` is
    for what is plain text. Nothing in quotes or comments is looked at. Raises NodeRunError for a number without a
    value."""
    found: list[Statement] = []
    parts: list[str] = []
    held: list[Any] = []

    def put(value: Any) -> str:
        held.append(value)
        return place(len(held))

    position = 0
    for part in _PART.finditer(text):
        parts.append(escape(text[position : part.start()]))
        position = part.end()
        if part["end"]:
            found.append(Statement("".join(parts).strip(), held))
            parts, held = [], []
        elif part["number"] is None:
            parts.append(escape(part[0]))
        else:
            parts.append(_placed(part, values, put, quote))
    found.append(Statement("".join([*parts, escape(text[position:])]).strip(), held))
    return [each for each in found if _is_code(each.text)]


def _is_code(text: str) -> bool:
    return bool(re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL).strip())


def _placed(
    part: re.Match[str], values: Sequence[Any], put: Callable[[Any], str], quote: Callable[[str], str]
) -> str:
    number, mode = int(part["number"]), part["mode"] or part["sign"] or ""
    if not values:
        # the server says best what is wrong with it
        return part[0]
    if not 1 <= number <= len(values):
        raise NodeRunError(
            f"The query asks for ${number}, but there are {len(values)} parameters",
            description="Query parameters are given in the options, separated by commas.",
        )
    value = values[number - 1]
    if mode in {"name", "~"}:
        names = value if isinstance(value, list) else str(value).split(",")
        return ", ".join("*" if str(name).strip() == "*" else quote(str(name).strip()) for name in names)
    if mode in {"csv", "list"}:
        listed = value if isinstance(value, list) else [value]
        return ", ".join(put(each) for each in listed) or "NULL"
    if mode in {"raw", "value", "^", "#"}:
        raise NodeRunError(
            f"${number}:{mode} would put unchecked text into the query",
            description="Use an expression for parts of the query, a parameter for values.",
        )
    return put(value)


def parameters_in(given: Any) -> list[Any]:
    """Query parameters: a list, or a text with commas."""
    if isinstance(given, list):
        return given
    if isinstance(given, str):
        return [part.strip() for part in given.split(",")] if given.strip() else []
    return [] if given is None else [given]

"""SQL as text: statements apart, and the places where values go."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from weft_node_sdk.context import NodeRunError


class Syntax(NamedTuple):
    """`parts`: what is skipped, the places of values, the ends of statements. A statement that has a `body` has
    ends of its own, and is the last of its text. `spread`: a list is as many values, not an array. `whole`: a text is
    one statement, whatever is in it. `lenient`: a number behind the last value is NULL."""

    parts: re.Pattern[str]
    spread: bool = False
    whole: bool = False
    lenient: bool = False
    body: re.Pattern[str] | None = None


def _parts(skipped: str) -> re.Pattern[str]:
    # what is opened and never closed is skipped to the end: a value must not land in it
    return re.compile(
        rf"(?P<skip>{skipped}|/\*.*?(?:\*/|\Z))"
        r"|\$(?P<number>\d+)(?::(?P<mode>name|csv|list|json|text|value|raw)|(?P<sign>[~^#](?![\w(])))?"
        r"|(?P<end>;)",
        re.DOTALL,
    )


_QUOTED = r"'(?:[^']|'')*(?:'|\Z)|\"(?:[^\"]|\"\")*(?:\"|\Z)"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)"
POSTGRES: Final = Syntax(
    _parts(rf"(?<!\w)[eE]{_ESCAPED}|{_QUOTED}|--[^\n]*|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=tag)|\Z)")
)
"""Backslashes escape in E'' alone."""
MYSQL: Final = Syntax(
    _parts(rf"{_ESCAPED}|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\\?\Z)|`[^`]*(?:`|\Z)|--(?=\s|\Z)[^\n]*|#[^\n]*"),
    spread=True,
    lenient=True,
    body=re.compile(
        r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT)\b.*\bBEGIN\b",
        re.DOTALL | re.IGNORECASE,
    ),
)
"""Backslashes escape in all quotes but ``; `--` is a comment before a blank only, `#` always."""

MSSQL: Final = Syntax(
    _parts(rf"{_QUOTED}|\[(?:[^\]]|\]\])*(?:\]|\Z)|--[^\n]*"),
    spread=True,
    whole=True,
)
"""A batch, whose variables live as long as it does."""
SNOWFLAKE: Final = Syntax(
    _parts(rf"{_ESCAPED}|\"(?:[^\"]|\"\")*(?:\"|\Z)|\$\$.*?(?:\$\$|\Z)|--[^\n]*|//[^\n]*"),
    spread=True,
    body=re.compile(r"^\s*(?:DECLARE\b|BEGIN\s+(?!TRANSACTION\b|WORK\b|NAME\b))", re.IGNORECASE),
)
"""Blocks of its scripting have ends of their own."""


class Statement(NamedTuple):
    """`text` has the driver's own signs where values go; `values` in their order."""

    text: str
    values: list[Any]


def statements(
    text: str,
    values: Sequence[Any],
    *,
    syntax: Syntax,
    place: Callable[[int], str],
    quote: Callable[[str], str],
    escape: Callable[[str], str] = str,
    literal: Callable[[Any], str | None] = lambda _: None,
) -> list[Statement]:
    """The statements of a text with `$1`, `$2`, … : each number stands for one of `values`, `$1:name` for an
    identifier, `$1:csv` for a list of values. `syntax` is that of the database, `place(n)` the driver's sign for its
    n-th value, `escape` is for what is plain text, `literal` for values that stand in the text itself.
    Nothing in quotes or comments is looked at. Raises NodeRunError for a number without a value."""
    found: list[Statement] = []
    parts: list[str] = []
    held: list[Any] = []

    def put(value: Any) -> str:
        if (written := literal(value)) is not None:
            return written
        held.append(value)
        return place(len(held))

    position = 0
    for part in syntax.parts.finditer(text):
        parts.append(escape(text[position : part.start()]))
        position = part.end()
        if part["end"] and not syntax.whole and not (syntax.body and syntax.body.search("".join(parts))):
            found.append(Statement("".join(parts).strip(), held))
            parts, held = [], []
        elif part["number"] is None:
            parts.append(escape(part[0]))
        else:
            parts.append(_placed(part, values, put, quote, syntax))
    found.append(Statement("".join([*parts, escape(text[position:])]).strip(), held))
    return [each for each in found if _is_code(each.text, syntax)]


def _is_code(text: str, syntax: Syntax) -> bool:
    """Whether there is more than comments."""
    return bool(syntax.parts.sub(lambda part: "" if part[0][0] in "-#/" else part[0], text).strip())


def _placed(
    part: re.Match[str],
    values: Sequence[Any],
    put: Callable[[Any], str],
    quote: Callable[[str], str],
    syntax: Syntax,
) -> str:
    number, mode = int(part["number"]), part["mode"] or part["sign"] or ""
    if not values:
        # the server says best what is wrong with it
        return part[0]
    if syntax.lenient and number > len(values):
        return "NULL"
    if not 1 <= number <= len(values):
        raise NodeRunError(
            f"The query asks for ${number}, but there are {len(values)} parameters",
            description="Query parameters are given in the options, separated by commas.",
        )
    value = values[number - 1]
    if mode in {"name", "~"}:
        names = value if isinstance(value, list) else str(value).split(",")
        return ", ".join("*" if str(name).strip() == "*" else quote(str(name).strip()) for name in names)
    if mode in {"csv", "list"} or (syntax.spread and isinstance(value, list)):
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

"""Regular expressions that people write in parameters, with JavaScript's syntax and a limit on their time."""

import re
from functools import lru_cache
from typing import Any

import regex  # type: ignore[import-untyped]

from weft_node_sdk.context import NodeRunError

_SECONDS = 0.5
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}
_LITERAL = re.compile(r"/(.+)/([dgimsuvy]*)", re.DOTALL)


@lru_cache(maxsize=512)
def compiled(pattern: str, ignore_case: bool = False) -> "regex.Pattern[str]":
    """From `/pattern/flags` or a bare pattern. Raises NodeRunError where it is none."""
    literal = _LITERAL.fullmatch(pattern)
    body, letters = literal.groups() if literal else (pattern, "")
    flags = regex.IGNORECASE if ignore_case else 0
    for letter in letters:
        flags |= _FLAGS.get(letter, 0)
    try:
        # JavaScript's \d and \w are ASCII
        return regex.compile(body, flags | regex.ASCII if "u" not in letters else flags)
    except regex.error as error:
        raise NodeRunError(f"'{pattern}' is not a regular expression: {error}") from None


def found(pattern: str, text: str) -> bool:
    """Whether the pattern matches somewhere. Raises NodeRunError where it takes too long."""
    try:
        return compiled(pattern).search(text, timeout=_SECONDS) is not None
    except TimeoutError:
        raise _too_slow(pattern) from None


def replaced(pattern: str, replacement: str, text: str, *, ignore_case: bool = False) -> str:
    """All matches replaced; `$1` … `$9` and `$&` stand for what was matched."""

    def expand(match: Any) -> str:
        def part(reference: re.Match[str]) -> str:
            name = reference.group(1)
            group = 0 if name == "&" else int(name)
            return (match.group(group) or "") if group <= compiled(pattern, ignore_case).groups else ""

        return re.sub(r"\$(&|\d)", part, replacement)

    try:
        return str(compiled(pattern, ignore_case).sub(expand, text, timeout=_SECONDS))
    except TimeoutError:
        raise _too_slow(pattern) from None


def _too_slow(pattern: str) -> NodeRunError:
    return NodeRunError(
        f"The regular expression '{pattern}' took longer than {_SECONDS:g} s",
        description="Nested repetitions such as (a+)+ take exponential time; write it without them.",
    )

"""JavaScript tokens: as much of the language's grammar as it takes to find where a segment ends and what it names."""

import re
from typing import NamedTuple


class LexicalError(Exception):
    """`position` counts characters from the start of the text that was given."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Token(NamedTuple):
    """kind: name, number, string, template, regex, punct. A template's `parts` are its chunks of text (raw) and,
    between them, the tokens of its `${}`."""

    kind: str
    text: str
    start: int
    end: int
    parts: "tuple[str | tuple[Token, ...], ...]" = ()


_TOKEN = re.compile(
    r"""
    (?P<space>[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)
  | (?P<number>0[xX][\da-fA-F_]+n?|0[oO][0-7_]+n?|0[bB][01_]+n?
      |(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?)
  | (?P<name>\#?(?:[A-Za-z_$\x80-\U0010ffff]|\\u)(?:[\w$\x80-\U0010ffff]|\\u)*)
  | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<punct>\.\.\.|>>>=|===|!==|\*\*=|<<=|>>=|&&=|\|\|=|\?\?=|>>>|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)
      |\+\+|--|\+=|-=|\*=|%=|&=|\|=|\^=|<<|>>|\*\*|[{}()\[\];,<>+\-*%&|^!~?:=.@])
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[A-Za-z]*")
_CHUNK = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_BEFORE_REGEX = frozenset(
    {
        "return",
        "typeof",
        "instanceof",
        "in",
        "of",
        "new",
        "delete",
        "void",
        "throw",
        "case",
        "do",
        "else",
        "await",
    }
)
_CLOSES = {")": "(", "]": "[", "}": "{"}


def tokenize(text: str, start: int = 0, *, stop: str = "") -> tuple[tuple[Token, ...], int]:
    """The tokens from `start` on, and where they end: at the end of the text, or where `stop` ("}" or "}}") stands
    outside all brackets; -1 if `stop` never comes. Raises LexicalError, also for brackets that do not match."""
    tokens: list[Token] = []
    brackets: list[tuple[str, int]] = []
    at = start
    while at < len(text):
        if stop and not brackets and text.startswith(stop, at):
            return tuple(tokens), at
        token = _next(text, at, tokens)
        if token is None:
            match = _TOKEN.match(text, at)
            assert match is not None
            at = match.end()
            continue
        if token.kind == "punct":
            _balance(token, brackets)
        tokens.append(token)
        at = token.end
    if brackets:
        raise LexicalError(f"'{brackets[-1][0]}' is never closed", brackets[-1][1])
    return tuple(tokens), -1 if stop else at


def _next(text: str, at: int, before: list[Token]) -> Token | None:
    """The token at `at`; None for white space and comments."""
    first = text[at]
    if first == "`":
        return _template(text, at)
    match = _TOKEN.match(text, at)
    if match is None:
        if first == "/":
            return _slash(text, at, before)
        if first in "\"'":
            raise LexicalError("this string is never closed", at)
        raise LexicalError(f"Unexpected character '{first}'", at)
    kind = match.lastgroup or ""
    if kind == "space":
        return None
    return Token(kind, match.group(), at, match.end())


def _slash(text: str, at: int, before: list[Token]) -> Token:
    """A regular expression where an operand must stand, else a division."""
    last = before[-1] if before else None
    ends_operand = last is not None and (
        last.text not in _BEFORE_REGEX
        if last.kind == "name"
        else last.kind != "punct" or last.text in (")", "]", "}", "++", "--")
    )
    if ends_operand:
        end = at + 2 if text.startswith("/=", at) else at + 1
        return Token("punct", text[at:end], at, end)
    match = _REGEX.match(text, at)
    if match is None:
        raise LexicalError("this regular expression is never closed", at)
    return Token("regex", match.group(), at, match.end())


def _template(text: str, start: int) -> Token:
    parts: list[str | tuple[Token, ...]] = []
    at = start + 1
    while True:
        match = _CHUNK.match(text, at)
        assert match is not None
        parts.append(match.group())
        at = match.end()
        if text.startswith("`", at):
            return Token("template", text[start : at + 1], start, at + 1, tuple(parts))
        if not text.startswith("${", at):
            raise LexicalError("this template is never closed", start)
        inner, end = tokenize(text, at + 2, stop="}")
        if end < 0:
            raise LexicalError("this template is never closed", start)
        parts.append(inner)
        at = end + 1


def _balance(token: Token, brackets: list[tuple[str, int]]) -> None:
    if token.text in "([{":
        brackets.append((token.text, token.start))
    elif token.text in _CLOSES:
        if not brackets or brackets[-1][0] != _CLOSES[token.text]:
            raise LexicalError(f"Unexpected token '{token.text}'", token.start)
        brackets.pop()


def flatten(tokens: tuple[Token, ...]) -> list[Token]:
    """All tokens with those inside templates, in order of the source; a template itself comes before its own."""
    out: list[Token] = []
    for token in tokens:
        out.append(token)
        for part in token.parts:
            if not isinstance(part, str):
                out += flatten(part)
    return out

"""A Pratt parser for JavaScript expressions: what the native path compiles, and spans for the rest.

Syntax it does not know raises `Unsupported`; V8 has the last word on such a text.
"""

from typing import Any, Final

from weft_expressions.lexer import Token

Node = tuple[Any, ...]
"""("const", value) ("undefined",) ("name", n) ("member", object, key, optional) ("index", object, key node, optional)
("call", callee, args, optional) ("chain", inner) ("unary", op, x) ("binary", op, a, b) ("logical", op, a, b)
("conditional", test, a, b) ("template", texts, nodes) ("array", nodes) ("arrow", names, body) ("opaque",)"""


class Unsupported(Exception):
    """Not for the native path."""


_BINARY: Final[dict[str, tuple[int, str]]] = {
    "??": (1, "logical"), "||": (2, "logical"), "&&": (3, "logical"),
    "|": (4, "opaque"), "^": (5, "opaque"), "&": (6, "opaque"),
    "==": (7, "binary"), "!=": (7, "binary"), "===": (7, "binary"), "!==": (7, "binary"),
    "<": (8, "binary"), ">": (8, "binary"), "<=": (8, "binary"), ">=": (8, "binary"),
    "in": (8, "opaque"), "instanceof": (8, "opaque"),
    "<<": (9, "opaque"), ">>": (9, "opaque"), ">>>": (9, "opaque"),
    "+": (10, "binary"), "-": (10, "binary"),
    "*": (11, "binary"), "/": (11, "binary"), "%": (11, "binary"),
}  # fmt: skip
RESERVED: Final = frozenset(
    [
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "finally",
        "for",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "let",
        "new",
        "return",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "try",
        "var",
        "void",
        "while",
        "with",
        "yield",
        "async",
        "typeof",
    ]
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
OPAQUE: Final[Node] = ("opaque",)


class Parser:
    """One expression. `receivers`: (start, end) in the source of what `.name(` with a name of `watched` is called
    on, in the order they end."""

    def __init__(self, tokens: tuple[Token, ...], watched: frozenset[str] = frozenset()) -> None:
        self._tokens = tokens
        self._at = 0
        self._watched = watched
        self.receivers: list[tuple[int, int]] = []

    def parse(self) -> Node:
        """Raises Unsupported."""
        node = self._expression()
        if self._at < len(self._tokens):
            raise Unsupported
        return node

    def _peek(self, text: str, ahead: int = 0) -> bool:
        at = self._at + ahead
        if at >= len(self._tokens):
            return False
        token = self._tokens[at]
        return token.text == text and token.kind in ("punct", "name")

    def _take(self, text: str) -> bool:
        if self._peek(text):
            self._at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise Unsupported

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise Unsupported
        self._at += 1
        return self._tokens[self._at - 1]

    def _expression(self) -> Node:
        names = self._arrow_names()
        if names is not None:
            if self._peek("{"):
                raise Unsupported
            return ("arrow", names, self._expression())
        node = self._binary(0)
        if self._take("?"):
            yes = self._expression()
            self._need(":")
            return ("conditional", node, yes, self._expression())
        return node

    def _arrow_names(self) -> tuple[str, ...] | None:
        """The parameters, when an arrow function with plain ones starts here; they are consumed with the arrow."""
        if self._at < len(self._tokens) and self._tokens[self._at].kind == "name" and self._peek("=>", 1):
            self._at += 2
            return (self._tokens[self._at - 2].text,)
        if not self._peek("("):
            return None
        names: list[str] = []
        at = self._at + 1
        while at < len(self._tokens) and self._tokens[at].kind == "name":
            names.append(self._tokens[at].text)
            at += 1
            if at < len(self._tokens) and self._tokens[at].text == ",":
                at += 1
        if at + 1 < len(self._tokens) and self._tokens[at].text == ")" and self._tokens[at + 1].text == "=>":
            self._at = at + 2
            return tuple(names)
        return None

    def _binary(self, least: int) -> Node:
        left = self._unary()
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            known = _BINARY.get(token.text) if token.kind in ("punct", "name") else None
            if known is None or known[0] <= least:
                break
            self._at += 1
            right = self._binary(known[0])
            if known[1] == "logical" and _mixes(token.text, left, right):
                raise Unsupported
            left = OPAQUE if known[1] == "opaque" else (known[1], token.text, left, right)
        return left

    def _unary(self) -> Node:
        for operator in ("!", "-", "+", "typeof"):
            if self._take(operator):
                return ("unary", operator, self._unary())
        if self._take("~") or self._take("void") or self._take("await"):
            self._unary()
            return OPAQUE
        if self._take("new"):
            self._postfix(self._tokens[self._at - 1].start)
            return OPAQUE
        return self._postfix()

    def _postfix(self, start: int | None = None) -> Node:
        """`start`: where what is called on begins, if it is not here (`new`)."""
        if start is None:
            start = self._tokens[self._at].start if self._at < len(self._tokens) else 0
        node = self._primary()
        chained = False
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            optional = token.text == "?." and token.kind == "punct"
            chained = chained or optional
            if (optional or self._peek(".")) and self._names_member():
                end = token.start
                key = self._tokens[self._at + 1].text
                self._at += 2
                if not optional and key in self._watched and (self._peek("(") or self._peek("?.")):
                    self.receivers.append((start, end))
                node = ("member", node, key, optional)
                continue
            if optional:
                self._at += 1
            if self._take("["):
                inner = self._expression()
                self._need("]")
                node = _indexed(node, inner, optional)
            elif self._take("("):
                node = ("call", node, self._list(")"), optional)
            elif token.kind == "template":
                raise Unsupported
            else:
                break
        return ("chain", node) if chained else node

    def _names_member(self) -> bool:
        following = self._at + 1
        return following < len(self._tokens) and self._tokens[following].kind == "name"

    def _list(self, close: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while not self._take(close):
            if self._take("..."):
                self._expression()
                nodes.append(OPAQUE)
            else:
                nodes.append(self._expression())
            if not self._peek(close):
                self._need(",")
        return tuple(nodes)

    def _primary(self) -> Node:
        token = self._next()
        match token.kind:
            case "number":
                return ("const", number(token.text))
            case "string":
                return ("const", unescape(token.text[1:-1]))
            case "template":
                return self._template(token)
            case "regex":
                return OPAQUE
            case "name":
                return _name(token.text)
        if token.text == "(":
            inner = self._expression()
            self._need(")")
            return ("chain", inner) if inner[0] == "logical" else inner
        if token.text == "[":
            return ("array", self._list("]"))
        if token.text == "{":
            return self._object()
        raise Unsupported

    def _object(self) -> Node:
        while not self._take("}"):
            if self._take("..."):
                self._expression()
            elif self._take("["):
                self._expression()
                self._need("]")
                self._need(":")
                self._expression()
            else:
                self._next()
                if self._take(":"):
                    self._expression()
            if not self._peek("}"):
                self._need(",")
        return OPAQUE

    def _template(self, token: Token) -> Node:
        texts = tuple(unescape(part) for part in token.parts if isinstance(part, str))
        nodes: list[Node] = []
        for part in token.parts:
            if not isinstance(part, str):
                inner = Parser(part, self._watched)
                nodes.append(inner.parse())
                self.receivers += inner.receivers
        return ("template", texts, tuple(nodes))


def _name(name: str) -> Node:
    match name:
        case "true":
            return ("const", True)
        case "false":
            return ("const", False)
        case "null":
            return ("const", None)
        case "undefined":
            return ("undefined",)
    if name in RESERVED or "\\" in name or name.startswith("#"):
        raise Unsupported
    return ("name", name)


def _mixes(operator: str, *operands: Node) -> bool:
    """`??` beside `||` or `&&` without parentheses (those leave a chain) is a syntax error."""
    return any(node[0] == "logical" and (node[1] == "??") != (operator == "??") for node in operands)


def _indexed(node: Node, inner: Node, optional: bool) -> Node:
    if inner[0] == "const" and isinstance(inner[1], str):
        return ("member", node, inner[1], optional)
    return ("index", node, inner, optional)


def number(text: str) -> int | float:
    """The value of a numeric literal, integral ones as int. Raises Unsupported for BigInt and what no double holds."""
    text = text.replace("_", "")
    if text.endswith("n") or (text[0] == "0" and text[1:2].isdigit()):
        raise Unsupported
    if text[:2].lower() in ("0x", "0o", "0b"):
        value: int | float = int(text, 0)
    elif text.isdigit():
        value = int(text)
    else:
        value = float(text)
        if value.is_integer():
            value = int(value)
    if not -(2**53) <= value <= 2**53:
        raise Unsupported
    return value


def unescape(raw: str) -> str:
    """The string that a literal's text means. Raises Unsupported for octal escapes and lone surrogates."""
    if "\\" not in raw:
        return raw.replace("\r\n", "\n").replace("\r", "\n") if "\r" in raw else raw
    out: list[str] = []
    at = 0
    while at < len(raw):
        char = raw[at]
        at += 1
        if char != "\\":
            out.append(char)
            continue
        char = raw[at]
        at += 1
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char in "ux":
            digits = raw[at : at + (4 if char == "u" else 2)]
            out.append(_code_point(digits, 4 if char == "u" else 2))
            at += len(digits)
        elif char.isdigit() or char in "\r\u2028\u2029":
            raise Unsupported
        else:
            out.append(char)
    return "".join(out)


def _code_point(digits: str, length: int) -> str:
    try:
        point = int(digits, 16)
    except ValueError:
        raise Unsupported from None
    if len(digits) != length or 0xD800 <= point <= 0xDFFF or not digits.isalnum():
        raise Unsupported
    return chr(point)

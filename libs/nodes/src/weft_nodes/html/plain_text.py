"""HTML as a text that people can read: blocks apart, lists with marks, links with their address."""

import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Final

from selectolax.lexbor import LexborNode

_WIDTH: Final = 80
_NARROWEST: Final = 20
_DEEPEST: Final = 150
"""Levels of elements; below them, text is text."""
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BREAKS: Final[Mapping[str, tuple[int, int]]] = {
    **dict.fromkeys(
        ("address", "article", "aside", "body", "div", "footer", "form", "header", "main"), (1, 1)
    ),
    **dict.fromkeys(("nav", "section", "html", "figure"), (1, 1)),
    **dict.fromkeys(("p", "table"), (2, 2)),
    **dict.fromkeys(("h1", "h2", "h3"), (3, 2)),
    **dict.fromkeys(("h4", "h5", "h6"), (2, 2)),
}
"""Line breaks before and after a block."""
_SKIPPED: Final = frozenset({"script", "style", "head", "-comment", "template"})
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")


class _Text:
    """Text that grows block by block. `leading`: the breaks asked for before its first line."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.leading = 0
        self.pending = 0
        self._done: list[str] = []
        self._inline = ""

    def breaks(self, count: int) -> None:
        self._flush()
        self.pending = max(self.pending, count)

    def inline(self, text: str) -> None:
        text = _BLANKS.sub(" ", text)
        if self._inline.endswith((" ", "\n")) or not self._inline:
            text = text.removeprefix(" ")
        self._inline += text

    def line_break(self) -> None:
        self._inline = self._inline.removesuffix(" ") + "\n"

    def block(self, lines: list[str]) -> None:
        self._flush()
        self._put(lines)

    def _put(self, lines: list[str]) -> None:
        if self._done:
            self._done[-1] += "\n" * max(self.pending, 1)
        else:
            self.leading = self.pending
        self.pending = 0
        self._done.append("\n".join(lines))

    def _flush(self) -> None:
        text, self._inline = self._inline.removesuffix(" "), ""
        if not text:
            return
        lines: list[str] = []
        for line in text.split("\n"):
            wrapped = textwrap.wrap(
                line, self.width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
            )
            # a blank that doesn't break counts as a letter
            lines += wrapped if len(line) > self.width else [line]
        self._put(lines)

    def lines(self) -> list[str]:
        self._flush()
        return "".join(self._done).split("\n") if self._done else []


def _link(node: LexborNode, out: _Text, render: Callable[[LexborNode, _Text], None]) -> None:
    render(node, out)
    address = (node.attributes.get("href") or "").removeprefix("mailto:")
    if address and not address.startswith("#"):
        out.inline(f" [{address}]")


def _image(node: LexborNode, out: _Text) -> None:
    source, alternative = node.attributes.get("src"), node.attributes.get("alt") or ""
    shown = f"[{source}]" if source else ""
    out.inline(f"{alternative} {shown}".strip() if alternative and shown else alternative or shown)


class _Renderer:
    def __init__(self) -> None:
        self._upper = False
        self._depth = 0
        self._level = 0

    def children(self, node: LexborNode, out: _Text) -> None:
        if self._level >= _DEEPEST:
            out.inline(node.text())
            return
        self._level += 1
        for child in node.iter(include_text=True):
            self.node(child, out)
        self._level -= 1

    def node(self, node: LexborNode, out: _Text) -> None:
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            out.inline(text.upper() if self._upper else text)
        elif tag in _SKIPPED:
            return
        elif tag == "br":
            out.line_break()
        elif tag == "a":
            _link(node, out, self.children)
        elif tag == "img":
            _image(node, out)
        elif tag == "hr":
            out.breaks(2)
            out.block(["-" * out.width])
            out.breaks(2)
        elif tag == "pre":
            out.breaks(2)
            out.block(node.text().strip("\n").split("\n"))
            out.breaks(2)
        elif tag in ("ul", "ol"):
            self._list(node, out)
        elif tag == "blockquote":
            self._quote(node, out)
        else:
            self._block(node, out, tag)

    def _block(self, node: LexborNode, out: _Text, tag: str) -> None:
        before, after = _BREAKS.get(tag, (0, 0))
        if before:
            out.breaks(before)
        outer, self._upper = self._upper, self._upper or tag in _HEADINGS
        self.children(node, out)
        self._upper = outer
        if after:
            out.breaks(after)

    def _inner(self, node: LexborNode, out: _Text, used: int) -> _Text:
        inner = _Text(max(out.width - used, _NARROWEST))
        self.children(node, inner)
        return inner

    def _quote(self, node: LexborNode, out: _Text) -> None:
        lines = self._inner(node, out, 2).lines()
        out.breaks(2)
        if lines:
            out.block([f"> {line}" for line in lines])
        out.breaks(2)

    def _list(self, node: LexborNode, out: _Text) -> None:
        entries = [child for child in node.iter() if child.tag == "li"]
        start = node.attributes.get("start") or "1"
        first = int(start) if start.lstrip("-").isdigit() else 1
        numbered = node.tag == "ol"
        nested = self._depth > 0
        blank = "" if nested else " "
        marks = [f"{blank}{first + index}. " if numbered else f"{blank}* " for index in range(len(entries))]
        width = max((len(mark) for mark in marks), default=0)
        self._depth += 1
        out.breaks(1)
        for mark, entry in zip(marks, entries, strict=True):
            inner = self._inner(entry, out, width)
            lines = inner.lines() or [""]
            out.breaks(max(1, inner.leading))
            out.block([mark.rjust(width) + lines[0], *(" " * width + line for line in lines[1:])])
            out.breaks(max(1, inner.pending))
        self._depth -= 1
        out.breaks(1 if nested else 2)


def plain_text(node: LexborNode) -> str:
    """The text of what is inside an element."""
    out = _Text(_WIDTH)
    _Renderer().children(node, out)
    return "\n".join(out.lines())

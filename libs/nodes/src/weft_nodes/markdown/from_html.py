"""HTML as Markdown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode
from weft_node_sdk.patterns import replaced

_BLOCKS: Final = frozenset(
    {
        "address",
        "article",
        "aside",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
    }
    | {
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "html",
        "main",
        "nav",
        "p",
        "section",
    }
    | {"summary"}
)
_SKIPPED: Final = frozenset({"script", "style", "head", "-comment", "template", "noscript", "iframe"})
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_ESCAPED: Final = re.compile(r"[\\`*_~\[\]]")
_LINE_START: Final = re.compile(
    r"^(\s*)(?:(#{1,6}|[+\-]|>)(?=\s|$)|(\d+)(\.)(?=\s|$)|(={3,}|-{3,})$)", re.MULTILINE
)
_DEEPEST: Final = 150


@dataclass(frozen=True)
class Style:
    bullet: str = "*"
    fence: str = "```"
    emphasis: str = "_"
    strong: str = "**"
    indented_code: bool = False
    ignored: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    keep_data_images: bool = False
    most_newlines: int = 3
    references: bool = False
    replacements: Sequence[tuple[str, str]] = ()
    """(pattern, replacement) for texts."""
    escapes: tuple[str, str] | None = None
    line_escapes: tuple[str, str] | None = None


def _start_escaped(found: "re.Match[str]") -> str:
    blank, sign, number, _, rule = found.groups()
    return f"{blank}{number}\\." if number else f"{blank}\\{sign or rule}"


@dataclass
class _Converter:
    style: Style
    links: list[str] = field(default_factory=list)
    level: int = 0

    # --- blocks: texts that are kept apart by empty lines ------------------------------------------------

    def blocks(self, node: LexborNode) -> list[str]:
        if self.level >= _DEEPEST:
            return [self._escaped(_BLANKS.sub(" ", node.text()).strip())]
        self.level += 1
        found: list[str] = []
        inline = ""
        for child in node.iter(include_text=True):
            tag = child.tag or ""
            if tag in _SKIPPED or tag in self.style.ignored:
                continue
            if self._is_block(tag) or self._holds_blocks(child, tag):
                found += [*self._paragraph(inline), *self._block(child, tag)]
                inline = ""
            else:
                inline += self._inline(child, tag)
        self.level -= 1
        return [*found, *self._paragraph(inline)]

    def _is_block(self, tag: str) -> bool:
        return (
            tag in _BLOCKS
            or tag in self.style.blocks
            or tag in {"ul", "ol", "pre", "blockquote", "hr", "table"}
        )

    def _holds_blocks(self, node: LexborNode, tag: str) -> bool:
        return tag in {"span", "button", "label", "font"} and any(
            self._is_block(child.tag or "") for child in node.iter()
        )

    def _paragraph(self, inline: str) -> list[str]:
        text = re.sub(r" *\n *", lambda found: "  \n" if "  \n" in found.group() else "\n", inline).strip()
        if not text:
            return []
        if self.style.line_escapes:
            return [replaced(self.style.line_escapes[0], self.style.line_escapes[1], text)]
        return [_LINE_START.sub(_start_escaped, text)]

    def _block(self, node: LexborNode, tag: str) -> list[str]:
        if tag in ("ul", "ol"):
            return [self._list(node, tag)]
        if tag == "pre":
            return [self._code_block(node)]
        if tag == "blockquote":
            inner = "\n\n".join(self.blocks(node))
            return ["\n".join(f"> {line}" for line in inner.split("\n"))]
        if tag == "hr":
            return ["---"]
        if tag == "table":
            return self._table(node)
        found = self.blocks(node)
        if re.fullmatch(r"h[1-6]", tag):
            return [f"{'#' * int(tag[1])} {' '.join(found)}"] if found else []
        return found

    def _list(self, node: LexborNode, tag: str) -> str:
        start = node.attributes.get("start") or "1"
        number = int(start) if start.isdigit() else 1
        lines: list[str] = []
        for entry in (child for child in node.iter() if child.tag == "li"):
            mark = f"{number}." if tag == "ol" else self.style.bullet
            number += 1
            parts = self.blocks(entry)
            text = ""
            for part in parts:
                listed = re.match(r"\s*(?:\d+\.|" + re.escape(self.style.bullet) + r") ", part)
                text += ("  \n" if listed else "\n\n") + part if text else part
            lines.append(f"{mark} " + text.replace("\n", "\n   "))
        return "\n".join(lines)

    def _code_block(self, node: LexborNode) -> str:
        code = node.css_first("code")
        kind = re.search(r"lang(?:uage)?-(\S+)", (code.attributes.get("class") or "") if code else "")
        text = node.text().strip("\n")
        if self.style.indented_code:
            return "\n".join(f"    {line}" for line in text.split("\n"))
        return f"{self.style.fence}{kind.group(1) if kind else ''}\n{text}\n{self.style.fence}"

    def _table(self, node: LexborNode) -> list[str]:
        rows = [
            [self._cell(cell) for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")
        ]
        rows = [row for row in rows if row]
        if not rows:
            return self.blocks(node)
        width = max(len(row) for row in rows)
        full = [row + [""] * (width - len(row)) for row in rows]
        sizes = [max(1, *(len(row[column]) for row in full)) for column in range(width)]
        rules = ["-" * size for size in sizes]
        lines = [
            "| " + " | ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)) + " |"
            for row in [full[0], rules, *full[1:]]
        ]
        return ["\n".join(lines)]

    def _cell(self, node: LexborNode) -> str:
        return " ".join(self.blocks(node)).replace("  \n", "<br>").replace("\n", " ").replace("|", "\\|")

    # --- inside a block ------------------------------------------------------------------------------------

    def _inline(self, node: LexborNode, tag: str) -> str:
        if tag == "-text":
            return self._escaped(_BLANKS.sub(" ", node.text_content or ""))
        if tag == "br":
            return "  \n"
        if tag == "img":
            return self._image(node)
        if tag in ("code", "kbd", "samp", "tt"):
            text = _BLANKS.sub(" ", node.text())
            mark = "``" if "`" in text else "`"
            return f"{mark}{text}{mark}" if text.strip() else ""
        inner = self._inlines(node)
        if tag in ("b", "strong"):
            return _wrapped(inner, self.style.strong)
        if tag in ("i", "em"):
            return _wrapped(inner, self.style.emphasis)
        if tag in ("del", "s", "strike"):
            return _wrapped(inner, "~~")
        return self._link(node, inner) if tag == "a" else inner

    def _inlines(self, node: LexborNode) -> str:
        if self.level >= _DEEPEST:
            return self._escaped(_BLANKS.sub(" ", node.text()))
        self.level += 1
        text = ""
        for child in node.iter(include_text=True):
            tag = child.tag or ""
            if tag not in _SKIPPED and tag not in self.style.ignored:
                text += self._inline(child, tag)
        self.level -= 1
        return text

    def _escaped(self, text: str) -> str:
        for pattern, replacement in self.style.replacements:
            text = replaced(pattern, replacement, text)
        if self.style.escapes:
            return replaced(self.style.escapes[0], self.style.escapes[1], text)
        return _ESCAPED.sub(lambda found: "\\" + found.group(), text)

    def _image(self, node: LexborNode) -> str:
        source = node.attributes.get("src") or ""
        if not source or (source.startswith("data:") and not self.style.keep_data_images):
            return ""
        title = node.attributes.get("title")
        return f"![{node.attributes.get('alt') or ''}]({source}{_title(title)})"

    def _link(self, node: LexborNode, inner: str) -> str:
        address = node.attributes.get("href") or ""
        if not address or not inner.strip():
            return inner
        if self.style.references:
            if address not in self.links:
                self.links.append(address)
            return f"[{inner.strip()}][{self.links.index(address) + 1}]"
        if inner == address:
            return f"<{address}>"
        return f"[{inner.strip()}]({address}{_title(node.attributes.get('title'))})"


def _title(title: str | None) -> str:
    return ' "' + title.replace('"', '\\"') + '"' if title else ""


def _wrapped(inner: str, mark: str) -> str:
    """Blanks at the ends stay outside the marks."""
    text = inner.strip()
    if not text:
        return inner
    start = inner[: len(inner) - len(inner.lstrip())]
    return f"{start}{mark}{text}{mark}{inner[len(inner.rstrip()) :]}"


def _is_list(block: str, style: Style) -> bool:
    return block.startswith((f"{style.bullet} ", "1. "))


def markdown(html: str, style: Style) -> str:
    """Never fails: what is no HTML is a text."""
    converter = _Converter(style)
    body = LexborHTMLParser(html).body
    blocks = converter.blocks(body) if body is not None else []
    text = ""
    for block, before in zip(blocks, ["", *blocks], strict=False):
        between = "\n" if _is_list(block, style) and _is_list(before, style) else "\n\n"
        text += between + block if text else block
    if converter.links:
        text += "\n\n" + "\n".join(f"[{number}]: {link}" for number, link in enumerate(converter.links, 1))
    most = max(style.most_newlines, 1)
    return re.sub(f"\n{{{most + 1},}}", "\n" * most, text)


def style_of(
    options: Mapping[str, object],
    replacements: Sequence[tuple[str, str]],
    escapes: Mapping[str, tuple[str, str]],
) -> Style:
    """From the node's options; missing ones have their defaults."""

    def text(name: str, default: str) -> str:
        return str(options.get(name) or default)

    def tags(name: str) -> frozenset[str]:
        return frozenset(
            tag.strip().lower() for tag in str(options.get(name) or "").split(",") if tag.strip()
        )

    newest = options.get("maxConsecutiveNewlines", 3)
    return Style(
        bullet=text("bulletMarker", "*"),
        fence=text("codeFence", "```"),
        emphasis=text("emDelimiter", "_"),
        strong=text("strongDelimiter", "**"),
        indented_code=options.get("codeBlockStyle") == "indented",
        ignored=tags("ignore"),
        blocks=tags("blockElements"),
        keep_data_images=options.get("keepDataImages") is True,
        most_newlines=int(newest) if isinstance(newest, int | float) else 3,
        references=options.get("useLinkReferenceDefinitions") is True,
        replacements=replacements,
        escapes=escapes.get("globalEscape"),
        line_escapes=escapes.get("lineStartEscape"),
    )

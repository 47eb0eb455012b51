"""Markdown as HTML, laid out as Showdown does it: IDs at headings, two classes at code, self-closing breaks."""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

import emoji
import mistune

_MENTION: Final = re.compile(r"(?<![\w@])@([a-z\d](?:[a-z\d.-]*[a-z\d])?)", re.IGNORECASE)
_DIMENSIONS: Final = re.compile(
    r"(!\[[^\]]*\]\([^\s)]+)\s+=(\*|\d+\w*%?)x(\*|\d+\w*%?)((?:\s+[\"'][^)]*)?\))"
)
_OWN_ID: Final = re.compile(r"\s*\{#?([\w-]+)\}\s*$")


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(escape=False)
        self._options = options
        self._ids: dict[str, int] = {}

    def _on(self, name: str) -> bool:
        return self._options.get(name) is True

    def _id(self, text: str) -> str:
        given = str(self._options.get("prefixHeaderId") or "")
        raw = given if self._on("rawPrefixHeaderId") else ""
        plain = ("" if raw else given) + re.sub(r"<[^>]*>", "", text)
        if self._on("rawHeaderId"):
            name = re.sub(r"[\s\"'<>&]", "-", plain).lower()
        elif self._on("ghCompatibleHeaderId"):
            name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        else:
            name = re.sub(r"[^\w]", "", plain.lower())
        made = raw + name
        count = self._ids.get(made, 0)
        self._ids[made] = count + 1
        return f"{made}-{count}" if count else made

    def heading(self, text: str, level: int, **_: Any) -> str:
        start = self._options.get("headerLevelStart", 1)
        level = min(level + (int(start) if isinstance(start, int | float) else 1) - 1, 6)
        own = _OWN_ID.search(text) if self._on("customizedHeaderId") else None
        if own:
            text, name = text[: own.start()], own.group(1)
        else:
            name = "" if self._on("noHeaderId") else self._id(text)
        return f'<h{level} id="{name}">{text}</h{level}>\n' if name else f"<h{level}>{text}</h{level}>\n"

    def block_code(self, code: str, info: str | None = None) -> str:
        kind = (info or "").split(" ")[0]
        classes = f' class="{escape(kind)} language-{escape(kind)}"' if kind else ""
        lines = escape(code, quote=False).rstrip("\n")
        return f"<pre><code{classes}>{lines}\n</code></pre>\n"

    def codespan(self, text: str) -> str:
        return f"<code>{escape(text, quote=False)}</code>"

    def text(self, text: str) -> str:
        text = re.sub(r"&(?!#?\w+;)", "&amp;", text).replace("<", "&lt;")
        if self._on("ghMentions"):
            address = str(self._options.get("ghMentionsLink") or "https://github.com/{u}")
            text = _MENTION.sub(
                lambda found: self.link(found.group(), address.replace("{u}", found.group(1))), text
            )
        return emoji.emojize(text, language="alias") if self._on("emoji") else text

    def link(self, text: str, url: str, title: str | None = None) -> str:
        address = escape(self.safe_url(url))
        shown = f' title="{escape(title)}"' if title else ""
        opened = ' rel="noopener noreferrer" target="_blank"' if self._on("openLinksInNewWindow") else ""
        if self._options.get("encodeEmails", True) is True and url.startswith("mailto:"):
            address, text = _entities(url), _entities(text) if text == url[7:] else text
        return f'<a href="{address}"{shown}{opened}>{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        size = ""
        if title and (found := re.fullmatch(r"\ue000(\S+) (\S+)\ue000(.*)", title)):
            width, height, title = found.groups()
            size = f' width="{_size(width)}" height="{_size(height)}"'
        shown = f' title="{escape(title)}"' if title else ""
        return f'<img src="{escape(self.safe_url(url))}" alt="{escape(text)}"{shown}{size} />'

    def linebreak(self) -> str:
        return "<br />\n"

    def softbreak(self) -> str:
        return "<br />\n" if self._on("simpleLineBreaks") else "\n"

    def thematic_break(self) -> str:
        return "<hr />\n"

    def block_quote(self, text: str) -> str:
        inner = "\n".join(f"  {line}" if line else line for line in text.rstrip("\n").split("\n"))
        return f"<blockquote>\n{inner}\n</blockquote>\n"

    def list_item(self, text: str) -> str:
        return f"<li>{text.strip()}</li>\n"

    def task_list_item(self, text: str, checked: bool = False) -> str:
        box = "margin: 0px 0.35em 0.25em -1.6em; vertical-align: middle;"
        mark = " checked" if checked else ""
        return (
            '<li class="task-list-item" style="list-style-type: none;">'
            f'<input type="checkbox" disabled style="{box}"{mark}> {text.strip()}</li>\n'
        )

    def list(self, text: str, ordered: bool, **attrs: Any) -> str:
        tag = "ol" if ordered else "ul"
        start = attrs.get("start")
        number = f' start="{start}"' if ordered and start not in (None, 1) else ""
        return f"<{tag}{number}>\n{text}</{tag}>\n"


def _entities(text: str) -> str:
    """Every letter as a number, so that harvesters of addresses see none."""
    return "".join(
        f"&#{ord(letter)};" if index % 2 else f"&#x{ord(letter):x};" for index, letter in enumerate(text)
    )


def _size(given: str) -> str:
    return "auto" if given == "*" else given


def html(text: str, options: Mapping[str, Any]) -> str:
    """Never fails: every text is Markdown. HTML in it stays."""
    names = {"tables": "table", "strikethrough": "strikethrough", "tasklists": "task_lists"}
    plugins = [plugin for name, plugin in names.items() if options.get(name) is True]
    if options.get("simplifiedAutoLink") is True:
        plugins.append("url")
    if options.get("parseImgDimensions") is True:
        text = _DIMENSIONS.sub(_with_size, text)
    if options.get("ghCodeBlocks", True) is not True:
        text = re.sub(r"^(```+|~~~+)", lambda found: "\\" + found.group(), text, flags=re.MULTILINE)
    render: Callable[[str], Any] = mistune.create_markdown(renderer=_Renderer(options), plugins=plugins)
    made = str(render(text)).strip("\n")
    # a list inside an item ends on the item's line
    made = re.sub(r"</li>\n</(ul|ol)></li>", r"</li></\1></li>", made)
    if options.get("completeHTMLDocument") is True:
        return f'<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset="utf-8">\n</head>\n<body>\n{made}\n</body>\n</html>'
    return made


def _with_size(found: "re.Match[str]") -> str:
    start, width, height, end = found.groups()
    title = end.strip().strip(")").strip("\"'")
    return f'{start} "\ue000{width} {height}\ue000{title}")'

"""JSON into XML, two blanks a level."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import to_text

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_NAME: Final = re.compile(r"[\w:][\w:.\-·]*")
_DIGIT_FIRST: Final = re.compile(r"\d")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Style:
    attributes: str = "$"
    text: str = "_"
    cdata: bool = False
    head: bool = True
    root: str = "root"


def _plain(given: Any) -> str:
    text = to_text(given)
    text = "" if text is None else str(text)
    if _FORBIDDEN.search(text):
        raise NodeRunError("The text has characters that XML can't hold")
    return text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def _attribute(given: Any) -> str:
    text = (
        _plain(given).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\r", "&#xD;")
    )
    return text.replace("\t", "&#x9;").replace("\n", "&#xA;")


class _Writer:
    def __init__(self, style: Style) -> None:
        self._style = style

    def _text(self, given: Any) -> str:
        text = _plain(given)
        if self._style.cdata and any(sign in text for sign in "&<>"):
            return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
        return _escaped(text)

    def _parts(self, given: Mapping[str, Any]) -> tuple[str, str, list[tuple[str, Any]]]:
        """(attributes, text, children) of an element."""
        attributes, text = "", ""
        children: list[tuple[str, Any]] = []
        for name, member in given.items():
            if name == self._style.attributes and isinstance(member, Mapping):
                attributes = "".join(f' {_named(key)}="{_attribute(held)}"' for key, held in member.items())
            elif name == self._style.text:
                text = self._text(member)
            elif isinstance(member, list):
                children += [(name, entry) for entry in member]
            else:
                children.append((name, member))
        return attributes, text, children

    def element(self, name: str, given: Any, level: int) -> Iterator[str]:
        """The lines of an element."""
        pad, tag = "  " * level, _named(name)
        if isinstance(given, list) and level == 0:
            inner = [self.element(key, held, 1) for each in given for key, held in _members(each)]
            yield from (f"<{tag}>", *(line for lines in inner for line in lines), f"</{tag}>")
            return
        if isinstance(given, list):
            given = {name: given}
        if not isinstance(given, Mapping):
            text = self._text(given)
            yield f"{pad}<{tag}>{text}</{tag}>" if text else f"{pad}<{tag}/>"
            return
        attributes, text, children = self._parts(given)
        if text and not children:
            yield f"{pad}<{tag}{attributes}>{text}</{tag}>"
        elif children:
            yield f"{pad}<{tag}{attributes}>"
            if text:
                yield f"{pad}  {text}"
            for child in children:
                yield from self.element(*child, level + 1)
            yield f"{pad}</{tag}>"
        else:
            yield f"{pad}<{tag}{attributes}/>"


def _named(name: str) -> str:
    if not _NAME.fullmatch(name) or _DIGIT_FIRST.match(name):
        raise NodeRunError(f"'{name}' can't be the name of an element", description="Rename the field first.")
    return name


def _members(entry: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(entry, Mapping):
        raise NodeRunError("A list of such values can't be the root of an XML text")
    return entry.items()


def written(json: Any, style: Style) -> str:
    """An object with one member is the root itself, unless a root is named; the members of a list's objects stand
    one after the other. Raises NodeRunError."""
    name, content = style.root, json
    if isinstance(json, Mapping) and len(json) == 1 and style.root == "root":
        ((only, held),) = json.items()
        if not isinstance(held, list):
            name, content = only, held
    lines = list(_Writer(style).element(name, content, 0))
    return "\n".join([_HEAD, *lines] if style.head else lines)

"""XML into JSON: attributes and children by name, what repeats in lists, text alone as itself."""

import re
import sys
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from weft_node_sdk.context import NodeRunError

MOST_DEPTH: Final = 98
"""Elements inside one another: each is up to two levels of JSON, and items have 200."""


@dataclass(frozen=True)
class Shape:
    """How elements become JSON. `attributes`, `text`: the names of their members."""

    attributes: str = "$"
    text: str = "_"
    merge_attributes: bool = True
    ignore_attributes: bool = False
    arrays: bool = False
    normalize: bool = False
    lower_tags: bool = False
    trim: bool = False


@dataclass
class _Element:
    name: str
    json: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


def _add(json: dict[str, Any], name: str, member: Any, *, arrays: bool) -> None:
    if name in json:
        held = json[name]
        if isinstance(held, list):
            held.append(member)
        else:
            json[name] = [held, member]
    else:
        json[name] = [member] if arrays else member


class _Reader:
    def __init__(self, shape: Shape, most: int) -> None:
        self._shape = shape
        self._most = self._left = most
        self._open: list[_Element] = [_Element("")]

    @property
    def root(self) -> dict[str, Any]:
        return self._open[0].json

    def start(self, name: str, attributes: dict[str, str]) -> None:
        shape = self._shape
        self._left -= 1 + len(attributes)
        if self._left < 0:
            raise NodeRunError(f"The XML has more than {self._most} elements and attributes")
        if len(self._open) > MOST_DEPTH:
            raise NodeRunError(f"The XML is nested over {MOST_DEPTH} elements deep")
        element = _Element(name.lower() if shape.lower_tags else name)
        if attributes and not shape.ignore_attributes:
            if shape.merge_attributes:
                for key, text in attributes.items():
                    _add(element.json, key, text, arrays=shape.arrays)
            else:
                element.json[shape.attributes] = dict(attributes)
        self._open.append(element)

    def text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def end(self, _: str) -> None:
        element = self._open.pop()
        outer = self._open[-1]
        top = len(self._open) == 1
        _add(outer.json, element.name, self._value(element), arrays=self._shape.arrays and not top)

    def _value(self, element: _Element) -> Any:
        shape = self._shape
        text = "".join(element.text)
        if not text.strip():
            return element.json or ""
        if shape.normalize:
            text = re.sub(r"\s{2,}|\s", " ", text).strip()
        elif shape.trim:
            text = text.strip()
        if not element.json:
            return text
        element.json[shape.text] = text
        return element.json


def _no_entities(*_: Any) -> None:
    raise NodeRunError("The XML defines entities, which are not read", description="Remove its DOCTYPE.")


def parsed(text: str, shape: Shape, *, with_root: bool = True, most: int = sys.maxsize) -> dict[str, Any]:
    """`most`: elements and attributes. Raises NodeRunError where it is no XML, defines entities, or has more."""
    reader = _Reader(shape, most)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _no_entities
    try:
        # a declared encoding is that of the bytes it once had
        parser.Parse(
            re.sub(r"^\s*(<\?xml[^>]*?)\s+encoding=([\"'])[^\"']*\2", r"\1", text).lstrip("\ufeff \r\n\t"),
            True,
        )
    except (expat.ExpatError, UnicodeError) as error:
        raise NodeRunError(f"The text is no XML: {error}") from None
    (root,) = reader.root.values()
    if with_root:
        return reader.root
    if not isinstance(root, dict):
        raise NodeRunError("The root has nothing but a text", description="Keep the root to get it.")
    return root

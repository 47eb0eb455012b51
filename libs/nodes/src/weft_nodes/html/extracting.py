"""Values out of HTML by CSS selectors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import entries, shown, value, well_formed

from weft_nodes.html.plain_text import plain_text

_CONTAINS: Final = re.compile(r":contains\(\s*([\"']?)(.*?)\1\s*\)")
_POSITION: Final = re.compile(r":(first|last|even|odd|eq\((-?\d+)\)|gt\((-?\d+)\)|lt\((-?\d+)\))\s*$")


@dataclass(frozen=True)
class Manner:
    """`readable`: texts are laid out as people read them, and of several matches the first counts (HTML from
    version 1.2 on). `empty_where_missing`: a selector without matches gives an empty text."""

    readable: bool = False
    empty_where_missing: bool = False
    trim: bool = False
    clean: bool = False


def selected(root: LexborHTMLParser | LexborNode, selector: str) -> list[LexborNode]:
    """CSS selectors, with `:contains(text)`, and at the end `:first`, `:last`, `:eq(1)` and the like. Raises
    NodeRunError."""
    plain = _CONTAINS.sub(
        lambda found: f':lexbor-contains("{found.group(2)}")', well_formed(selector).strip()
    )
    position = _POSITION.search(plain)
    if position:
        plain = plain[: position.start()] or "*"
    try:
        found = list(root.css(plain))
    except SelectolaxError:
        raise NodeRunError(f"'{selector}' is not a CSS selector") from None
    return _at(found, position) if position else found


def _at(found: list[LexborNode], position: "re.Match[str]") -> list[LexborNode]:
    name, equal, greater, less = position.groups()
    if name in ("first", "last"):
        return found[:1] if name == "first" else found[-1:]
    if name in ("even", "odd"):
        return found[(1 if name == "odd" else 0) :: 2]
    if equal is not None:
        index = int(equal)
        return found[index:][:1] if index >= 0 or -index <= len(found) else []
    return found[int(greater) + 1 :] if greater is not None else found[: int(less)]


def _field_value(node: LexborNode) -> str | None:
    """What a form's field would send."""
    if node.tag == "textarea":
        return node.text()
    if node.tag == "select":
        options = node.css("option")
        chosen = next((option for option in options if "selected" in option.attributes), None)
        chosen = chosen or (options[0] if options else None)
        return None if chosen is None else _field_value(chosen)
    if node.tag == "option" and "value" not in node.attributes:
        return node.text()
    return node.attributes.get("value")


class Extractor:
    """One document. `values` in the entry's `returnValue`: text, html, value, attribute."""

    def __init__(self, html: str, manner: Manner) -> None:
        self._document = LexborHTMLParser(html)
        self._manner = manner

    def _polished(self, text: str) -> str:
        if self._manner.trim or self._manner.clean:
            text = text.strip()
        if self._manner.clean:
            text = re.sub(r"\s+", " ", re.sub(r"[\r\n]+", "", text))
        return text

    def _text(self, node: LexborNode, skipped: str) -> str:
        if skipped:
            # what is skipped goes from a copy; other entries still see it
            copy = LexborHTMLParser(f"<template></template><div>{node.inner_html or ''}</div>").css_first(
                "div"
            )
            if copy is not None:
                for selector in skipped.split(","):
                    for unwanted in selected(copy, selector) if selector.strip() else ():
                        unwanted.decompose()
                node = copy
        return plain_text(node)

    def _one(self, node: LexborNode, entry: Mapping[str, Any]) -> Any:
        kind = value(entry.get("returnValue", "text"))
        if kind == "attribute":
            found = node.attributes.get(str(value(entry.get("attribute")) or ""), MISSING)
            return MISSING if found is MISSING else found or ""
        if kind == "value":
            held = _field_value(node)
            return MISSING if held is None else self._polished(held)
        if kind == "html":
            return self._polished(node.inner_html or "")
        if self._manner.readable:
            return self._polished(self._text(node, str(value(entry.get("skipSelectors")) or "")))
        return self._polished(node.text())

    def extract(self, entry: Mapping[str, Any]) -> Any:
        """The value of an entry, or MISSING. Raises NodeRunError."""
        nodes = selected(self._document, str(value(entry.get("cssSelector")) or ""))
        if value(entry.get("returnArray")) is True:
            found = [self._one(node, entry) for node in nodes]
            return [None if member is MISSING else member for member in found]
        kind = value(entry.get("returnValue", "text"))
        if not nodes:
            return "" if self._manner.empty_where_missing and kind in ("text", "html") else MISSING
        if kind == "text" and not self._manner.readable:
            return self._polished("".join(node.text() for node in nodes))
        return self._one(nodes[0], entry)


def extracted(html: Any, parameters: Mapping[str, Any], manner: Manner) -> dict[str, Any]:
    """The fields of one document. Raises NodeRunError."""
    if not isinstance(html, str):
        raise NodeRunError(f"{shown(html)} is no HTML")
    extractor = Extractor(html, manner)
    json: dict[str, Any] = {}
    for entry in entries(parameters, "extractionValues", "values"):
        found = extractor.extract(entry)
        if found is not MISSING:
            json[str(value(entry.get("key")) or "")] = found
    return json


def documents(json: Mapping[str, Any], name: str) -> list[Any]:
    """The documents that a field has: one, or a list of them. Raises NodeRunError."""
    found = get(json, name)
    if found is MISSING:
        raise NodeRunError(f"The item has no field '{name}'", description="Name the field with the HTML.")
    return found if isinstance(found, list) else [found]

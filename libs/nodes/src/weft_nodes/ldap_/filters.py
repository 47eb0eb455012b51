"""Filters as text (RFC 4515), and as LDAP has them (RFC 4511, 4.5.1.7)."""

import re
from typing import Final

from weft_node_sdk.context import NodeRunError

from weft_nodes.ldap_.ber import boolean, element, octets, sequence

MAX_DEPTH: Final = 50
_KINDS: Final = {"=": 0xA3, ">=": 0xA5, "<=": 0xA6, "~=": 0xA8}
_ATTRIBUTE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.;_-]*")
_ITEM: Final = re.compile(
    r"(?P<attribute>[^()=<>~:]*?)\s*(?P<extensible>:[^()=]*:)?(?P<kind>>=|<=|~=|=)(?P<value>[^()]*)"
)
_ESCAPED: Final = re.compile(r"\\([0-9A-Fa-f]{2})?")
_SPECIAL: Final = re.compile(r"[()\0]|\\(?![0-9A-Fa-f]{2})")


def pattern(text: str) -> str:
    """A value for a filter, in which `*` stands for anything and `\2a` for a star; its brackets are plain signs."""
    return _SPECIAL.sub(lambda sign: f"\\{ord(sign[0]):02x}", text)


def encoded(text: str) -> bytes:
    """Raises NodeRunError for what is no filter. The outermost brackets may be missing."""
    text = text.strip()
    reader = _Reader(text if text.startswith("(") else f"({text})")
    found = reader.filter(0)
    if reader.rest():
        raise reader.error()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def error(self) -> NodeRunError:
        return NodeRunError(
            f"The filter '{self._text}' can't be read from character {self._at + 1} on", code="FILTER_INVALID"
        )

    def rest(self) -> str:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at :]

    def _take(self, sign: str) -> None:
        if not self.rest().startswith(sign):
            raise self.error()
        self._at += len(sign)

    def filter(self, depth: int) -> bytes:
        if depth > MAX_DEPTH:
            raise NodeRunError(f"The filter is more than {MAX_DEPTH} levels deep", code="FILTER_INVALID")
        self._take("(")
        sign = self.rest()[:1]
        if sign in {"&", "|"}:
            self._take(sign)
            parts = []
            while self.rest().startswith("("):
                parts.append(self.filter(depth + 1))
            found = sequence(*parts, tag=0xA0 if sign == "&" else 0xA1)
        elif sign == "!":
            self._take(sign)
            found = sequence(self.filter(depth + 1), tag=0xA2)
        else:
            found = self._item()
        self._take(")")
        return found

    def _item(self) -> bytes:
        match = _ITEM.match(self._text, self._at)
        if match is None:
            raise self.error()
        attribute, extensible, kind, value = match.group("attribute", "extensible", "kind", "value")
        attribute = attribute.strip()
        if not _ATTRIBUTE.fullmatch(attribute) and not (extensible and not attribute):
            raise self.error()
        if extensible is not None:
            found = self._extensible(attribute, extensible, kind, value)
        elif kind == "=" and value == "*":
            found = octets(attribute, 0x87)
        elif kind == "=" and "*" in value:
            found = sequence(octets(attribute), self._substrings(value.split("*")), tag=0xA4)
        else:
            found = sequence(octets(attribute), octets(self._plain(value)), tag=_KINDS[kind])
        self._at = match.end()
        return found

    def _substrings(self, parts: list[str]) -> bytes:
        """The first, those between, and the last; empty ones stand for nothing."""
        tags = [0x80, *[0x81] * (len(parts) - 2), 0x82]
        return sequence(
            *(octets(self._plain(part), tag) for part, tag in zip(parts, tags, strict=True) if part)
        )

    def _extensible(self, attribute: str, extensible: str, kind: str, value: str) -> bytes:
        """`attribute:dn:rule:=value`"""
        words = [word for word in extensible.split(":") if word]
        by_dn = bool(words) and words[0].lower() == "dn"
        rules = words[by_dn:]
        if kind != "=" or len(rules) > 1 or not (rules or attribute):
            raise self.error()
        return sequence(
            octets(rules[0], 0x81) if rules else b"",
            octets(attribute, 0x82) if attribute else b"",
            octets(self._plain(value), 0x83),
            element(0x84, boolean(True)[2:]) if by_dn else b"",
            tag=0xA9,
        )

    def _plain(self, text: str) -> bytes:
        """A value's bytes."""
        found = b""
        at = 0
        for escape in _ESCAPED.finditer(text):
            if escape.group(1) is None:
                raise self.error()
            found += text[at : escape.start()].encode() + bytes.fromhex(escape.group(1))
            at = escape.end()
        return found + text[at:].encode()

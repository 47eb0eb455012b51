"""The part of the Basic Encoding Rules that LDAP uses (RFC 4511, 5.1): definite lengths, tags of one byte."""

from collections.abc import Iterator
from typing import Final

from weft_node_sdk.context import NodeRunError

INTEGER: Final = 0x02
OCTETS: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
SET: Final = 0x31


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def octets(value: str | bytes, tag: int = OCTETS) -> bytes:
    return element(tag, value.encode() if isinstance(value, str) else value)


def integer(value: int, tag: int = INTEGER) -> bytes:
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value: bool) -> bytes:
    return element(0x01, b"\xff" if value else b"\x00")


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    return element(tag, b"".join(parts))


def header(data: bytes, at: int = 0) -> tuple[int, int, int] | None:
    """An element's tag, and where its content begins and ends; None where the header is not all there yet. Raises
    NodeRunError for what LDAP has not."""
    if len(data) < at + 2:
        return None
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or tag & 0x1F == 0x1F:
            raise NodeRunError("The server does not speak LDAP", code="PROTOCOL_ERROR")
        if len(data) < start + count:
            return None
        size, start = int.from_bytes(data[start : start + count], "big"), start + count
    return tag, start, start + size


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of what lies in an element. Raises NodeRunError where one is cut off."""
    at = 0
    while at < len(data):
        found = header(data, at)
        if found is None or found[2] > len(data):
            raise NodeRunError("The LDAP server's answer is cut off", code="PROTOCOL_ERROR")
        tag, start, at = found
        yield tag, data[start:at]


def number(content: bytes) -> int:
    return int.from_bytes(content, "big", signed=True)

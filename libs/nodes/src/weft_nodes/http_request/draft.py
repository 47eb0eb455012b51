"""A request before it is encoded: what authentication and paging may still change."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

from weft_node_sdk.context import HttpBody, NodeRunError
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.values import to_text

Pair = tuple[str, str]


@dataclass(frozen=True)
class File:
    """A file in a body. `chunks()` gives its bytes, anew each time."""

    chunks: Callable[[], AsyncIterator[bytes]]
    size: int
    name: str
    mime_type: str


class Parts:
    """Implements HttpBody: bytes and files, one after the other."""

    def __init__(self, parts: Sequence[bytes | File]) -> None:
        self._parts = parts
        self.size = sum(part.size if isinstance(part, File) else len(part) for part in parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            async for chunk in part.chunks():
                yield chunk


@dataclass
class Draft:
    """`content`: fields by name for form and multipart, any JSON value for json, bytes or a file for raw."""

    method: str
    url: str
    headers: list[Pair] = field(default_factory=list)
    query: list[Pair] = field(default_factory=list)
    kind: Literal["", "json", "form", "multipart", "raw"] = ""
    content: Any = None
    content_type: str = ""
    query_arrays: str = "brackets"
    secret_headers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.url = checked_address(self.url)

    def has_header(self, name: str) -> bool:
        return any(known.lower() == name.lower() for known, _ in self.headers)

    def set_header(self, name: str, text: str) -> None:
        self.headers = [(known, held) for known, held in self.headers if known.lower() != name.lower()]
        self.headers.append(checked_header(name, text))

    def set_secret(self, name: str, text: str) -> None:
        """A header that no redirect takes elsewhere."""
        self.set_header(name, text)
        self.secret_headers.add(name.strip())

    def set_query(self, name: str, given: Any) -> None:
        self.query = [(known, held) for known, held in self.query if known.removesuffix("[]") != name]
        self.query += flattened(name, given, self.query_arrays)

    def set_field(self, name: str, given: Any) -> None:
        """Raises NodeRunError where the body has no fields."""
        if self.kind in ("", "json", "form", "multipart") and (
            self.content is None or isinstance(self.content, dict)
        ):
            self.kind = self.kind or "json"
            self.content = {**(self.content or {}), name: given}
            return
        raise NodeRunError("The body has no fields that could be changed")

    def encoded(self) -> tuple[list[Pair], bytes | HttpBody | None]:
        """Headers with the content type, and the body."""
        headers = list(self.headers)
        body: bytes | HttpBody | None = None
        content_type = self.content_type
        if self.kind == "json":
            body = json_bytes(self.content)
            content_type = "application/json"
        elif self.kind == "form":
            pairs = self.content.items() if isinstance(self.content, Mapping) else self.content
            body = urlencode(
                [part for name, held in pairs for part in flattened(name, held, "repeat")],
                quote_via=quote,
                safe="",
            ).encode()
            content_type = "application/x-www-form-urlencoded"
        elif self.kind == "multipart":
            boundary = uuid.uuid4().hex
            body = _multipart(self.content.items(), boundary)
            headers = [header for header in headers if header[0].lower() != "content-type"]
            content_type = f"multipart/form-data; boundary={boundary}"
        elif self.kind == "raw":
            body = Parts([self.content]) if isinstance(self.content, File) else self.content
        if body is not None and content_type and not self.has_header("content-type"):
            headers.append(("content-type", content_type))
        return headers, body


def checked_address(url: str) -> str:
    """Raises NodeRunError where it is no web address."""
    if not url.lower().startswith(("http://", "https://")):
        raise NodeRunError(
            f"'{url}' is no web address", description="It must begin with http:// or https://."
        )
    return url


def checked_header(name: Any, text: Any) -> Pair:
    """Raises NodeRunError where a header would break the request."""
    name, text = str(name).strip(), str(to_text(text) or "").strip()
    if not name or any(mark in name + text for mark in "\r\n\0"):
        raise NodeRunError(f"The header {name!r} is empty or has a line break in it")
    return name, text


def flattened(name: str, given: Any, arrays: str) -> list[Pair]:
    """Query or form pairs of a value; lists as `arrays` says (repeat, brackets, indices), objects in
    brackets."""
    if isinstance(given, list):
        marks = {"repeat": "", "brackets": "[]"}
        return [
            pair
            for index, member in enumerate(given)
            for pair in flattened(f"{name}{marks.get(arrays, f'[{index}]')}", member, arrays)
        ]
    if isinstance(given, dict):
        return [pair for key, held in given.items() for pair in flattened(f"{name}[{key}]", held, arrays)]
    return [(name, str("" if given is None else to_text(given)))]


def _multipart(fields: Iterable[tuple[str, Any]], boundary: str) -> bytes | HttpBody:
    parts: list[bytes | File] = []
    for name, held in fields:
        for member in held if isinstance(held, list) else [held]:
            disposition = f'form-data; name="{_quoted(name)}"'
            if isinstance(member, File):
                disposition += f'; filename="{_quoted(member.name)}"\r\nContent-Type: {member.mime_type}'
            data = member if isinstance(member, File) else str(to_text(member) or "").encode()
            parts += [f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode(), data, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    plain = [part for part in parts if isinstance(part, bytes)]
    return b"".join(plain) if len(plain) == len(parts) else Parts(parts)


def _quoted(name: str) -> str:
    """As browsers write names in multipart bodies."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

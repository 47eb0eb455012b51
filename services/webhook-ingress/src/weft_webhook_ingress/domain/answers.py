"""Answers to callers: the standard ones, and how the last node's items become one."""

from base64 import b64decode
from typing import Any, Final, NamedTuple

import orjson
from weft_kit.blobs import is_file

JSON: Final = b"application/json; charset=utf-8"
Headers = tuple[tuple[bytes, bytes], ...]


class Answer(NamedTuple):
    """A complete HTTP answer but for its length, which is sent with it."""

    status: int
    headers: Headers
    body: bytes
    blob: str = ""
    """The key of the blob that is the body, instead."""


def json_answer(status: int, value: Any, headers: Headers = ()) -> Answer:
    return Answer(status, typed(headers, JSON), orjson.dumps(value))


def typed(headers: Headers, kind: bytes) -> Headers:
    """The headers with this content type, unless they name one."""
    if any(name.lower() == b"content-type" for name, _ in headers):
        return headers
    return ((b"content-type", kind), *headers)


def problem(status: int, message: str, hint: str = "", headers: Headers = (), **more: Any) -> Answer:
    """The body that callers of n8n know: `{code, message, hint?}`, and what else helps."""
    body = {"code": status, "message": message, **({"hint": hint} if hint else {}), **more}
    return json_answer(status, body, headers)


def not_registered(method: str, path: str, hint: str) -> Answer:
    return problem(404, f'The requested webhook "{method} {path}" is not registered.', hint)


def unavailable(message: str) -> Answer:
    return problem(503, message, headers=((b"retry-after", b"1"),))


FAILED: Final = json_answer(500, {"message": "Error in workflow"})
"""The run ended as an error before it answered."""
UNANSWERED: Final = json_answer(200, {"message": "Workflow executed successfully"})
"""The run ended well and no node answered."""
NO_ITEM: Final = json_answer(500, {"code": 0, "message": "No item to return was found"})
NO_FILE: Final = json_answer(500, {"code": 0, "message": "No binary data to return was found"})


class Shape(NamedTuple):
    """How the last node's output becomes the answer (the Webhook node's "Response Data" and its options)."""

    data: str = "firstEntryJson"
    status: int = 200
    headers: Headers = ()
    property_name: str = ""
    content_type: str = ""
    binary_name: str = "data"

    def of(self, outputs: list[list[dict[str, Any]]]) -> Answer:
        """`outputs`: the items per output of the last node; the first output that has some counts."""
        if self.data == "noData":
            return Answer(self.status, self.headers, b"")
        items = next((items for items in outputs if items), [])
        if self.data == "allEntries":
            return json_answer(self.status, [item.get("json") for item in items], self.headers)
        if not items:
            return NO_ITEM
        if self.data == "firstEntryBinary":
            entry = (items[0].get("binary") or {}).get(self.binary_name)
            return self._file(entry) if isinstance(entry, dict) else NO_FILE
        value = items[0].get("json")
        if self.property_name:
            value = _member(value, self.property_name)
        if self.content_type:
            body = value.encode() if isinstance(value, str) else orjson.dumps(value)
            return Answer(
                self.status, typed(self.headers, self.content_type.encode("latin-1", "replace")), body
            )
        return json_answer(self.status, value, self.headers)

    def _file(self, entry: dict[str, Any]) -> Answer:
        """The file of a binary entry, `{"id" | "data", "mimeType", …}`."""
        kind = str(entry.get("mimeType") or "application/octet-stream")
        headers: Headers = ((b"content-type", kind.encode("latin-1", "replace")), *self.headers)
        if any(mark in kind for mark in "\r\n\0"):
            return NO_FILE
        key = str(entry.get("id") or "")
        if key:
            return Answer(self.status, headers, b"", key) if is_file(key) else NO_FILE
        try:
            return Answer(self.status, headers, b64decode(str(entry.get("data", ""))))
        except ValueError:
            return NO_FILE


def _member(value: Any, path: str) -> Any:
    """`a.b.0` of a JSON value; None where there is none."""
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value

"""Workflow documents as people send them: n8n's JSON, checked for its shape and never changed."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.items import loads_js, unmarked

MAX_NODES: Final = 5_000
MAX_NAME: Final = 255
UNNAMED: Final = "My workflow"
_HOLDERS: Final = ("workflow", "workflows", "data")
_WRAPPERS: Final = 3
"""How deep a document may stand."""
_TEXT_VERSION: Final = re.compile(rb'"\d+(?:\.\d+)?"')


@dataclass(frozen=True)
class Document:
    """A document that may be stored: `text` as it was received, `json` what it says."""

    text: bytes
    json: Mapping[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, text: bytes, max_bytes: int) -> "Document":
        """Raises TOO_LARGE, and VALIDATION_ERROR with the place (`line` and `column`, or `path`) and the
        `reason` of what is wrong."""
        json = _read(text, max_bytes)
        _check_shape(json)
        return cls(text, json)

    @classmethod
    def parse_all(cls, text: bytes, max_bytes: int) -> "list[Document]":
        """One object, or an array of them, each as it is spelled there but for what `mended` puts right. Raises as
        `parse` does, with the `document`'s place in the array."""
        if len(text) <= max_bytes:
            text = unwrapped(text)
        if text.lstrip()[:1] != b"[":
            return [cls.parse(mended(text) if len(text) <= max_bytes else text, max_bytes)]
        if not _read(text, max_bytes):
            raise _wrong("", "the array holds no workflow")
        found = []
        for number, part in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw])):
            try:
                found.append(cls.parse(mended(bytes(part)), max_bytes))
            except WeftError as error:
                error.details["document"] = number
                raise
        return found

    @property
    def nodes(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = self.json["nodes"]
        return nodes

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.json.get("settings") or {}

    @property
    def name(self) -> str:
        """For the column; empty where the document names none."""
        return _column(self.json.get("name") or "")

    @property
    def description(self) -> str:
        for holder in (self.json, self.json.get("meta")):
            value = holder.get("description") if isinstance(holder, Mapping) else None
            if isinstance(value, str):
                return _column(value)
        return ""

    @property
    def tags(self) -> list[str]:
        """Names, each once; documents hold names or objects with a `name`."""
        found = self.json.get("tags") or ()
        names = [tag.get("name") if isinstance(tag, Mapping) else tag for tag in found]
        return list(dict.fromkeys(_column(name) for name in names if isinstance(name, str) and name))

    @property
    def source_id(self) -> str:
        """The id that the workflow had where it comes from; other workflows of the same export name it."""
        value = self.json.get("id")
        return _column(value) if isinstance(value, str) else str(value) if type(value) is int else ""

    @property
    def timezone(self) -> str | None:
        """The zone that the settings name, None for the installation's. Raises ValueError where there is no
        such zone."""
        value = self.settings.get("timezone")
        if value in (None, "", "DEFAULT"):
            return None
        try:
            return ZoneInfo(str(value)).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"There is no time zone {value!r}.") from None

    @cached_property
    def content_hash(self) -> bytes:
        return hashlib.sha256(self.text).digest()

    def credentials(self) -> Iterator[tuple[Mapping[str, Any], str, str, str]]:
        """(node, credential type, id, name) of every credential that an enabled node names."""
        for node in self.nodes:
            for kind, held in (node.get("credentials") or {}).items():
                if isinstance(held, Mapping) and not node.get("disabled"):
                    yield node, kind, str(held.get("id") or ""), str(held.get("name") or "")


def renamed(text: bytes, name: str) -> bytes:
    """The document under another name; everything else keeps its own spelling."""
    return _with(text, "name", name)


def retagged(text: bytes, tags: list[str]) -> bytes:
    """The document with other tags; everything else keeps its own spelling."""
    return _with(text, "tags", tags)


def unwrapped(text: bytes) -> bytes:
    """What an answer of an API holds: a template's `workflow`, `workflows`, or `data`. Without a byte order mark; a
    document that has no name takes the wrapper's."""
    text = unmarked(text)
    for _ in range(_WRAPPERS):
        try:
            parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return text
        held = next(
            (_spelled(parts, key) for key in _HOLDERS if _spelled(parts, key)[:1] in (b"{", b"[")), b""
        )
        if "nodes" in parts or not held:
            return text
        text = held
        if held[:1] == b"{" and _spelled(parts, "name")[:1] == b'"':
            inner = msgspec.json.decode(held, type=dict[str, msgspec.Raw])
            text = msgspec.json.encode({"name": parts["name"], **inner})
    return text


def mended(text: bytes) -> bytes:
    """The document with names for nodes that have none, with numbers for versions that stand there as texts, and
    without credentials that are no object: exports that went through other programs have such nodes. As it is where
    there are none, and where it can't be read."""
    try:
        parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        nodes = msgspec.json.decode(parts.get("nodes", b""), type=list[dict[str, msgspec.Raw]])
        names = {msgspec.json.decode(node["name"]) for node in nodes if _spelled(node, "name")[:1] == b'"'}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
    changed = False
    for node in nodes:
        if _spelled(node, "name") in (b"", b"null", b'""') and _spelled(node, "type")[:1] == b'"':
            name = _free_name(msgspec.json.decode(node["type"]), names)
            node["name"], changed = msgspec.Raw(msgspec.json.encode(name)), True
        if _TEXT_VERSION.fullmatch(_spelled(node, "typeVersion")):
            node["typeVersion"], changed = msgspec.Raw(_spelled(node, "typeVersion").strip(b'"')), True
        if _spelled(node, "credentials")[:1] not in (b"", b"{", b"n"):
            del node["credentials"]
            changed = True
    return msgspec.json.encode({**parts, "nodes": nodes}) if changed else text


def _spelled(node: Mapping[str, msgspec.Raw], key: str) -> bytes:
    return bytes(node[key]).strip() if key in node else b""


def _free_name(kind: str, taken: set[str]) -> str:
    """As n8n names new nodes: Sticky Note, Sticky Note1, …; it is taken from then on."""
    words = re.sub(r"(?<=[a-z\d])(?=[A-Z])", " ", kind.rpartition(".")[2])
    base = words[:1].upper() + words[1:]
    name = next(each for each in chain((base,), (f"{base}{n}" for n in count(1))) if each not in taken)
    taken.add(name)
    return name


def _with(text: bytes, key: str, value: Any) -> bytes:
    parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**parts, key: value})


def _read(text: bytes, max_bytes: int) -> Any:
    if len(text) > max_bytes:
        message = f"The document has {len(text)} bytes; the limit is {max_bytes}."
        raise WeftError(ErrorCode.TOO_LARGE, message, limit=max_bytes, reason="TOO_LARGE")
    try:
        return loads_js(text)
    except WeftError as error:
        error.details.setdefault("reason", "MALFORMED_JSON")
        raise


def _column(text: str) -> str:
    """What PostgreSQL's text can hold of it."""
    return text.replace("\x00", "")


def _wrong(path: str, what: str) -> WeftError:
    message = f"This is no workflow document: {f'{path}: ' if path else ''}{what}."
    return WeftError(ErrorCode.VALIDATION_ERROR, message, path=path, reason="WRONG_SHAPE")


def _check_shape(json: Any) -> None:
    """What the rest of the code relies on; everything else may be anything."""
    if not isinstance(json, dict):
        raise _wrong("", "an object with `nodes` is expected")
    nodes = json.get("nodes")
    if not isinstance(nodes, list):
        raise _wrong("nodes", "a list is expected")
    if len(nodes) > MAX_NODES:
        message = f"The workflow has {len(nodes)} nodes; the limit is {MAX_NODES}."
        raise WeftError(
            ErrorCode.VALIDATION_ERROR, message, path="nodes", reason="TOO_MANY_NODES", limit=MAX_NODES
        )
    for number, node in enumerate(nodes):
        _check_node(f"nodes[{number}]", node)
    for key in ("connections", "settings", "pinData"):
        if not isinstance(json.get(key) or {}, dict):
            raise _wrong(key, "an object is expected")
    if not isinstance(json.get("tags") or [], list):
        raise _wrong("tags", "a list is expected")
    name = json.get("name")
    if name is not None and (not isinstance(name, str) or len(name) > MAX_NAME):
        raise _wrong("name", f"a text of at most {MAX_NAME} characters is expected")


def _check_node(path: str, node: Any) -> None:
    if not isinstance(node, dict):
        raise _wrong(path, "an object is expected")
    for key in ("name", "type"):
        if not isinstance(node.get(key), str) or not node[key]:
            raise _wrong(f"{path}.{key}", "a text is expected")
        if "\x00" in node[key]:  # runs are stored by it, and PostgreSQL's text can't hold it
            raise _wrong(f"{path}.{key}", "the zero character is not allowed")
    for key in ("parameters", "credentials"):
        if not isinstance(node.get(key) or {}, dict):
            raise _wrong(f"{path}.{key}", "an object is expected")

"""Workflow documents as the API speaks of them: their members beside the columns that the store keeps."""

from collections.abc import Mapping
from typing import Final

import msgspec
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.items import dumps_js, loads_js

Members = dict[str, msgspec.Raw]
"""The members of a document, each as it is spelled there."""

COLUMNS: Final = frozenset(
    {
        "project_id",
        "is_active",
        "is_archived",
        "version_id",
        "version",
        "published_version_id",
        "published_version",
        "issues",
        "created_at",
        "updated_at",
        "created_by",
        "node_count",
    }
)
"""Members of an answer that no document has; those of a document are in camelCase."""


def members(document: bytes) -> Members:
    """Raises VALIDATION_ERROR where it is no JSON object."""
    try:
        return msgspec.json.decode(document, type=Members)
    except msgspec.DecodeError:
        value = loads_js(document)  # takes what n8n takes, half a surrogate pair for one
    if not isinstance(value, dict):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "The body must be a JSON object.")
    return {key: msgspec.Raw(dumps_js(part)) for key, part in value.items()}


def given_back(body: bytes) -> tuple[bytes, str, bool]:
    """The document of a body, the version that it was made from ("" where it names none), and whether it is an
    answer of ours that comes back changed. Other bodies stay as they are, byte for byte."""
    if b'"version_id"' not in body:
        return body, "", False
    parts = members(body)
    if not parts.keys() >= {"version_id", "project_id"}:
        return body, "", False
    return _written(without_columns(parts)), version_of(parts), True


def version_of(parts: Members) -> str:
    """What `version_id` says, as far as it is a text."""
    value = loads_js(bytes(parts["version_id"])) if "version_id" in parts else ""
    return value if isinstance(value, str) else ""


def without_columns(parts: Members) -> Members:
    return {key: value for key, value in parts.items() if key not in COLUMNS}


def merged(document: bytes, changes: Mapping[str, msgspec.Raw]) -> bytes:
    """The document with some members replaced; everything else keeps its own spelling."""
    return _written({**members(document), **changes})


def _written(parts: Mapping[str, msgspec.Raw]) -> bytes:
    return msgspec.json.encode(parts)

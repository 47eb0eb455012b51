"""Kinds of files: type, extension, name."""

import mimetypes
from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, RunContext

TABLE_TYPES: Final = {
    "csv": "text/csv",
    "html": "text/html",
    "rtf": "application/rtf",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BY_EXTENSION: Final = {
    "txt": "text/plain",
    "md": "text/markdown",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "ics": "text/calendar",
    "log": "text/plain",
    "gz": "application/gzip",
    "gzip": "application/gzip",
    "webp": "image/webp",
    **TABLE_TYPES,
}


def extension_of(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def extension_for(mime_type: str) -> str:
    """The usual extension of a type, without the dot; empty where there is none."""
    for extension, known in _BY_EXTENSION.items():
        if known == mime_type:
            return extension
    return (mimetypes.guess_extension(mime_type) or "").lstrip(".")


def type_of(name: str, data: bytes = b"") -> str:
    """A file's MIME type by its extension, else by its first bytes, else plain text."""
    extension = extension_of(name)
    known = _BY_EXTENSION.get(extension) or (mimetypes.guess_type(f"x.{extension}")[0] if extension else None)
    if known:
        return known
    import filetype  # reads the signature

    return str(filetype.guess_mime(data) or "") or _plain(data)


def _plain(data: bytes) -> str:
    return "application/octet-stream" if b"\0" in data[:1024] else "text/plain"


def entry_of(ctx: RunContext, index: int, name: str) -> Mapping[str, Any]:
    """The description of an item's file. Raises NodeRunError where the item has none of that name."""
    entry = ctx.items[index].get("binary", {}).get(name)
    if not isinstance(entry, Mapping):
        held = ", ".join(ctx.items[index].get("binary", {})) or "none"
        raise NodeRunError(
            f"The item has no file '{name}'", description=f"Its files: {held}.", item_index=index
        )
    return entry

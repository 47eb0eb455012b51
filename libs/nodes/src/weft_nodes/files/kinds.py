"""Kinds of files: type, extension, name."""

import mimetypes
from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.file_kinds import TYPES, extension_of


def type_of(name: str, data: bytes = b"") -> str:
    """A file's MIME type by its extension, else by its first bytes, else plain text."""
    extension = extension_of(name)
    known = TYPES.get(extension) or (mimetypes.guess_type(f"x.{extension}")[0] if extension else None)
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

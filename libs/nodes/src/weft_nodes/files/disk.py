"""Files of the machine as items."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal

from weft_node_sdk.binary import CHUNK_BYTES
from weft_node_sdk.context import Item, RunContext
from weft_node_sdk.file_kinds import extension_of
from weft_node_sdk.items import passed
from weft_node_sdk.values import members, value

from weft_nodes.files.kinds import type_of


def literal(pattern: str) -> str:
    """A pattern whose square brackets are plain characters."""
    return re.sub(r"[\[\]]", lambda sign: "[[]" if sign[0] == "[" else "[]]", pattern)


async def found(ctx: RunContext, given: Any, *, plain_brackets: bool = False) -> list[str]:
    """Paths of the files that a path or a pattern names."""
    pattern = str(value(given) or "").replace("\\", "/")
    if not re.search(r"[*?{}!]|[+@]\(" if plain_brackets else r"[*?{}\[\]!]|[+@]\(", pattern):
        return [pattern]
    return await ctx.files.find(literal(pattern) if plain_brackets else pattern)


async def loaded(
    ctx: RunContext, path: str, given: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A file, kept with the run, and what is known about it. `given`: name, type and extension to say instead."""
    given = given or {}
    name = str(value(given.get("fileName")) or path.rpartition("/")[2])
    async with ctx.files.open(path) as file, ctx.create_binary() as writer:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            await writer.write(chunk)
            await ctx.checkpoint()
        mime_type = str(value(given.get("mimeType")) or type_of(path, writer.head))
        entry = await writer.store(mime_type=mime_type, file_name=name)
    if extension := str(value(given.get("fileExtension")) or ""):
        entry["fileExtension"] = extension
    facts = {
        "mimeType": mime_type,
        "fileType": entry.get("fileType") or mime_type.partition("/")[0],
        "fileName": name,
        "fileExtension": entry.get("fileExtension") or extension_of(name),
        "fileSize": entry["fileSize"],
    }
    return entry, facts


async def written(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Item:
    """Writes an item's file; the item goes on and says where."""
    name = str(value(parameters.get("dataPropertyName", "data")))
    path = str(value(parameters.get("fileName", "")))
    mode: Literal["ab", "wb"] = "ab" if members(parameters).get("append") is True else "wb"
    async with ctx.open_binary(index, name) as reader, ctx.files.open(path, mode) as file:
        async for chunk in reader:
            await asyncio.to_thread(file.write, chunk)
            await ctx.checkpoint()
    item = passed(ctx.items[index], index)
    return {**item, "json": {**item["json"], "fileName": path}}

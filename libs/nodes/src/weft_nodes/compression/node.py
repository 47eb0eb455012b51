"""Compression: files of an item into an archive, and out of one."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.file_kinds import extension_for, extension_of
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import names_in, value, well_formed

from weft_nodes.compression import archives
from weft_nodes.files.kinds import entry_of, type_of

_TYPES = {"zip": "application/zip", "tar": "application/x-tar", "targz": "application/gzip"}
_ENDINGS = {"zip": "zip", "tar": "tar", "gz": "gz", "gzip": "gz", "tgz": "targz", "targz": "targz"}


def _names(parameters: Mapping[str, Any]) -> list[str]:
    names = names_in(value(parameters.get("binaryPropertyName")))
    if not names:
        raise NodeRunError("No file is named")
    return names


async def _compress(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Item:
    names = _names(parameters)
    kind = str(parameters.get("outputFormat") or "")
    if kind == "gzip":
        return {**made(ctx.items[index]["json"], index), "binary": await _gzip(ctx, index, names, parameters)}
    if kind not in _TYPES:
        raise NodeRunError(f"The format '{kind}' is not known", code="UNSUPPORTED")
    async with AsyncExitStack() as stack:
        files = []
        for name in names:
            reader = await stack.enter_async_context(ctx.open_binary(index, name))
            files.append(archives.File(well_formed(reader.file_name or name), reader.file, reader.size))
        writer = await stack.enter_async_context(ctx.create_binary())
        await asyncio.to_thread(archives.pack, kind, files, await writer.open_file())
        entry = await writer.store(
            mime_type=_TYPES[kind], file_name=str(value(parameters.get("fileName", "")))
        )
    target = str(value(parameters.get("binaryPropertyOutput", "data")) or "data")
    return {**made(ctx.items[index]["json"], index), "binary": {target: entry}}


async def _gzip(
    ctx: RunContext, index: int, names: list[str], parameters: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Each file by itself. Version 1 counts from the prefix, later ones name the first as told."""
    found = {}
    for number, source in enumerate(names):
        async with ctx.open_binary(index, source) as reader, ctx.create_binary() as writer:
            name = reader.file_name or source
            if ctx.node.version == 1:
                target = f"{value(parameters.get('outputPrefix', 'data'))}{number}"
                file_name = f"{name.rpartition('.')[0] or name}.gzip"
            else:
                target = str(value(parameters.get("binaryPropertyOutput", "data")) or "data")
                target += str(number) if number else ""
                stem = str(value(parameters.get("fileName", "")) or "") or name.rpartition(".")[0] or name
                file_name = stem if stem.endswith(".gz") else f"{stem}.gz"
            await asyncio.to_thread(archives.gzip_into, reader.file, await writer.open_file())
            found[target] = await writer.store(mime_type="application/gzip", file_name=file_name)
    return found


def _kind(entry: Mapping[str, Any], name: str) -> str:
    """How an archive is packed, by the name of the file, else by its type."""
    file_name = str(entry.get("fileName") or "")
    extension = str(entry.get("fileExtension") or "") or extension_of(file_name)
    extension = extension or extension_for(str(entry.get("mimeType") or ""))
    if file_name.endswith((".tar.gz", ".tar.gzip")):
        return "targz"
    if extension.lower() not in _ENDINGS:
        found = f"'.{extension}' is no archive that can be unpacked" if extension else "has no extension"
        raise NodeRunError(f"The file '{name}' {found}")
    return _ENDINGS[extension.lower()]


async def _decompress(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Item:
    prefix = str(value(parameters.get("outputPrefix", "file_")))
    found: dict[str, dict[str, Any]] = {}
    for source in _names(parameters):
        kind = _kind(entry_of(ctx, index, source), source)
        async with ctx.open_binary(index, source) as reader:
            unpacked = archives.members(kind, reader.file)
            while member := await asyncio.to_thread(next, unpacked, None):
                entry = await _unpacked(ctx, *member, stem=reader.file_name.rpartition(".")[0] or source)
                found[f"{prefix}{len(found)}"] = entry
    return {**made(ctx.items[index]["json"], index), **({"binary": found} if found else {})}


async def _unpacked(ctx: RunContext, name: str, chunks: Iterator[bytes], stem: str) -> dict[str, Any]:
    """`stem`: the name of a file that has none in its archive."""
    async with ctx.create_binary() as writer:
        while chunk := await asyncio.to_thread(next, chunks, b""):
            await writer.write(chunk)
            await ctx.checkpoint()
        if not name:
            extension = "" if "." in stem else extension_for(type_of("", writer.head))
            name = f"{stem}.{extension}" if extension else stem
        return await writer.store(mime_type=type_of(name, writer.head), file_name=name.rpartition("/")[2])


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        packs = parameters.get("operation", "decompress") == "compress"
        return [await (_compress if packs else _decompress)(ctx, index, parameters)]

    return [await map_items(ctx, handle)]

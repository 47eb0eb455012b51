"""Compression: files of an item into an archive, and out of one."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import names_in, value

from weft_nodes.compression import archives
from weft_nodes.files.kinds import entry_of, extension_for, extension_of, type_of

_TYPES = {"zip": "application/zip", "tar": "application/x-tar", "targz": "application/gzip"}
_ENDINGS = {"zip": "zip", "tar": "tar", "gz": "gz", "gzip": "gz", "tgz": "targz", "targz": "targz"}


async def _files(ctx: RunContext, index: int, given: Any) -> list[archives.File]:
    names = names_in(value(given))
    if not names:
        raise NodeRunError("No file is named")
    found = []
    for name in names:
        entry = entry_of(ctx, index, name)
        found.append((str(entry.get("fileName") or name), await ctx.read_binary(index, name)))
    return found


async def _compress(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Item:
    files = await _files(ctx, index, parameters.get("binaryPropertyName"))
    kind = str(parameters.get("outputFormat") or "")
    if kind == "gzip":
        return {**made(ctx.items[index]["json"], index), "binary": await _gzip(ctx, files, parameters)}
    if kind not in _TYPES:
        raise NodeRunError(f"The format '{kind}' is not known", code="UNSUPPORTED")
    entry = await ctx.store_binary(
        archives.pack(kind, files),
        mime_type=_TYPES[kind],
        file_name=str(value(parameters.get("fileName", ""))),
    )
    target = str(value(parameters.get("binaryPropertyOutput", "data")) or "data")
    return {**made(ctx.items[index]["json"], index), "binary": {target: entry}}


async def _gzip(
    ctx: RunContext, files: list[archives.File], parameters: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Each file by itself. Version 1 counts from the prefix, later ones name the first as told."""
    found = {}
    for number, (name, data) in enumerate(files):
        if ctx.node.version == 1:
            target = f"{value(parameters.get('outputPrefix', 'data'))}{number}"
            file_name = f"{name.rpartition('.')[0] or name}.gzip"
        else:
            target = str(value(parameters.get("binaryPropertyOutput", "data")) or "data")
            target += str(number) if number else ""
            stem = str(value(parameters.get("fileName", "")) or "") or name.rpartition(".")[0] or name
            file_name = stem if stem.endswith(".gz") else f"{stem}.gz"
        found[target] = await ctx.store_binary(
            archives.gzipped(data), mime_type="application/gzip", file_name=file_name
        )
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
    names = names_in(value(parameters.get("binaryPropertyName")))
    if not names:
        raise NodeRunError("No file is named")
    files: list[archives.File] = []
    for name in names:
        entry = entry_of(ctx, index, name)
        kind, data = _kind(entry, name), await ctx.read_binary(index, name)
        if kind in {"gz", "targz"}:
            data = archives.gunzip(data)
        if kind == "gz":
            stem = str(entry.get("fileName") or name).rpartition(".")[0] or name
            extension = "" if "." in stem else extension_for(type_of("", data))
            files.append((f"{stem}.{extension}" if extension else stem, data))
        else:
            files += archives.unpack("zip" if kind == "zip" else "tar", data)
    prefix = str(value(parameters.get("outputPrefix", "file_")))
    found = {}
    for number, (name, data) in enumerate(files):
        found[f"{prefix}{number}"] = await ctx.store_binary(
            data, mime_type=type_of(name, data), file_name=name.rpartition("/")[2]
        )
    return {**made(ctx.items[index]["json"], index), **({"binary": found} if found else {})}


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        packs = parameters.get("operation", "decompress") == "compress"
        return [await (_compress if packs else _decompress)(ctx, index, parameters)]

    return [await map_items(ctx, handle)]

"""Convert to File: tables, JSON, text, decoded base64 and calendar events as files."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from string import ascii_letters, digits
from typing import Any

import orjson
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.file_kinds import TABLE_TYPES, extension_for
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import compact_json, members, to_text, value

from weft_nodes.files import calendars, spreadsheet
from weft_nodes.files.encodings import encode
from weft_nodes.files.kinds import type_of

_BASE64 = frozenset(ascii_letters + digits + "+/")


def _text(parameters: Mapping[str, Any], text: str) -> bytes:
    options = members(parameters)
    return encode(text, str(value(options.get("encoding", "utf8"))), add_bom=options.get("addBOM") is True)


def _name(parameters: Mapping[str, Any], default: str, collection: str = "options") -> str:
    return str(value(members(parameters, collection).get("fileName")) or default)


def _json(given: Any, parameters: Mapping[str, Any]) -> bytes:
    pretty = members(parameters).get("format") is True
    return _text(parameters, json_bytes(given, orjson.OPT_INDENT_2 if pretty else 0).decode())


def _json_pieces(listed: list[Any], parameters: Mapping[str, Any]) -> Iterator[bytes]:
    """One text of all, item by item where nothing depends on the whole (indents, marks, other encodings)."""
    options = members(parameters)
    if (
        options.get("format") is True
        or options.get("addBOM") is True
        or options.get("encoding", "utf8") != "utf8"
    ):
        yield _json(listed, parameters)
        return
    yield b"["
    for number, each in enumerate(listed):
        yield b"," + json_bytes(each) if number else json_bytes(each)
    yield b"]"


def _source(item: Item, parameters: Mapping[str, Any]) -> Any:
    path = str(value(parameters.get("sourceProperty", "")))
    found = get(item["json"], path)
    if found is MISSING:
        raise NodeRunError(f"The item has no field '{path}'")
    return found


async def _stored(
    ctx: RunContext, index: int, parameters: Mapping[str, Any], data: bytes, mime_type: str, name: str
) -> Item:
    return _with_file(index, parameters, await ctx.store_binary(data, mime_type=mime_type, file_name=name))


def _with_file(index: int, parameters: Mapping[str, Any], entry: dict[str, Any]) -> Item:
    target = str(value(parameters.get("binaryPropertyName", "data")) or "data")
    return {**made({}, index), "binary": {target: entry}}


async def _of_all(ctx: RunContext, parameters: Mapping[str, Any], operation: str) -> Item:
    """One file of all items."""
    listed = [item["json"] for item in ctx.items]
    if operation == "toJson":
        name = _name(parameters, "file.json")
        async with ctx.create_binary() as writer:
            for piece in _json_pieces(listed, parameters):
                await writer.write(piece)
                await ctx.checkpoint()
            entry = await writer.store(mime_type="application/json", file_name=name)
    else:
        name = _name(parameters, f"File.{operation}")
        entry = await spreadsheet.write_file(ctx, operation, listed, members(parameters), name)
    item = _with_file(0, parameters, entry)
    return {**item, "pairedItem": [{"item": index} for index in range(len(listed))]}


async def _of_one(ctx: RunContext, index: int, parameters: Mapping[str, Any], operation: str) -> Item:
    item = ctx.items[index]
    if operation == "toJson":
        data, mime_type, default = _json(item["json"], parameters), "application/json", "file.json"
    elif operation == "iCal":
        data, mime_type = calendars.event_file(ctx, parameters), "text/calendar"
        name = _name(parameters, "event.ics", "additionalFields")
        return await _stored(ctx, index, parameters, data, mime_type, name)
    elif operation == "toText":
        given = _source(item, parameters)
        if isinstance(given, dict | list) or given is None:
            data, mime_type = _text(parameters, compact_json(given)), "application/json"
        else:
            data, mime_type = _text(parameters, str(to_text(given))), "text/plain"
        default = "file.txt"
    else:
        return await _decoded(ctx, index, parameters)
    return await _stored(ctx, index, parameters, data, mime_type, _name(parameters, default))


async def _decoded(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Item:
    options = members(parameters)
    given = _source(ctx.items[index], parameters)
    if not isinstance(given, str):
        raise NodeRunError(f"The field '{parameters['sourceProperty']}' holds no text")
    # version 1 could be told that the text is no base64
    if ctx.node.version == 1 and options.get("dataIsBase64") is False:
        data = _text(parameters, given)
    else:
        data = base64_bytes(given)
    name = str(value(options.get("fileName")) or "")
    mime_type = str(value(options.get("mimeType")) or "") or type_of(name, data)
    if not name:
        extension = extension_for(mime_type) if mime_type != "text/plain" else ""
        name = f"file.{extension}" if extension else "file"
    return await _stored(ctx, index, parameters, data, mime_type, name)


def base64_bytes(text: str) -> bytes:
    """Bytes of base64, also of its form for URLs and of a data URL; signs that don't belong are skipped."""
    text = text.partition(";base64,")[2] or text
    plain = "".join(sign for sign in text.replace("-", "+").replace("_", "/") if sign in _BASE64)
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    return b64decode(plain.encode("ascii", "ignore") + b"=" * (-len(plain) % 4))


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    operation = str(first.get("operation", "csv"))
    whole = operation in TABLE_TYPES or (operation == "toJson" and first.get("mode", "once") == "once")
    if not whole and operation not in {"toJson", "toText", "toBinary", "iCal"}:
        raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
    if not whole:

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            return [await _of_one(ctx, index, parameters, operation)]

        return [await map_items(ctx, handle)]
    try:
        return [[await _of_all(ctx, first, operation)]]
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)]]

"""Move Binary Data: an item's file becomes its fields, its fields become a file."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.file_kinds import extension_for
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.paths import MISSING, drop, get, put
from weft_node_sdk.values import compact_json, members, text_of, to_text, value

from weft_nodes.convert_to_file.node import base64_bytes
from weft_nodes.files.encodings import decode, encode
from weft_nodes.files.kinds import type_of


def _parsed(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise NodeRunError(f"The file is not valid JSON: {error}") from None


async def _to_json(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> list[Item]:
    """An item without the file gives nothing."""
    item, options = ctx.items[index], members(parameters)
    name = str(value(parameters.get("sourceKey", "data")))
    if name not in item.get("binary", {}):
        return []
    data = await ctx.read_binary(index, name)
    text = decode(
        data,
        str(value(options.get("encoding", "utf8"))),
        strip_bom=options.get("stripBOM", True) is not False,
    )
    if parameters.get("setAllData", True) is not False:
        json = _parsed(text)
        if not isinstance(json, dict):
            raise NodeRunError("The file's JSON is no object; put it into a field instead")
    else:
        json = dict(item["json"])
        read: Any = text
        if options.get("keepAsBase64") is True:
            read = b64encode(data).decode()
        elif options.get("jsonParse") is True:
            read = _parsed(text)
        put(json, str(value(parameters.get("destinationKey", "data"))), read)
    keeps = options.get("keepSource") is True
    files = {key: each for key, each in item["binary"].items() if key != name or keeps}
    return [{**made(json, index), **({"binary": files} if files else {})}]


async def _to_file(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> list[Item]:
    """An item without the field gives nothing."""
    item, options = ctx.items[index], members(parameters)
    whole = parameters.get("convertAllData", True) is not False
    path = str(value(parameters.get("sourceKey", "data")))
    given = item["json"] if whole else get(item["json"], path)
    if given is MISSING:
        return []
    encoding = str(value(options.get("encoding", "utf8")))
    if not whole and options.get("dataIsBase64") is True:
        data = base64_bytes(text_of(given))
    else:
        raw = options.get("useRawData") is True and not isinstance(given, dict | list)
        text = str(to_text(given) or "") if raw else compact_json(given)
        data = encode(text, encoding, add_bom=options.get("addBOM") is True)
    mime_type = str(value(options.get("mimeType")) or "")
    raw_field = not whole and options.get("useRawData") is True
    guessed = not mime_type and ctx.node.version >= 1.1 and raw_field
    if not mime_type:
        mime_type = type_of("", data) if guessed else "application/json"
    ending = "" if guessed and mime_type == "text/plain" else f".{extension_for(mime_type) or 'bin'}"
    default = f"file{ending}" if ctx.node.version >= 1.1 else ""
    name = str(value(options.get("fileName")) or default)
    entry = await ctx.store_binary(data, mime_type=mime_type, file_name=name)
    json: Any = item["json"]
    if options.get("keepSource") is not True:
        json = dict(json)
        if whole:
            json = {}
        else:
            drop(json, path)
    target = str(value(parameters.get("destinationKey", "data")))
    return [{**made(json, index), "binary": {**item.get("binary", {}), target: entry}}]


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        move = _to_json if parameters.get("mode", "binaryToJson") == "binaryToJson" else _to_file
        return await move(ctx, index, parameters)

    return [await map_items(ctx, handle)]

"""Spreadsheet File: rows of a file become items, items become rows of a file."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.file_kinds import TABLE_TYPES, extension_of
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, value

from weft_nodes.files import spreadsheet
from weft_nodes.files.kinds import entry_of


def _format(entry: Mapping[str, Any], parameters: Mapping[str, Any], version: float) -> str:
    """Version 1 reads text as a sheet does: numbers are numbers."""
    chosen = str(parameters.get("fileFormat", "autodetect")) if version >= 2 else "autodetect"
    if chosen != "autodetect":
        return chosen
    extension = extension_of(str(entry.get("fileName") or ""))
    by_type = {mime_type: kind for kind, mime_type in TABLE_TYPES.items()}
    found = by_type.get(str(entry.get("mimeType") or "")) or (
        extension if extension in TABLE_TYPES else "xlsx"
    )
    return "xlsx" if version < 2 and found == "csv" else found


async def _write(ctx: RunContext) -> Item:
    parameters = await ctx.parameters_for(0)
    kind = str(parameters.get("fileFormat", "xls"))
    options = members(parameters)
    name = str(value(options.get("fileName")) or f"spreadsheet.{kind}")
    entry = await spreadsheet.write_file(ctx, kind, [item["json"] for item in ctx.items], options, name)
    target = str(value(parameters.get("binaryPropertyName", "data")) or "data")
    paired = [{"item": index} for index in range(len(ctx.items))]
    return {"json": {}, "binary": {target: entry}, "pairedItem": paired}


async def run(ctx: RunContext) -> Outputs:
    async def read(index: int, parameters: dict[str, Any]) -> list[Item]:
        name = str(value(parameters.get("binaryPropertyName", "data")))
        kind = _format(entry_of(ctx, index, name), parameters, ctx.node.version)
        rows = await spreadsheet.read_file(ctx, index, name, kind, members(parameters))
        return [made(json, index) for json in rows]

    if not ctx.items:
        return [[]]
    if (await ctx.parameters_for(0)).get("operation", "fromFile") == "fromFile":
        return [await map_items(ctx, read)]
    await ctx.checkpoint()
    try:
        return [[await _write(ctx)]]
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)]]

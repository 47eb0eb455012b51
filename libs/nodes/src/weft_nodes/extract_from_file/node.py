"""Extract from File: tables become items, one per row; text, JSON, PDF, calendars become a field."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.file_kinds import TABLE_TYPES
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.paths import put
from weft_node_sdk.values import members, text_of, value

from weft_nodes.files import calendars, pdf, spreadsheet
from weft_nodes.files.encodings import decode


def _text(data: bytes, options: Mapping[str, Any]) -> str:
    encoding = str(value(options.get("encoding", "utf8")))
    return decode(data, encoding, strip_bom=options.get("stripBOM", True) is not False)


def _read(operation: str, data: bytes, options: Mapping[str, Any]) -> Any:
    """What goes into the destination field."""
    match operation:
        case "binaryToPropery":
            return b64encode(data).decode()
        case "text" | "xml":
            return _text(data, options)
        case "fromIcs":
            return calendars.read(_text(data, options))
        case "fromJson":
            text = _text(data, options)
            if not text:
                return {}
            try:
                return parse_json(text)
            except ValueError as error:
                raise NodeRunError("The file is not valid JSON", description=str(error)) from None
        case _:
            raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")


def _kept(item: Item, index: int, name: str, options: Mapping[str, Any]) -> Item:
    """What of the input item stays: its fields where a destination is set, its other files."""
    keep = text_of(options.get("keepSource", "json"))
    fields = dict(item["json"]) if keep in {"json", "both"} else {}
    found = made(fields, index)
    files = {key: each for key, each in item.get("binary", {}).items() if key != name or keep != "json"}
    if files and keep in {"binary", "both"}:
        found["binary"] = files
    return found


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        operation = str(parameters.get("operation", "csv"))
        name = str(value(parameters.get("binaryPropertyName", "data")))
        options = members(parameters)
        if operation in TABLE_TYPES:
            rows = await spreadsheet.read_file(ctx, index, name, operation, options)
            return [made(json, index) for json in rows]
        data = await ctx.read_binary(index, name)
        keeps = "keepSource" in options
        item = _kept(ctx.items[index], index, name, options) if keeps else made({}, index)
        if operation == "pdf":
            most = value(options.get("maxPages", 0))
            item["json"].update(
                await pdf.read(
                    data,
                    password=str(value(options.get("password", "")) or ""),
                    most_pages=int(most) if isinstance(most, int | float) else 0,
                    join=options.get("joinPages", True) is not False,
                )
            )
        else:
            put(
                item["json"],
                str(value(parameters.get("destinationKey", "data"))) or "data",
                _read(operation, data, options),
            )
        return [item]

    return [await map_items(ctx, handle)]

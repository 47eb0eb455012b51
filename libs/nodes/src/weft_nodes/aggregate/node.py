"""Aggregate: fields of all items, or the whole items, in lists of one item."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.paths import MISSING, get, last_name, put
from weft_node_sdk.values import entries, members, names_in, value
from weft_node_sdk.whole import told


def _collected(items: list[Item], field: str, options: Any) -> list[Any]:
    """One field of every item; missing and null ones drop out, or are kept as null."""
    dots = options.get("disableDotNotation") is not True
    keep_missing = options.get("keepMissing") is True
    flat = options.get("mergeLists") is True
    collected: list[Any] = []
    for item in items:
        found = item["json"].get(field, MISSING)
        if found is MISSING:
            found = get(item["json"], field, dots=dots)
        if found is None or found is MISSING:
            if keep_missing:
                collected.append(None)
        elif flat and isinstance(found, list):
            collected.extend(member for member in found if keep_missing or member is not None)
        else:
            collected.append(found)
    return collected


def _fields(items: list[Item], parameters: dict[str, Any]) -> dict[str, Any]:
    options = members(parameters)
    dots = options.get("disableDotNotation") is not True
    json: dict[str, Any] = {}
    for entry in entries(parameters, "fieldsToAggregate", "fieldToAggregate"):
        field = str(value(entry.get("fieldToAggregate", "")))
        if not field:
            raise NodeRunError("No field to aggregate is given")
        renamed = value(entry.get("outputFieldName", "")) if entry.get("renameField") is True else ""
        name = str(renamed or last_name(field, dots=dots))
        if name in json:
            raise NodeRunError(
                f"The output has two fields '{name}'", description="Rename one of the fields to aggregate."
            )
        json[name] = _collected(items, field, options)
    return json


def _whole(items: list[Item], parameters: dict[str, Any]) -> dict[str, Any]:
    include = parameters.get("include", "allFields")
    rows: list[Any] = [item["json"] for item in items]
    if include == "specifiedFields":
        names = names_in(value(parameters.get("fieldsToInclude")))
        rows = [{name: row[name] for name in names if name in row} for row in rows]
        rows = [row for row in rows if row]
    elif include == "allFieldsExcept":
        names = names_in(value(parameters.get("fieldsToExclude")))
        rows = [{name: member for name, member in row.items() if name not in names} for row in rows]
        rows = [row for row in rows if row]
    else:
        rows = [told(row) for row in rows]
    json: dict[str, Any] = {}
    put(json, str(value(parameters.get("destinationFieldName", "data")) or "data"), rows)
    return json


def _files(items: list[Item], unique: bool) -> dict[str, Any]:
    """The files of all items, numbered where names repeat; `unique` keeps one per type, size and
    extension."""
    files: dict[str, Any] = {}
    seen: set[tuple[Any, ...]] = set()
    for item in items:
        for name, entry in item.get("binary", {}).items():
            mark = tuple(entry.get(key) for key in ("mimeType", "fileType", "fileSize", "fileExtension"))
            if unique and mark in seen:
                continue
            seen.add(mark)
            key, number = name, 0
            while key in files:
                number += 1
                key = f"{name}_{number}"
            files[key] = entry
    return files


async def run(ctx: RunContext) -> Outputs:
    items = ctx.items
    if not items:
        return [[]]
    await ctx.checkpoint()
    try:
        parameters = await ctx.parameters_for(0)
        whole = parameters.get("aggregate") == "aggregateAllItemData"
        made: Item = {"json": (_whole if whole else _fields)(items, parameters)}
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)]]
    options = members(parameters)
    if options.get("includeBinaries") is True:
        files = _files(items, options.get("keepOnlyUnique") is True)
        if files:
            made["binary"] = files
    made["pairedItem"] = [{"item": index} for index in range(len(items))]
    return [[made]]

"""Split Out: one item per entry of a list inside an item."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each
from weft_node_sdk.paths import MISSING, drop, get
from weft_node_sdk.values import members, names_in, value


def _listed(json: dict[str, Any], field: str, dots: bool) -> list[Any] | None:
    """The entries of a field: a list as it is, an object's values, anything else as the only entry; None
    where it is missing."""
    found = get(json, field, dots=dots)
    if found is MISSING:
        return None
    if isinstance(found, list):
        return found
    return list(found.values()) if isinstance(found, dict) else [found]


def _others(
    json: dict[str, Any], parameters: dict[str, Any], fields: list[str], dots: bool
) -> dict[str, Any]:
    """The other fields that every new item gets."""
    include = parameters.get("include", "noOtherFields")
    if include == "allOtherFields":
        others = dict(json)
        for field in fields:
            drop(others, field, dots=dots)
        return others
    others = {}
    if include == "selectedOtherFields":
        for name in names_in(value(parameters.get("fieldsToInclude"))):
            found = get(json, name, dots=dots)
            if found is not MISSING:
                others[name] = found
    return others


def _split(json: dict[str, Any], parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The JSON of the new items, in which a path is a name as it stands. Raises NodeRunError where destinations and
    fields differ in number."""
    fields = names_in(value(parameters.get("fieldToSplitOut")))
    if not fields:
        raise NodeRunError("No field to split out is given")
    options = members(parameters)
    dots = options.get("disableDotNotation") is not True
    targets = names_in(value(options.get("destinationFieldName", "")))
    if targets and len(targets) != len(fields):
        raise NodeRunError(
            f"There are {len(fields)} fields to split out but {len(targets)} destination fields"
        )
    lists = [entries for field in fields if (entries := _listed(json, field, dots)) is not None]
    if not lists:
        return []
    others = _others(json, parameters, fields, dots)
    if len(fields) == 1:
        whole = not targets and parameters.get("include", "noOtherFields") == "noOtherFields"
        name = targets[0] if targets else fields[0]
        return [
            _spread(entry) if whole and isinstance(entry, (dict, list)) else {**others, name: entry}
            for entry in lists[0]
        ]
    columns = [
        (targets[i] if targets else field, _listed(json, field, dots) or []) for i, field in enumerate(fields)
    ]
    length = max(len(entries) for _, entries in columns)
    return [
        {**others, **{name: entries[row] for name, entries in columns if row < len(entries)}}
        for row in range(length)
    ]


def _spread(entry: dict[str, Any] | list[Any]) -> dict[str, Any]:
    """An entry that becomes the item itself; a list by its places."""
    return entry if isinstance(entry, dict) else {str(place): part for place, part in enumerate(entry)}


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        binary = item.get("binary") if members(parameters).get("includeBinary") is True else None
        for json in _split(item["json"], parameters):
            made: Item = {"json": json, "pairedItem": {"item": index}}
            if binary:
                made["binary"] = binary
            output.append(made)

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]

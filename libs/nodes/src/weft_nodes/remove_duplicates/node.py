"""Remove Duplicates: within the input, or against what earlier runs have seen."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed, passed_all
from weft_node_sdk.paths import MISSING, get, put
from weft_node_sdk.values import compact_json, members, names_in, text_of, type_name, value

from weft_nodes.remove_duplicates.history import History, values_of

_HISTORY: Final = "removeItemsSeenInPreviousExecutions"


def _paths(json: Any, prefix: str = "") -> list[str]:
    """Paths of all values that hold no others; empty objects and lists count as values."""
    parts = json.items() if isinstance(json, dict) else enumerate(json) if isinstance(json, list) else ()
    listed: list[str] = []
    for name, member in parts:
        path = f"{prefix}{name}"
        nested = isinstance(member, dict | list) and member
        listed += _paths(member, f"{path}.") if nested else [path]
    return listed


def _compared(items: list[Item], parameters: Mapping[str, Any], dots: bool) -> list[str]:
    """The fields that decide. Raises NodeRunError where none is given."""
    compare = parameters.get("compare", "allFields")
    if compare == "selectedFields":
        names = names_in(value(parameters.get("fieldsToCompare")))
        if not names:
            raise NodeRunError("No field to compare is given")
        return names
    found = [name for item in items for name in (_paths(item["json"]) if dots else item["json"])]
    excluded: list[str] = []
    if compare == "allFieldsExcept":
        excluded = names_in(value(parameters.get("fieldsToExclude")))
        if not excluded:
            raise NodeRunError("No field to exclude is given")
    return [name for name in dict.fromkeys(found) if name not in excluded]


def _columns(items: list[Item], names: list[str], dots: bool) -> list[list[Any]]:
    """Values by field and item. Raises NodeRunError where one is missing or their types differ."""
    columns: list[list[Any]] = []
    for name in names:
        column = [get(item["json"], name, dots=dots) for item in items]
        if MISSING in column:
            raise NodeRunError(
                f"The field '{name}' is missing from some items",
                description="Compare other fields, or give every item the field first.",
            )
        kinds = list(dict.fromkeys(type_name(found) for found in column if found is not None))
        if len(kinds) > 1:
            raise NodeRunError(
                f"The field '{name}' isn't always of the same type",
                description=f"It is {kinds[0]} in some items and {kinds[1]} in others.",
            )
        columns.append(column)
    return columns


def within(items: list[Item], parameters: Mapping[str, Any]) -> list[Item]:
    """The first item of every kind. Raises NodeRunError."""
    options = members(parameters)
    chosen = parameters.get("compare", "allFields") != "allFields"
    dots = not (chosen and options.get("disableDotNotation") is True)
    names = _compared(items, parameters, dots)
    rows = zip(*_columns(items, names, dots), strict=True) if names else ((),) * len(items)
    seen: set[str] = set()
    kept: list[Item] = []
    for index, row in enumerate(rows):
        mark = compact_json(row)
        if mark in seen:
            continue
        seen.add(mark)
        item = passed(items[index], index)
        if chosen and options.get("removeOtherFields") is True:
            item["json"] = {}
            for name, found in zip(names, row, strict=True):
                put(item["json"], name, found, dots=dots)
        kept.append(item)
    return kept


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    items = ctx.items
    if not items:
        return [[]]
    parameters = await ctx.parameters_for(0)
    operation = parameters.get("operation", "removeDuplicateInputItems")
    try:
        value(parameters.get("compare"))
        if operation == _HISTORY:
            return await _unseen(ctx, parameters)
        if operation == "clearDeduplicationHistory":
            (await History.open(ctx, parameters)).clear()
            return [passed_all(items)]
        return [within(items, parameters)]
    except NodeRunError as error:
        if not ctx.continues():
            raise
        failed = [ctx.failed_item(error, error.item_index or 0)]
        return [failed, []] if operation == _HISTORY else [failed]


async def _unseen(ctx: RunContext, parameters: Mapping[str, Any]) -> Outputs:
    logic = text_of(parameters.get("logic", "removeItemsWithAlreadySeenKeyValues"))
    found = values_of(await ctx.parameters(), logic, ctx.execution.timezone)
    history = await History.open(ctx, parameters)
    new = history.unseen(found, logic)
    kept = [passed(ctx.items[index], index) for index in new]
    known = set(new)
    return [kept, [passed(item, index) for index, item in enumerate(ctx.items) if index not in known]]

"""The project's data tables, their columns, and the conditions that go with a column."""

from collections.abc import Mapping
from typing import Final

from weft_node_sdk.data_tables import TableKey
from weft_node_sdk.options import (
    PAGE,
    Choice,
    Choices,
    FieldType,
    LoadContext,
    Loaders,
    filtered,
    fixed,
    offset,
)

from weft_nodes.data_table.columns import SYSTEM

_TYPES: Final[Mapping[str, FieldType]] = {"number": "number", "boolean": "boolean", "date": "dateTime"}
_CONDITIONS: Final = {
    "eq": "Equals",
    "neq": "Not equal",
    "gt": "Greater than",
    "gte": "Greater than or equal",
    "lt": "Less than",
    "lte": "Less than or equal",
    "like": "Contains",
    "ilike": "Contains, upper or lower case",
    "isEmpty": "Is empty",
    "isNotEmpty": "Is not empty",
    "isTrue": "Is true",
    "isFalse": "Is false",
}


async def tables(ctx: LoadContext) -> Choices:
    number = offset(ctx) // PAGE + 1
    found, total = await ctx.tables.page(search=ctx.search, page=number, limit=PAGE)
    more = str(number * PAGE) if number * PAGE < total else ""
    return Choices([Choice(each["name"], each["id"]) for each in found], more)


async def _own(ctx: LoadContext) -> list[Choice]:
    """The chosen table's; none while no table is chosen."""
    chosen = fixed(ctx, "dataTableId")
    if not chosen:
        return []
    held = ctx.parameters.get("dataTableId")
    by_name = isinstance(held, Mapping) and held.get("mode") == "name"
    table = await ctx.tables.get(TableKey(name=chosen) if by_name else TableKey(id=chosen))
    return [
        Choice(each["name"], each["name"], description=each["type"], type=_TYPES.get(each["type"], "string"))
        for each in table["columns"]
    ]


async def written(ctx: LoadContext) -> Choices:
    return filtered(await _own(ctx), ctx)


async def compared(ctx: LoadContext) -> Choices:
    """With those that every table has."""
    own = await _own(ctx)
    rest = [Choice(name, name, description=kind) for name, kind in SYSTEM.items()] if own else []
    return filtered([*rest, *own], ctx)


async def conditions(ctx: LoadContext) -> Choices:
    return filtered([Choice(text, name) for name, text in _CONDITIONS.items()], ctx)


LOADERS: Loaders = {"table": tables, "column": compared, "columns": written, "condition": conditions}

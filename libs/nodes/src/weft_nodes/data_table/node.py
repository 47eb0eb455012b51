"""Data Table: rows of the project's tables, and the tables themselves. What is given is what a running n8n gave."""

from collections.abc import Mapping, Sequence
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.data_tables import AT_ONCE, DataTables, Row, RowCondition, RowFilter, TableKey
from weft_node_sdk.items import made, map_items, passed
from weft_node_sdk.values import entries, located, members, text_of, value

from weft_nodes.data_table.columns import SYSTEM

_LIST = 250
"""Tables in one answer."""


def _key(parameters: Mapping[str, Any]) -> TableKey:
    held = parameters.get("dataTableId")
    chosen = str(value(located(held)) or "").strip()
    if not chosen:
        raise NodeRunError("A data table must be chosen", parameter=("dataTableId",))
    by_name = isinstance(held, Mapping) and held.get("mode") == "name"
    return TableKey(name=chosen) if by_name else TableKey(id=chosen)


def _found_by(parameters: Mapping[str, Any], *, needed: bool = True) -> RowFilter:
    conditions = [
        RowCondition(
            text_of(entry.get("keyName", "id")),
            text_of(entry.get("condition", "eq")),
            value(entry.get("keyValue")),
        )
        for entry in entries(parameters, "filters", "conditions")
    ]
    if needed and not conditions:
        raise NodeRunError("At least one condition is needed", parameter=("filters",))
    return RowFilter(conditions, parameters.get("matchType", "anyCondition") == "anyCondition")


def _row(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Row:
    columns = value(parameters.get("columns"))
    if isinstance(columns, Mapping) and columns.get("mappingMode") == "autoMapInputData":
        return {name: held for name, held in ctx.items[index]["json"].items() if name not in SYSTEM}
    given = value(columns.get("value")) if isinstance(columns, Mapping) else None
    given = given if isinstance(given, Mapping) else {}
    return {name: held for name, held in given.items() if value(held) is not None}


async def _inserted(ctx: RunContext) -> list[Item]:
    """Many items' rows at a time; one by one where that fails, so that each failure is its item's own."""
    parameters = await ctx.parameters()
    output: list[Item] = []
    for first in range(0, len(ctx.items), AT_ONCE):
        await ctx.checkpoint()
        indices = range(first, min(first + AT_ONCE, len(ctx.items)))
        try:
            table = _key(parameters[first])
            if any(_key(parameters[index]) != table for index in indices):
                raise NodeRunError("Several tables")
            rows = await ctx.tables.insert(table, [_row(ctx, index, parameters[index]) for index in indices])
        except NodeRunError:
            for index in indices:
                await ctx.checkpoint()
                output.append(await _inserted_alone(ctx, index, parameters[index]))
        else:
            output += [made(row, index) for row, index in zip(rows, indices, strict=True)]
    return output


async def _inserted_alone(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Item:
    try:
        table = _key(parameters)
        (row,) = await ctx.tables.insert(table, [_row(ctx, index, parameters)])
    except NodeRunError as error:
        error.item_index = index
        if not ctx.continues():
            raise
        return ctx.failed_item(error, index)
    return made(row, index)


async def _read(ctx: RunContext, parameters: Mapping[str, Any]) -> list[Row]:
    table, found_by = _key(parameters), _found_by(parameters, needed=False)
    limit = value(parameters.get("limit", 50))
    if not isinstance(limit, int | float) or limit < 0:
        raise NodeRunError(f"The limit {limit!r} is no number", parameter=("limit",))
    most = None if parameters.get("returnAll") is True else int(limit)
    order_by = ""
    if parameters.get("orderBy") is True:
        order_by = text_of(parameters.get("orderByColumn", "createdAt"))
    rows: list[Row] = []
    while most is None or len(rows) < most:
        page, _ = await ctx.tables.rows(
            table,
            found_by,
            order_by=order_by,
            descending=bool(order_by) and parameters.get("orderByDirection", "DESC") == "DESC",
            limit=AT_ONCE if most is None else min(AT_ONCE, most - len(rows)),
            offset=len(rows) if order_by else 0,
            after_id=rows[-1]["id"] if rows and not order_by else 0,
        )
        if not page:
            break
        rows += page
    return rows


async def _written(ctx: RunContext, parameters: Mapping[str, Any], row: Row, *, or_insert: bool) -> list[Row]:
    table, dry = _key(parameters), members(parameters).get("dryRun") is True
    rows, before, inserted = await ctx.tables.update(
        table, _found_by(parameters), row, or_insert=or_insert, dry_run=dry
    )
    if not dry:
        return rows
    if inserted:
        nothing = dict.fromkeys((*SYSTEM, *row))
        return _compared([nothing], [{**rows[0], "id": 0}])
    return _compared(before, rows)


async def _deleted(ctx: RunContext, parameters: Mapping[str, Any]) -> list[Row]:
    table, dry = _key(parameters), members(parameters).get("dryRun") is True
    rows, _ = await ctx.tables.remove(table, _found_by(parameters), dry_run=dry)
    return _compared(rows, [dict.fromkeys(row) for row in rows]) if dry else rows


def _compared(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """Each row as it is, and as it would be."""
    pairs = zip(before, after, strict=True)
    return [
        row
        for was, will in pairs
        for row in ({**was, "dryRunState": "before"}, {**will, "dryRunState": "after"})
    ]


def _shown(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": table["id"],
        "name": table["name"],
        "projectId": table["project_id"],
        "createdAt": table["created_at"],
        "updatedAt": table["updated_at"],
        "columns": [{**column, "index": index} for index, column in enumerate(table["columns"])],
    }


async def _of_tables(tables: DataTables, parameters: Mapping[str, Any]) -> list[Row]:
    options = members(parameters)
    match parameters.get("operation", "list"):
        case "list":
            return await _listed(tables, parameters)
        case "create":
            columns = [
                (text_of(entry.get("name")), text_of(entry.get("type", "string")))
                for entry in entries(parameters, "columns", "column")
            ]
            name = text_of(parameters.get("tableName"))
            return [
                _shown(await tables.create(name, columns, or_get=options.get("createIfNotExists") is True))
            ]
        case "update":
            found = await tables.rename(_key(parameters), text_of(parameters.get("newName")))
            return [{"success": True, "name": found["name"]}]
        case "clear":
            _, count = await tables.remove(_key(parameters), RowFilter(), count_only=True)
            return [{"success": True, "deletedCount": count}]
        case "delete":
            key = _key(parameters)
            await tables.delete(key)
            return [{"success": True, "deletedTableId": key.id or key.name}]
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


async def _listed(tables: DataTables, parameters: Mapping[str, Any]) -> list[Row]:
    options = members(parameters)
    sort = {"createdAt": "created_at", "updatedAt": "updated_at"}.get(str(options.get("sortField")), "name")
    down = "-" if options.get("sortDirection") == "desc" else ""
    limit = value(parameters.get("limit", 50))
    most = int(limit) if isinstance(limit, int | float) and parameters.get("returnAll") is False else None
    rows: list[Row] = []
    number = 1
    while most is None or len(rows) < most:
        found, total = await tables.page(
            search=text_of(options.get("filterName")), sort=f"{down}{sort}", page=number, limit=_LIST
        )
        rows += map(_shown, found)
        number += 1
        if not found or len(rows) >= total:
            break
    return rows[:most]


async def _of_rows(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> list[Item]:
    match parameters.get("operation", "insert"):
        case "get":
            rows = await _read(ctx, parameters)
        case "update" | "upsert" as operation:
            row = _row(ctx, index, parameters)
            rows = await _written(ctx, parameters, row, or_insert=operation == "upsert")
        case "deleteRows":
            rows = await _deleted(ctx, parameters)
        case "rowExists" | "rowNotExists" as operation:
            table = _key(parameters)
            found, _ = await ctx.tables.rows(table, _found_by(parameters), limit=1)
            fits = bool(found) == (operation == "rowExists")
            return [passed(ctx.items[index], index)] if fits else []
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
    return [made(row, index) for row in rows]


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    if first.get("resource", "row") == "row" and first.get("operation", "insert") == "insert":
        output = await _inserted(ctx)
        failed = any("error" in item for item in output)
        if members(first).get("optimizeBulk") is True and not failed:
            lineage = [{"item": index} for index in range(len(ctx.items))]
            return [[{"json": {"success": True, "insertedRows": len(output)}, "pairedItem": lineage}]]
        return [output]

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        if parameters.get("resource", "row") == "row":
            return await _of_rows(ctx, index, parameters)
        return [made(row, index) for row in await _of_tables(ctx.tables, parameters)]

    return [await map_items(ctx, handle)]

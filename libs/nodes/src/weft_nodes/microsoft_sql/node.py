"""Microsoft SQL: queries and rows of tables. Names are quoted, values bound."""

import re
from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, text_of, value

from weft_nodes.databases.building import Builder, Dialect
from weft_nodes.databases.rows_of_items import chunks, names, written
from weft_nodes.databases.running import query_text
from weft_nodes.databases.sql_text import MSSQL, Statement, parameters_in, statements
from weft_nodes.microsoft_sql.connection import Connection, connect

_PART: Final = re.compile(r"\[(?:[^\]]|\]\])*\]|[^.]+")
_VALUES: Final = 2000
"""Of one statement; the server takes 2100 with those of its own."""
_ROWS: Final = 1000


def quoted(name: str) -> str:
    return f"[{name.replace(']', ']]')}]"


def _place(_: int) -> str:
    return "%s"


def _escaped(name: str) -> str:
    """Quoted, in a text with the driver's places."""
    return quoted(name).replace("%", "%%")


_DIALECT = Dialect(_escaped, _place)


def _table(parameters: Mapping[str, Any]) -> str:
    parts = _PART.findall(text_of(parameters.get("table")).strip())
    if not parts:
        raise NodeRunError("A table must be named", parameter=("table",))
    return ".".join(
        part.replace("%", "%%") if part.startswith("[") and part.endswith("]") else _escaped(part)
        for part in parts
    )


def _key(ctx: RunContext, index: int, parameters: Mapping[str, Any], name: str) -> tuple[str, Any]:
    column = text_of(parameters.get(name, "id")).strip()
    json = ctx.items[index]["json"]
    if not column or json.get(column) is None:
        raise NodeRunError(f"The item has no '{column}' to find its row by", parameter=(name,))
    return column, json[column]


def _update(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Statement:
    column, held = _key(ctx, index, parameters, "updateKey")
    json = ctx.items[index]["json"]
    row = {name: json.get(name) for name in names(parameters, "columns") if name != column}
    if not row:
        raise NodeRunError("There is nothing to update: only the column to match on is named")
    build = Builder(_DIALECT)
    setting = build.assignments(row)
    return build.build(
        f"UPDATE {_table(parameters)} SET {setting} WHERE {_escaped(column)} = {build.put(held)}"  # noqa: S608
    )


def _delete(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Statement:
    column, held = _key(ctx, index, parameters, "deleteKey")
    build = Builder(_DIALECT)
    return build.build(f"DELETE FROM {_table(parameters)} WHERE {_escaped(column)} = {build.put(held)}")  # noqa: S608


async def _query(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> list[Statement]:
    """One: what it declares holds to its end."""
    text = await query_text(ctx, index, parameters)
    given = parameters_in(value(members(parameters).get("queryReplacement")))
    if not given:
        return [Statement(text, [])]
    return statements(
        text,
        given,
        syntax=MSSQL,
        place=_place,
        quote=_escaped,
        escape=lambda part: part.replace("%", "%%"),
    )


async def _inserted(ctx: RunContext, connection: Connection) -> list[Item]:
    parameters = await ctx.parameters_for(0)
    table, columns = _table(parameters), names(parameters, "columns")
    rows = [{name: item["json"].get(name) for name in columns} for item in ctx.items]

    async def write(indices: range) -> None:
        build = Builder(_DIALECT)
        placed = [f"({', '.join(build.put(held) for held in rows[index].values())})" for index in indices]
        text = f"INSERT INTO {table} ({build.columns(columns)}) VALUES {', '.join(placed)}"  # noqa: S608
        await connection.execute(build.build(text))

    return await written(ctx, rows, chunks(rows, len(columns), most_values=_VALUES, most_rows=_ROWS), write)


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    operation = text_of((await ctx.parameters_for(0)).get("operation", "insert"))
    if operation not in {"executeQuery", "insert", "update", "delete"}:
        raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
    async with connect(ctx, await ctx.credential("microsoftSql")) as connection:
        if operation == "insert":
            return [await _inserted(ctx, connection)]

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            if operation == "executeQuery":
                rows: list[dict[str, Any]] = []
                silent = True
                for statement in await _query(ctx, index, parameters):
                    found = await connection.execute(statement)
                    silent, rows = silent and found is None, [*rows, *(found or ())]
                return [made(row, index) for row in ([{"success": True}] if silent else rows)]
            build = _update if operation == "update" else _delete
            await connection.execute(build(ctx, index, parameters))
            return [made({"success": True, "affectedRows": connection.changed}, index)]

        return [await map_items(ctx, handle)]

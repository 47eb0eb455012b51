"""Oracle Database: queries and rows of tables. Names are quoted, values bound."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import entries, members, value

from weft_nodes.databases.building import Builder, Dialect, row_of, split_row, table_name
from weft_nodes.databases.running import (
    Build,
    Rows,
    name_in,
    query_text,
    run_as_one,
    run_statements,
)
from weft_nodes.databases.sql_text import Statement
from weft_nodes.oracle_database.connection import Connection, Out, connect

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_$#]{0,127}")
_SKIPPED: Final = r"'(?:[^']|'')*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)"
_MOST_LISTED: Final = 1000
"""Values of one IN list; Oracle takes no more."""


def quoted(name: str) -> str:
    """Oracle has no way to write a quotation mark in a name."""
    if not name or '"' in name or "\0" in name:
        raise NodeRunError(f"'{name}' can't be a name in Oracle")
    return f'"{name}"'


def _place(number: int) -> str:
    return f":{number}"


_DIALECT = Dialect(quoted, _place)


def _table(parameters: Mapping[str, Any]) -> str:
    schema = name_in(parameters, "schema", "")
    return f"{quoted(schema)}.{quoted(table_name(parameters))}" if schema else quoted(table_name(parameters))


def _insert(parameters: Mapping[str, Any], row: Mapping[str, Any]) -> Statement:
    build = Builder(_DIALECT)
    held = ", ".join(build.put(each) for each in row.values())
    return build.build(f"INSERT INTO {_table(parameters)} ({build.columns(list(row))}) VALUES ({held})")  # noqa: S608


def _update(parameters: Mapping[str, Any], row: Mapping[str, Any], match: Sequence[str]) -> Statement:
    found, others = split_row(row, match)
    if not others:
        raise NodeRunError("There is nothing to update: only the columns to match on have values")
    build = Builder(_DIALECT)
    setting = build.assignments(others)
    where = " AND ".join(f"{quoted(name)} = {build.put(held)}" for name, held in found.items())
    return build.build(f"UPDATE {_table(parameters)} SET {setting} WHERE {where}")  # noqa: S608


def _upsert(parameters: Mapping[str, Any], row: Mapping[str, Any], match: Sequence[str]) -> Statement:
    found, others = split_row(row, match)
    build = Builder(_DIALECT)
    given = ", ".join(f"{build.put(held)} AS {quoted(name)}" for name, held in row.items())
    same = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in found)
    setting = ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in others)
    update = f" WHEN MATCHED THEN UPDATE SET {setting}" if setting else ""
    new = ", ".join(f"s.{quoted(name)}" for name in row)
    return build.build(
        f"MERGE INTO {_table(parameters)} t USING (SELECT {given} FROM dual) s ON ({same}){update} "  # noqa: S608
        f"WHEN NOT MATCHED THEN INSERT ({build.columns(list(row))}) VALUES ({new})"
    )


def _select(parameters: Mapping[str, Any]) -> Statement:
    build = Builder(_DIALECT)
    chosen = [str(name) for name in members(parameters).get("outputColumns") or ["*"]]
    columns = ", ".join("*" if name == "*" else quoted(name) for name in chosen)
    rest = build.where(parameters) + build.order(parameters)
    if parameters.get("returnAll") is not True:
        most = value(parameters.get("limit", 50))
        if not isinstance(most, int | float) or most < 0:
            raise NodeRunError(f"The limit {most!r} is no number")
        rest += f" FETCH FIRST {int(most)} ROWS ONLY"
    return build.build(f"SELECT {columns} FROM {_table(parameters)}{rest}")  # noqa: S608


def _delete(parameters: Mapping[str, Any]) -> Statement:
    build = Builder(_DIALECT)
    table = _table(parameters)
    match parameters.get("deleteCommand", "truncate"):
        case "drop":
            return build.build(f"DROP TABLE {table}")
        case "delete":
            return build.build(f"DELETE FROM {table}{build.where(parameters)}")  # noqa: S608
        case _:
            return build.build(f"TRUNCATE TABLE {table}")


def _builder(ctx: RunContext) -> Build:
    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        operation = parameters.get("operation", "insert")
        if operation == "select":
            return [_select(parameters)]
        if operation == "deleteTable":
            return [_delete(parameters)]
        if members(parameters).get("outputColumns"):
            raise NodeRunError(
                "Columns of rows that were written are not given yet; leave the option empty",
                code="UNSUPPORTED",
            )
        row, match = row_of(ctx, index, parameters)
        if operation == "insert":
            return [_insert(parameters, row)]
        if operation not in {"update", "upsert"}:
            raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
        return [(_upsert if operation == "upsert" else _update)(parameters, row, match)]

    return build


def _held(entry: Mapping[str, Any], kind: str) -> Any:
    field = {
        "number": "valueNumber",
        "date": "valueDate",
        "boolean": "valueBoolean",
        "json": "valueJson",
    }.get(kind, "valueString")
    held = value(entry.get(field))
    return parse_json(held) if kind == "json" and isinstance(held, str) and held.strip() else held


def _binds(parameters: Mapping[str, Any], text: str) -> tuple[str, dict[str, Any]]:
    """The text, in which lists stand as so many values, and what stands at its names."""
    found: dict[str, Any] = {}
    options = members(parameters)
    size = options.get("stringOutBindMaxSize", 4000)
    for entry in entries(options, "params", "values"):
        name, kind = str(value(entry.get("name", ""))).lstrip(":"), str(entry.get("datatype", "string"))
        way = entry.get("bindDirection", "in")
        if not _NAME.fullmatch(name):
            raise NodeRunError(f"'{name}' can't be the name of a bind variable")
        if kind in {"vector", "sparse", "blob"}:
            raise NodeRunError(f"Bind variables of the type {kind} are not there yet", code="UNSUPPORTED")
        held = _held(entry, kind) if way != "out" else None
        if way != "in":
            most = int(size) if isinstance(size, int | float) and 0 < size <= 32_767 else 4000
            found[name] = Out(kind, most if kind == "string" else 0, held)
        elif entry.get("parseInStatement") is True:
            listed = held if isinstance(held, list) else [part.strip() for part in str(held).split(",")]
            if not 0 < len(listed) <= _MOST_LISTED:
                raise NodeRunError(f"'{name}' must have 1 to {_MOST_LISTED} values")
            names = [f"{name}_w{number}" for number in range(len(listed))]
            found.update(zip(names, listed, strict=True))
            text = _replaced(text, name, ", ".join(f":{each}" for each in names))
        else:
            found[name] = held
    return text, found


def _replaced(text: str, name: str, by: str) -> str:
    """Outside of quotes and comments."""
    wanted = re.compile(rf"(?P<skip>{_SKIPPED})|:{re.escape(name)}(?![\w$#])", re.DOTALL | re.IGNORECASE)
    return wanted.sub(lambda part: part[0] if part["skip"] else by, text)


async def _queried(ctx: RunContext, connection: Connection) -> list[Item]:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        text, binds = _binds(parameters, await query_text(ctx, index, parameters))
        rows = await connection.run(text, binds)
        return [made(row, index) for row in ([{"success": True}] if rows is None else rows)]

    return await map_items(ctx, handle)


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    operation = str(first.get("operation", "insert"))
    options = members(first)
    batching = options.get("stmtBatching", "independently" if operation == "deleteTable" else "single")
    async with connect(ctx, await ctx.credential("oracleDBApi"), options) as connection:
        if operation == "execute":
            return [await _queried(ctx, connection)]

        async def execute(statement: Statement) -> Rows | None:
            return await connection.execute(statement)

        if batching == "single" and operation != "select":
            return await run_as_one(ctx, _builder(ctx), execute, connection.transaction)
        batching = "independently" if operation == "select" else str(batching)
        return await run_statements(ctx, batching, _builder(ctx), execute, connection.transaction)

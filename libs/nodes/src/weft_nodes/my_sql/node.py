"""MySQL and MariaDB: queries and rows of tables. Names are quoted, values bound."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.values import members, names_in, value

from weft_nodes.databases.building import Builder, Dialect, row_of, split_row, table_name
from weft_nodes.databases.running import (
    Build,
    Execute,
    Rows,
    failure,
    nothing_to_undo,
    query_text,
    run_as_one,
    run_statements,
)
from weft_nodes.databases.sql_text import MYSQL, Statement, parameters_in, statements
from weft_nodes.my_sql.connection import Connection, connect
from weft_nodes.my_sql.values import Reading, as_number, stored

_PRIORITIES = {"LOW_PRIORITY", "HIGH_PRIORITY"}


def _plain(text: str) -> str:
    """The driver's own sign is `%`."""
    return text.replace("%", "%%")


def quoted(name: str) -> str:
    return "`" + _plain(name.replace("`", "``")) + "`"


def _qualified(name: str) -> str:
    """Of a table, perhaps with its database: `shop.orders`."""
    return ".".join(quoted(part.strip("`")) for part in name.split("."))


def _place(_: int) -> str:
    return "%s"


_DIALECT = Dialect(quoted, _place)


def _table(parameters: Mapping[str, Any]) -> str:
    return _qualified(table_name(parameters))


def _insert(
    parameters: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    *,
    ignore: bool = False,
    updated: Sequence[str] = (),
) -> Statement:
    """`updated`: the columns that are set where the first row is there already. A column that a row lacks gets its
    default."""
    made = Builder(_DIALECT)
    names = list(dict.fromkeys(name for row in rows for name in row))
    values = ", ".join(
        f"({', '.join(made.put(stored(row[name])) if name in row else 'DEFAULT' for name in names)})"
        for row in rows
    )
    priority = members(parameters).get("priority")
    how = (f" {priority}" if priority in _PRIORITIES else "") + (" IGNORE" if ignore else "")
    text = f"INSERT{how} INTO {_table(parameters)} ({made.columns(names)}) VALUES {values}"
    if updated:
        text += (
            f" ON DUPLICATE KEY UPDATE {made.assignments({name: stored(rows[0][name]) for name in updated})}"
        )
    return made.build(text)


def _upsert(parameters: Mapping[str, Any], row: Mapping[str, Any], match: Sequence[str]) -> Statement:
    return _insert(parameters, [row], updated=[name for name in row if name not in match] or list(row))


def _update(parameters: Mapping[str, Any], row: Mapping[str, Any], match: Sequence[str]) -> Statement:
    found, others = split_row(row, match)
    if not others:
        raise NodeRunError("There is nothing to update: only the columns to match on have values")
    made = Builder(_DIALECT)
    setting = made.assignments({name: stored(held) for name, held in others.items()})
    where = " AND ".join(f"{quoted(name)} = {made.put(stored(held))}" for name, held in found.items())
    return made.build(f"UPDATE {_table(parameters)} SET {setting} WHERE {where}")  # noqa: S608


def _select(parameters: Mapping[str, Any]) -> Statement:
    made = Builder(_DIALECT)
    options = members(parameters)
    chosen = [str(name) for name in options.get("outputColumns") or ["*"]]
    columns = ", ".join("*" if name == "*" else quoted(name) for name in chosen)
    distinct = "DISTINCT " if options.get("selectDistinct") is True else ""
    rest = made.where(parameters) + made.order(parameters) + made.limit(parameters)
    return made.build(f"SELECT {distinct}{columns} FROM {_table(parameters)}{rest}")  # noqa: S608


def _delete(parameters: Mapping[str, Any]) -> Statement:
    made = Builder(_DIALECT)
    table = _table(parameters)
    match parameters.get("deleteCommand", "truncate"):
        case "drop":
            return made.build(f"DROP TABLE IF EXISTS {table}")
        case "delete":
            return made.build(f"DELETE FROM {table}{made.where(parameters)}")  # noqa: S608
        case _:
            return made.build(f"TRUNCATE TABLE {table}")


def _query(text: str, given: Sequence[Any]) -> list[Statement]:
    return statements(text, given, syntax=MYSQL, place=_place, quote=_qualified, escape=_plain)


def _builder(ctx: RunContext) -> Build:
    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        options = members(parameters)
        operation = parameters.get("operation", "insert")
        if operation == "executeQuery":
            given = parameters_in(value(options.get("queryReplacement")))
            if options.get("replaceEmptyStrings") is True:
                given = [None if each == "" else each for each in given]
            if ctx.node.version >= 2.3:
                given = [as_number(each) for each in given]
            return _query(await query_text(ctx, index, parameters), given)
        if operation == "select":
            return [_select(parameters)]
        if operation == "deleteTable":
            return [_delete(parameters)]
        row, match = row_of(ctx, index, parameters)
        if operation == "insert":
            return [_insert(parameters, [row], ignore=options.get("skipOnConflict") is True)]
        if operation not in {"update", "upsert"}:
            raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
        if operation == "update":
            # no value to match on is NULL, which no row has, as in n8n
            return [_update(parameters, {**dict.fromkeys(match), **row}, match)]
        return [_upsert(parameters, row, match)]

    return build


def _first_version(ctx: RunContext) -> Build:
    """Columns are names of fields."""

    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        options = members(parameters)
        operation = parameters.get("operation", "insert")
        if operation == "executeQuery":
            given = parameters_in(value(options.get("queryReplacement")))
            return _query(await query_text(ctx, index, parameters), given)
        names = names_in(value(parameters.get("columns", "")))
        match = names_in(value(parameters.get("updateKey", "")))
        json = ctx.items[index]["json"]
        if operation == "update":
            return [
                _update(parameters, {name: json.get(name) for name in dict.fromkeys([*match, *names])}, match)
            ]
        rows = [{name: item["json"].get(name) for name in names} for item in ctx.items]
        return [_insert(parameters, rows, ignore=options.get("ignore") is True)] if index == 0 else []

    return build


def _inserted_at_once(ctx: RunContext) -> Build:
    """The rows of all items by one statement."""

    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        if index:
            return []
        rows = []
        for at, each in enumerate(await ctx.parameters()):
            try:
                rows.append(row_of(ctx, at, each)[0])
            except NodeRunError as error:
                error.item_index = at
                raise
        return [_insert(parameters, rows, ignore=members(parameters).get("skipOnConflict") is True)]

    return build


def _execute(connection: Connection, version: float, *, detailed: bool) -> Execute:
    """Before version 2.2 a query that finds nothing is as one that has no rows."""

    async def successful(statement: Statement) -> Rows | None:
        return await connection.execute(statement) or None

    if detailed:
        return connection.execute_detailed
    return successful if version < 2.2 else connection.execute


def _reading(version: float, options: Mapping[str, Any]) -> Reading:
    return Reading(
        moments=version < 2.1,
        decimals=options.get("decimalNumbers") is True,
        large_as_text=options.get("largeNumbersOutput") == "text",
        exact=version >= 2,
    )


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    options = members(first)
    version = ctx.node.version
    operation = first.get("operation", "insert")
    secret = await ctx.credential("mySql")
    async with connect(ctx, secret, options, _reading(version, options), headers=version < 2) as connection:
        if version < 2:
            if operation == "insert":
                return await run_as_one(ctx, _first_version(ctx), connection.execute, nothing_to_undo)
            return await run_statements(
                ctx, "independently", _first_version(ctx), connection.execute, connection.transaction
            )
        execute = _execute(connection, version, detailed=options.get("detailedOutput") is True)
        batching = str(options.get("queryBatching", "single"))
        if batching == "single":
            build = _inserted_at_once(ctx) if operation == "insert" else _builder(ctx)
            fail = partial(failure, ctx, all_of_them=True)
            return await run_as_one(ctx, build, execute, nothing_to_undo, fail)
        return await run_statements(ctx, batching, _builder(ctx), execute, connection.transaction)

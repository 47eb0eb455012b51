"""Postgres: queries and rows of tables. Names are quoted, values bound."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import members, names_in, to_text, value

from weft_nodes.databases.building import Builder, Dialect, row_of, split_row, table_name
from weft_nodes.databases.replacements import replacements
from weft_nodes.databases.running import (
    Build,
    Rows,
    failure,
    name_in,
    query_text,
    run_as_one,
    run_statements,
)
from weft_nodes.databases.sql_text import POSTGRES, Statement, statements
from weft_nodes.postgres.connection import connect
from weft_nodes.postgres.connection import identifier as quoted


def _place(number: int) -> str:
    return f"${number}"


_DIALECT = Dialect(quoted, _place)


def _literal(given: Any) -> str | None:
    """Numbers and booleans, which have a type of their own also where the server knows none for a parameter."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int | float) and math.isfinite(given):
        return f"({to_text(given)})" if given < 0 else str(to_text(given))
    return None


def _statements(text: str, given: Sequence[Any]) -> list[Statement]:
    return statements(text, given, syntax=POSTGRES, place=_place, quote=quoted, literal=_literal)


def _table(parameters: Mapping[str, Any]) -> str:
    return f"{quoted(name_in(parameters, 'schema', 'public'))}.{quoted(table_name(parameters))}"


def _returning(given: Any) -> str:
    names = names_in(value(given)) if given else []
    listed = ", ".join("*" if name == "*" else quoted(name) for name in names)
    return f" RETURNING {listed or '*'}"


def _insert(
    parameters: Mapping[str, Any], row: Mapping[str, Any], returning: str, more: str = ""
) -> Statement:
    made = Builder(_DIALECT)
    held = ", ".join(made.put(each) for each in row.values())
    return made.build(
        f"INSERT INTO {_table(parameters)} ({made.columns(list(row))}) VALUES ({held}){more}{returning}"  # noqa: S608
    )


def _upsert(
    parameters: Mapping[str, Any], row: Mapping[str, Any], match: list[str], returning: str
) -> Statement:
    _, others = split_row(row, match)
    setting = ", ".join(f"{quoted(name)} = EXCLUDED.{quoted(name)}" for name in others)
    found = ", ".join(map(quoted, match))
    action = f"DO UPDATE SET {setting}" if setting else "DO NOTHING"
    return _insert(parameters, row, returning, f" ON CONFLICT ({found}) {action}")


def _update(
    parameters: Mapping[str, Any], row: Mapping[str, Any], match: list[str], returning: str
) -> Statement:
    found, others = split_row(row, match)
    if not others:
        raise NodeRunError("There is nothing to update: only the columns to match on have values")
    made = Builder(_DIALECT)
    setting = made.assignments(others)
    where = " AND ".join(f"{quoted(name)} = {made.put(held)}" for name, held in found.items())
    return made.build(f"UPDATE {_table(parameters)} SET {setting} WHERE {where}{returning}")  # noqa: S608


def _select(parameters: Mapping[str, Any]) -> Statement:
    made = Builder(_DIALECT)
    chosen = [str(name) for name in members(parameters).get("outputColumns") or ["*"]]
    columns = ", ".join("*" if name == "*" else quoted(name) for name in chosen)
    rest = made.where(parameters) + made.order(parameters) + made.limit(parameters)
    return made.build(f"SELECT {columns} FROM {_table(parameters)}{rest}")  # noqa: S608


def _delete(parameters: Mapping[str, Any]) -> Statement:
    made = Builder(_DIALECT)
    table = _table(parameters)
    cascade = " CASCADE" if members(parameters).get("cascade") is True else ""
    match parameters.get("deleteCommand", "truncate"):
        case "drop":
            return made.build(f"DROP TABLE IF EXISTS {table}{cascade}")
        case "delete":
            return made.build(f"DELETE FROM {table}{made.where(parameters)}")  # noqa: S608
        case _:
            restart = " RESTART IDENTITY" if parameters.get("restartSequences") is True else ""
            return made.build(f"TRUNCATE TABLE {table}{restart}{cascade}")


def _builder(ctx: RunContext) -> Build:
    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        options = members(parameters)
        operation = parameters.get("operation", "insert")
        if operation == "executeQuery":
            values = await replacements(ctx, index, parameters, typed=ctx.node.version < 2.5)
            if options.get("replaceEmptyStrings") is True:
                values = [None if each == "" else each for each in values]
            return _statements(await query_text(ctx, index, parameters), values)
        if operation == "select":
            return [_select(parameters)]
        if operation == "deleteTable":
            return [_delete(parameters)]
        row, match = row_of(ctx, index, parameters)
        returning = _returning(options.get("outputColumns"))
        if operation == "insert":
            skip = " ON CONFLICT DO NOTHING" if options.get("skipOnConflict") is True else ""
            return [_insert(parameters, row, returning, skip)]
        if operation not in {"update", "upsert"}:
            raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
        return [(_upsert if operation == "upsert" else _update)(parameters, row, match, returning)]

    return build


def _first_version(ctx: RunContext) -> Build:
    """Columns are names of fields, `name:type` allowed."""

    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        json = ctx.items[index]["json"]
        more = members(parameters, "additionalFields")
        operation = parameters.get("operation", "insert")
        if operation == "executeQuery":
            found = [get(json, name) for name in names_in(value(more.get("queryParams", "")))]
            values = [None if each is MISSING else each for each in found]
            return _statements(await query_text(ctx, index, parameters), values)
        names = [name.partition(":")[0].strip() for name in names_in(value(parameters.get("columns", "")))]
        match = [name.partition(":")[0] for name in names_in(value(parameters.get("updateKey", "")))]
        wanted = [*names, *(name for name in match if operation == "update" and name not in names)]
        row = {name: json.get(name) for name in wanted}
        returning = _returning(parameters.get("returnFields", "*"))
        if operation == "update":
            return [_update(parameters, row, match, returning)]
        return [_insert(parameters, row, returning)]

    return build


def _outcome(version: float, operation: str, rows: Rows | None) -> Rows | None:
    """What becomes of a statement's rows; None is a success without any. Raises NodeRunError for an update of
    nothing."""
    if version < 2:
        return rows or []
    if operation == "update" and not rows:
        raise NodeRunError("The row that is to be updated does not exist")
    if operation in {"insert", "upsert"} or (operation == "executeQuery" and version < 2.3):
        return rows or None
    return rows


def _failed_beside_fields(ctx: RunContext, error: NodeRunError, index: int) -> Item:
    """Version 1 passes the item on; here its error is with it."""
    item = ctx.failed_item(error, index)
    return {**item, "json": {**ctx.items[index]["json"], **item["json"]}}


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    old = ctx.node.version < 2
    options = members(first, "additionalFields" if old else "options")
    batching = options.get("mode", "multiple") if old else options.get("queryBatching", "single")
    build = _first_version(ctx) if old else _builder(ctx)
    large = str(options.get("largeNumbersOutput", "text"))
    secret = await ctx.credential("postgres")
    operation = str(first.get("operation", "insert"))
    async with connect(ctx, secret, options, large, days=ctx.node.version >= 2.7) as connection:

        async def execute(statement: Statement) -> Rows | None:
            return _outcome(ctx.node.version, operation, await connection.run(statement))

        at_once = batching in {"single", "multiple"}
        fail = partial(_failed_beside_fields, ctx) if old else partial(failure, ctx, all_of_them=at_once)
        if at_once:
            return await run_as_one(ctx, build, execute, connection.transaction, fail)
        return await run_statements(ctx, str(batching), build, execute, connection.transaction, fail)

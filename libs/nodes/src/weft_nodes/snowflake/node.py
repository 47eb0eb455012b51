"""Snowflake: queries, rows of tables. Names that need no quotes are written without: Snowflake then finds them in
upper case, as it has stored them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.values import members, text_of, value

from weft_nodes.databases.rows_of_items import chunks, names, written
from weft_nodes.databases.running import Build, nothing_to_undo, query_text, run_statements
from weft_nodes.databases.sql_text import SNOWFLAKE, Statement, parameters_in, statements
from weft_nodes.snowflake.connection import Connection, by_secret, by_sign_in

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_PART: Final = re.compile(rf"{_QUOTED.pattern}|[^.]+")


def quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f'"{name.replace(chr(34), chr(34) * 2)}"'


def _table(parameters: Mapping[str, Any]) -> str:
    parts = _PART.findall(text_of(parameters.get("table")).strip())
    if not parts:
        raise NodeRunError("A table must be named", parameter=("table",))
    return ".".join(part if _QUOTED.fullmatch(part) else quoted(part) for part in parts)


def _query(ctx: RunContext) -> Build:
    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        text = await query_text(ctx, index, parameters)
        given = parameters_in(value(members(parameters).get("queryReplacement")))
        if not given:
            return [Statement(text, [])]
        return statements(text, given, syntax=SNOWFLAKE, place=lambda _: "?", quote=quoted)

    return build


def _update(ctx: RunContext) -> Build:
    async def build(index: int, parameters: dict[str, Any]) -> list[Statement]:
        json = ctx.items[index]["json"]
        key = text_of(parameters.get("updateKey", "id")).strip()
        columns = [name for name in names(parameters, "columns") if name != key]
        if not columns or key not in json:
            raise NodeRunError(f"The item has no '{key}' to find its row by, or there is nothing to set")
        setting = ", ".join(f"{quoted(name)} = ?" for name in columns)
        values = [*(json.get(name) for name in columns), json[key]]
        text = f"UPDATE {_table(parameters)} SET {setting} WHERE {quoted(key)} = ?"  # noqa: S608
        return [Statement(text, values)]

    return build


async def _inserted(ctx: RunContext, connection: Connection) -> list[Item]:
    parameters = await ctx.parameters_for(0)
    table, columns = _table(parameters), names(parameters, "columns")
    rows = [{name: item["json"].get(name) for name in columns} for item in ctx.items]
    place = f"({', '.join('?' for _ in columns)})"

    async def write(indices: range) -> None:
        text = (
            f"INSERT INTO {table} ({', '.join(map(quoted, columns))}) "  # noqa: S608
            f"VALUES {', '.join(place for _ in indices)}"
        )
        values = [held for index in indices for held in rows[index].values()]
        await connection.execute(Statement(text, values))

    return await written(ctx, rows, chunks(rows, len(columns), most_values=10_000, most_rows=1000), write)


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    if first.get("authentication", "credentials") == "oAuth2":
        connection = await by_sign_in(ctx)
    else:
        connection = await by_secret(ctx, await ctx.credential("snowflake"), ctx)
    match first.get("operation", "insert"):
        case "insert":
            return [await _inserted(ctx, connection)]
        case "executeQuery":
            build = _query(ctx)
        case "update":
            build = _update(ctx)
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
    return await run_statements(ctx, "independently", build, connection.execute, nothing_to_undo)

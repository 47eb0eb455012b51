"""Schemas, tables and columns of the database that a node is connected to."""

from typing import Any

from weft_node_sdk.options import Choice, Choices, FieldType, LoadContext, Loaders, fixed, offset, paged

from weft_nodes.databases.choices import STANDARD, after_all, page_of
from weft_nodes.oracle_database.connection import connect

_TYPES: dict[str, FieldType] = {
    "NUMBER": "number",
    "FLOAT": "number",
    "BINARY_FLOAT": "number",
    "BINARY_DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "dateTime",
    "JSON": "object",
}
_LIKE = r"LIKE UPPER(:1) ESCAPE '\'"
_SCHEMAS = f"SELECT DISTINCT owner AS name FROM all_tables WHERE UPPER(owner) {_LIKE} ORDER BY 1"  # noqa: S608
_TABLES = (
    "SELECT object_name AS name FROM all_objects WHERE object_type IN ('TABLE', 'VIEW') "  # noqa: S608
    f"AND UPPER(object_name) {_LIKE} AND owner = :2 ORDER BY 1"
)
_COLUMNS = (
    "SELECT column_name AS name, data_type AS kind, nullable AS empty, data_default AS given "  # noqa: S608
    f"FROM all_tab_columns WHERE UPPER(column_name) {_LIKE} AND owner = :2 AND table_name = :3 ORDER BY column_id"
)


async def _rows(ctx: LoadContext, text: str, *values: str) -> list[dict[str, Any]]:
    async with connect(ctx, await ctx.credential("oracleDBApi"), {}) as connection:
        return await connection.execute(page_of(ctx, text, *values, page=STANDARD)) or []


async def schemas(ctx: LoadContext) -> Choices:
    rows = await _rows(ctx, _SCHEMAS)
    return paged([Choice(row["NAME"], row["NAME"]) for row in rows], offset(ctx))


async def tables(ctx: LoadContext) -> Choices:
    schema = fixed(ctx, "schema")
    rows = await _rows(ctx, _TABLES, schema) if schema else []
    return paged([Choice(row["NAME"], row["NAME"]) for row in rows], offset(ctx))


async def columns(ctx: LoadContext) -> Choices:
    """Of the chosen table, in its order; none while no table is chosen."""
    schema, table = fixed(ctx, "schema"), fixed(ctx, "table")
    rows = await _rows(ctx, _COLUMNS, schema, table) if schema and table else []
    found = [
        Choice(
            row["NAME"],
            row["NAME"],
            description=row["KIND"],
            type="dateTime" if row["KIND"].startswith("TIMESTAMP") else _TYPES.get(row["KIND"], "string"),
            required=row["EMPTY"] == "N" and not row["GIVEN"],
            match=True,
        )
        for row in rows
    ]
    return paged(found, offset(ctx))


LOADERS: Loaders = {
    "schema": schemas,
    "table": tables,
    "column": columns,
    "columns": columns,
    "outputColumns": after_all(columns),
}

"""Tables and columns of the database that a node is connected to."""

from typing import Any

from weft_node_sdk.options import Choice, Choices, FieldType, LoadContext, Loaders, fixed, offset, paged

from weft_nodes.databases.choices import after_all, page_of
from weft_nodes.my_sql.connection import connect
from weft_nodes.my_sql.values import Reading

_TABLES = """SELECT table_name AS name FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name LIKE %s ORDER BY 1"""
_COLUMNS = """SELECT column_name AS name, data_type AS kind, column_key IN ('PRI', 'UNI') AS found,
is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%%auto_increment%%' AS required
FROM information_schema.columns WHERE column_name LIKE %s AND table_name = %s
AND table_schema = COALESCE(NULLIF(%s, ''), DATABASE()) ORDER BY ordinal_position"""
_TYPES: dict[str, FieldType] = {
    **dict.fromkeys(
        ("tinyint", "smallint", "mediumint", "int", "bigint", "float", "double", "decimal", "year"), "number"
    ),
    **dict.fromkeys(("date", "datetime", "timestamp"), "dateTime"),
    "json": "object",
}


async def _rows(ctx: LoadContext, text: str, *values: str) -> list[dict[str, Any]]:
    secret = await ctx.credential("mySql")
    async with connect(ctx, secret, {"connectionTimeoutMillis": 8}, Reading()) as connection:
        return await connection.execute(page_of(ctx, text, *values)) or []


async def tables(ctx: LoadContext) -> Choices:
    rows = await _rows(ctx, _TABLES)
    return paged([Choice(row["name"], row["name"]) for row in rows], offset(ctx))


async def columns(ctx: LoadContext) -> Choices:
    """Of the chosen table, in its order; none while no table is chosen."""
    database, _, table = fixed(ctx, "table").replace("`", "").rpartition(".")
    rows = await _rows(ctx, _COLUMNS, table, database) if table else []
    found = [
        Choice(
            row["name"],
            row["name"],
            description=row["kind"],
            type=_TYPES.get(row["kind"], "string"),
            required=bool(row["required"]),
            match=bool(row["found"]),
        )
        for row in rows
    ]
    return paged(found, offset(ctx))


LOADERS: Loaders = {
    "table": tables,
    "column": columns,
    "columnToMatchOn": columns,
    "outputColumns": after_all(columns),
}

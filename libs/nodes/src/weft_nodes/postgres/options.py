"""Schemas, tables and columns of the database that a node is connected to."""

from typing import Any

from weft_node_sdk.options import Choice, Choices, FieldType, LoadContext, Loaders, fixed, offset, paged

from weft_nodes.databases.choices import after_all, page_of
from weft_nodes.postgres.connection import connect

_TYPES: dict[str, FieldType] = {"N": "number", "B": "boolean", "D": "dateTime", "A": "array"}
"""By PostgreSQL's type categories."""
_OBJECTS = {"json", "jsonb", "hstore"}

_SCHEMAS = """SELECT nspname AS name FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'USAGE')
AND nspname ILIKE $1 ORDER BY 1"""
_TABLES = """SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = $2 AND c.relname ILIKE $1 ORDER BY 1"""
_COLUMNS = """SELECT a.attname AS name, t.typname AS kind, t.typcategory::text AS category,
a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1
AND i.indpred IS NULL AND i.indkey[0] = a.attnum) AS match
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = $2 AND c.relname = $3 AND a.attname ILIKE $1
ORDER BY a.attnum"""


async def _rows(ctx: LoadContext, text: str, *values: str) -> list[dict[str, Any]]:
    secret = await ctx.credential("postgres")
    async with connect(ctx, secret, {"connectionTimeout": 8}, "text") as connection:
        return await connection.execute(page_of(ctx, text, *values))


async def schemas(ctx: LoadContext) -> Choices:
    rows = await _rows(ctx, _SCHEMAS)
    return paged([Choice(row["name"], row["name"]) for row in rows], offset(ctx))


async def tables(ctx: LoadContext) -> Choices:
    rows = await _rows(ctx, _TABLES, fixed(ctx, "schema", "public"))
    return paged([Choice(row["name"], row["name"]) for row in rows], offset(ctx))


async def columns(ctx: LoadContext) -> Choices:
    """Of the chosen table, in its order; none while no table is chosen."""
    table = fixed(ctx, "table")
    rows = await _rows(ctx, _COLUMNS, fixed(ctx, "schema", "public"), table) if table else []
    found = [
        Choice(
            row["name"],
            row["name"],
            description=row["kind"],
            type="object" if row["kind"] in _OBJECTS else _TYPES.get(row["category"], "string"),
            required=row["required"],
            match=row["match"],
        )
        for row in rows
    ]
    return paged(found, offset(ctx))


LOADERS: Loaders = {
    "schema": schemas,
    "table": tables,
    "column": columns,
    "columns": columns,
    "columnToMatchOn": columns,
    "outputColumns": after_all(columns),
}

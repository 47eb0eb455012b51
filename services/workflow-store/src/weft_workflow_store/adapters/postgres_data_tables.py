"""Data tables in PostgreSQL: a row is one object; its table's row is locked while rows come and go."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import AuditRecorded
from weft_kit.identity.access import AccessPolicy
from weft_kit.items import loads_js
from weft_kit.rpc import current

from weft_workflow_store.adapters.postgres import Store, Transaction
from weft_workflow_store.domain.data_table import (
    AT_ONCE,
    MAX_ROWS,
    Column,
    Condition,
    DataTable,
    Filter,
    checked_columns,
    checked_row,
    shown,
)
from weft_workflow_store.domain.secrets import check_name

Rows = list[dict[str, Any]]
_SORTS: Final = {"name": "lower(name)", "created_at": "created_at", "updated_at": "updated_at"}
_PAGE_BYTES: Final = 8 << 20
_ANSWER_BYTES: Final = 32 << 20
_PREFETCH: Final = 100
"""Rows that come at a time, where many may."""


@dataclass(frozen=True)
class Key:
    project_id: str
    id: str
    name: str


@dataclass(frozen=True)
class Selection:
    """Which rows; without conditions all."""

    conditions: Sequence[Condition]
    any_of: bool


class _Undone(Exception):
    """Rolls back what only was to be seen."""


def _table(row: Any) -> DataTable:
    columns = tuple(Column(**each) for each in orjson.loads(row["columns"]))
    return DataTable(
        row["id"],
        row["project_id"],
        row["name"],
        columns,
        row["row_count"],
        row["created_at"],
        row["updated_at"],
    )


class DataTables:
    """Where there is a caller their role decides; other services name the project that they act for."""

    def __init__(self, store: Store, policy: AccessPolicy, most_rows: int) -> None:
        """`most_rows`: of all tables of a project."""
        self._store = store
        self._policy = policy
        self._most_rows = most_rows

    # --- tables -----------------------------------------------------------------------------------------

    async def page(
        self, project_id: str, search: str, sort: str, limit: int, offset: int
    ) -> tuple[list[DataTable], int]:
        project_id = await self._allowed(project_id, "read")
        where = "project_id = $1 AND ($2 = '' OR position(lower($2) in lower(name)) > 0)"
        column = _SORTS.get(sort.lstrip("-"), "lower(name)")
        down = "DESC" if sort.startswith("-") else ""
        async with self._store.transaction() as tx:
            total = await tx.connection.fetchval(
                f"SELECT count(*) FROM workflow_store.data_tables WHERE {where}",  # noqa: S608
                project_id,
                search,
            )
            rows = await tx.connection.fetch(
                f"SELECT * FROM workflow_store.data_tables WHERE {where} "  # noqa: S608
                f"ORDER BY {column} {down}, id LIMIT {limit} OFFSET {offset}",
                project_id,
                search,
            )
        return [_table(row) for row in rows], int(total)

    async def get(self, key: Key) -> DataTable:
        """Raises NOT_FOUND."""
        async with self._open(key, "read") as (_, table):
            return table

    async def create(
        self, project_id: str, name: str, columns: Sequence[Column], *, or_get: bool
    ) -> DataTable:
        """Raises VALIDATION_ERROR, CONFLICT."""
        project_id = await self._allowed(project_id, "create")
        name, columns = check_name("name", name.strip()), checked_columns(columns)
        table_id = new_id()
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "INSERT INTO workflow_store.data_tables (id, project_id, name, columns) VALUES ($1,$2,$3,$4) "
                "ON CONFLICT (project_id, name) DO NOTHING RETURNING *",
                table_id,
                project_id,
                name,
                _written(columns),
            )
            if row is not None:
                await self._tell(tx, "created", _table(row))
            elif or_get:
                row = await tx.connection.fetchrow(
                    "SELECT * FROM workflow_store.data_tables WHERE project_id = $1 AND name = $2",
                    project_id,
                    name,
                )
        if row is None:
            raise _taken(name)
        return _table(row)

    async def rename(self, key: Key, name: str) -> DataTable:
        """Raises VALIDATION_ERROR, NOT_FOUND, CONFLICT."""
        name = check_name("name", name.strip())
        async with self._open(key, "update", lock=True) as (tx, table):
            try:
                return await self._changed(tx, table, "name", name)
            except asyncpg.UniqueViolationError:
                raise _taken(name) from None

    async def delete(self, key: Key) -> DataTable:
        """Raises NOT_FOUND."""
        async with self._open(key, "delete", lock=True) as (tx, table):
            await tx.connection.execute("DELETE FROM workflow_store.data_tables WHERE id = $1", table.id)
            await self._tell(tx, "deleted", table)
        return table

    async def add_column(self, key: Key, column: Column) -> DataTable:
        """Raises VALIDATION_ERROR, NOT_FOUND."""
        async with self._open(key, "update", lock=True) as (tx, table):
            columns = checked_columns([*table.columns, column])
            return await self._changed(tx, table, "columns", _written(columns))

    async def rename_column(self, key: Key, name: str, new_name: str) -> DataTable:
        """Raises VALIDATION_ERROR, NOT_FOUND."""
        async with self._open(key, "update", lock=True) as (tx, table):
            self._own(table, name)
            columns = checked_columns(
                [Column(new_name, each.type) if each.name == name else each for each in table.columns]
            )
            await tx.connection.execute(
                "UPDATE workflow_store.data_table_rows "
                "SET data = (data - $2::text) || jsonb_build_object($3::text, data->$2::text) "
                "WHERE table_id = $1 AND data ? $2",
                table.id,
                name,
                new_name,
            )
            return await self._changed(tx, table, "columns", _written(columns))

    async def delete_column(self, key: Key, name: str) -> DataTable:
        """Raises NOT_FOUND."""
        async with self._open(key, "update", lock=True) as (tx, table):
            self._own(table, name)
            await tx.connection.execute(
                "UPDATE workflow_store.data_table_rows SET data = data - $2::text WHERE table_id = $1 AND data ? $2",
                table.id,
                name,
            )
            left = tuple(each for each in table.columns if each.name != name)
            return await self._changed(tx, table, "columns", _written(left))

    # --- rows -------------------------------------------------------------------------------------------

    async def rows(
        self,
        key: Key,
        selection: Selection,
        order_by: str,
        *,
        descending: bool,
        limit: int,
        offset: int,
        after_id: int,
    ) -> tuple[Rows, int]:
        """One page, shorter where rows are large, and how many fit after `after_id`. Raises NOT_FOUND,
        VALIDATION_ERROR."""
        async with self._open(key, "read") as (tx, table):
            found = Filter(table, 3)
            where = found.where(selection.conditions, any_of=selection.any_of)
            order = "id" if not order_by else found.column(order_by)[0]
            down = "DESC" if descending else "ASC"
            total = await tx.connection.fetchval(
                "SELECT count(*) FROM workflow_store.data_table_rows "  # noqa: S608
                f"WHERE table_id = $1 AND id > $2 AND {where}",
                table.id,
                after_id,
                *found.values,
            )
            given: Rows = []
            size = 0
            cursor = tx.connection.cursor(
                "SELECT * FROM workflow_store.data_table_rows "  # noqa: S608
                f"WHERE table_id = $1 AND id > $2 AND {where} "
                f"ORDER BY {order} {down} NULLS LAST, id LIMIT {min(max(limit, 1), AT_ONCE)} OFFSET {max(offset, 0)}",
                table.id,
                after_id,
                *found.values,
            )
            async for row in cursor:
                given.append(_row(table, row))
                size += len(row["data"])
                if size > _PAGE_BYTES:
                    break
            return given, int(total)

    async def insert(self, key: Key, rows: bytes) -> Rows:
        """Raises NOT_FOUND, VALIDATION_ERROR, TOO_LARGE."""
        given = loads_js(rows)
        if not isinstance(given, list) or len(given) > AT_ONCE:
            raise WeftError(
                ErrorCode.VALIDATION_ERROR, f"At most {AT_ONCE} rows are taken at once, as a list."
            )
        async with self._open(key, "update", lock=True) as (tx, table):
            return await self._insert(tx, table, [checked_row(table, each) for each in given])

    async def update(
        self, key: Key, selection: Selection, values: bytes, *, or_insert: bool, dry_run: bool
    ) -> tuple[Rows, Rows, bool]:
        """The rows as they are now, as they were (of a dry run), and whether one was made. Raises NOT_FOUND,
        VALIDATION_ERROR, TOO_LARGE."""
        before: Rows = []
        after: Rows = []
        inserted = False
        try:
            async with self._open(key, "update", lock=True) as (tx, table):
                row = checked_row(table, loads_js(values))
                if not row:
                    raise WeftError(
                        ErrorCode.VALIDATION_ERROR, "There is nothing to write: no column has a value."
                    )
                if dry_run:
                    before = await self._selected(tx, table, selection)
                found = Filter(table, 3)
                after = await _bounded(
                    tx,
                    table,
                    "UPDATE workflow_store.data_table_rows SET data = data || $2::jsonb, updated_at = now() "  # noqa: S608
                    f"WHERE table_id = $1 AND {found.where(selection.conditions, any_of=selection.any_of)} RETURNING *",
                    orjson.dumps(row).decode(),
                    *found.values,
                )
                if not after and or_insert:
                    after, inserted = await self._insert(tx, table, [row]), True
                if dry_run:
                    raise _Undone
        except _Undone:
            pass
        return after, before, inserted

    async def remove(
        self, key: Key, selection: Selection, *, dry_run: bool, count_only: bool
    ) -> tuple[Rows, int]:
        """The rows that are gone, and their number. Raises NOT_FOUND, VALIDATION_ERROR."""
        if not selection.conditions and not count_only:
            raise WeftError(ErrorCode.VALIDATION_ERROR, "Rows are deleted by at least one condition.")
        async with self._open(key, "update", lock=True) as (tx, table):
            if dry_run:
                rows = await self._selected(tx, table, selection)
                return rows, len(rows)
            found = Filter(table, 2)
            where = found.where(selection.conditions, any_of=selection.any_of)
            query = f"DELETE FROM workflow_store.data_table_rows WHERE table_id = $1 AND {where}"  # noqa: S608
            gone: Rows = []
            if count_only:
                count = int((await tx.connection.execute(query, table.id, *found.values)).split()[-1])
            else:
                gone = await _bounded(tx, table, f"{query} RETURNING *", *found.values)
                count = len(gone)
            await tx.connection.execute(
                "UPDATE workflow_store.data_tables SET row_count = row_count - $2 WHERE id = $1",
                table.id,
                count,
            )
            return gone, count

    # --- inside -----------------------------------------------------------------------------------------

    async def _allowed(self, project_id: str, verb: str) -> str:
        who = current.get()
        if who is None or not who.user_id:
            if not project_id:
                raise WeftError(ErrorCode.UNAUTHENTICATED, "Nobody is named for whom that is done.")
            return project_id
        project_id = project_id or await self._policy.default_project()
        await self._policy.require(project_id, f"data_table:{verb}")
        return project_id

    @asynccontextmanager
    async def _open(
        self, key: Key, verb: str, *, lock: bool = False
    ) -> AsyncIterator[tuple[Transaction, DataTable]]:
        who = current.get()
        anywhere = bool(key.id and not key.project_id and who is not None and who.user_id)
        mine = (
            await self._policy.projects(f"data_table:{verb}")
            if anywhere
            else [await self._allowed(key.project_id, verb)]
        )
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "SELECT * FROM workflow_store.data_tables WHERE project_id = ANY($1) "  # noqa: S608
                f"AND {'id' if key.id else 'name'} = $2 {'FOR UPDATE' if lock else ''}",
                mine,
                key.id or key.name,
            )
            if row is None:
                text = f"There is no data table '{key.id or key.name}'."
                raise WeftError(ErrorCode.NOT_FOUND, text, id=key.id or key.name)
            if anywhere:
                await self._allowed(row["project_id"], verb)
            yield tx, _table(row)

    @staticmethod
    def _own(table: DataTable, name: str) -> None:
        if all(each.name != name for each in table.columns):
            raise WeftError(ErrorCode.NOT_FOUND, f"The table has no column '{name}' of its own.", name=name)

    async def _changed(self, tx: Transaction, table: DataTable, column: str, value: str) -> DataTable:
        row = await tx.connection.fetchrow(
            f"UPDATE workflow_store.data_tables SET {column} = $2, updated_at = now() "  # noqa: S608
            "WHERE id = $1 RETURNING *",
            table.id,
            value,
        )
        await self._tell(tx, "updated", table)
        return _table(row)

    async def _insert(self, tx: Transaction, table: DataTable, rows: Rows) -> Rows:
        """Raises TOO_LARGE. What is inserted into two tables of a project at the same moment may go over its limit."""
        if table.row_count + len(rows) > MAX_ROWS:
            raise WeftError(ErrorCode.TOO_LARGE, f"A table has at most {MAX_ROWS} rows.")
        held = await tx.connection.fetchval(
            "SELECT sum(row_count) FROM workflow_store.data_tables WHERE project_id = $1", table.project_id
        )
        if held + len(rows) > self._most_rows:
            message = f"The data tables of a project have at most {self._most_rows} rows (WEFT_MAX_DATA_TABLE_ROWS)."
            raise WeftError(ErrorCode.TOO_LARGE, message, limit=self._most_rows)
        first = await tx.connection.fetchval(
            "UPDATE workflow_store.data_tables SET next_row = next_row + $2, row_count = row_count + $2 "
            "WHERE id = $1 RETURNING next_row - $2",
            table.id,
            len(rows),
        )
        return await _bounded(
            tx,
            table,
            "INSERT INTO workflow_store.data_table_rows (table_id, id, data) "
            "SELECT $1, $2::bigint + number - 1, data FROM unnest($3::jsonb[]) WITH ORDINALITY AS given (data, number) "
            "RETURNING *",
            first,
            [orjson.dumps(row).decode() for row in rows],
        )

    @staticmethod
    async def _selected(tx: Transaction, table: DataTable, selection: Selection) -> Rows:
        found = Filter(table, 2)
        where = found.where(selection.conditions, any_of=selection.any_of)
        return await _bounded(
            tx,
            table,
            f"SELECT * FROM workflow_store.data_table_rows WHERE table_id = $1 AND {where}",  # noqa: S608
            *found.values,
        )

    @staticmethod
    async def _tell(tx: Transaction, action: str, table: DataTable) -> None:
        who = current.get()
        by = who.user_id if who else ""
        await tx.audit(AuditRecorded(by, f"data_table.{action}", "data_table", table.id, table.project_id))


def _written(columns: Sequence[Column]) -> str:
    return orjson.dumps([{"name": each.name, "type": each.type} for each in columns]).decode()


def _row(table: DataTable, row: Any) -> dict[str, Any]:
    return shown(table, row["id"], orjson.loads(row["data"]), row["created_at"], row["updated_at"])


async def _bounded(tx: Transaction, table: DataTable, query: str, *values: Any) -> Rows:
    """What a query gives for `$1`, the table, and the values, by id. Raises TOO_LARGE where no answer can take them,
    before they fill the memory."""
    # every row shows every column
    width = sum(len(column.name) + len('"":null,') for column in table.columns)
    rows: Rows = []
    size = 0
    async for row in tx.connection.cursor(query, table.id, *values, prefetch=_PREFETCH):
        size += len(row["data"]) + width
        if size > _ANSWER_BYTES:
            raise WeftError(ErrorCode.TOO_LARGE, "Too many rows are changed at once; narrow the conditions.")
        rows.append(_row(table, row))
    return sorted(rows, key=lambda each: int(each["id"]))


def _taken(name: str) -> WeftError:
    return WeftError(ErrorCode.CONFLICT, f"There is a data table '{name}' already.", name=name)

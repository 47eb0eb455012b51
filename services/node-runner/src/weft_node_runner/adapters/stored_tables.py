"""Data tables, kept by the workflow store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_contracts.rpc.workflow_store import DataTables as Store
from weft_kit.items import dumps_js, loads_js
from weft_kit.rpc import current
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.data_tables import AT_ONCE, Row, RowFilter, TableKey

_OURS = frozenset({ErrorCode.NOT_FOUND, ErrorCode.VALIDATION_ERROR, ErrorCode.CONFLICT, ErrorCode.TOO_LARGE})


@contextmanager
def _said() -> Iterator[None]:
    """The workflow asks, for its project: not whoever happened to start it, whose role may be another."""
    token = current.set(None)
    try:
        yield
    except WeftError as error:
        if error.code not in _OURS:
            raise
        raise NodeRunError(error.message, code=error.code.value) from None
    finally:
        current.reset(token)


def _filter(given: RowFilter) -> pb.RowFilter:
    conditions = [
        pb.RowCondition(column=each.column, condition=each.condition, value=dumps_js(each.value))
        for each in given.conditions
    ]
    return pb.RowFilter(conditions=conditions, any=given.any_of)


def _time(stamp: Timestamp) -> str:
    return stamp.ToDatetime().isoformat(timespec="milliseconds") + "Z"


def _table(found: pb.DataTable) -> dict[str, Any]:
    return {
        "id": found.id,
        "project_id": found.project_id,
        "name": found.name,
        "columns": [{"name": each.name, "type": each.type} for each in found.columns],
        "row_count": found.row_count,
        "created_at": _time(found.created_at),
        "updated_at": _time(found.updated_at),
    }


class StoredTables:
    """Implements DataTables for one project."""

    def __init__(self, store: Store, project_id: str) -> None:
        self._store = store
        self._project_id = project_id

    def _key(self, table: TableKey) -> pb.DataTableKey:
        return pb.DataTableKey(project_id=self._project_id, id=table.id, name=table.name)

    async def page(
        self, *, search: str = "", sort: str = "name", page: int = 1, limit: int = 100
    ) -> tuple[list[dict[str, Any]], int]:
        call = pb.ListDataTablesRequest(
            project_id=self._project_id, search=search, sort=sort, page=page, limit=limit
        )
        with _said():
            found = await self._store.List(call)
        return [_table(each) for each in found.tables], found.total

    async def get(self, table: TableKey) -> dict[str, Any]:
        with _said():
            return _table((await self._store.Get(pb.GetDataTableRequest(table=self._key(table)))).table)

    async def create(
        self, name: str, columns: Sequence[tuple[str, str]], *, or_get: bool = False
    ) -> dict[str, Any]:
        call = pb.CreateDataTableRequest(
            project_id=self._project_id,
            name=name,
            columns=[pb.DataColumn(name=each, type=kind) for each, kind in columns],
            or_get=or_get,
        )
        with _said():
            return _table((await self._store.Create(call)).table)

    async def rename(self, table: TableKey, name: str) -> dict[str, Any]:
        call = pb.RenameDataTableRequest(table=self._key(table), name=name)
        with _said():
            return _table((await self._store.Rename(call)).table)

    async def delete(self, table: TableKey) -> None:
        with _said():
            await self._store.Delete(pb.DeleteDataTableRequest(table=self._key(table)))

    async def rows(
        self,
        table: TableKey,
        found_by: RowFilter,
        *,
        order_by: str = "",
        descending: bool = False,
        limit: int = AT_ONCE,
        offset: int = 0,
        after_id: int = 0,
    ) -> tuple[list[Row], int]:
        call = pb.ReadRowsRequest(
            table=self._key(table),
            filter=_filter(found_by),
            order_by=order_by,
            descending=descending,
            limit=limit,
            offset=offset,
            after_id=after_id,
        )
        with _said():
            found = await self._store.ReadRows(call)
        return loads_js(found.rows), found.total

    async def insert(self, table: TableKey, rows: Sequence[Row]) -> list[Row]:
        call = pb.InsertRowsRequest(table=self._key(table), rows=dumps_js(list(rows)))
        with _said():
            made: list[Row] = loads_js((await self._store.InsertRows(call)).rows)
        return made

    async def update(
        self,
        table: TableKey,
        found_by: RowFilter,
        values: Row,
        *,
        or_insert: bool = False,
        dry_run: bool = False,
    ) -> tuple[list[Row], list[Row], bool]:
        call = pb.UpdateRowsRequest(
            table=self._key(table),
            filter=_filter(found_by),
            values=dumps_js(values),
            or_insert=or_insert,
            dry_run=dry_run,
        )
        with _said():
            found = await self._store.UpdateRows(call)
        return loads_js(found.rows), loads_js(found.before), found.inserted

    async def remove(
        self, table: TableKey, found_by: RowFilter, *, dry_run: bool = False, count_only: bool = False
    ) -> tuple[list[Row], int]:
        call = pb.DeleteRowsRequest(
            table=self._key(table), filter=_filter(found_by), dry_run=dry_run, count_only=count_only
        )
        with _said():
            found = await self._store.DeleteRows(call)
        return loads_js(found.rows), found.count

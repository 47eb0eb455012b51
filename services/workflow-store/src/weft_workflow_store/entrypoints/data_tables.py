"""`DataTables`."""

from collections.abc import Sequence
from typing import Any

from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.items import dumps_js, loads_js

from weft_workflow_store.adapters.postgres_data_tables import DataTables, Key, Selection
from weft_workflow_store.domain.data_table import Column, Condition, DataTable


def _key(key: pb.DataTableKey) -> Key:
    return Key(key.project_id, key.id, key.name)


def _selection(given: pb.RowFilter) -> Selection:
    conditions = [
        Condition(each.column, each.condition, loads_js(each.value) if each.value else None)
        for each in given.conditions
    ]
    return Selection(conditions, given.any)


def _columns(given: Sequence[pb.DataColumn]) -> list[Column]:
    return [Column(each.name, each.type) for each in given]


def _table(table: DataTable) -> pb.DataTable:
    made = pb.DataTable(
        id=table.id,
        project_id=table.project_id,
        name=table.name,
        columns=[pb.DataColumn(name=each.name, type=each.type) for each in table.columns],
        row_count=table.row_count,
    )
    made.created_at.FromDatetime(table.created_at)
    made.updated_at.FromDatetime(table.updated_at)
    return made


class DataTablesServicer:
    def __init__(self, tables: DataTables) -> None:
        self._tables = tables

    async def List(self, request: pb.ListDataTablesRequest) -> pb.ListDataTablesResponse:
        limit = min(max(request.limit, 1), 250) if request.limit else 50
        found, total = await self._tables.page(
            request.project_id, request.search, request.sort, limit, (max(request.page, 1) - 1) * limit
        )
        return pb.ListDataTablesResponse(tables=[_table(each) for each in found], total=total)

    async def Get(self, request: pb.GetDataTableRequest) -> pb.GetDataTableResponse:
        return pb.GetDataTableResponse(table=_table(await self._tables.get(_key(request.table))))

    async def Create(self, request: pb.CreateDataTableRequest) -> pb.CreateDataTableResponse:
        made = await self._tables.create(
            request.project_id, request.name, _columns(request.columns), or_get=request.or_get
        )
        return pb.CreateDataTableResponse(table=_table(made))

    async def Rename(self, request: pb.RenameDataTableRequest) -> pb.RenameDataTableResponse:
        made = await self._tables.rename(_key(request.table), request.name)
        return pb.RenameDataTableResponse(table=_table(made))

    async def Delete(self, request: pb.DeleteDataTableRequest) -> pb.DeleteDataTableResponse:
        return pb.DeleteDataTableResponse(table=_table(await self._tables.delete(_key(request.table))))

    async def AddColumn(self, request: pb.AddDataColumnRequest) -> pb.AddDataColumnResponse:
        (column,) = _columns([request.column])
        made = await self._tables.add_column(_key(request.table), column)
        return pb.AddDataColumnResponse(table=_table(made))

    async def RenameColumn(self, request: pb.RenameDataColumnRequest) -> pb.RenameDataColumnResponse:
        made = await self._tables.rename_column(_key(request.table), request.name, request.new_name)
        return pb.RenameDataColumnResponse(table=_table(made))

    async def DeleteColumn(self, request: pb.DeleteDataColumnRequest) -> pb.DeleteDataColumnResponse:
        made = await self._tables.delete_column(_key(request.table), request.name)
        return pb.DeleteDataColumnResponse(table=_table(made))

    async def ReadRows(self, request: pb.ReadRowsRequest) -> pb.ReadRowsResponse:
        rows, total = await self._tables.rows(
            _key(request.table),
            _selection(request.filter),
            request.order_by,
            descending=request.descending,
            limit=request.limit or 50,
            offset=request.offset,
            after_id=request.after_id,
        )
        return pb.ReadRowsResponse(rows=_json(rows), total=total)

    async def InsertRows(self, request: pb.InsertRowsRequest) -> pb.InsertRowsResponse:
        return pb.InsertRowsResponse(rows=_json(await self._tables.insert(_key(request.table), request.rows)))

    async def UpdateRows(self, request: pb.UpdateRowsRequest) -> pb.UpdateRowsResponse:
        rows, before, inserted = await self._tables.update(
            _key(request.table),
            _selection(request.filter),
            request.values,
            or_insert=request.or_insert,
            dry_run=request.dry_run,
        )
        return pb.UpdateRowsResponse(rows=_json(rows), before=_json(before), inserted=inserted)

    async def DeleteRows(self, request: pb.DeleteRowsRequest) -> pb.DeleteRowsResponse:
        rows, count = await self._tables.remove(
            _key(request.table),
            _selection(request.filter),
            dry_run=request.dry_run,
            count_only=request.count_only,
        )
        return pb.DeleteRowsResponse(rows=_json(rows), count=count)


def _json(rows: list[dict[str, Any]]) -> bytes:
    return dumps_js(rows)

"""`/data-tables`: tables of a project, their columns and rows."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.items import dumps_js
from weft_kit.rpc import Caller

from weft_gateway.adapters.json_view import Raw, view
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok, page
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import Limit, PageNumber

router = APIRouter(prefix="/data-tables", tags=["data tables"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class NewColumn(BaseModel):
    name: Name
    type: Literal["string", "number", "boolean", "date"] = "string"


class NewTable(BaseModel):
    name: Name
    columns: list[NewColumn] = Field(default=[], max_length=100)
    project_id: str = ""


class Renaming(BaseModel):
    name: Name


class Condition(BaseModel):
    column: str
    condition: str = "eq"
    value: Any = None


class Selected(BaseModel):
    """Rows that fulfil `filters`, all of them or any."""

    filters: list[Condition] = Field(default=[], max_length=100)
    match: Literal["all", "any"] = "all"

    def message(self) -> pb.RowFilter:
        conditions = [
            pb.RowCondition(column=each.column, condition=each.condition, value=dumps_js(each.value))
            for each in self.filters
        ]
        return pb.RowFilter(conditions=conditions, any=self.match == "any")


class Read(Selected):
    sort: str = ""
    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=50, ge=1, le=250)


class NewRows(BaseModel):
    rows: list[dict[str, Any]] = Field(min_length=1, max_length=1000)


class Change(Selected):
    """`or_insert`: a row is made of the values where none fits. `dry_run`: nothing is kept, `before` is given, too."""

    values: dict[str, Any]
    or_insert: bool = False
    dry_run: bool = False


class Removal(Selected):
    filters: list[Condition] = Field(min_length=1, max_length=100)
    dry_run: bool = False


def _key(table_id: str) -> pb.DataTableKey:
    return pb.DataTableKey(id=table_id)


@router.get("", summary="Data tables of a project")
async def list_tables(
    request: Request,
    user: User,
    page_number: PageNumber = 1,
    limit: Limit = 50,
    search: str = "",
    sort: Annotated[str, Query(description="name, created_at, updated_at; `-` reverses")] = "name",
    project_id: str = "",
) -> Response:
    call = pb.ListDataTablesRequest(
        project_id=project_id, search=search, sort=sort, page=page_number, limit=limit
    )
    found = await backends(request).data_tables.List(call)
    rows = [view(each) for each in found.tables]
    return page(request, rows, number=page_number, limit=limit, total=found.total)


@router.post("", status_code=201, summary="Create a data table")
async def create(request: Request, user: User, body: NewTable) -> Response:
    columns = [pb.DataColumn(name=each.name, type=each.type) for each in body.columns]
    call = pb.CreateDataTableRequest(project_id=body.project_id, name=body.name, columns=columns)
    return ok(request, view((await backends(request).data_tables.Create(call)).table), 201)


@router.get("/{table_id}", summary="A data table and its columns")
async def get(request: Request, user: User, table_id: str) -> Response:
    found = await backends(request).data_tables.Get(pb.GetDataTableRequest(table=_key(table_id)))
    return ok(request, view(found.table))


@router.put("/{table_id}", summary="Rename a data table")
async def rename(request: Request, user: User, table_id: str, body: Renaming) -> Response:
    call = pb.RenameDataTableRequest(table=_key(table_id), name=body.name)
    return ok(request, view((await backends(request).data_tables.Rename(call)).table))


@router.delete("/{table_id}", summary="Delete a data table with its rows")
async def delete(request: Request, user: User, table_id: str) -> Response:
    await backends(request).data_tables.Delete(pb.DeleteDataTableRequest(table=_key(table_id)))
    return ok(request, {})


@router.post("/{table_id}/columns", status_code=201, summary="Add a column")
async def add_column(request: Request, user: User, table_id: str, body: NewColumn) -> Response:
    call = pb.AddDataColumnRequest(table=_key(table_id), column=pb.DataColumn(name=body.name, type=body.type))
    return ok(request, view((await backends(request).data_tables.AddColumn(call)).table), 201)


@router.put("/{table_id}/columns/{name}", summary="Rename a column")
async def rename_column(request: Request, user: User, table_id: str, name: str, body: Renaming) -> Response:
    call = pb.RenameDataColumnRequest(table=_key(table_id), name=name, new_name=body.name)
    return ok(request, view((await backends(request).data_tables.RenameColumn(call)).table))


@router.delete("/{table_id}/columns/{name}", summary="Delete a column and what rows hold in it")
async def delete_column(request: Request, user: User, table_id: str, name: str) -> Response:
    call = pb.DeleteDataColumnRequest(table=_key(table_id), name=name)
    return ok(request, view((await backends(request).data_tables.DeleteColumn(call)).table))


@router.post("/{table_id}/rows/query", summary="Rows that fulfil conditions")
async def read_rows(request: Request, user: User, table_id: str, body: Read | None = None) -> Response:
    body = body or Read()
    call = pb.ReadRowsRequest(
        table=_key(table_id),
        filter=body.message(),
        order_by=body.sort.lstrip("-"),
        descending=body.sort.startswith("-"),
        limit=body.limit,
        offset=(body.page - 1) * body.limit,
    )
    found = await backends(request).data_tables.ReadRows(call)
    return page(request, Raw(found.rows), number=body.page, limit=body.limit, total=found.total)


@router.post("/{table_id}/rows", status_code=201, summary="Insert rows, all of them or none")
async def insert_rows(request: Request, user: User, table_id: str, body: NewRows) -> Response:
    call = pb.InsertRowsRequest(table=_key(table_id), rows=dumps_js(body.rows))
    return ok(request, Raw((await backends(request).data_tables.InsertRows(call)).rows), 201)


@router.patch("/{table_id}/rows", summary="Write values into the rows that fulfil conditions")
async def update_rows(request: Request, user: User, table_id: str, body: Change) -> Response:
    call = pb.UpdateRowsRequest(
        table=_key(table_id),
        filter=body.message(),
        values=dumps_js(body.values),
        or_insert=body.or_insert,
        dry_run=body.dry_run,
    )
    found = await backends(request).data_tables.UpdateRows(call)
    return ok(request, {"rows": Raw(found.rows), "before": Raw(found.before), "inserted": found.inserted})


@router.post("/{table_id}/rows/delete", summary="Delete the rows that fulfil conditions")
async def delete_rows(request: Request, user: User, table_id: str, body: Removal) -> Response:
    call = pb.DeleteRowsRequest(table=_key(table_id), filter=body.message(), dry_run=body.dry_run)
    found = await backends(request).data_tables.DeleteRows(call)
    return ok(request, {"rows": Raw(found.rows), "count": found.count})

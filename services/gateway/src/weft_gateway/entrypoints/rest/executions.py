"""`/executions`: what ran, with its data; stop, retry, delete."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit.rpc import Caller

from weft_gateway.adapters.json_view import view
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok, page
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import Limit, PageNumber
from weft_gateway.entrypoints.rest.several import Several, each

router = APIRouter(prefix="/executions", tags=["executions"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
_COMMA = ","


class Retry(BaseModel):
    newest_version: bool = False
    from_start: bool = False


class SeveralRetries(Several, Retry):
    """All in the same way."""


def execution_view(execution: pb.Execution, node_runs: Iterable[pb.NodeRun] = ()) -> dict[str, Any]:
    """An execution; with node runs also `node_data`: node name to its runs in order."""
    data = view(execution)
    nodes: dict[str, list[dict[str, Any]]] = {}
    for run in sorted(node_runs, key=lambda each: each.seq):
        nodes.setdefault(run.node, []).append(view(run))
    if nodes:
        data["node_data"] = nodes
    return data


@router.get("", summary="Executions of the caller's projects, newest first")
async def list_executions(
    request: Request,
    user: User,
    page_number: PageNumber = 1,
    limit: Limit = 20,
    status: str = "",
    mode: str = "",
    workflow_id: str = "",
    project_id: str = "",
    after: datetime | None = None,
    before: datetime | None = None,
    custom_data: Annotated[
        list[str] | None,
        Query(max_length=10, description="`key:value` that an execution has kept; all of several"),
    ] = None,
    cursor: str = "",
) -> Response:
    call = pb.ListExecutionsRequest(
        workflow_id=workflow_id,
        statuses=[part for part in status.split(_COMMA) if part],
        modes=[part for part in mode.split(_COMMA) if part],
        page=page_number,
        limit=limit,
        cursor=cursor,
        custom_data=_pairs(custom_data or []),
    )
    if project_id:
        call.project_ids.append(project_id)
    if after is not None:
        call.after.FromDatetime(after)
    if before is not None:
        call.before.FromDatetime(before)
    found = await backends(request).executions.List(call)
    rows = [view(row) for row in found.executions]
    return page(
        request,
        rows,
        number=page_number,
        limit=limit,
        total=found.total,
        next_cursor=found.next_cursor or None,
    )


def _pairs(texts: list[str]) -> dict[str, str]:
    """Of `key:value`. Raises VALIDATION_ERROR."""
    if any(":" not in text for text in texts):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "custom_data is given as key:value.")
    return dict(text.split(":", 1) for text in texts)


@router.post("/stop", summary="Cancel several executions; each that can't be is named with its reason")
async def stop_several(request: Request, user: User, body: Several) -> Response:
    executions = backends(request).executions
    return await each(request, body.ids, lambda key: executions.Stop(pb.StopRequest(execution_id=key)))


@router.post(
    "/delete", summary="Delete several finished executions; each that can't be is named with its reason"
)
async def delete_several(request: Request, user: User, body: Several) -> Response:
    executions = backends(request).executions
    return await each(
        request, body.ids, lambda key: executions.Delete(pb.DeleteExecutionRequest(execution_id=key))
    )


@router.post("/retry", summary="Run several failed executions again; `results`: the new one of each")
async def retry_several(request: Request, user: User, body: SeveralRetries) -> Response:
    options = body.model_dump(exclude={"ids"})

    async def again(key: str) -> str:
        made = await backends(request).executions.Retry(pb.RetryRequest(execution_id=key, **options))
        return made.execution.id

    return await each(request, body.ids, again)


@router.get("/{execution_id}", summary="An execution; `include=data` adds what its nodes gave")
async def get(request: Request, user: User, execution_id: str, include: str = "", node: str = "") -> Response:
    call = pb.GetExecutionRequest(
        execution_id=execution_id, include_data="data" in include.split(_COMMA) or bool(node), node=node
    )
    found = await backends(request).executions.Get(call)
    return ok(request, execution_view(found.execution, found.node_runs))


@router.post("/{execution_id}/stop", summary="Cancel an execution and its sub-executions")
async def stop(request: Request, user: User, execution_id: str) -> Response:
    found = await backends(request).executions.Stop(pb.StopRequest(execution_id=execution_id))
    return ok(request, view(found.execution))


@router.post("/{execution_id}/retry", status_code=202, summary="Run a failed execution again")
async def retry(request: Request, user: User, execution_id: str, body: Retry | None = None) -> Response:
    options = body or Retry()
    call = pb.RetryRequest(execution_id=execution_id, **options.model_dump())
    found = await backends(request).executions.Retry(call)
    return ok(request, view(found.execution), 202)


@router.delete("/{execution_id}", summary="Delete a finished execution and its data")
async def delete(request: Request, user: User, execution_id: str) -> Response:
    await backends(request).executions.Delete(pb.DeleteExecutionRequest(execution_id=execution_id))
    return ok(request, {})

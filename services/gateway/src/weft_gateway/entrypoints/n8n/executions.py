"""`/executions` of n8n's public API."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import orchestrator_pb2 as pb

from weft_gateway.adapters.n8n_view import STATUSES, execution_view
from weft_gateway.entrypoints.n8n.lists import Paged, User, shown
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends

router = APIRouter(prefix="/executions", route_class=JsonRoute)
Details = Annotated[bool, Query(alias="includeData")]
MOST_BYTES: Final = 64 << 20
"""Data of the executions in one answer."""


async def _read(request: Request, execution_id: str, *, details: bool) -> pb.GetExecutionResponse:
    call = pb.GetExecutionRequest(execution_id=execution_id, include_data=details)
    return await backends(request).executions.Get(call)


def _view(found: pb.GetExecutionResponse, *, details: bool) -> dict[str, Any]:
    return execution_view(found.execution, found.node_runs if details else None)


async def _with_data(request: Request, executions: Iterable[pb.Execution]) -> list[dict[str, Any]]:
    """Raises TOO_LARGE."""
    rows, size = [], 0
    for each in executions:
        found = await _read(request, each.id, details=True)
        size += found.ByteSize()
        if size > MOST_BYTES:
            message = f"The executions have more than {MOST_BYTES >> 20} MiB of data: ask for fewer at once"
            raise WeftError(ErrorCode.TOO_LARGE, message)
        rows.append(_view(found, details=True))
    return rows


@router.get("")
async def list_executions(
    request: Request,
    user: User,
    page: Paged,
    status: str = "",
    workflow_id: Annotated[str, Query(alias="workflowId")] = "",
    project_id: Annotated[str, Query(alias="projectId")] = "",
    details: Details = False,
) -> Response:
    if status not in {"", "crashed", "unknown", *STATUSES}:
        message = f"request/query/status must be one of {', '.join(STATUSES)}"
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, field="status")
    call = pb.ListExecutionsRequest(workflow_id=workflow_id, limit=page.limit, cursor=page.after)
    if status:
        call.statuses.append(STATUSES.get(status, status))
    if project_id:
        call.project_ids.append(project_id)
    found = await backends(request).executions.List(call)
    if details:
        return page.followed(await _with_data(request, found.executions), found.next_cursor)
    return page.followed([execution_view(each) for each in found.executions], found.next_cursor)


@router.get("/{execution_id}")
async def get(request: Request, user: User, execution_id: str, details: Details = False) -> Response:
    return shown(_view(await _read(request, execution_id, details=details), details=details))


@router.delete("/{execution_id}")
async def delete(request: Request, user: User, execution_id: str) -> Response:
    found = await _read(request, execution_id, details=False)
    await backends(request).executions.Delete(pb.DeleteExecutionRequest(execution_id=execution_id))
    return shown(_view(found, details=False))


@router.post("/{execution_id}/retry")
async def retry(request: Request, user: User, execution_id: str) -> Response:
    found = await backends(request).executions.Retry(pb.RetryRequest(execution_id=execution_id))
    return shown(execution_view(found.execution))


@router.post("/{execution_id}/stop")
async def stop(request: Request, user: User, execution_id: str) -> Response:
    found = await backends(request).executions.Stop(pb.StopRequest(execution_id=execution_id))
    return shown(execution_view(found.execution))

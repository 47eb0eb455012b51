"""`/executions` of n8n's public API."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import orchestrator_pb2 as pb

from weft_gateway.adapters.n8n_view import STATUSES, execution_view
from weft_gateway.entrypoints.n8n.lists import Paged, User, shown
from weft_gateway.entrypoints.rest.deps import backends

router = APIRouter(prefix="/executions")
Details = Annotated[bool, Query(alias="includeData")]


async def _read(request: Request, execution_id: str, *, details: bool) -> dict[str, Any]:
    call = pb.GetExecutionRequest(execution_id=execution_id, include_data=details)
    found = await backends(request).executions.Get(call)
    return execution_view(found.execution, found.node_runs if details else None)


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
    rows = [
        await _read(request, each.id, details=True) if details else execution_view(each)
        for each in found.executions
    ]
    return page.followed(rows, found.next_cursor)


@router.get("/{execution_id}")
async def get(request: Request, user: User, execution_id: str, details: Details = False) -> Response:
    return shown(await _read(request, execution_id, details=details))


@router.delete("/{execution_id}")
async def delete(request: Request, user: User, execution_id: str) -> Response:
    found = await _read(request, execution_id, details=False)
    await backends(request).executions.Delete(pb.DeleteExecutionRequest(execution_id=execution_id))
    return shown(found)


@router.post("/{execution_id}/retry")
async def retry(request: Request, user: User, execution_id: str) -> Response:
    found = await backends(request).executions.Retry(pb.RetryRequest(execution_id=execution_id))
    return shown(execution_view(found.execution))


@router.post("/{execution_id}/stop")
async def stop(request: Request, user: User, execution_id: str) -> Response:
    found = await backends(request).executions.Stop(pb.StopRequest(execution_id=execution_id))
    return shown(execution_view(found.execution))

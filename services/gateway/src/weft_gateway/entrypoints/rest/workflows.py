"""`/workflows`: documents, versions, publishing, execution. Documents are n8n's JSON, kept as they come."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import documents_pb2 as documents
from weft_contracts.pb import orchestrator_pb2 as runs
from weft_contracts.pb import webhook_ingress_pb2 as hooks
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.items import dumps_js, loads_js
from weft_kit.rpc import Caller, deadline

from weft_gateway.adapters.json_view import Raw, view
from weft_gateway.domain.document import given_back, members, merged, version_of, without_columns
from weft_gateway.entrypoints.openapi import DOCUMENT_BODY, MEMBERS_BODY, RUN_BODY
from weft_gateway.entrypoints.rest.bodies import JsonRoute, json_object, raw_body
from weft_gateway.entrypoints.rest.deps import backends, settings
from weft_gateway.entrypoints.rest.envelope import ok, page
from weft_gateway.entrypoints.rest.executions import execution_view
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import MOST, Limit, PageNumber
from weft_gateway.entrypoints.rest.several import Several, each

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
IfMatch = Annotated[str, Header(description="The draft's `version_id`, as the ETag of GET.")]


FETCH_SECONDS: Final = 15.0
LONGEST_ADDRESS: Final = 10_000


class Publishing(BaseModel):
    version: int = Field(default=0, ge=0, le=MOST)


class Copy(BaseModel):
    name: str = ""


class TagNames(BaseModel):
    tags: list[str] = Field(max_length=50, examples=[["billing", "draft"]])


class SeveralArchived(Several):
    archived: bool = True


class SeveralTags(Several):
    add: list[str] = Field(default=[], max_length=50)
    remove: list[str] = Field(default=[], max_length=50)


class Listening(BaseModel):
    seconds: int = Field(default=120, ge=1, le=600)


def workflow_view(workflow: pb.Workflow) -> dict[str, Any]:
    """The document's members beside the columns; where both have a name, the column wins."""
    columns = view(workflow)
    columns.pop("document")
    document = members(workflow.document) if workflow.document else {}
    return {**{key: Raw(bytes(part)) for key, part in document.items()}, **columns}


@router.get("", summary="Workflows of the caller's projects")
async def list_workflows(
    request: Request,
    user: User,
    page_number: PageNumber = 1,
    limit: Limit = 20,
    search: str = "",
    sort: str = "-updated_at",
    active: bool | None = None,
    tag: str = "",
    archived: bool = False,
    project_id: str = "",
) -> Response:
    call = pb.ListRequest(search=search, sort=sort, tag=tag, page=page_number, limit=limit, archived=archived)
    if active is not None:
        call.is_active = active
    if project_id:
        call.project_ids.append(project_id)
    found = await backends(request).workflows.List(call)
    rows = [workflow_view(row) for row in found.workflows]
    return page(request, rows, number=page_number, limit=limit, total=found.total)


@router.post("", status_code=201, summary="Create a workflow from its document", openapi_extra=DOCUMENT_BODY)
async def create(
    request: Request, user: User, project_id: str = "", idempotency_key: Annotated[str, Header()] = ""
) -> Response:
    body = await raw_body(request)
    if body.lstrip()[:1] == b"[":
        message = "A list of workflows is imported at /workflows/import."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="", reason="WRONG_SHAPE")
    call = pb.CreateRequest(project_id=project_id, document=body, idempotency_key=idempotency_key)
    return ok(request, workflow_view((await backends(request).workflows.Create(call)).workflow), 201)


@router.post(
    "/import",
    status_code=201,
    summary="Import n8n JSON as it is: one workflow, a list of them, or `{url}` where it is found",
    openapi_extra=DOCUMENT_BODY,
)
async def import_workflows(request: Request, user: User, project_id: str = "") -> Response:
    body = await raw_body(request)
    if url := _address(body):
        limit = settings(request).max_body_bytes
        fetch = documents.FetchDocumentRequest(project_id=project_id, url=url, max_bytes=limit)
        with deadline(FETCH_SECONDS):
            body = (await backends(request).documents.Fetch(fetch)).body
    call = pb.CreateRequest(project_id=project_id, document=body)
    made = [workflow_view(each) for each in (await backends(request).workflows.Create(call)).workflows]
    return ok(request, made if body.lstrip()[:1] == b"[" else made[0], 201)


def _address(body: bytes) -> str:
    """What a body of the form `{"url": …}` names; empty for a document."""
    if len(body) > LONGEST_ADDRESS or b'"url"' not in body or b'"nodes"' in body:
        return ""
    given = loads_js(body)
    url = given.get("url") if isinstance(given, dict) else None
    return url if isinstance(url, str) else ""


@router.post("/archive", summary="Put several workflows away, or take them out again")
async def archive_several(request: Request, user: User, body: SeveralArchived) -> Response:
    store = backends(request).workflows
    return await each(
        request,
        body.ids,
        lambda key: store.Archive(pb.ArchiveRequest(workflow_id=key, archived=body.archived)),
    )


@router.post("/delete", summary="Delete several workflows; each can be restored")
async def delete_several(request: Request, user: User, body: Several) -> Response:
    store = backends(request).workflows
    return await each(request, body.ids, lambda key: store.Delete(pb.DeleteRequest(workflow_id=key)))


@router.post("/restore", summary="Bring several deleted workflows back")
async def restore_several(request: Request, user: User, body: Several) -> Response:
    store = backends(request).workflows
    return await each(request, body.ids, lambda key: store.Restore(pb.RestoreRequest(workflow_id=key)))


@router.post("/tag", summary="Give several workflows tags, and take some from them")
async def tag_several(request: Request, user: User, body: SeveralTags) -> Response:
    if not body.add and not body.remove:
        raise WeftError(ErrorCode.VALIDATION_ERROR, "Name tags to add or to remove.", field="add")
    tags = backends(request).tags
    return await each(
        request,
        body.ids,
        lambda key: tags.Set(pb.SetTagsRequest(workflow_id=key, add=body.add, remove=body.remove)),
    )


@router.get("/{workflow_id}", summary="A workflow with its draft document and issues")
async def get(request: Request, user: User, workflow_id: str) -> Response:
    found = await get_workflow(request, workflow_id)
    answer = ok(request, workflow_view(found))
    answer.headers["ETag"] = f'"{found.version_id}"'
    return answer


async def get_workflow(request: Request, workflow_id: str) -> pb.Workflow:
    return (await backends(request).workflows.Get(pb.GetRequest(workflow_id=workflow_id))).workflow


async def write_draft(request: Request, workflow_id: str, document: bytes, base: str) -> Response:
    """Raises CONFLICT where `base` names a version that the draft is not any more."""
    call = pb.UpdateRequest(workflow_id=workflow_id, document=document, base_version_id=base)
    updated = (await backends(request).workflows.Update(call)).workflow
    answer = ok(request, workflow_view(updated))
    answer.headers["ETag"] = f'"{updated.version_id}"'
    return answer


@router.put(
    "/{workflow_id}",
    summary="Replace the draft; 409 where it was changed since the version named",
    openapi_extra=DOCUMENT_BODY,
)
async def update(
    request: Request, user: User, workflow_id: str, version_id: str = "", if_match: IfMatch = ""
) -> Response:
    """Takes a document as it is, or what GET has given with changes: then its `version_id` counts, unless
    `If-Match` or `?version_id=` names another one."""
    document, named, ours = given_back(await raw_body(request))
    if ours:
        current = members((await get_workflow(request, workflow_id)).document)
        document = merged(document, {"id": current["id"]}) if "id" in current else document
    return await write_draft(request, workflow_id, document, if_match.strip('"') or version_id or named)


@router.patch(
    "/{workflow_id}", summary="Replace single members of the draft's document", openapi_extra=MEMBERS_BODY
)
async def patch(
    request: Request, user: User, workflow_id: str, version_id: str = "", if_match: IfMatch = ""
) -> Response:
    changes = members(await raw_body(request))
    found = await get_workflow(request, workflow_id)
    base = if_match.strip('"') or version_id or version_of(changes) or found.version_id
    kept = {key: value for key, value in without_columns(changes).items() if key != "id"}
    return await write_draft(request, workflow_id, merged(found.document, kept), base)


@router.put("/{workflow_id}/tags", summary="Replace the workflow's tags")
async def set_tags(request: Request, user: User, workflow_id: str, body: TagNames) -> Response:
    call = pb.SetTagsRequest(workflow_id=workflow_id, names=body.tags)
    return ok(request, workflow_view((await backends(request).tags.Set(call)).workflow))


@router.delete("/{workflow_id}", summary="Delete a workflow; it can be restored")
async def delete(request: Request, user: User, workflow_id: str) -> Response:
    await backends(request).workflows.Delete(pb.DeleteRequest(workflow_id=workflow_id))
    return ok(request, {})


@router.post("/{workflow_id}/archive", summary="Put a workflow away: unpublished and in no list")
async def archive(request: Request, user: User, workflow_id: str) -> Response:
    call = pb.ArchiveRequest(workflow_id=workflow_id, archived=True)
    return ok(request, workflow_view((await backends(request).workflows.Archive(call)).workflow))


@router.post("/{workflow_id}/unarchive", summary="Take a workflow out of the archive")
async def unarchive(request: Request, user: User, workflow_id: str) -> Response:
    call = pb.ArchiveRequest(workflow_id=workflow_id)
    return ok(request, workflow_view((await backends(request).workflows.Archive(call)).workflow))


@router.post("/{workflow_id}/restore", summary="Bring a deleted workflow back")
async def restore(request: Request, user: User, workflow_id: str) -> Response:
    found = await backends(request).workflows.Restore(pb.RestoreRequest(workflow_id=workflow_id))
    return ok(request, workflow_view(found.workflow))


@router.post("/{workflow_id}/duplicate", status_code=201, summary="Copy a workflow")
async def duplicate(request: Request, user: User, workflow_id: str, body: Copy | None = None) -> Response:
    call = pb.DuplicateRequest(workflow_id=workflow_id, name=body.name if body else "")
    return ok(request, workflow_view((await backends(request).workflows.Duplicate(call)).workflow), 201)


@router.post("/{workflow_id}/activate", summary="Publish a version (the draft by default)")
async def activate(
    request: Request, user: User, workflow_id: str, body: Publishing | None = None
) -> Response:
    call = pb.PublishRequest(workflow_id=workflow_id, version=body.version if body else 0)
    return ok(request, workflow_view((await backends(request).workflows.Publish(call)).workflow))


@router.post("/{workflow_id}/deactivate", summary="Unpublish")
async def deactivate(request: Request, user: User, workflow_id: str) -> Response:
    call = pb.UnpublishRequest(workflow_id=workflow_id)
    return ok(request, workflow_view((await backends(request).workflows.Unpublish(call)).workflow))


@router.get("/{workflow_id}/export", summary="The draft exactly as it was received")
async def export(request: Request, user: User, workflow_id: str) -> Response:
    found = await get_workflow(request, workflow_id)
    return Response(found.document, media_type="application/json")


@router.get("/{workflow_id}/executions", summary="Executions of a workflow, newest first")
async def executions(
    request: Request,
    user: User,
    workflow_id: str,
    page_number: PageNumber = 1,
    limit: Limit = 20,
) -> Response:
    await get_workflow(request, workflow_id)
    call = runs.ListExecutionsRequest(workflow_id=workflow_id, page=page_number, limit=limit)
    found = await backends(request).executions.List(call)
    rows = [view(row) for row in found.executions]
    return page(request, rows, number=page_number, limit=limit, total=found.total)


@router.post(
    "/{workflow_id}/execute",
    status_code=202,
    summary="Run the draft, or the published version",
    openapi_extra=RUN_BODY,
)
async def execute(
    request: Request,
    user: User,
    workflow_id: str,
    wait: Annotated[float, Query(ge=0, le=300)] = 0,
    version: str = "",
    idempotency_key: Annotated[str, Header()] = "",
) -> Response:
    body = await json_object(request, optional=True)
    store = backends(request).workflows
    workflow = await get_workflow(request, workflow_id)
    published = version == "published"
    if published and not workflow.published_version_id:
        raise WeftError(ErrorCode.CONFLICT, "The workflow is not published.")
    version_id = workflow.published_version_id
    if not published:
        version_id = (await store.Snapshot(pb.SnapshotRequest(workflow_id=workflow_id))).version.id
    call = runs.StartRequest(
        workflow_id=workflow_id,
        version_id=version_id,
        project_id=workflow.project_id,
        mode="trigger" if published else "manual",
        start_node=str(body.get("start_node") or ""),
        destination_node=str(body.get("destination_node") or ""),
        wait_seconds=wait,
        idempotency_key=idempotency_key,
    )
    for name in ("trigger_data", "run_data", "pin_data"):
        if body.get(name) is not None:
            setattr(call, name, dumps_js(body[name]))
    with deadline(wait + 10):
        started = await backends(request).executions.Start(call)
    done = started.execution.status in {"success", "error", "cancelled"}
    return ok(request, execution_view(started.execution, started.node_runs), 200 if done else 202)


@router.post("/{workflow_id}/test-webhook", summary="Listen for one call of the draft's test URLs")
async def listen(request: Request, user: User, workflow_id: str, body: Listening | None = None) -> Response:
    """The call's execution is announced over the WebSocket (`webhook.test.received`)."""
    store = backends(request).workflows
    made = (await store.Snapshot(pb.SnapshotRequest(workflow_id=workflow_id))).version
    version = (await store.GetVersion(pb.GetVersionRequest(version_id=made.id))).version
    call = hooks.ListenRequest(
        workflow_id=workflow_id,
        version_id=version.id,
        project_id=version.project_id,
        seconds=(body or Listening()).seconds,
        document=version.document,
    )
    return ok(request, view(await backends(request).webhooks.Listen(call)))


@router.delete("/{workflow_id}/test-webhook", summary="Stop listening on the test URLs")
async def stop_listening(request: Request, user: User, workflow_id: str) -> Response:
    project_id = (await get_workflow(request, workflow_id)).project_id
    call = hooks.StopListeningRequest(workflow_id=workflow_id, project_id=project_id)
    await backends(request).webhooks.StopListening(call)
    return ok(request, {})

"""`/workflows`, `/tags` of n8n's public API."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import workflow_store_pb2 as pb

from weft_gateway.adapters.n8n_view import tag_view, version_view, workflow_view
from weft_gateway.domain.document import members, merged
from weft_gateway.entrypoints.n8n.lists import Paged, User, shown
from weft_gateway.entrypoints.rest.bodies import JsonRoute, raw_body
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.workflows import get_workflow

router = APIRouter(route_class=JsonRoute)
_REQUIRED: Final = ("name", "nodes", "connections", "settings")
_TAKEN: Final = frozenset(
    {*_REQUIRED, "staticData", "pinData", "meta", "nodeGroups", "description", "shared"}
)


class TagName(BaseModel):
    name: str = Field(min_length=1)


class TagId(BaseModel):
    id: str


class Publishing(BaseModel):
    versionId: str = ""  # noqa: N815 - n8n's name


async def _document(request: Request) -> bytes:
    """The body. Raises VALIDATION_ERROR for members that are missing or that a caller can't set."""
    body = await raw_body(request)
    given = members(body)
    for name in _REQUIRED:
        if name not in given:
            raise _wrong(f"request/body must have required property '{name}'", name)
    for name in given:
        if name not in _TAKEN:
            raise _wrong(f"request/body/{name} is read-only or not known", name)
    return body


def _wrong(message: str, field: str) -> WeftError:
    return WeftError(ErrorCode.VALIDATION_ERROR, message, field=field)


@router.get("/workflows")
async def list_workflows(
    request: Request,
    user: User,
    page: Paged,
    active: bool | None = None,
    tags: str = "",
    name: str = "",
    project_id: Annotated[str, Query(alias="projectId")] = "",
    no_pins: Annotated[bool, Query(alias="excludePinnedData")] = False,
) -> Response:
    """Pages may be shorter than asked for where several tags are named: the store looks for the first of them."""
    wanted = [tag.strip() for tag in tags.split(",") if tag.strip()]
    call = pb.ListRequest(
        search=name, sort="created_at", tag=next(iter(wanted), ""), page=page.number, limit=page.limit
    )
    if active is not None:
        call.is_active = active
    if project_id:
        call.project_ids.append(project_id)
    found = await backends(request).workflows.List(call)
    fitting = [row.id for row in found.workflows if set(wanted) <= set(row.tags)]
    rows = [workflow_view(await get_workflow(request, each), pins=not no_pins) for each in fitting]
    return page.numbered(rows, found.total)


@router.post("/workflows")
async def create(request: Request, user: User) -> Response:
    call = pb.CreateRequest(document=await _document(request))
    return shown(workflow_view((await backends(request).workflows.Create(call)).workflow))


@router.get("/workflows/{workflow_id}")
async def get(
    request: Request,
    user: User,
    workflow_id: str,
    no_pins: Annotated[bool, Query(alias="excludePinnedData")] = False,
) -> Response:
    return shown(workflow_view(await get_workflow(request, workflow_id), pins=not no_pins))


@router.put("/workflows/{workflow_id}")
async def update(request: Request, user: User, workflow_id: str) -> Response:
    """What is published is published anew."""
    changes = members(await _document(request))
    store, found = backends(request).workflows, await get_workflow(request, workflow_id)
    document = merged(found.document, changes)
    updated = await store.Update(pb.UpdateRequest(workflow_id=workflow_id, document=document))
    if not found.published_version_id:
        return shown(workflow_view(updated.workflow))
    published = await store.Publish(pb.PublishRequest(workflow_id=workflow_id))
    return shown(workflow_view(published.workflow))


@router.delete("/workflows/{workflow_id}")
async def delete(request: Request, user: User, workflow_id: str) -> Response:
    found = await get_workflow(request, workflow_id)
    await backends(request).workflows.Delete(pb.DeleteRequest(workflow_id=workflow_id))
    return shown(workflow_view(found))


@router.post("/workflows/{workflow_id}/activate")
async def activate(
    request: Request, user: User, workflow_id: str, body: Publishing | None = None
) -> Response:
    number = 0
    if body and body.versionId:
        number = (await _version(request, workflow_id, body.versionId)).version
    call = pb.PublishRequest(workflow_id=workflow_id, version=number)
    return shown(workflow_view((await backends(request).workflows.Publish(call)).workflow))


@router.post("/workflows/{workflow_id}/deactivate")
async def deactivate(request: Request, user: User, workflow_id: str) -> Response:
    call = pb.UnpublishRequest(workflow_id=workflow_id)
    return shown(workflow_view((await backends(request).workflows.Unpublish(call)).workflow))


async def _version(request: Request, workflow_id: str, version_id: str) -> pb.Version:
    """0 for the draft's number. Raises NOT_FOUND; the list is asked first: it checks that the caller may see it."""
    store = backends(request).workflows
    listed = await store.ListVersions(pb.ListVersionsRequest(workflow_id=workflow_id))
    if any(each.id == version_id for each in listed.versions):
        return (await store.GetVersion(pb.GetVersionRequest(version_id=version_id))).version
    found = await get_workflow(request, workflow_id)
    if found.version_id != version_id:
        raise WeftError(ErrorCode.NOT_FOUND, "Version not found")
    draft = pb.Version(
        id=version_id, workflow_id=workflow_id, document=found.document, created_by=found.created_by
    )
    draft.created_at.CopyFrom(found.updated_at)
    return draft


@router.get("/workflows/{workflow_id}/tags")
async def tags_of(request: Request, user: User, workflow_id: str) -> Response:
    return shown([tag_view(name) for name in (await get_workflow(request, workflow_id)).tags])


@router.put("/workflows/{workflow_id}/tags")
async def set_tags(request: Request, user: User, workflow_id: str, body: list[TagId]) -> Response:
    call = pb.SetTagsRequest(workflow_id=workflow_id, names=[each.id for each in body])
    found = (await backends(request).tags.Set(call)).workflow
    return shown([tag_view(name) for name in found.tags])


@router.get("/workflows/{workflow_id}/{version_id}")
async def get_version(request: Request, user: User, workflow_id: str, version_id: str) -> Response:
    return shown(version_view(await _version(request, workflow_id, version_id)))


@router.get("/tags")
async def list_tags(request: Request, user: User, page: Paged) -> Response:
    found = (await backends(request).tags.List(pb.ListTagsRequest())).tags
    first = (page.number - 1) * page.limit
    rows: list[Any] = [tag_view(tag.name) for tag in found[first : first + page.limit]]
    return page.numbered(rows, len(found))


@router.post("/tags")
async def create_tag(request: Request, user: User, body: TagName) -> Response:
    made = await backends(request).tags.Create(pb.CreateTagRequest(name=body.name))
    return shown(tag_view(made.tag.name), 201)

"""`/workflows/{id}/versions`: what a draft was, and what changed since."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.items import loads_js
from weft_kit.rpc import Caller

from weft_gateway.adapters.json_view import view
from weft_gateway.domain.diff import difference
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import MOST
from weft_gateway.entrypoints.rest.workflows import IfMatch, get_workflow, write_draft

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
VersionNumber = Annotated[int, Path(ge=1, le=MOST)]


@router.get("/{workflow_id}/versions", summary="Immutable versions, newest first")
async def versions(request: Request, user: User, workflow_id: str) -> Response:
    found = await backends(request).workflows.ListVersions(pb.ListVersionsRequest(workflow_id=workflow_id))
    return ok(request, [view(version) for version in found.versions])


@router.post(
    "/{workflow_id}/versions", summary="Keep the draft as a version; the newest where nothing changed"
)
async def keep_version(request: Request, user: User, workflow_id: str) -> Response:
    kept = await backends(request).workflows.Snapshot(pb.SnapshotRequest(workflow_id=workflow_id))
    return ok(request, view(kept.version))


@router.get("/{workflow_id}/versions/{number}", summary="One version with its document")
async def version(request: Request, user: User, workflow_id: str, number: VersionNumber) -> Response:
    return ok(request, view(await _version(request, workflow_id, number)))


async def _version(request: Request, workflow_id: str, number: int) -> pb.Version:
    """Raises NOT_FOUND. The list is asked first: it checks that the caller may see the workflow."""
    store = backends(request).workflows
    listed = await store.ListVersions(pb.ListVersionsRequest(workflow_id=workflow_id))
    for candidate in listed.versions:
        if candidate.version == number:
            return (await store.GetVersion(pb.GetVersionRequest(version_id=candidate.id))).version
    raise WeftError(ErrorCode.NOT_FOUND, f"The workflow has no version {number}.")


@router.post("/{workflow_id}/versions/{number}/restore", summary="Make a version's document the draft")
async def restore_version(
    request: Request, user: User, workflow_id: str, number: VersionNumber, if_match: IfMatch = ""
) -> Response:
    document = (await _version(request, workflow_id, number)).document
    return await write_draft(request, workflow_id, document, if_match.strip('"'))


@router.get("/{workflow_id}/diff", summary="What changed from one version to another, or to the draft")
async def diff(
    request: Request,
    user: User,
    workflow_id: str,
    base: Annotated[int, Query(alias="from", ge=1, le=MOST)],
    to: Annotated[int, Query(ge=0, le=MOST, description="0: the draft.")] = 0,
) -> Response:
    before = (await _version(request, workflow_id, base)).document
    after = (
        await (_version(request, workflow_id, to) if to else get_workflow(request, workflow_id))
    ).document
    return ok(request, {"from": base, "to": to, **difference(loads_js(before), loads_js(after))})

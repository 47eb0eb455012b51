"""`/nodes`, `/expressions`: what the editor needs to know to draw and to preview."""

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import node_runner_pb2 as pb
from weft_kit.items import dumps_js
from weft_kit.rpc import Caller
from weft_node_sdk.catalogue import Catalogue

from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import MOST

router = APIRouter(route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
TypeName = Annotated[str, Query(alias="type", description="Any name of the type; wins over the path's.")]
Place = Annotated[int, Field(ge=0, le=MOST)]
Source = tuple[str, Place, Place] | tuple[str, Place] | tuple[str]
_DRAWING = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


def short_name(request: Request, name: str) -> str:
    """Our own name of a type. Raises NOT_FOUND."""
    short = _catalogue(request).short_name(name)
    if short is None:
        raise WeftError(ErrorCode.NOT_FOUND, f"The node type '{name}' is not installed.", type=name)
    return short


def _icon_url(short: str) -> str:
    return f"/api/v1/nodes/{short}/icon"


@router.get("/nodes", tags=["nodes"], summary="The catalogue of node types, by display name")
@router.get("/nodes/types", tags=["nodes"], include_in_schema=False)
async def list_nodes(request: Request, user: User) -> Response:
    catalogue = _catalogue(request)
    return ok(
        request,
        [{**entry, "icon_url": _icon_url(entry["type"])} for entry in catalogue.list()],
    )


@router.get(
    "/nodes/{name}", tags=["nodes"], summary="A node type's definition: parameters and ports by version"
)
async def get_node(
    request: Request, user: User, name: str, type_name: TypeName = "", version: float | None = None
) -> Response:
    """`version` leaves only the group of parameters of that version."""
    short = short_name(request, type_name or name)
    definition = {**_catalogue(request).definition(short), "icon_url": _icon_url(short)}
    if version is not None:
        definition["versions"] = [group for group in definition["versions"] if version in group["versions"]]
        if not definition["versions"]:
            raise WeftError(ErrorCode.NOT_FOUND, f"The node type '{short}' has no version {version:g}.")
    return ok(request, definition)


@router.get(
    "/nodes/{name}/icon",
    tags=["nodes"],
    summary="A node type's icon, SVG; needs no sign-in, so that pages can show it as an image",
    responses={200: {"content": {"image/svg+xml": {}}}},
    response_class=Response,
)
async def get_icon(request: Request, name: str, type_name: TypeName = "") -> Response:
    icon = _catalogue(request).icon(short_name(request, type_name or name))
    tag = f'"{hashlib.sha256(icon).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=86400", "Content-Security-Policy": _DRAWING}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(icon, headers=headers, media_type="image/svg+xml")


class Evaluation(BaseModel):
    """`run_data`: node name to its runs, each `[[item, …] per output]`; `parameters`: `$parameter`; `source`: where the
    items came from, as an execution's `node_data` says it; `sources`: the same of each run in `run_data`."""

    expression: str = Field(max_length=1_000_000, examples=["={{ $json.name.toUpperCase() }}"])
    items: list[dict[str, Any]] = Field(default=[{"json": {}}], max_length=10_000)
    item_index: int = Field(default=0, ge=0, lt=10_000)
    run_data: dict[str, list[list[list[dict[str, Any]]]]] | None = None
    parameters: dict[str, Any] | None = None
    source: list[Source | None] = []
    sources: dict[str, list[list[Source | None] | None]] = {}
    project_id: str = ""


@router.post("/expressions/evaluate", tags=["expressions"], summary="Evaluate one expression")
async def evaluate(request: Request, user: User, body: Evaluation) -> Response:
    if body.item_index >= max(1, len(body.items)):
        message = f"There is no item {body.item_index}."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, field="item_index")
    call = pb.EvaluateRequest(
        project_id=body.project_id,
        expression=body.expression,
        items=dumps_js(body.items),
        item_index=body.item_index,
        run_data=dumps_js(body.run_data or {}),
        parameters=dumps_js(body.parameters or {}),
        source=dumps_js(body.source),
        sources=dumps_js(body.sources),
    )
    found = await backends(request).node_tools.Evaluate(call)
    answer = {"value": orjson.Fragment(found.value) if found.value else None, "type": found.type}
    if found.error:
        answer["error"] = found.error
    return ok(request, answer)

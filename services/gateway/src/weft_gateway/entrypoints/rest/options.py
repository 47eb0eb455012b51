"""`/nodes/{type}/options`: choices of a parameter that are looked up. The installation's own (workflows, kinds of
credentials, time zones) are answered here, those of services by a runner."""

import zoneinfo
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import node_options_pb2 as pb
from weft_contracts.pb import workflow_store_pb2 as store
from weft_kit.items import dumps_js, loads_js
from weft_kit.rpc import Caller, deadline
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.options import number_of
from weft_node_sdk.values import located

from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends, cache
from weft_gateway.entrypoints.rest.envelope import ok
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.nodes import TypeName, short_name

router = APIRouter(tags=["nodes"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]

PAGE: Final = 100
SECONDS: Final = 15.0
LOOK_UPS_PER_MINUTE: Final = 60
"""Of a user in a project: each may be a call to somebody else's server."""
_GENERIC: Final = {
    "httpBasicAuth",
    "httpBearerAuth",
    "httpCustomAuth",
    "httpDigestAuth",
    "httpHeaderAuth",
    "httpQueryAuth",
    "oAuth1Api",
    "oAuth2Api",
}
"""Credentials of no particular service."""
_TYPES: Final = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
}


class Wanted(BaseModel):
    """`loader`: what the parameter's definition names, else the parameter's own name. `parameters` and `credentials`:
    the node's, as documents hold them."""

    loader: str = Field(min_length=1, max_length=128, examples=["table"])
    version: float | None = None
    parameters: dict[str, Any] = {}
    credentials: dict[str, Any] = {}
    search: str = Field(default="", max_length=200)
    cursor: str = Field(default="", max_length=200)
    project_id: str = Field(default="", max_length=64)


Choice = dict[str, Any]
Answer = tuple[list[Choice], str]


def _choice(name: str, value: str, **more: Any) -> Choice:
    plain = {"description": "", "url": "", "type": "", "required": False, "match": False}
    return {"name": name, "value": value, **plain, **more}


def _page(choices: Iterable[Choice], wanted: Wanted) -> Answer:
    start = number_of(wanted.cursor, 0)
    text = wanted.search.casefold()
    fitting = [each for each in choices if text in each["name"].casefold()]
    return fitting[start : start + PAGE], str(start + PAGE) if len(fitting) > start + PAGE else ""


async def _workflows(request: Request, wanted: Wanted) -> Answer:
    number = number_of(wanted.cursor, 1)
    call = store.ListRequest(search=wanted.search, sort="name", page=number, limit=PAGE)
    found = await backends(request).workflows.List(call)
    rows = [_choice(each.name, each.id, url=f"/workflows/{each.id}") for each in found.workflows]
    return rows, str(number + 1) if number * PAGE < found.total else ""


async def _workflow_inputs(request: Request, wanted: Wanted) -> Answer:
    """What the chosen workflow's Execute Workflow Trigger states; nothing where it takes all data."""
    workflow_id = str(located(wanted.parameters.get("workflowId")) or "")
    if not workflow_id or workflow_id.startswith("="):
        return [], ""
    found = await backends(request).workflows.Get(store.GetRequest(workflow_id=workflow_id))
    nodes = loads_js(found.workflow.document).get("nodes") or []
    catalogue: Catalogue = request.app.state.catalogue
    for node in nodes:
        if catalogue.short_name(str(node.get("type", ""))) == "executeWorkflowTrigger":
            return _page(_stated(node.get("parameters") or {}), wanted)
    return [], ""


def _stated(parameters: Mapping[str, Any]) -> list[Choice]:
    if parameters.get("inputSource") == "passthrough":
        return []
    if parameters.get("inputSource") == "jsonExample":
        try:
            example = orjson.loads(str(parameters.get("jsonExample", "")))
        except orjson.JSONDecodeError:
            return []
        fields = example.items() if isinstance(example, dict) else ()
        return [_choice(name, name, type=_TYPES.get(type(value), "")) for name, value in fields]
    rows = (parameters.get("workflowInputs") or {}).get("values") or []
    named = [(str(row.get("name") or ""), str(row.get("type") or "string")) for row in rows]
    return [_choice(name, name, type="" if kind == "any" else kind) for name, kind in named if name]


async def _time_zones(request: Request, wanted: Wanted) -> Answer:
    return _page([_choice(name, name) for name in sorted(zoneinfo.available_timezones())], wanted)


def _credential_types(generic: bool) -> Callable[[Request, Wanted], Awaitable[Answer]]:
    async def listed(request: Request, wanted: Wanted) -> Answer:
        types = request.app.state.catalogue.credential_types()
        usable = [
            each
            for each in types
            if each.get("usable", True)
            and (each["type"] in _GENERIC) is generic
            and (generic or "authenticate" in each or "sign_in" in each)
        ]
        return _page([_choice(each["display_name"], each["type"]) for each in usable], wanted)

    return listed


_OWN: Final = {
    "workflows": _workflows,
    "workflowInputs": _workflow_inputs,
    "timezones": _time_zones,
    "credential_types:generic": _credential_types(generic=True),
    "credential_types:service": _credential_types(generic=False),
    "nodeCredentialType": _credential_types(generic=False),
}


@router.post("/nodes/{name}/options", summary="One page of the choices that a parameter looks up")
async def options(
    request: Request, user: User, name: str, body: Wanted, type_name: TypeName = ""
) -> Response:
    """Columns of a resource mapper come the same way, with `type`, `required` and `match`. 422 says why there are
    none: no credential, a service that refuses."""
    short = short_name(request, type_name or name)
    own = _OWN.get(body.loader)
    if own is not None:
        found, cursor = await own(request, body)
        return ok(request, {"options": found, "next_cursor": cursor or None})
    wait = await cache(request).take(f"options:{user.user_id}:{body.project_id}", LOOK_UPS_PER_MINUTE)
    if wait > 0:
        message = f"Too many look-ups; try again in {wait:.0f} s."
        raise WeftError(ErrorCode.RATE_LIMITED, message, retry_after=wait)
    catalogue: Catalogue = request.app.state.catalogue
    version = catalogue.definition(short)["default_version"] if body.version is None else body.version
    call = pb.ListOptionsRequest(
        project_id=body.project_id,
        type=short,
        version=version,
        loader=body.loader,
        parameters=dumps_js(body.parameters),
        credentials=dumps_js(body.credentials),
        search=body.search,
        cursor=body.cursor,
    )
    with deadline(SECONDS):
        answer = await backends(request).node_options.List(call)
    return ok(
        request, {"options": orjson.Fragment(answer.options), "next_cursor": answer.next_cursor or None}
    )

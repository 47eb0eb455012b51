"""`/variables`, `/tags`, `/webhooks`, `/schedules`: the smaller groups."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.pb import scheduler_pb2 as schedules
from weft_contracts.pb import webhook_ingress_pb2 as hooks
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.rpc import Caller

from weft_gateway.adapters.json_view import view
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import Limit

router = APIRouter(route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]


class VariableBody(BaseModel):
    value: str = ""
    type: str = "string"
    is_secret: bool = False
    project_id: str = ""


class NewVariable(VariableBody):
    key: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")


@router.get("/variables", tags=["variables"], summary="Variables of a project")
async def list_variables(request: Request, user: User, project_id: str = "") -> Response:
    found = await backends(request).variables.List(pb.ListVariablesRequest(project_id=project_id))
    return ok(request, [view(row) for row in found.variables])


@router.post("/variables", tags=["variables"], status_code=201, summary="Create a variable")
async def create_variable(request: Request, user: User, body: NewVariable) -> Response:
    call = pb.PutVariableRequest(variable=pb.Variable(**body.model_dump()), create=True)
    return ok(request, view((await backends(request).variables.Put(call)).variable), 201)


@router.put("/variables/{key}", tags=["variables"], summary="Set a variable")
async def put_variable(request: Request, user: User, key: str, body: VariableBody) -> Response:
    call = pb.PutVariableRequest(variable=pb.Variable(key=key, **body.model_dump()))
    return ok(request, view((await backends(request).variables.Put(call)).variable))


@router.delete("/variables/{key}", tags=["variables"], summary="Delete a variable")
async def delete_variable(request: Request, user: User, key: str, project_id: str = "") -> Response:
    await backends(request).variables.Delete(pb.DeleteVariableRequest(project_id=project_id, key=key))
    return ok(request, {})


class TagName(BaseModel):
    name: str = Field(min_length=1, max_length=128, examples=["billing"])


class NewTag(TagName):
    project_id: str = ""


@router.get("/tags", tags=["tags"], summary="Tags of a project, by name, with how many workflows bear each")
async def list_tags(request: Request, user: User, project_id: str = "") -> Response:
    found = await backends(request).tags.List(pb.ListTagsRequest(project_id=project_id))
    return ok(request, [view(row) for row in found.tags])


@router.post("/tags", tags=["tags"], status_code=201, summary="Create a tag")
async def create_tag(request: Request, user: User, body: NewTag) -> Response:
    made = await backends(request).tags.Create(pb.CreateTagRequest(**body.model_dump()))
    return ok(request, view(made.tag), 201)


@router.put("/tags/{name:path}", tags=["tags"], summary="Rename a tag, in every draft as well")
async def rename_tag(
    request: Request, user: User, name: str, body: TagName, project_id: str = ""
) -> Response:
    call = pb.RenameTagRequest(project_id=project_id, name=name, new_name=body.name)
    return ok(request, view((await backends(request).tags.Rename(call)).tag))


@router.delete("/tags/{name:path}", tags=["tags"], summary="Delete a tag, from every draft as well")
async def delete_tag(request: Request, user: User, name: str, project_id: str = "") -> Response:
    await backends(request).tags.Delete(pb.DeleteTagRequest(project_id=project_id, name=name))
    return ok(request, {})


@router.get("/webhooks", tags=["webhooks"], summary="Registered production webhooks")
async def list_webhooks(request: Request, user: User) -> Response:
    found = await backends(request).webhooks.List(hooks.ListWebhooksRequest())
    return ok(request, [view(row) for row in found.webhooks])


@router.get("/schedules", tags=["schedules"], summary="The next ticks, soonest first")
async def next_ticks(request: Request, user: User, limit: Limit = 20) -> Response:
    found = await backends(request).schedules.ListNext(schedules.ListNextRequest(limit=limit))
    return ok(request, [view(row) for row in found.ticks])

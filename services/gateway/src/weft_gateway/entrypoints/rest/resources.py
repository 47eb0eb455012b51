"""`/credentials`, `/variables`, `/webhooks`, `/schedules`, `/nodes`, `/expressions`: the smaller groups."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import node_runner_pb2 as tools
from weft_contracts.pb import scheduler_pb2 as schedules
from weft_contracts.pb import webhook_ingress_pb2 as hooks
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.rpc import Caller
from weft_node_sdk.catalogue import Catalogue

from weft_gateway.adapters.json_view import view
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok, page
from weft_gateway.entrypoints.rest.identity import signed_in

router = APIRouter()
User = Annotated[Caller, Depends(signed_in)]


class NewCredential(BaseModel):
    name: str = Field(min_length=1, max_length=128)
    type: str = Field(min_length=1, max_length=128)
    data: dict[str, Any] = {}
    project_id: str = ""


class CredentialChange(BaseModel):
    name: str | None = Field(default=None, min_length=1, max_length=128)
    data: dict[str, Any] | None = None


@router.get("/credentials", tags=["credentials"], summary="Credentials, never their secrets")
async def list_credentials(
    request: Request,
    user: User,
    page_number: Annotated[int, Query(alias="page", ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=250)] = 50,
    type_name: Annotated[str, Query(alias="type")] = "",
    search: str = "",
) -> Response:
    call = pb.ListCredentialsRequest(type=type_name, search=search, page=page_number, limit=limit)
    found = await backends(request).credentials.List(call)
    rows = [view(row) for row in found.credentials]
    return page(request, rows, number=page_number, limit=limit, total=found.total)


@router.post("/credentials", tags=["credentials"], status_code=201, summary="Store a credential, encrypted")
async def create_credential(request: Request, user: User, body: NewCredential) -> Response:
    call = pb.CreateCredentialRequest(
        project_id=body.project_id, name=body.name, type=body.type, data=orjson.dumps(body.data)
    )
    return ok(request, view((await backends(request).credentials.Create(call)).credential), 201)


@router.get(
    "/credentials/{credential_id}", tags=["credentials"], summary="One credential without its secrets"
)
async def get_credential(request: Request, user: User, credential_id: str) -> Response:
    found = await backends(request).credentials.Get(pb.GetCredentialRequest(credential_id=credential_id))
    return ok(request, view(found.credential))


@router.put("/credentials/{credential_id}", tags=["credentials"], summary="Rename it or replace its secrets")
async def update_credential(
    request: Request, user: User, credential_id: str, body: CredentialChange
) -> Response:
    call = pb.UpdateCredentialRequest(credential_id=credential_id)
    if body.name is not None:
        call.name = body.name
    if body.data is not None:
        call.data = orjson.dumps(body.data)
    return ok(request, view((await backends(request).credentials.Update(call)).credential))


@router.delete("/credentials/{credential_id}", tags=["credentials"], summary="Delete a credential")
async def delete_credential(request: Request, user: User, credential_id: str) -> Response:
    await backends(request).credentials.Delete(pb.DeleteCredentialRequest(credential_id=credential_id))
    return ok(request, {})


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


@router.get("/webhooks", tags=["webhooks"], summary="Registered production webhooks")
async def list_webhooks(request: Request, user: User) -> Response:
    found = await backends(request).webhooks.List(hooks.ListWebhooksRequest())
    return ok(request, [view(row) for row in found.webhooks])


class TestListening(BaseModel):
    workflow_id: str
    seconds: int = Field(default=120, ge=1, le=600)


@router.post("/webhooks/test", tags=["webhooks"], summary="Listen for one call of a draft's test URLs")
async def listen(request: Request, user: User, body: TestListening) -> Response:
    store = backends(request).workflows
    made = (await store.Snapshot(pb.SnapshotRequest(workflow_id=body.workflow_id))).version
    version = (await store.GetVersion(pb.GetVersionRequest(version_id=made.id))).version
    call = hooks.ListenRequest(
        workflow_id=body.workflow_id,
        version_id=version.id,
        project_id=version.project_id,
        seconds=body.seconds,
        document=version.document,
    )
    return ok(request, view(await backends(request).webhooks.Listen(call)))


@router.delete("/webhooks/test/{workflow_id}", tags=["webhooks"], summary="Stop listening on test URLs")
async def stop_listening(request: Request, user: User, workflow_id: str) -> Response:
    await backends(request).workflows.Get(pb.GetRequest(workflow_id=workflow_id))
    await backends(request).webhooks.StopListening(hooks.StopListeningRequest(workflow_id=workflow_id))
    return ok(request, {})


@router.get("/schedules", tags=["schedules"], summary="The next ticks, soonest first")
async def next_ticks(
    request: Request, user: User, limit: Annotated[int, Query(ge=1, le=250)] = 20
) -> Response:
    found = await backends(request).schedules.ListNext(schedules.ListNextRequest(limit=limit))
    return ok(request, [view(row) for row in found.ticks])


def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


@router.get("/nodes", tags=["nodes"], summary="The catalogue of node types")
@router.get("/nodes/types", tags=["nodes"], include_in_schema=False)
async def list_nodes(request: Request, user: User) -> Response:
    return ok(request, _catalogue(request).list())


@router.get("/nodes/{name}", tags=["nodes"], summary="A node type's full definition, every version")
async def get_node(
    request: Request, user: User, name: str, type_name: Annotated[str, Query(alias="type")] = ""
) -> Response:
    definition = _catalogue(request).resolve(type_name or name)
    if definition is None:
        raise WeftError(ErrorCode.NOT_FOUND, f"There is no node type “{type_name or name}”.")
    return ok(request, _catalogue(request).definition(definition))


class Evaluation(BaseModel):
    expression: str
    items: list[dict[str, Any]] = [{"json": {}}]
    item_index: int = 0
    run_data: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    project_id: str = ""


@router.post("/expressions/evaluate", tags=["expressions"], summary="Evaluate one expression")
async def evaluate(request: Request, user: User, body: Evaluation) -> Response:
    call = tools.EvaluateRequest(
        project_id=body.project_id or user.user_id,
        expression=body.expression,
        items=orjson.dumps(body.items),
        item_index=body.item_index,
    )
    if body.run_data is not None:
        call.run_data = orjson.dumps(body.run_data)
    if body.parameters is not None:
        call.parameters = orjson.dumps(body.parameters)
    found = await backends(request).node_tools.Evaluate(call)
    answer = {"value": orjson.Fragment(found.value) if found.value else None, "type": found.type}
    if found.error:
        answer["error"] = found.error
    return ok(request, answer)

"""`/credentials` of n8n's public API."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.items import dumps_js
from weft_node_sdk.catalogue import Catalogue

from weft_gateway.adapters.n8n_view import credential_view, schema_view
from weft_gateway.entrypoints.n8n.lists import Paged, User, shown
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends

router = APIRouter(prefix="/credentials", route_class=JsonRoute)


class NewCredential(BaseModel):
    name: str = Field(min_length=1, max_length=128)
    type: str = Field(min_length=1, max_length=128)
    data: dict[str, Any]


@router.get("")
async def list_credentials(request: Request, user: User, page: Paged) -> Response:
    call = pb.ListCredentialsRequest(page=page.number, limit=page.limit)
    found = await backends(request).credentials.List(call)
    return page.numbered([credential_view(each) for each in found.credentials], found.total)


@router.post("")
async def create(request: Request, user: User, body: NewCredential) -> Response:
    catalogue: Catalogue = request.app.state.catalogue
    if catalogue.credential_type(body.type) is None:
        raise WeftError(ErrorCode.VALIDATION_ERROR, "req.body.type is not a known type", field="type")
    call = pb.CreateCredentialRequest(name=body.name, type=body.type, data=dumps_js(body.data))
    return shown(credential_view((await backends(request).credentials.Create(call)).credential))


@router.delete("/{credential_id}")
async def delete(request: Request, user: User, credential_id: str) -> Response:
    store = backends(request).credentials
    found = (await store.Get(pb.GetCredentialRequest(credential_id=credential_id))).credential
    await store.Delete(pb.DeleteCredentialRequest(credential_id=credential_id))
    return shown(credential_view(found))


@router.get("/schema/{name}")
async def schema(request: Request, user: User, name: str) -> Response:
    catalogue: Catalogue = request.app.state.catalogue
    kind = catalogue.credential_type(name)
    if kind is None:
        raise WeftError(ErrorCode.NOT_FOUND, "Not Found", type=name)
    return shown(schema_view(kind))

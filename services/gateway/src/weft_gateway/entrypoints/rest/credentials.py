"""`/credential-types`; `/credentials`: stored ones, trying them, signing in at services;
`/rest/…`: where those send the user back to."""

import hashlib
import secrets
from base64 import b64encode
from html import escape
from typing import Annotated, Any, Final

from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import node_runner_pb2 as runner
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_kit.items import dumps_js
from weft_kit.rpc import Caller, deadline
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.credentials import CALLBACKS

from weft_gateway.adapters.json_view import view
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends, cache, settings
from weft_gateway.entrypoints.rest.envelope import ok, page
from weft_gateway.entrypoints.rest.identity import signed_in
from weft_gateway.entrypoints.rest.paging import Limit, PageNumber

router = APIRouter(route_class=JsonRoute)
callbacks = APIRouter(route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
Binding = Annotated[str, Cookie(max_length=200)]

TRIAL_SECONDS: Final = 30.0
TRIALS_PER_MINUTE: Final = 30
SIGN_IN_COOKIE: Final = "weft_sign_in"
SIGN_IN_SECONDS: Final = 600


def _kind(request: Request, entry: dict[str, Any]) -> dict[str, Any]:
    """With the address to register at the service, where the kind has a sign-in."""
    path = CALLBACKS.get(entry.get("sign_in", ""))
    return {**entry, "callback_url": f"{settings(request).public_origin}{path}"} if path else entry


def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


@router.get("/credential-types", tags=["credentials"], summary="Kinds of credentials and their fields")
async def list_credential_types(request: Request, user: User) -> Response:
    return ok(request, [_kind(request, each) for each in _catalogue(request).credential_types()])


@router.get("/credential-types/{name}", tags=["credentials"], summary="One kind of credential")
async def get_credential_type(request: Request, user: User, name: str) -> Response:
    found = _catalogue(request).credential_type(name)
    if found is None:
        raise WeftError(ErrorCode.NOT_FOUND, f"The credential type '{name}' is not installed.", type=name)
    return ok(request, _kind(request, found))


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
    page_number: PageNumber = 1,
    limit: Limit = 50,
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
        project_id=body.project_id, name=body.name, type=body.type, data=dumps_js(body.data)
    )
    return ok(request, view((await backends(request).credentials.Create(call)).credential), 201)


@router.get(
    "/credentials/{credential_id}",
    tags=["credentials"],
    summary="One credential; who may change it sees its fields too, of secrets the names only",
)
async def get_credential(request: Request, user: User, credential_id: str) -> Response:
    answer = view(
        await backends(request).credentials.Get(pb.GetCredentialRequest(credential_id=credential_id))
    )
    return ok(request, {**answer.pop("credential"), **answer})


@router.put(
    "/credentials/{credential_id}", tags=["credentials"], summary="Rename it or replace all its fields"
)
async def replace_credential(
    request: Request, user: User, credential_id: str, body: CredentialChange
) -> Response:
    return await _changed(request, credential_id, body, partial=False)


@router.patch(
    "/credentials/{credential_id}",
    tags=["credentials"],
    summary="Rename it or change some of its fields; null takes one away",
)
async def update_credential(
    request: Request, user: User, credential_id: str, body: CredentialChange
) -> Response:
    return await _changed(request, credential_id, body, partial=True)


async def _changed(
    request: Request, credential_id: str, body: CredentialChange, *, partial: bool
) -> Response:
    call = pb.UpdateCredentialRequest(credential_id=credential_id, partial=partial)
    if body.name is not None:
        call.name = body.name
    if body.data is not None:
        call.data = dumps_js(body.data)
    return ok(request, view((await backends(request).credentials.Update(call)).credential))


@router.delete("/credentials/{credential_id}", tags=["credentials"], summary="Delete a credential")
async def delete_credential(request: Request, user: User, credential_id: str) -> Response:
    await backends(request).credentials.Delete(pb.DeleteCredentialRequest(credential_id=credential_id))
    return ok(request, {})


class Trial(BaseModel):
    type: str = Field(min_length=1, max_length=128, examples=["httpBasicAuth"])
    data: dict[str, Any] = {}
    project_id: str = ""


async def _tried(request: Request, user: Caller, call: runner.TestCredentialRequest) -> Response:
    """Raises RATE_LIMITED: each is a call to somebody else's server."""
    wait = await cache(request).take(f"credential-test:{user.user_id}", TRIALS_PER_MINUTE)
    if wait > 0:
        raise WeftError(
            ErrorCode.RATE_LIMITED, f"Too many tests; try again in {wait:.0f} s.", retry_after=wait
        )
    with deadline(TRIAL_SECONDS):
        return ok(request, view(await backends(request).node_tools.TestCredential(call)))


@router.post("/credentials/test", tags=["credentials"], summary="Try a credential before it is stored")
async def test_unsaved(request: Request, user: User, body: Trial) -> Response:
    call = runner.TestCredentialRequest(type=body.type, data=dumps_js(body.data), project_id=body.project_id)
    return await _tried(request, user, call)


class ChangedTrial(BaseModel):
    data: dict[str, Any] = Field(default={}, description="Fields to try instead of the stored; null: without")


@router.post(
    "/credentials/{credential_id}/test",
    tags=["credentials"],
    summary="Try a credential at its service, also with changes that are not stored",
)
async def try_credential(
    request: Request, user: User, credential_id: str, body: ChangedTrial | None = None
) -> Response:
    call = runner.TestCredentialRequest(credential_id=credential_id)
    if body is not None and body.data:
        call.data = dumps_js(body.data)
    return await _tried(request, user, call)


@router.get(
    "/credentials/{credential_id}/oauth2/authorize",
    tags=["credentials"],
    summary="Where the user consents to a sign-in by OAuth; sets the cookie that binds it to this browser",
)
async def authorize(request: Request, user: User, credential_id: str, weft_sign_in: Binding = "") -> Response:
    binding = weft_sign_in or secrets.token_urlsafe(32)
    call = runner.BeginSignInRequest(credential_id=credential_id, binding=binding)
    with deadline(TRIAL_SECONDS):
        url = (await backends(request).node_tools.BeginSignIn(call)).url
    answer = ok(request, {"url": url})
    answer.set_cookie(
        SIGN_IN_COOKIE,
        binding,
        max_age=SIGN_IN_SECONDS,
        httponly=True,
        secure=settings(request).secure_cookies,
        samesite="lax",  # the service's redirect brings it along
    )
    return answer


# --- the way back -----------------------------------------------------------------------------------------------

_CLOSE: Final = "window.close()"
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1rem;"
    "color-scheme:light dark}"
)


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY: Final = (
    f"default-src 'none'; script-src {_digest(_CLOSE)}; style-src {_digest(_STYLE)}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_TEXTS: Final = {
    "en": ("Connected", "“{}” is connected. You can close this window.", "Not connected"),
    "de": ("Verbunden", "„{}“ ist verbunden. Sie können dieses Fenster schließen.", "Nicht verbunden"),
}


def _page(request: Request, name: str, error: str) -> Response:
    """Closes itself where all is well."""
    german = request.headers.get("accept-language", "").lower().startswith("de")
    language = "de" if german else "en"
    good, text, bad = _TEXTS[language]
    title = bad if error else good
    html = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Weft: {title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{escape(error or text.format(name))}</p>"
        f"{'' if error else f'<script>{_CLOSE}</script>'}</html>"
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(html, 400 if error else 200, headers)


async def _finish(request: Request, call: runner.FinishSignInRequest) -> Response:
    try:
        with deadline(TRIAL_SECONDS):
            found = await backends(request).node_tools.FinishSignIn(call)
    except WeftError as error:
        return _page(request, "", error.message)
    return _page(request, found.name, found.error)


Given = Annotated[str, Query(max_length=8192)]


@callbacks.get("/rest/oauth2-credential/callback", include_in_schema=False)
async def oauth2_callback(
    request: Request,
    state: Given = "",
    code: Given = "",
    error: Given = "",
    error_description: Given = "",
    weft_sign_in: Binding = "",
) -> Response:
    said = ": ".join(part for part in (error, error_description) if part)
    call = runner.FinishSignInRequest(state=state, binding=weft_sign_in, code=code, error=said)
    return await _finish(request, call)


@callbacks.get("/rest/oauth1-credential/callback", include_in_schema=False)
async def oauth1_callback(
    request: Request,
    state: Given = "",
    oauth_token: Given = "",
    oauth_verifier: Given = "",
    weft_sign_in: Binding = "",
) -> Response:
    call = runner.FinishSignInRequest(
        state=state, binding=weft_sign_in, code=oauth_verifier, token=oauth_token
    )
    return await _finish(request, call)

"""`/auth` and `/api-keys`: accounts, sessions, keys."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Request, Response
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import auth_pb2 as pb
from weft_kit.rpc import Caller

from weft_gateway.adapters.json_view import view
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends, cache, settings
from weft_gateway.entrypoints.rest.envelope import ok
from weft_gateway.entrypoints.rest.identity import account_holder, known_caller, signed_in, without_scopes

router = APIRouter(tags=["auth"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
Holder = Annotated[Caller, Depends(account_holder)]
REFRESH_COOKIE = "weft_refresh"


class Registration(BaseModel):
    email: str = Field(examples=["ada@example.org"])
    password: str = Field(examples=["correct horse battery staple"])
    first_name: str = ""
    last_name: str = ""


class Credentials(BaseModel):
    email: str
    password: str = Field(max_length=4096)
    code: str = ""


class RefreshToken(BaseModel):
    refresh_token: str = ""


class Profile(BaseModel):
    first_name: str | None = None
    last_name: str | None = None


class PasswordChange(BaseModel):
    current_password: str
    new_password: str


class OneTimeCode(BaseModel):
    code: str = Field(max_length=40, examples=["123456"])


class NewApiKey(BaseModel):
    name: str = Field(min_length=1, max_length=120)
    scopes: list[str] = []
    expires_at: datetime | None = None


def _session(
    request: Request, response_of: pb.RegisterResponse | pb.LoginResponse | pb.RefreshResponse
) -> Response:
    """Tokens for scripts in the body; for browsers the refresh token as an HttpOnly cookie as well."""
    tokens = response_of.tokens
    data = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "user": view(response_of.user),
    }
    answer = ok(request, data, 201 if isinstance(response_of, pb.RegisterResponse) else 200)
    if tokens.refresh_token:
        answer.set_cookie(
            REFRESH_COOKIE,
            tokens.refresh_token,
            max_age=7 * 24 * 3600,
            httponly=True,
            secure=settings(request).secure_cookies,
            samesite="strict",
            path="/api/v1/auth",
        )
    return answer


async def _count_sign_in(request: Request) -> str:
    """The caller's address. Raises RATE_LIMITED after too many tries from it."""
    address = request.client.host if request.client else ""
    wait = await cache(request).take(f"sign-in:{address}", settings(request).sign_ins_per_minute)
    if wait > 0:
        message = f"Too many sign-in tries; try again in {wait:.0f} s."
        raise WeftError(ErrorCode.RATE_LIMITED, message, retry_after=wait)
    return address


@router.get("/auth/setup", summary="Whether the first owner is still to register")
async def setup(request: Request) -> Response:
    return ok(request, view(await backends(request).auth.GetSetup(pb.GetSetupRequest())))


@router.post("/auth/register", status_code=201, summary="Create an account")
async def register(request: Request, body: Registration) -> Response:
    await _count_sign_in(request)
    return _session(request, await backends(request).auth.Register(pb.RegisterRequest(**body.model_dump())))


@router.post("/auth/login", summary="Sign in")
async def login(request: Request, body: Credentials) -> Response:
    address = await _count_sign_in(request)
    agent = request.headers.get("user-agent", "")[:300]
    call = pb.LoginRequest(**body.model_dump(), address=address, user_agent=agent)
    return _session(request, await backends(request).auth.Login(call))


@router.post("/auth/refresh", summary="Exchange a refresh token for new tokens")
async def refresh(
    request: Request, body: RefreshToken | None = None, weft_refresh: Annotated[str, Cookie()] = ""
) -> Response:
    token = (body.refresh_token if body else "") or weft_refresh
    return _session(request, await backends(request).auth.Refresh(pb.RefreshRequest(refresh_token=token)))


@router.post("/auth/logout", summary="End this session, or all of them")
async def logout(
    request: Request,
    body: RefreshToken | None = None,
    weft_refresh: Annotated[str, Cookie()] = "",
    everywhere: bool = False,
) -> Response:
    token = (body.refresh_token if body else "") or weft_refresh
    if everywhere and not token:
        without_scopes(known_caller())
    await backends(request).auth.Logout(pb.LogoutRequest(refresh_token=token, everywhere=everywhere))
    answer = ok(request, {})
    answer.delete_cookie(REFRESH_COOKIE, path="/api/v1/auth")
    return answer


@router.get("/auth/me", summary="The signed-in user and their projects")
async def me(request: Request, user: User) -> Response:
    found = await backends(request).auth.GetUser(pb.GetUserRequest(user_id=user.user_id))
    projects = await backends(request).access.ListProjects(pb.ListProjectsRequest(user_id=user.user_id))
    return ok(request, {**view(found.user), **view(projects)})


@router.patch("/auth/me", summary="Change one's own name")
async def update_me(request: Request, user: Holder, body: Profile) -> Response:
    call = pb.UpdateUserRequest(user_id=user.user_id, **body.model_dump(exclude_none=True))
    return ok(request, view((await backends(request).auth.UpdateUser(call)).user))


@router.post("/auth/change-password", summary="Change one's password; ends the other sessions")
async def change_password(request: Request, user: Holder, body: PasswordChange) -> Response:
    await backends(request).auth.ChangePassword(
        pb.ChangePasswordRequest(user_id=user.user_id, **body.model_dump())
    )
    return ok(request, {})


@router.get("/auth/sessions", summary="One's sessions that go on")
async def list_sessions(
    request: Request, user: Holder, weft_refresh: Annotated[str, Cookie()] = ""
) -> Response:
    call = pb.ListSessionsRequest(user_id=user.user_id, refresh_token=weft_refresh)
    return ok(request, [view(each) for each in (await backends(request).auth.ListSessions(call)).sessions])


@router.delete("/auth/sessions/{session_id}", summary="End one of one's sessions")
async def revoke_session(request: Request, user: Holder, session_id: str) -> Response:
    call = pb.RevokeSessionRequest(user_id=user.user_id, session_id=session_id)
    await backends(request).auth.RevokeSession(call)
    return ok(request, {})


@router.get("/auth/2fa", summary="Whether signing in takes a second factor")
async def two_factor(request: Request, user: Holder) -> Response:
    call = pb.GetTwoFactorRequest(user_id=user.user_id)
    return ok(request, view(await backends(request).auth.GetTwoFactor(call)))


@router.post("/auth/2fa/setup", summary="A secret for an authenticator app")
async def set_up_two_factor(request: Request, user: Holder) -> Response:
    call = pb.SetUpTwoFactorRequest(user_id=user.user_id)
    return ok(request, view(await backends(request).auth.SetUpTwoFactor(call)))


@router.post("/auth/2fa/enable", summary="Turn the second factor on; the recovery codes are shown this once")
async def enable_two_factor(request: Request, user: Holder, body: OneTimeCode) -> Response:
    call = pb.EnableTwoFactorRequest(user_id=user.user_id, code=body.code)
    return ok(request, view(await backends(request).auth.EnableTwoFactor(call)))


@router.post("/auth/2fa/disable", summary="Turn the second factor off")
async def disable_two_factor(request: Request, user: Holder, body: OneTimeCode) -> Response:
    call = pb.DisableTwoFactorRequest(user_id=user.user_id, code=body.code)
    await backends(request).auth.DisableTwoFactor(call)
    return ok(request, {})


@router.get("/api-keys", summary="One's API keys")
async def list_keys(request: Request, user: Holder) -> Response:
    found = await backends(request).auth.ListApiKeys(pb.ListApiKeysRequest(user_id=user.user_id))
    return ok(request, [view(key) for key in found.api_keys])


@router.post("/api-keys", status_code=201, summary="Create an API key; it is shown this once")
async def create_key(request: Request, user: Holder, body: NewApiKey) -> Response:
    call = pb.CreateApiKeyRequest(user_id=user.user_id, name=body.name, scopes=body.scopes)
    if body.expires_at is not None:
        expires = Timestamp()
        expires.FromDatetime(body.expires_at)
        call.expires_at.CopyFrom(expires)
    made = await backends(request).auth.CreateApiKey(call)
    return ok(request, {**view(made.api_key), "key": made.key}, 201)


@router.delete("/api-keys/{key_id}", summary="Revoke an API key")
async def delete_key(request: Request, user: Holder, key_id: str) -> Response:
    await backends(request).auth.DeleteApiKey(pb.DeleteApiKeyRequest(user_id=user.user_id, api_key_id=key_id))
    return ok(request, {})

"""Who calls, how often they may, and the request's id; one ASGI middleware before FastAPI.

`Authorization: Bearer <access token>` or `X-API-Key` (`X-N8N-API-KEY` for scripts that move over).
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_kit.cache import Cache
from weft_kit.identity.tokens import TokenVerifier
from weft_kit.rpc import Caller, current

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


_BEARER = HTTPBearer(auto_error=False, description="An access token, from `POST /auth/login`.")
_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key, from `POST /api-keys`.")


def known_caller() -> Caller:
    """Raises UNAUTHENTICATED where the call names nobody."""
    who = current.get()
    if who is None or not who.user_id:
        raise WeftError(ErrorCode.UNAUTHENTICATED, "Sign in, or send an API key in X-API-Key.")
    return who


async def signed_in(
    _token: Annotated[Any, Security(_BEARER)], _key: Annotated[Any, Security(_KEY)]
) -> Caller:
    """FastAPI dependency of every endpoint that needs a user; the middleware has read what the two schemes, which
    stand here for the OpenAPI document, name. Raises UNAUTHENTICATED."""
    return known_caller()


async def account_holder(who: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """The same for what concerns the account itself. Raises FORBIDDEN for an API key with scopes, which could
    give itself more of them."""
    return without_scopes(who)


def without_scopes(who: Caller) -> Caller:
    """Raises FORBIDDEN for an API key with scopes."""
    if who.scopes:
        raise WeftError(ErrorCode.FORBIDDEN, "An API key with scopes can't change the account; sign in.")
    return who


class IdentityMiddleware:
    """Puts the caller into the context variable, counts the call, adds X-Request-ID and security headers.

    A bad token does not fail here but where an endpoint needs a user: signing in must work with a stale one.
    """

    def __init__(self, app: Any, verifier: TokenVerifier, cache: Cache, calls_per_minute: int) -> None:
        self.app = app
        self.verifier = verifier
        self.cache = cache
        self.calls_per_minute = calls_per_minute

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        scope["weft_request_id"] = request_id
        address = scope["client"][0] if scope.get("client") else ""
        identity = await self._identify(scope, headers)
        who = Caller(identity.user_id, identity.scopes, address, request_id) if identity else None
        extra = [(b"x-request-id", request_id.encode()), *SECURITY_HEADERS]
        if who is not None:
            wait = await self.cache.take(f"api:{who.user_id}", self.calls_per_minute)
            extra.append((b"ratelimit-limit", str(self.calls_per_minute).encode()))
            if wait > 0:
                scope["weft_rejected"] = WeftError(
                    ErrorCode.RATE_LIMITED, f"Too many calls; try again in {wait:.1f} s.", retry_after=wait
                )

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        token = current.set(who)
        try:
            await self.app(scope, receive, answer)
        finally:
            current.reset(token)

    async def _identify(self, scope: MutableMapping[str, Any], headers: dict[bytes, bytes]) -> Caller | None:
        try:
            bearer = headers.get(b"authorization", b"").decode("latin-1")
            if bearer[:7].lower() == "bearer ":
                return await self.verifier.verify(bearer[7:].strip())
            key = (headers.get(b"x-api-key") or headers.get(b"x-n8n-api-key") or b"").decode("latin-1")
            return await self.verifier.verify_api_key(key) if key else None
        except WeftError as error:
            if error.code is not ErrorCode.UNAUTHENTICATED:
                scope["weft_rejected"] = error
            return None

"""Access tokens of sign-ins by OAuth2: the stored one while it is good, else a new one, which one runner of all gets
and everybody uses."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from weft_contracts.errors import ErrorCode, WeftError
from weft_node_sdk.context import Http, NodeRunError
from weft_node_sdk.credentials import tokens_of, with_defaults

from weft_node_runner.application import oauth

_WAIT_SECONDS: Final = 45.0
_PAUSE: Final = 0.1

Secret = dict[str, Any]


@dataclass(frozen=True)
class Lease:
    """`secret`: the fields as they are now. Without an `id` they hold a newer token, unless somebody is `busy` with
    getting one."""

    secret: Secret
    id: str
    busy: bool


class TokenStore(Protocol):
    async def lease(self, credential_id: str, project_id: str, stale: str) -> Lease:
        """Raises NOT_FOUND."""

    async def put(self, credential_id: str, lease: str, tokens: Mapping[str, Any] | None) -> None:
        """None: none were got. Raises CONFLICT where the lease is over or the fields were changed."""


class Tokens:
    def __init__(self, http: Http, store: TokenStore) -> None:
        self._http = http
        self._store = store
        self._running: dict[str, asyncio.Task[Secret]] = {}

    async def current(
        self,
        definition: Mapping[str, Any],
        credential_id: str,
        project_id: str,
        secret: Secret,
        stale: str = "",
    ) -> Secret:
        """The credential's fields with a token that is not `stale` and whose time is not over; the same fields where
        no other can be got. Raises NodeRunError where there is none, or the service refuses one."""
        tokens = tokens_of(secret)
        token = str(tokens.get("access_token") or "")
        if token and token != stale and not oauth.is_over(tokens):
            return secret
        given = with_defaults(definition, secret)
        if not _renewable(given, tokens):
            if token:
                return secret
            raise NodeRunError(
                "The credential is not connected",
                description="Open it and choose Connect: the service asks for consent then.",
                code="SIGN_IN_NEEDED",
            )
        task = self._running.get(credential_id)
        if task is None:
            # a task of its own: a run that is cancelled must not lose what the service has given
            task = asyncio.create_task(self._renew(definition, credential_id, project_id, token))
            self._running[credential_id] = task
            task.add_done_callback(lambda done: self._done(credential_id, done))
        return dict(await asyncio.shield(task))

    def _done(self, credential_id: str, task: asyncio.Task[Secret]) -> None:
        self._running.pop(credential_id, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _renew(
        self, definition: Mapping[str, Any], credential_id: str, project_id: str, stale: str
    ) -> Secret:
        end = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < end:
            lease = await self._store.lease(credential_id, project_id, stale)
            if lease.id:
                try:
                    return await self._get(definition, credential_id, lease)
                except WeftError as error:
                    if error.code is not ErrorCode.CONFLICT:
                        raise
            elif not lease.busy:
                return lease.secret
            else:
                await asyncio.sleep(_PAUSE)
        raise NodeRunError("Nobody gets a new token for the credential in time", code="TIMEOUT")

    async def _get(self, definition: Mapping[str, Any], credential_id: str, lease: Lease) -> Secret:
        secret, tokens = with_defaults(definition, lease.secret), tokens_of(lease.secret)
        try:
            if secret.get("grantType") == "clientCredentials":
                found = await oauth.client_tokens(self._http, secret)
            else:
                found = await oauth.renewed_tokens(self._http, secret, tokens)
        except BaseException:
            await self._store.put(credential_id, lease.id, None)
            raise
        await self._store.put(credential_id, lease.id, found)
        return {**lease.secret, "oauthTokenData": found}


def _renewable(secret: Mapping[str, Any], tokens: Mapping[str, Any]) -> bool:
    return secret.get("grantType") == "clientCredentials" or bool(tokens.get("refresh_token"))

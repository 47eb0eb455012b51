"""Sign-ins of credentials at services, and who may get new tokens for them: one at a time."""

import hashlib
import hmac
import secrets
import time
from typing import Any, Final

import msgspec
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import AuditRecorded, CredentialChanged
from weft_kit.identity.access import AccessPolicy
from weft_kit.rpc import Caller, caller, current

from weft_workflow_store.adapters.envelope import Envelope
from weft_workflow_store.adapters.postgres import Store
from weft_workflow_store.adapters.postgres_secrets import Credentials, credential_of
from weft_workflow_store.domain.secrets import TOKENS, Credential, SignIn

SIGN_IN_SECONDS: Final = 600.0
LEASE_SECONDS: Final = 30
"""Longer than getting a token may take; who dies meanwhile is not waited for any longer."""


class SignIns:
    def __init__(
        self, store: Store, policy: AccessPolicy, envelope: Envelope, credentials: Credentials
    ) -> None:
        self._store = store
        self._policy = policy
        self._envelope = envelope
        self._credentials = credentials

    async def lease(self, credential_id: str, project_id: str, stale: str) -> tuple[bytes, str, bool]:
        """The fields, a lease or nothing, and whether somebody else has it. Raises NOT_FOUND."""
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "SELECT *, lease <> '' AND lease_until > now() AS leased FROM workflow_store.credentials "
                "WHERE id = $1 AND project_id = $2 FOR UPDATE",
                credential_id,
                project_id,
            )
            if row is None:
                raise WeftError(ErrorCode.NOT_FOUND, "There is no such credential in this project.")
            data = self._envelope.open(credential_id, row["wrapped_key"], row["data"])
            held = (orjson.loads(data).get(TOKENS) or {}).get("access_token") or ""
            if held and held != stale:
                return data, "", False
            if row["leased"]:
                return data, "", True
            return data, await self._grant(tx.connection, credential_id), False

    async def put(self, credential_id: str, lease: str, tokens: bytes) -> None:
        """Raises CONFLICT where the lease is over or the fields were changed meanwhile."""
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "SELECT * FROM workflow_store.credentials WHERE id = $1 AND lease = $2 AND lease <> '' FOR UPDATE",
                credential_id,
                lease,
            )
            if row is None:
                raise WeftError(ErrorCode.CONFLICT, "The credential was changed meanwhile.")
            if not tokens:
                query = "UPDATE workflow_store.credentials SET lease = '' WHERE id = $1"
                await tx.connection.execute(query, credential_id)
                return
            data = orjson.loads(self._envelope.open(credential_id, row["wrapped_key"], row["data"]))
            data[TOKENS] = orjson.loads(tokens)
            await tx.connection.execute(
                "UPDATE workflow_store.credentials SET wrapped_key = $2, data = $3, lease = '', connected_at = now() "
                "WHERE id = $1",
                credential_id,
                *self._envelope.seal(credential_id, orjson.dumps(data)),
            )
            await tx.tell_credential(CredentialChanged(credential_id, row["project_id"], "updated"))

    async def begin(self, credential_id: str, binding: str, secret: bytes, state: str) -> str:
        """The state. Raises NOT_FOUND, FORBIDDEN; VALIDATION_ERROR where `state` is not that of the open one."""
        async with self._store.transaction() as tx:
            row = await self._credentials.mine(tx, credential_id, "credential:update")
            nonce = self._open(row, state).nonce if state else secrets.token_urlsafe(24)
            sign_in = SignIn(nonce, caller().user_id, _hashed(binding), time.time() + SIGN_IN_SECONDS, secret)
            await tx.connection.execute(
                "UPDATE workflow_store.credentials SET sign_in = $2 WHERE id = $1",
                credential_id,
                self._envelope.seal_sign_in(msgspec.json.encode(sign_in)),
            )
        return state or self._envelope.seal_state(f"{credential_id} {nonce}")

    async def take(self, state: str, binding: str) -> tuple[Credential, bytes, bytes, str]:
        """Ends it: the credential, its fields, the sign-in's secret, a lease. Raises VALIDATION_ERROR; FORBIDDEN
        or NOT_FOUND where the user may not change the credential any more."""
        credential_id = self._named(state)
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "SELECT * FROM workflow_store.credentials WHERE id = $1 FOR UPDATE", credential_id
            )
            sign_in = self._open(row, state)
            if not hmac.compare_digest(sign_in.binding, _hashed(binding)):
                raise _unknown()
            await self._allowed(sign_in.user_id, row["project_id"])
            await tx.connection.execute(
                "UPDATE workflow_store.credentials SET sign_in = NULL WHERE id = $1", credential_id
            )
            lease = await self._grant(tx.connection, credential_id)
            await tx.audit(
                AuditRecorded(
                    sign_in.user_id, "credential.signed_in", "credential", credential_id, row["project_id"]
                )
            )
        data = self._envelope.open(credential_id, row["wrapped_key"], row["data"])
        return credential_of(row), data, sign_in.secret, lease

    async def _allowed(self, user_id: str, project_id: str) -> None:
        """The service sends the user back without their token: the one who began is asked about."""
        token = current.set(Caller(user_id))
        try:
            await self._policy.require(project_id, "credential:update")
        finally:
            current.reset(token)

    @staticmethod
    async def _grant(connection: Any, credential_id: str) -> str:
        lease = secrets.token_urlsafe(16)
        await connection.execute(
            "UPDATE workflow_store.credentials SET lease = $2, lease_until = now() + make_interval(secs => $3) "
            "WHERE id = $1",
            credential_id,
            lease,
            float(LEASE_SECONDS),
        )
        return lease

    def _named(self, state: str) -> str:
        try:
            return self._envelope.open_state(state).partition(" ")[0]
        except (WeftError, ValueError):
            raise _unknown() from None

    def _open(self, row: Any, state: str) -> SignIn:
        """The open sign-in of that state."""
        if row is None or row["sign_in"] is None:
            raise _unknown()
        found = msgspec.json.decode(self._envelope.open_sign_in(row["sign_in"]), type=SignIn)
        try:
            nonce = self._envelope.open_state(state).partition(" ")[2]
        except (WeftError, ValueError):
            raise _unknown() from None
        if not hmac.compare_digest(found.nonce, nonce) or found.until < time.time():
            raise _unknown()
        return found


def _hashed(binding: str) -> str:
    return hashlib.sha256(binding.encode()).hexdigest()


def _unknown() -> WeftError:
    message = "This sign-in is not open: it took too long, was used before, or was begun in another browser."
    return WeftError(ErrorCode.VALIDATION_ERROR, message)

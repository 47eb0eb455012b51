"""Who may call a webhook: credentials, addresses, bots."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import CredentialChanged, Envelope
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_contracts.rpc.workflow_store import Credentials
from weft_kit.identity.expiring import Expiring

from weft_webhook_ingress.domain.answers import Answer, problem
from weft_webhook_ingress.domain.hook import Hook

_TYPES: Final = {"basicAuth": "httpBasicAuth", "headerAuth": "httpHeaderAuth", "jwtAuth": "jwtAuth"}
_BOTS: Final = ("bot", "crawler", "spider", "facebookexternalhit", "slurp", "preview", "whatsapp")
SECRET_SECONDS: Final = 60.0
_DENIED: Final = "Authorization is required!"


class Guard:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._secrets: Expiring[tuple[str, str], dict[str, Any]] = Expiring()
        """By project and id: a credential opens the hooks of its own project only."""
        self._changes = 0

    async def changed(self, envelope: Envelope) -> None:
        """Not every change is heard of: what was read is good for SECRET_SECONDS."""
        if isinstance(envelope.body, CredentialChanged):
            self._changes += 1
            self._secrets.clear()

    async def refusal(self, hook: Hook, headers: Mapping[str, str], address: str) -> Answer | None:
        """None where the call may come in."""
        if hook.ignore_bots and any(mark in headers.get("user-agent", "").lower() for mark in _BOTS):
            return problem(403, _DENIED)
        if hook.networks and not _inside(hook, address):
            return problem(403, "IP is not allowed to access the webhook!")
        if hook.authentication == "none":
            return None
        secret = await self._secret(hook)
        if secret is None:
            return problem(500, "The credential of this webhook is missing.")
        if _empty(hook.authentication, secret):
            return problem(500, "The credential of this webhook is empty.")
        if hook.authentication == "basicAuth":
            return _basic(secret, headers.get("authorization", ""))
        if hook.authentication == "headerAuth":
            name, value = str(secret.get("name", "")).lower(), str(secret.get("value", ""))
            good = bool(name) and hmac.compare_digest(headers.get(name, "").encode(), value.encode())
            return None if good else problem(403, "Authorization data is wrong!")
        if hook.authentication == "jwtAuth":
            return _token(secret, headers.get("authorization", ""))
        return problem(500, f"The authentication {hook.authentication!r} is not supported.")

    async def _secret(self, hook: Hook) -> dict[str, Any] | None:
        credential_id = hook.credentials.get(_TYPES.get(hook.authentication, ""), "")
        if not credential_id:
            return None
        key = (hook.owner.project_id, credential_id)
        found = self._secrets.get(key)
        if found is None:
            request = pb.DecryptRequest(credential_id=credential_id, project_id=hook.owner.project_id)
            changes = self._changes
            try:
                found = orjson.loads((await self._credentials.Decrypt(request)).data)
            except WeftError as error:
                if error.code is ErrorCode.NOT_FOUND:
                    return None
                raise
            if changes == self._changes:  # else it may be what was there before
                self._secrets.put(key, found, SECRET_SECONDS)
        return found


def _inside(hook: Hook, address: str) -> bool:
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in network for network in hook.networks)


def _empty(authentication: str, secret: Mapping[str, Any]) -> bool:
    """Whether anybody could come in."""
    if authentication == "basicAuth":
        return not (secret.get("user") or secret.get("password"))
    if authentication == "jwtAuth":
        return not secret.get("publicKey" if secret.get("keyType") == "pemKey" else "secret")
    return not secret.get("value")


def _basic(secret: Mapping[str, Any], given: str) -> Answer | None:
    asked = problem(401, _DENIED, headers=((b"www-authenticate", b'Basic realm="Webhook"'),))
    scheme, _, encoded = given.partition(" ")
    if scheme.lower() != "basic":
        return asked
    try:
        pair = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return asked
    wanted = f"{secret.get('user', '')}:{secret.get('password', '')}".encode()
    return None if hmac.compare_digest(pair, wanted) else problem(403, "Authorization data is wrong!")


def _token(secret: Mapping[str, Any], given: str) -> Answer | None:
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return problem(401, "No token provided")
    algorithm = str(secret.get("algorithm") or "HS256")
    try:
        if secret.get("keyType") == "pemKey":
            kind = ECKey if algorithm.startswith("ES") else RSAKey
            key: Any = kind.import_key(str(secret.get("publicKey", "")))
        else:
            key = OctKey.import_key(str(secret.get("secret", "")))
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        jwt.JWTClaimsRegistry(leeway=5).validate(claims)
    except (JoseError, ValueError, TypeError):
        return problem(403, "Authorization data is wrong!")
    return None

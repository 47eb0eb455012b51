"""Tokens of service accounts: a signed claim for an access token.

https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from weft_node_sdk.context import Http, NodeRunError, Outbound
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.values import names_in

from weft_nodes.network.rest import read, said

_TOKENS: Final = "https://oauth2.googleapis.com/token"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOSTS: Final = ("*.googleapis.com", "*.google.com")


async def authenticated(http: Http, secret: Mapping[str, Any], scopes: Sequence[str]) -> Authentication:
    """What a service account of kind googleApi adds to requests for an hour. Raises NodeRunError."""
    import jwt

    email, key = str(secret.get("email") or "").strip(), str(secret.get("privateKey") or "").strip()
    if not email or not key:
        raise NodeRunError("The credential of the service account has no e-mail address or no private key")
    now = int(time.time())
    claim = {"iss": email, "scope": " ".join(scopes), "aud": _TOKENS, "iat": now, "exp": now + 3600}
    if secret.get("inpersonate") is True and secret.get("delegatedEmail"):
        claim["sub"] = str(secret["delegatedEmail"])
    try:
        assertion = jwt.encode(claim, key.replace("\\n", "\n"), "RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise NodeRunError("The private key of the service account can't be read") from None
    answer = await http.request(
        "POST",
        _TOKENS,
        headers=[("content-type", "application/x-www-form-urlencoded")],
        body=urlencode({"grant_type": _GRANT, "assertion": assertion}).encode(),
        timeout=30.0,
    )
    found = read(answer)
    if not isinstance(found, Mapping) or answer.status >= 400 or not found.get("access_token"):
        told = found.get("error_description") if isinstance(found, Mapping) else ""
        raise NodeRunError(
            f"Google gives the service account no token: {told or said(found) or f'status {answer.status}'}",
            http_status=answer.status,
        )
    headers = [("authorization", f"Bearer {found['access_token']}")]
    return Authentication(headers=headers, hosts=list(HOSTS), secret=secret)


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where Google gives it no token."""
    scopes = names_in(secret.get("scopes")) or ["https://www.googleapis.com/auth/cloud-platform"]
    await authenticated(ctx.http, secret, scopes)

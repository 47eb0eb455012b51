"""Generic credentials on a request."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from weft_node_sdk.context import HttpAnswer, NodeRunError, RunContext

from weft_nodes.http_request.building import json_fields
from weft_nodes.http_request.draft import Draft

_FIRST_VERSION = {
    "basicAuth": "httpBasicAuth",
    "digestAuth": "httpDigestAuth",
    "headerAuth": "httpHeaderAuth",
    "queryAuth": "httpQueryAuth",
    "oAuth1": "oAuth1Api",
    "oAuth2": "oAuth2Api",
}


def credential_type(parameters: Mapping[str, Any]) -> str:
    """The type that the parameters ask for; empty for none. Raises NodeRunError for what can't be used
    yet."""
    chosen = parameters.get("authentication", "none")
    if chosen == "genericCredentialType":
        chosen = parameters.get("genericAuthType", "")
    elif chosen == "predefinedCredentialType":
        raise NodeRunError(
            f"Credentials of type '{parameters.get('nodeCredentialType')}' can't be used here yet",
            description="Choose a generic credential (header, bearer, basic, query) with the service's key.",
            code="UNSUPPORTED",
        )
    chosen = _FIRST_VERSION.get(chosen, chosen)
    if chosen in ("oAuth1Api", "oAuth2Api"):
        raise NodeRunError(f"Credentials of type '{chosen}' can't be used here yet", code="UNSUPPORTED")
    return "" if chosen == "none" else str(chosen)


async def authenticate(ctx: RunContext, draft: Draft, kind: str) -> None:
    """Adds the secret to the request. Digest needs the server's challenge first: see `answer_challenge`."""
    if kind in ("", "httpDigestAuth"):
        return
    secret = await ctx.credential(kind)
    match kind:
        case "httpBasicAuth":
            pair = f"{secret.get('user', '')}:{secret.get('password', '')}"
            draft.set_header("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        case "httpHeaderAuth":
            draft.set_header(str(secret.get("name", "")), str(secret.get("value", "")))
        case "httpBearerAuth":
            draft.set_header("authorization", f"Bearer {secret.get('token', '')}")
        case "httpQueryAuth":
            draft.set_query(str(secret.get("name", "")), str(secret.get("value", "")))
        case "httpCustomAuth":
            given = json_fields(secret.get("json"), "custom credential")
            for name, text in (given.get("headers") or {}).items():
                draft.set_header(name, text)
            for name, held in (given.get("qs") or {}).items():
                draft.set_query(name, held)
            for name, held in (given.get("body") or {}).items():
                draft.set_field(name, held)
        case _:
            raise NodeRunError(f"Credentials of type '{kind}' can't be used here", code="UNSUPPORTED")


async def answer_challenge(ctx: RunContext, draft: Draft, answer: HttpAnswer) -> bool:
    """Digest authentication (RFC 7616, qop auth, MD5 and SHA-256): whether the request should be sent
    again."""
    header = next((text for name, text in answer.headers if name.lower() == "www-authenticate"), "")
    if answer.status != 401 or not header.lower().startswith("digest "):
        return False
    asked = {
        name.lower(): quoted or bare
        for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', header)
    }
    algorithm = asked.get("algorithm", "MD5")
    digests = {"MD5": "md5", "SHA-256": "sha256"}
    if algorithm.upper() not in digests:
        raise NodeRunError(f"The server asks for the digest algorithm {algorithm}, which is not supported")

    def hashed(text: str) -> str:
        return hashlib.new(digests[algorithm.upper()], text.encode(), usedforsecurity=False).hexdigest()

    secret = await ctx.credential("httpDigestAuth")
    parts = urlsplit(draft.url)
    search = "&".join(part for part in (parts.query, urlencode(draft.query)) if part)
    uri = (parts.path or "/") + (f"?{search}" if search else "")
    user, realm, nonce = str(secret.get("user", "")), asked.get("realm", ""), asked.get("nonce", "")
    first = hashed(f"{user}:{realm}:{secret.get('password', '')}")
    second = hashed(f"{draft.method}:{uri}")
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    tail = f"algorithm={algorithm}"
    if "auth" in asked.get("qop", "").split(","):
        own = secrets.token_hex(8)
        fields["response"] = hashed(f"{first}:{nonce}:00000001:{own}:auth:{second}")
        fields["cnonce"] = own
        tail += ", qop=auth, nc=00000001"
    else:
        fields["response"] = hashed(f"{first}:{nonce}:{second}")
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    quoted = ", ".join(f'{name}="{text}"' for name, text in fields.items())
    draft.set_header("authorization", f"Digest {quoted}, {tail}")
    return True

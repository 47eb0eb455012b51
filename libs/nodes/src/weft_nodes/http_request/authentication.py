"""Credentials on a request."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from weft_node_sdk import oauth1
from weft_node_sdk.context import ClientCertificate, HttpAnswer, HttpBody, NodeRunError, RunContext
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.values import text_of

from weft_nodes.http_request.building import json_fields
from weft_nodes.http_request.draft import Draft, Pair

_FIRST_VERSION = {
    "basicAuth": "httpBasicAuth",
    "digestAuth": "httpDigestAuth",
    "headerAuth": "httpHeaderAuth",
    "queryAuth": "httpQueryAuth",
    "oAuth1": "oAuth1Api",
    "oAuth2": "oAuth2Api",
}


def credential_type(parameters: Mapping[str, Any]) -> str:
    """The type that the parameters ask for; empty for none. Raises NodeRunError where none is chosen."""
    chosen = parameters.get("authentication", "none")
    if chosen in ("genericCredentialType", "predefinedCredentialType"):
        chosen = parameters.get(
            "genericAuthType" if chosen == "genericCredentialType" else "nodeCredentialType"
        )
        if not chosen:
            raise NodeRunError("The kind of credential is not chosen")
    chosen = text_of(chosen)
    chosen = _FIRST_VERSION.get(chosen, chosen)
    return "" if chosen == "none" else chosen


async def client_certificate(ctx: RunContext) -> ClientCertificate:
    secret = await ctx.credential("httpSslAuth")
    given = (str(secret.get(name) or "").strip() for name in ("cert", "key", "passphrase", "ca"))
    return ClientCertificate(*given)


async def authenticate(ctx: RunContext, draft: Draft, kind: str, stale: str = "") -> Authentication | None:
    """Adds the secret to the request; None where it is not one that a service gives anew. Digest needs the server's
    challenge first: see `answer_challenge`. OAuth1 signs the whole: see `signed`."""
    if kind in ("", "httpDigestAuth"):
        return None
    if kind == "httpCustomAuth":
        secret = await ctx.credential(kind)
        given = json_fields(secret.get("json"), "custom credential")
        for name, text in (given.get("headers") or {}).items():
            draft.set_secret(str(name), text)
        for name, held in (given.get("qs") or {}).items():
            draft.set_query(name, held)
        for name, held in (given.get("body") or {}).items():
            draft.set_field(name, held)
        return None
    found = await ctx.authentication(kind, stale)
    found.check(draft.url)
    for name, text in found.headers:
        draft.set_secret(name, text)
    for name, text in found.query:
        draft.set_query(name, text)
    for name, text in found.body.items():
        draft.set_field(name, text)
    return found


def is_expired(authentication: Authentication, answer: HttpAnswer) -> bool:
    """Whether the service says that the access token has run out."""
    status = authentication.secret.get("tokenExpiredStatusCode")
    told = int(status) if isinstance(status, int | float) and status else 401
    return bool(authentication.access_token) and answer.status in {401, told}


def signed(
    draft: Draft, secret: Mapping[str, Any], headers: list[Pair], body: bytes | HttpBody | None
) -> list[Pair]:
    """The headers of an encoded request with its signature by OAuth1."""
    parts = urlsplit(draft.url)
    search = "&".join(part for part in (parts.query, urlencode(draft.query, quote_via=quote)) if part)
    # as the client writes it: what is no part of an address is quoted
    url = quote(urlunsplit(parts._replace(query=search)), safe="%/:=&?~#+!$,;'@()*[]")
    kind = next((text for name, text in headers if name.lower() == "content-type"), "")
    plain = body if isinstance(body, bytes) else None  # files are no part of what is signed
    header = oauth1.authorization(secret, draft.method, url, content_type=kind, body=plain)
    return [*(each for each in headers if each[0].lower() != "authorization"), ("authorization", header)]


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

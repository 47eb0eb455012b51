"""OAuth 1.0a signatures (RFC 5849), also by the SHA-2 methods that services added to it."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.credentials import tokens_of

_FORM = "application/x-www-form-urlencoded"


def authorization(
    secret: Mapping[str, Any],
    method: str,
    url: str,
    *,
    content_type: str = "",
    body: bytes | None = None,
    token: Mapping[str, Any] | None = None,
    callback: str = "",
    verifier: str = "",
) -> str:
    """The header `Authorization` for a request to `url` with its whole query. `token`: instead of the credential's.
    Raises NodeRunError for a signature method that is not known, and for an address without TLS."""
    from authlib.common.errors import AuthlibBaseError
    from authlib.oauth1.rfc5849.client_auth import ClientAuth

    for name, digest in (("HMAC-SHA256", hashlib.sha256), ("HMAC-SHA512", hashlib.sha512)):
        ClientAuth.register_signature_method(name, _hmac(digest))
    token = tokens_of(secret) if token is None else token
    auth = ClientAuth(
        str(secret.get("consumerKey") or ""),
        client_secret=str(secret.get("consumerSecret") or ""),
        token=token.get("oauth_token"),
        token_secret=token.get("oauth_token_secret"),
        redirect_uri=callback or None,
        verifier=verifier or None,
        signature_method=str(secret.get("signatureMethod") or "HMAC-SHA1"),
    )
    form = content_type.lower().startswith(_FORM)
    headers = {"Content-Type": _FORM} if form else {}
    try:
        _, signed, _ = auth.sign(method, url, headers, (body or b"").decode() if form else b"")
    except (AuthlibBaseError, ValueError) as error:
        raise NodeRunError(f"The request can't be signed: {error}") from None
    return str(signed["Authorization"])


def _hmac(digest: Callable[..., Any]) -> Callable[[Any, Any], str]:
    def sign(client: Any, request: Any) -> str:
        from authlib.oauth1.rfc5849.signature import generate_signature_base_string

        key = "&".join(quote(text or "", safe="~") for text in (client.client_secret, client.token_secret))
        text = generate_signature_base_string(request)
        return base64.b64encode(hmac.digest(key.encode(), text.encode(), digest)).decode()

    return sign

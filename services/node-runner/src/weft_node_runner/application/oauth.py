"""The protocols of sign-ins at services, as a client: OAuth 2.0 (RFC 6749, PKCE by RFC 7636) and OAuth 1.0a (RFC 5849).
Addresses of services are what users wrote: they are called through the guard only."""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
from weft_node_sdk import oauth1
from weft_node_sdk.context import Http, HttpAnswer, NodeRunError

TOKEN_SECONDS: Final = 15.0
"""How long a service may take to give a token."""
_MOST: Final = 1024 * 1024
_RESERVED: Final = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
)

Fields = Mapping[str, Any]


def _address(secret: Fields, name: str) -> str:
    """An address among the credential's fields. Raises NodeRunError where it is none (it may be shown to a browser)."""
    text = str(secret.get(name) or "").strip()
    if not text.lower().startswith(("https://", "http://")):
        raise NodeRunError(f"The credential's {name} is no web address", code="SIGN_IN_FAILED")
    return text


def _failure(message: str, description: str = "", status: int | None = None) -> NodeRunError:
    return NodeRunError(message, description=description, code="SIGN_IN_FAILED", http_status=status)


def check_supported(secret: Fields) -> None:
    """Raises NodeRunError for what this client does not do."""
    for name, what in (
        ("useDynamicClientRegistration", "Clients that register themselves"),
        ("jweEnabled", "Encrypted tokens"),
    ):
        if secret.get(name) is True:
            raise NodeRunError(f"{what} are not supported", code="UNSUPPORTED")
    if secret.get("clientCredentialType", "clientSecret") != "clientSecret":
        raise NodeRunError("Clients without a secret of their own are not supported", code="UNSUPPORTED")


def consent_url(secret: Fields, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the user consents to a sign-in by OAuth2. PKCE is part of it whatever the grant is called: servers that
    don't know it pass over it (RFC 6749, 3.1)."""
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    check_supported(secret)
    more = dict(parse_qsl(str(secret.get("authQueryParameters") or "").lstrip("?")))
    return str(
        prepare_grant_uri(
            _address(secret, "authUrl"),
            str(secret.get("clientId") or ""),
            "code",
            redirect_uri=redirect_uri,
            scope=_scope(secret) or None,
            state=state,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **{name: text for name, text in more.items() if name not in _RESERVED},
        )
    )


def _scope(secret: Fields) -> str:
    """The user's own scopes where they have chosen some."""
    return str(secret.get("enabledScopes" if secret.get("customScopes") is True else "scope") or "")


def new_verifier() -> str:
    return secrets.token_urlsafe(48)


async def code_tokens(
    http: Http, secret: Fields, code: str, redirect_uri: str, verifier: str
) -> dict[str, Any]:
    """What a consent is exchanged for. Raises NodeRunError."""
    given = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    return await _asked(http, secret, "authorization_code", given)


async def client_tokens(http: Http, secret: Fields) -> dict[str, Any]:
    """Tokens for the client itself. Raises NodeRunError."""
    given = {"scope": _scope(secret)}
    if secret.get("sendAdditionalBodyProperties") is True:
        more = secret.get("additionalBodyProperties") or {}
        if isinstance(more, str):
            try:
                more = orjson.loads(more)
            except orjson.JSONDecodeError:
                more = None
        if not isinstance(more, Mapping):
            raise _failure("The additional body properties are no JSON object")
        given |= {str(name): str(held) for name, held in more.items() if name != "grant_type"}
    return await _asked(http, secret, "client_credentials", given)


async def renewed_tokens(http: Http, secret: Fields, tokens: Fields) -> dict[str, Any]:
    """New tokens for old ones; a refresh token stays where the service gives no other. Raises NodeRunError."""
    found = await _asked(http, secret, "refresh_token", {"refresh_token": str(tokens["refresh_token"])})
    kept = {name: held for name, held in tokens.items() if name not in {"expires_at", "expires_in"}}
    return {**kept, **found}


def is_over(tokens: Fields) -> bool:
    """Whether the access token's time is over, or nearly so."""
    until = tokens.get("expires_at")
    return isinstance(until, int | float) and until - 30 < time.time()


async def _asked(http: Http, secret: Fields, grant: str, given: Mapping[str, str]) -> dict[str, Any]:
    from authlib.oauth2.auth import ClientAuth

    check_supported(secret)
    url = _address(secret, "accessTokenUrl")
    client, key = str(secret.get("clientId") or ""), str(secret.get("clientSecret") or "")
    how = "client_secret_post" if secret.get("authentication") == "body" else "client_secret_basic"
    fields = {"grant_type": grant, **{name: text for name, text in given.items() if text}}
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        _, headers, body = ClientAuth(client, key, how if key else "none").prepare(
            "POST", url, headers, urlencode(fields)
        )
    except UnicodeEncodeError:
        raise _failure("The client's id and secret can't be sent in a header") from None
    answer = await _post(http, secret, url, list(headers.items()), str(body).encode())
    found = _parsed(answer)
    user = found.get("authed_user")
    if not found.get("access_token") and isinstance(user, Mapping):
        found |= user  # Slack, where an app acts as the user
    if answer.status >= 400 or "error" in found or not found.get("access_token"):
        raise _refusal(answer, found, [key, *given.values()])
    seconds = found.get("expires_in")
    if isinstance(seconds, int | float | str) and str(seconds).isdigit() and int(seconds) > 0:
        found["expires_at"] = int(time.time()) + int(seconds)
    return found


async def _post(
    http: Http, secret: Fields, url: str, headers: Sequence[tuple[str, str]], body: bytes
) -> HttpAnswer:
    return await http.request(
        "POST",
        url,
        headers=headers,
        body=body,
        timeout=TOKEN_SECONDS,
        follow_redirects=False,
        verify=secret.get("ignoreSSLIssues") is not True,
        max_bytes=_MOST,
    )


def _parsed(answer: HttpAnswer) -> dict[str, Any]:
    """The fields of an answer, JSON or a form (what services answered before RFC 6749)."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = dict(parse_qsl(answer.body.decode("utf-8", "replace")))
    return found if isinstance(found, dict) else {}


def _refusal(answer: HttpAnswer, found: Fields, hidden: Sequence[str]) -> NodeRunError:
    """In the service's own words, without what was sent to it."""
    said = ": ".join(str(found[name]) for name in ("error", "error_description") if found.get(name))
    for text in hidden:
        said = said.replace(text, "…") if len(text) > 3 else said
    return _failure(
        f"The service gives no token: {said[:300] or f'status {answer.status}'}",
        "Check the credential, or connect it again.",
        answer.status,
    )


# --- OAuth 1.0a ---------------------------------------------------------------------------------------------


async def request_token(http: Http, secret: Fields, callback: str) -> tuple[str, dict[str, str]]:
    """Where the user consents, and the token that the sign-in begins with. Raises NodeRunError."""
    token = await _asked_1(http, secret, "requestTokenUrl", {}, callback=callback)
    base = _address(secret, "authUrl")
    mark = "&" if "?" in base else "?"
    return f"{base}{mark}{urlencode({'oauth_token': token['oauth_token']})}", token


async def verified_token(http: Http, secret: Fields, token: Fields, verifier: str) -> dict[str, str]:
    """The token that requests are signed with. Raises NodeRunError."""
    return await _asked_1(http, secret, "accessTokenUrl", token, verifier=verifier)


async def _asked_1(
    http: Http, secret: Fields, address: str, token: Fields, *, callback: str = "", verifier: str = ""
) -> dict[str, str]:
    url = _address(secret, address)
    header = oauth1.authorization(secret, "POST", url, token=token, callback=callback, verifier=verifier)
    answer = await _post(http, secret, url, [("authorization", header)], b"")
    found = {name: str(held) for name, held in _parsed(answer).items()}
    if answer.status >= 400 or not found.get("oauth_token") or "oauth_token_secret" not in found:
        raise _failure(f"The service gives no token: status {answer.status}", status=answer.status)
    return found

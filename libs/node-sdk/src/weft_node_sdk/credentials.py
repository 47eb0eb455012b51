"""Credentials at work: what they add to requests, where they may be sent, how they are tried."""

import base64
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlsplit

from weft_contracts.errors import ErrorCode, WeftError

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import to_text

TOKENS: Final = "oauthTokenData"
"""The field in which a sign-in's tokens are kept: what the service answered, `access_token`, `refresh_token?`,
`expires_at?` (seconds since the epoch); for OAuth1 `oauth_token`, `oauth_token_secret`."""

CALLBACKS: Final = {
    "oauth2": "/rest/oauth2-credential/callback",
    "oauth1": "/rest/oauth1-credential/callback",
}
"""Where services send users back to, under the public address: n8n's paths, so that apps which are registered there
need no change."""

Check = Callable[[Outbound, Mapping[str, Any]], Awaitable[None]]
"""Tries a credential, given its fields. Raises NodeRunError that says why it is no good."""

_PASSWORD = re.compile(r"://[^/?#\s]*@")
_FIELD = re.compile(r"\{(\w+)\}")
_PLACE = re.compile(
    r"(ur[il]|host(name)?|port|server|endpoint|domain|account|brokers|region|proxy|connectionString)$",
    re.IGNORECASE,
)
"""Names of fields that make up an address, in all kinds of credentials; a test holds the kinds to it."""
_UNCHECKED = re.compile(
    r"^(ignoreSSLIssues|allowUnauthorizedCerts|disableTlsVerification|disableStartTls|sslAllowWeakDNMatch)$"
)
_CHECKED = re.compile(r"^(rejectUnauthorized|ssl|tls|useSSL|sslServerDNMatch|secure)$")
"""Names of fields that say, when they are off, that anybody on the way may be taken for the server."""


@dataclass(frozen=True)
class Authentication:
    """What goes into a request. `secret`: the credential's fields with their defaults. `access_token`: of a sign-in
    by OAuth2, what is refused when it has run out."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    query: list[tuple[str, str]] = field(default_factory=list)
    body: dict[str, str] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    secret: Mapping[str, Any] = field(default_factory=dict, repr=False)
    access_token: str = field(default="", repr=False)
    sign_in: str = ""

    def check(self, url: str) -> None:
        """Raises NodeRunError where the credential may not be sent there."""
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError as error:
            raise NodeRunError(f"'{url}' is no address: {error}") from None
        if self.hosts and not any(fnmatchcase(host, each) for each in self.hosts):
            raise NodeRunError(
                f"This credential is not sent to {host}",
                description=f"It is meant for {', '.join(self.hosts)}.",
                code="CREDENTIAL_HOST",
            )


def with_defaults(definition: Mapping[str, Any], secret: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the definition's defaults where they are not set; those of hidden ones may name other fields."""
    given = {
        each["name"]: each["default"] for each in definition["fields"] if each.get("default") is not None
    }
    given.update((name, held) for name, held in secret.items() if held is not None)
    for each in definition["fields"]:
        if each["type"] == "hidden" and secret.get(each["name"]) is None and each["name"] in given:
            given[each["name"]] = filled_tree(each["default"], given)
    return given


def patched(
    definition: Mapping[str, Any] | None, secret: Mapping[str, Any], change: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields after a change of some of them; null takes one away (RFC 7396, one level). Tokens that a service gave
    for other fields are gone. Raises VALIDATION_ERROR where a field that says where the secrets go would change and
    some of them be kept: who may change a credential has not seen them. Its details are `reason` SECRETS_REQUIRED,
    `changed` and `secret_fields`, the names."""
    held = {name: value for name, value in {**secret, **change}.items() if value is not None}
    if TOKENS not in change and any(secret.get(name) != held.get(name) for name in change):
        held.pop(TOKENS, None)
    moved = _moved(definition or {"fields": ()}, secret, held)
    kept = [name for name in readable(definition, held)[1] if name not in change]
    if moved and kept:
        raise WeftError(
            ErrorCode.VALIDATION_ERROR,
            f"Give {', '.join(kept)} again: what {', '.join(moved)} says now may be somebody else's server.",
            path="data",
            reason="SECRETS_REQUIRED",
            changed=moved,
            secret_fields=kept,
        )
    return held


def is_place(name: str) -> bool:
    """Whether a field of this name says where a credential's secrets go."""
    return _PLACE.search(name) is not None


def _moved(definition: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Fields that say where secrets go and don't say the same, or no longer who may read them; those with the
    definition's defaults too."""
    old, new = with_defaults(definition, before), with_defaults(definition, after)
    return [
        name
        for name in {**old, **new}
        if (is_place(name) and old.get(name) != new.get(name))
        or (is_open(name, new.get(name)) and not is_open(name, old.get(name)))
    ]


def is_open(name: str, value: Any) -> bool:
    """Whether the field gives up on encryption, or on looking whose certificate it is."""
    if _UNCHECKED.match(name):
        return bool(value)
    return _CHECKED.match(name) is not None and value in (None, False, "", "none", "disable", "allow")


def readable(
    definition: Mapping[str, Any] | None, secret: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The fields that may be shown, and the names of those that are set and may not: what the kind doesn't declare as
    harmless, and addresses with a password in them."""
    open_fields = {each["name"] for each in (definition or {}).get("fields", ()) if not each.get("secret")}
    shown = {
        name: value
        for name, value in secret.items()
        if name in open_fields and not (isinstance(value, str) and _PASSWORD.search(value))
    }
    return shown, [name for name, value in secret.items() if name not in shown and value not in (None, "")]


def tokens_of(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens of a sign-in; empty where there was none."""
    held = secret.get(TOKENS)
    return dict(held) if isinstance(held, Mapping) else {}


def authentication(definition: Mapping[str, Any], secret: Mapping[str, Any]) -> Authentication:
    """What a credential of that kind adds to each request. Raises NodeRunError where the kind adds nothing."""
    rules = definition.get("authenticate")
    sign_in = str(definition.get("sign_in", ""))
    if rules is None and sign_in != "oauth1":
        raise NodeRunError(
            f"Credentials of type '{definition['type']}' can't be put into a request", code="UNSUPPORTED"
        )
    secret = with_defaults(definition, secret)
    token = str(tokens_of(secret).get("access_token") or "") if sign_in == "oauth2" else ""
    fields = {**secret, "access_token": token} if sign_in == "oauth2" else secret
    rules = rules or {}
    headers = list(_filled(rules.get("headers", {}), fields))
    if basic := rules.get("basic"):
        pair = ":".join(fill(text, fields) for text in basic)
        headers.append(("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    return Authentication(
        headers=headers,
        query=list(_filled(rules.get("query", {}), fields)),
        body=dict(_filled(rules.get("body", {}), fields)),
        hosts=[_host(fill(each, fields)) for each in definition.get("hosts", ())],
        secret=secret,
        access_token=token,
        sign_in=sign_in,
    )


def _filled(rules: Mapping[str, str], fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, text in rules.items():
        named = _FIELD.findall(text)
        if not named or any(fields.get(each) not in (None, "") for each in named):
            yield fill(name, fields), fill(text, fields)


def fill(text: str, fields: Mapping[str, Any]) -> str:
    """The text with the fields in their places; one that is not set is empty."""
    return _FIELD.sub(lambda found: str(to_text(fields.get(found[1])) or ""), text)


def filled_tree(given: Any, fields: Mapping[str, Any]) -> Any:
    """The same for all texts of a JSON value."""
    if isinstance(given, str):
        return fill(given, fields)
    if isinstance(given, list):
        return [filled_tree(member, fields) for member in given]
    if isinstance(given, dict):
        return {name: filled_tree(member, fields) for name, member in given.items()}
    return given


def _host(text: str) -> str:
    """A host, or that of an address."""
    return ((urlsplit(text).hostname or "") if "//" in text else text.partition(":")[0]).lower()

"""JWT: makes JSON Web Tokens, checks them, or reads them unchecked."""

import base64
import re
import time
from collections.abc import Mapping
from typing import Any, Final

import jwt
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.values import (
    NotConvertible,
    compact_json,
    members,
    number_text,
    to_object,
    to_whole,
    value,
)

_CLAIMS: Final = {"audience": "aud", "issuer": "iss", "jwtid": "jti", "subject": "sub"}
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_REGISTERED: Final = {"verify_aud": False, "verify_iss": False, "verify_sub": False, "verify_jti": False}
"""What a token says of its reader and maker is the workflow's to judge."""


def _object(given: Any, name: str) -> dict[str, Any]:
    try:
        found = to_object(value(given))
    except NotConvertible as error:
        raise NodeRunError(f"The {name} are no JSON object: {error}") from None
    return dict(found or {})


def _seconds(given: Any, name: str) -> int:
    try:
        number = to_whole(value(given))
    except NotConvertible:
        number = None
    if number is None:
        raise NodeRunError(f"{name} must be a number of seconds")
    return int(number)


def _claims(parameters: Mapping[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    if parameters.get("useJson") is True:
        claims: dict[str, Any] = {"iat": now, **_object(parameters.get("claimsJson"), "claims")}
        for name in ("iat", "exp", "nbf"):
            if name in claims and (
                isinstance(claims[name], bool) or not isinstance(claims[name], int | float)
            ):
                raise NodeRunError(f"The claim '{name}' must be a number of seconds")
        return claims
    given = members(parameters, "claims")
    claims = {"iat": now}
    for name, claim in _CLAIMS.items():
        if held := value(given.get(name)):
            claims[claim] = held if isinstance(held, str) else number_text(held)
    for name, claim in (("expiresIn", "exp"), ("notBefore", "nbf")):
        if name in given:
            claims[claim] = now + _seconds(given[name], name)
    return claims


def _key(credential: Mapping[str, Any], *, private: bool) -> str:
    pair = credential.get("keyType") == "pemKey"
    name = ("privateKey" if private else "publicKey") if pair else "secret"
    found = str(credential.get(name) or "")
    if not found:
        raise NodeRunError(f"The credential has no {name}")
    return found.replace("\\n", "\n") if pair else found


def _signed(parameters: Mapping[str, Any], credential: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
    kid = value(members(parameters).get("kid"))
    header = {"alg": algorithm, "typ": "JWT", **({"kid": str(kid)} if kid else {})}
    header |= {**_object(parameters.get("headerClaims") or "{}", "header claims"), "alg": algorithm}
    text = f"{_part(compact_json(header).encode())}.{_part(compact_json(_claims(parameters)).encode())}"
    method = jwt.get_algorithm_by_name(algorithm)
    key = method.prepare_key(None if algorithm == "none" else _key(credential, private=True))
    return {"token": f"{text}.{_part(method.sign(text.encode(), key))}"}


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _shown(token: dict[str, Any], text: str, options: Mapping[str, Any]) -> dict[str, Any]:
    if options.get("complete") is not True:
        return {"payload": token["payload"]}
    return {"header": token["header"], "payload": token["payload"], "signature": text.rpartition(".")[2]}


def _verified(parameters: Mapping[str, Any], credential: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
    options = members(parameters)
    text = str(value(parameters.get("token")) or "")
    if algorithm == "none":
        raise NodeRunError("A token without a signature can't be verified", description="Decode it instead.")
    token = jwt.decode_complete(
        text,
        _key(credential, private=False),
        algorithms=[algorithm],
        leeway=_seconds(options.get("clockTolerance", 0), "The clock tolerance"),
        options={  # type: ignore[arg-type]
            **_REGISTERED,
            "verify_iat": False,
            "verify_exp": options.get("ignoreExpiration") is not True,
            "verify_nbf": options.get("ignoreNotBefore") is not True,
        },
    )
    return _shown(token, text, options)


def _decoded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Unchecked. The payload of what looks like a token and can't be read is null."""
    text = str(value(parameters.get("token")) or "")
    if not _TOKEN.fullmatch(text):
        raise NodeRunError("That is no token", description="A token has three parts with dots between them.")
    try:
        token = jwt.decode_complete(text, options={"verify_signature": False})
    except jwt.DecodeError:
        return {"payload": None}
    return _shown(token, text, members(parameters))


def _result(parameters: dict[str, Any], credential: Mapping[str, Any]) -> dict[str, Any]:
    operation = parameters.get("operation", "sign")
    chosen = value(members(parameters).get("algorithm")) or credential.get("algorithm") or "HS256"
    try:
        if operation == "sign":
            return _signed(parameters, credential, str(chosen))
        if operation == "verify":
            return _verified(parameters, credential, str(chosen))
        if operation == "decode":
            return _decoded(parameters)
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError) as error:
        does = {"sign": "made", "verify": "verified"}.get(operation, "decoded")
        raise NodeRunError(f"The token can't be {does}: {error}") from None
    raise NodeRunError(f"'{operation}' is not a known operation")


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    # a token is read without a key
    decodes = ctx.node.parameters.get("operation") == "decode"
    credential: Mapping[str, Any] = {} if decodes else await ctx.credential("jwtAuth")

    def handle(index: int, _: Item, parameters: dict[str, Any]) -> None:
        output.append(made(_result(parameters, credential), index))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]

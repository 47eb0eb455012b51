"""Credentials and variables: what is kept of them and what may be seen."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.items import loads_js

MAX_CREDENTIAL_BYTES: Final = 256 * 1024
TOKENS: Final = "oauthTokenData"
"""The field of a sign-in's tokens, as the node SDK has it."""
MAX_VALUE: Final = 64 * 1024
_KEY: Final = re.compile(r"[A-Za-z0-9_]{1,255}")


@dataclass(frozen=True, slots=True)
class Credential:
    """Without its secret, which is only ever opened for one task. `connected_at`: since when it holds tokens that the
    service gave."""

    id: str
    project_id: str
    created_by: str
    name: str
    type: str
    created_at: datetime
    updated_at: datetime
    connected_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in at a service that the user has begun. `binding`: a secret of their browser, hashed. `until`: seconds
    since the epoch."""

    nonce: str
    user_id: str
    binding: str
    until: float
    secret: bytes


@dataclass(frozen=True, slots=True)
class Variable:
    """`value` is empty where it is a secret that is not to be shown."""

    project_id: str
    key: str
    value: str
    type: str
    is_secret: bool


def check_name(what: str, text: str, most: int = 128) -> str:
    """Raises VALIDATION_ERROR."""
    if not text.strip() or len(text) > most or "\x00" in text:
        message = f"The {what} must have between 1 and {most} characters."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, path=what)
    return text


def check_secret(data: bytes) -> bytes:
    """The fields of a credential: a JSON object. Raises TOO_LARGE, VALIDATION_ERROR."""
    if len(data) > MAX_CREDENTIAL_BYTES:
        message = f"A credential may have {MAX_CREDENTIAL_BYTES} bytes."
        raise WeftError(ErrorCode.TOO_LARGE, message, limit=MAX_CREDENTIAL_BYTES)
    if not isinstance(loads_js(data or b"{}"), dict):
        raise WeftError(
            ErrorCode.VALIDATION_ERROR, "The data of a credential must be a JSON object.", path="data"
        )
    return data or b"{}"


def has_tokens(data: bytes) -> bool:
    """Whether the fields hold what a sign-in has given."""
    return bool(loads_js(data or b"{}").get(TOKENS))


def check_variable(variable: Variable) -> None:
    """Raises VALIDATION_ERROR where the key or the value can't be what it is said to be."""
    if not _KEY.fullmatch(variable.key):
        message = "The key of a variable must have 1 to 255 letters, digits or underscores."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="key")
    if len(variable.value) > MAX_VALUE or "\x00" in variable.value:
        message = f"The value of a variable may have {MAX_VALUE} characters."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="value")
    value_of(variable)


def value_of(variable: Variable) -> Any:
    """What expressions see as `$vars.<key>`. Raises VALIDATION_ERROR where the value is not of its type."""
    if variable.type == "string":
        return variable.value
    kinds: dict[str, tuple[type, ...]] = {
        "number": (int, float),
        "boolean": (bool,),
        "json": (dict, list, str, int, float, bool, type(None)),
    }
    kind = kinds.get(variable.type)
    if kind is None:
        message = f"A variable's type is string, number, boolean or json, not {variable.type!r}."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="type")
    try:
        value = loads_js(variable.value.encode())
    except WeftError:
        value = variable  # of no type
    if type(value) not in kind:
        message = f"The value of {variable.key} is no {variable.type}."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="value")
    return value

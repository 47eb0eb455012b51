"""The forms of secrets that are handed out once and stored as hashes: refresh tokens and API keys."""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from typing import Final, NamedTuple

from weft_contracts.errors import ErrorCode, WeftError

from weft_auth.domain.roles import ACTIONS

API_KEY_PREFIX: Final = "weft_"
_SHOWN = len(API_KEY_PREFIX) + 8
_API_KEY = re.compile(r"weft_[A-Za-z0-9_-]{43}")
SCOPES: Final = ACTIONS | {f"{action.partition(':')[0]}:*" for action in ACTIONS}


class RefreshToken(NamedTuple):
    """`text` goes to the client; `session_id` names the family; `hash` is stored."""

    text: str
    session_id: str
    hash: bytes


def new_refresh_token(session_id: str) -> RefreshToken:
    text = base64.urlsafe_b64encode(uuid.UUID(session_id).bytes + secrets.token_bytes(32)).decode()
    return RefreshToken(text, session_id, hashlib.sha256(text.encode()).digest())


def read_refresh_token(text: str) -> RefreshToken | None:
    """None for what no `new_refresh_token` ever made."""
    try:
        raw = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != 48:
        return None
    return RefreshToken(text, str(uuid.UUID(bytes=raw[:16])), hashlib.sha256(text.encode()).digest())


def new_api_key() -> str:
    """Shown once: 32 random bytes."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def api_key_prefix(key: str) -> str:
    """By which a key is found and told from others; it leaves 208 bits unknown. "" for what is no key."""
    return key[:_SHOWN] if _API_KEY.fullmatch(key) else ""


def api_key_hash(key: str, salt: bytes, pepper: bytes) -> bytes:
    """HMAC-SHA-256. A fast hash will do: nobody guesses 32 random bytes."""
    return hmac.digest(pepper, salt + key.encode(), hashlib.sha256)


def check_scopes(scopes: tuple[str, ...]) -> None:
    """Raises VALIDATION_ERROR for what is neither an action nor `kind:*`."""
    for scope in scopes:
        if scope not in SCOPES:
            message = f"{scope!r} is no scope; scopes are, for example, workflow:read and workflow:*."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message, field="scopes")

"""The installation's secrets, made at first start where the settings name none, and what is sealed with
them."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.settings import CoreSettings

S = TypeVar("S", bound=CoreSettings)
_VERSION = b"\x01"
_NONCE: Final = 12
_KEY_ID: Final = 4


def ensure_secrets(settings: S) -> S:
    """The settings with `master_key` and `cluster_secret`: given ones, else those in `<home>/secrets`, else
    new ones, which are written there (mode 0600; folders that exist keep their mode)."""
    made = {
        name: SecretStr(_kept(settings.home / "secrets" / name))
        for name in ("master_key", "cluster_secret")
        if not getattr(settings, name).get_secret_value()
    }
    return settings.model_copy(update=made)


def _kept(path: Path) -> str:
    """The secret in the file, which is made complete or not at all; of two processes that make it one
    wins."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    value = path.read_text().strip()
    if len(value) < 16:
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"{path} holds no secret of at least 16 characters.")
    return value


class MasterKey:
    """Seals small secrets for storage: AES-256-GCM under a key derived per purpose.

    Layout: version 1, 4 bytes that name the key, 12 bytes nonce, ciphertext with tag. The purpose is
    authenticated, so that what was sealed for one column opens in no other.
    """

    def __init__(self, secret: SecretStr) -> None:
        if not secret.get_secret_value():
            raise WeftError(ErrorCode.VALIDATION_ERROR, "WEFT_MASTER_KEY is not set.")
        self._secret = secret.get_secret_value().encode()
        self._id = hashlib.sha256(b"weft key id" + self._secret).digest()[:_KEY_ID]

    def _cipher(self, purpose: str) -> AESGCM:
        """HKDF-SHA256 (RFC 5869) of one block; the secret's entropy is the caller's promise."""
        extracted = hmac.digest(b"weft master key", self._secret, hashlib.sha256)
        return AESGCM(hmac.digest(extracted, purpose.encode() + b"\x01", hashlib.sha256))

    def seal(self, purpose: str, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return _VERSION + self._id + nonce + self._cipher(purpose).encrypt(nonce, data, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises INTERNAL where it was sealed under another key, for another purpose, or was changed."""
        key_id, rest = sealed[1 : 1 + _KEY_ID], sealed[1 + _KEY_ID :]
        if sealed[:1] != _VERSION or key_id != self._id:
            message = f"The {purpose} was encrypted under another WEFT_MASTER_KEY; give back the old one."
            raise WeftError(ErrorCode.INTERNAL, message)
        try:
            return self._cipher(purpose).decrypt(rest[:_NONCE], rest[_NONCE:], purpose.encode())
        except InvalidTag:
            raise WeftError(ErrorCode.INTERNAL, f"The stored {purpose} is damaged.") from None

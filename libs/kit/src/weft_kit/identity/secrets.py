"""The installation's secrets, made at first start where the settings name none, and what is sealed with
them."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.folders import make_private, sync
from weft_kit.settings import CoreSettings

S = TypeVar("S", bound=CoreSettings)
_VERSION = b"\x01"
_NONCE: Final = 12
_KEY_ID: Final = 4
_MARK: Final = len(_VERSION) + _KEY_ID
_NONE: Final = SecretStr("")
PREVIOUS: Final = "master_key_previous"


def ensure_secrets(settings: S) -> S:
    """The settings with `master_key` and `cluster_secret`: given ones, else those in `<home>/secrets`, else
    new ones, which are written there (mode 0600; folders that exist keep their mode). While the master key there
    is being changed, the one before it comes along."""
    folder = settings.home / "secrets"
    made = {
        name: SecretStr(_kept(folder / name))
        for name in ("master_key", "cluster_secret")
        if not getattr(settings, name).get_secret_value()
    }
    if "master_key" in made and not settings.master_key_previous and (folder / PREVIOUS).exists():
        made[PREVIOUS] = SecretStr(_kept(folder / PREVIOUS))
    return settings.model_copy(update=made)


def begin_rotation(home: Path) -> None:
    """A new master key in `<home>/secrets`, with the one before it in a file beside it until `end_rotation`. One that
    was begun is gone on with. At every moment the files hold each key that may have sealed something."""
    key, previous = home / "secrets" / "master_key", home / "secrets" / PREVIOUS
    old = _kept(key)
    if _kept(previous, old) == old:  # else the new key is in place already
        _write(key, secrets.token_urlsafe(32), Path.replace)


def end_rotation(home: Path) -> None:
    """Forgets the key before."""
    (home / "secrets" / PREVIOUS).unlink(missing_ok=True)
    sync(home / "secrets")


def _kept(path: Path, value: str = "") -> str:
    """The secret in the file, which is made (of `value`, else by chance) complete or not at all; of two processes
    that make it one wins."""
    if not path.exists():
        make_private(path.parent)
        with suppress(FileExistsError):
            _write(path, value or secrets.token_urlsafe(32), os.link)
    value = path.read_text().strip()
    if len(value) < 16:
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"{path} holds no secret of at least 16 characters.")
    return value


def _write(path: Path, value: str, place: Callable[[Path, Path], object]) -> None:
    """`place` gives the complete file its name."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        place(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
    sync(path.parent)


class MasterKey:
    """Seals small secrets for storage: AES-256-GCM under a key derived per purpose.

    Layout: version 1, 4 bytes that name the key, 12 bytes nonce, ciphertext with tag. The purpose is
    authenticated, so that what was sealed for one column opens in no other. `previous` (empty: none) opens what it
    sealed and seals nothing.
    """

    def __init__(self, secret: SecretStr, previous: SecretStr = _NONE) -> None:
        if not secret.get_secret_value():
            raise WeftError(ErrorCode.VALIDATION_ERROR, "WEFT_MASTER_KEY is not set.")
        given = [each.get_secret_value().encode() for each in (previous, secret)]
        self._secrets = {_mark(each): each for each in given if each}
        self.mark = _mark(given[1])
        """How everything begins that the key of today sealed."""

    def _cipher(self, mark: bytes, purpose: str) -> AESGCM:
        """HKDF-SHA256 (RFC 5869) of one block; the secret's entropy is the caller's promise."""
        extracted = hmac.digest(b"weft master key", self._secrets[mark], hashlib.sha256)
        return AESGCM(hmac.digest(extracted, purpose.encode() + b"\x01", hashlib.sha256))

    def seal(self, purpose: str, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return self.mark + nonce + self._cipher(self.mark, purpose).encrypt(nonce, data, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises INTERNAL where it was sealed under another key, for another purpose, or was changed."""
        mark, rest = sealed[:_MARK], sealed[_MARK:]
        if mark not in self._secrets:
            message = f"The {purpose} was encrypted under another WEFT_MASTER_KEY; give back the old one."
            raise WeftError(ErrorCode.INTERNAL, message)
        try:
            return self._cipher(mark, purpose).decrypt(rest[:_NONCE], rest[_NONCE:], purpose.encode())
        except InvalidTag:
            raise WeftError(ErrorCode.INTERNAL, f"The stored {purpose} is damaged.") from None


def _mark(secret: bytes) -> bytes:
    return _VERSION + hashlib.sha256(b"weft key id" + secret).digest()[:_KEY_ID]

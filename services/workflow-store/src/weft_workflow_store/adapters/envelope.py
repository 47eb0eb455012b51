"""Credentials at rest: a key of its own for each, wrapped by the master key."""

import base64
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.identity.secrets import MasterKey

_NONCE: Final = 12
CREDENTIAL: Final = "credential"
SIGN_IN: Final = "sign-in"
VARIABLE: Final = "variable"


class Envelope:
    """What is sealed for one id opens for no other."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def seal(self, owner: str, data: bytes) -> tuple[bytes, bytes]:
        """The wrapped key and the encrypted data."""
        key, nonce = os.urandom(32), os.urandom(_NONCE)
        wrapped = self._master.seal(CREDENTIAL, key)
        return wrapped, nonce + AESGCM(key).encrypt(nonce, data, owner.encode())

    def open(self, owner: str, wrapped: bytes, data: bytes) -> bytes:
        """Raises INTERNAL where the master key is another one or the data was changed."""
        key = self._master.open(CREDENTIAL, wrapped)
        try:
            return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], owner.encode())
        except InvalidTag:
            raise WeftError(ErrorCode.INTERNAL, "The stored credential is damaged.") from None

    def seal_sign_in(self, data: bytes) -> bytes:
        return self._master.seal(SIGN_IN, data)

    def open_sign_in(self, sealed: bytes) -> bytes:
        return self._master.open(SIGN_IN, sealed)

    def seal_state(self, text: str) -> str:
        """For an address: nobody else can make one."""
        return (
            base64.urlsafe_b64encode(self._master.seal("sign-in state", text.encode())).decode().rstrip("=")
        )

    def open_state(self, state: str) -> str:
        """Raises INTERNAL, ValueError for what was not made here."""
        sealed = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
        return self._master.open("sign-in state", sealed).decode()

    def seal_value(self, value: str) -> bytes:
        return self._master.seal(VARIABLE, value.encode())

    def open_value(self, sealed: bytes) -> str:
        return self._master.open(VARIABLE, sealed).decode()

"""Encryption with a passphrase, or for a key pair.

What a passphrase encrypts is Base64 of: a byte 1, 16 bytes of salt, 12 of nonce, a tag of 16 and the cipher's text.
The key is scrypt's (n 65536, r 8, p 1). The peer's node writes and reads the same, as its outputs show. Texts that
begin with a byte 2 are ours of before: the tag is at the end, n is 32768, and the byte is authenticated.
For a key pair it is Base64 of RSA-OAEP with SHA-256.
"""

import base64
import binascii
import hashlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from weft_node_sdk.context import NodeRunError

_FORM: Final = b"\x01"
_OLD_FORM: Final = b"\x02"
_SALT: Final = 16
_NONCE: Final = 12
_TAG: Final = 16
_KEY_BYTES: Final = {"aes-256-gcm": 32, "aes-192-gcm": 24, "aes-128-gcm": 16, "chacha20-poly1305": 32}
_OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def _cipher(name: str, passphrase: str, salt: bytes, n: int = 2**16) -> AESGCM | ChaCha20Poly1305:
    if name not in _KEY_BYTES:
        raise NodeRunError(f"'{name}' is not a known cipher")
    key = hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=8, p=1, maxmem=2**27, dklen=_KEY_BYTES[name])
    return ChaCha20Poly1305(key) if name == "chacha20-poly1305" else AESGCM(key)


def encrypted(text: bytes, passphrase: str, cipher: str) -> str:
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    sealed = _cipher(cipher, passphrase, salt).encrypt(nonce, text, None)
    return base64.b64encode(_FORM + salt + nonce + sealed[-_TAG:] + sealed[:-_TAG]).decode()


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise NodeRunError("The text to decrypt is no Base64") from None


def _plain(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NodeRunError("What was encrypted is no text") from None


def decrypted(text: bytes, passphrase: str, cipher: str) -> str:
    data = _decoded(text)
    if data[:1] not in (_FORM, _OLD_FORM) or len(data) < 1 + _SALT + _NONCE + _TAG:
        raise NodeRunError("The text was not encrypted by this node, or a part of it is missing")
    salt, nonce, sealed = data[1:17], data[17:29], data[29:]
    try:
        if data[:1] == _OLD_FORM:
            return _plain(_cipher(cipher, passphrase, salt, 2**15).decrypt(nonce, sealed, _OLD_FORM))
        whole = sealed[_TAG:] + sealed[:_TAG]
        return _plain(_cipher(cipher, passphrase, salt).decrypt(nonce, whole, None))
    except InvalidTag:
        raise NodeRunError("The passphrase or the cipher is wrong, or the text was changed") from None


def encrypted_for(text: bytes, pem: str) -> str:
    try:
        key = serialization.load_pem_public_key(pem.replace("\\n", "\n").encode())
        if not isinstance(key, rsa.RSAPublicKey):
            raise NodeRunError("The public key is no RSA key")
        return base64.b64encode(key.encrypt(text, _OAEP)).decode()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NodeRunError(f"The public key can't encrypt that: {error}") from None


def decrypted_with(text: bytes, pem: str) -> str:
    try:
        key = serialization.load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise NodeRunError("The private key is no RSA key")
        return _plain(key.decrypt(_decoded(text), _OAEP))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NodeRunError(f"The private key can't decrypt that: {error}") from None

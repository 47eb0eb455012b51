"""Signatures by a private key in PEM form."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from weft_node_sdk.context import NodeRunError

_HASHES: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha512-224": hashes.SHA512_224,
    "sha512-256": hashes.SHA512_256,
    "sha3-224": hashes.SHA3_224,
    "sha3-256": hashes.SHA3_256,
    "sha3-384": hashes.SHA3_384,
    "sha3-512": hashes.SHA3_512,
    "blake2b512": lambda: hashes.BLAKE2b(64),
    "blake2s256": lambda: hashes.BLAKE2s(32),
    "sm3": hashes.SM3,
}
_AFFIXES: Final = re.compile(r"^(id-rsassa-pkcs1-v1_5-with-|rsa-|ssl3-)|(withrsaencryption|-2)$")


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    """By OpenSSL's name of the algorithm: RSA-SHA256, sha256WithRSAEncryption, sha256. Raises NodeRunError."""
    name = _AFFIXES.sub("", algorithm.lower()).replace("/", "-")
    if name not in _HASHES:
        raise NodeRunError(
            f"The algorithm '{algorithm}' is not available", description="Choose RSA-SHA256, say."
        )
    return _HASHES[name]()


def signature(data: bytes, pem: str, algorithm: str) -> bytes:
    """RSA with PKCS #1 v1.5, ECDSA or DSA, by the kind of key. Raises NodeRunError."""
    chosen = _hash(algorithm)
    try:
        # keys that were pasted into one line have their line breaks written out
        key = serialization.load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), chosen)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(chosen))
        if isinstance(key, dsa.DSAPrivateKey):
            return key.sign(data, chosen)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NodeRunError(f"The private key can't sign that: {error}") from None
    raise NodeRunError("This kind of private key can't sign with a hash")

"""From what a caller shows to who they are: access tokens by public key, API keys by asking auth."""

import asyncio
import hashlib
import time
from typing import Final

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import auth_pb2 as pb
from weft_contracts.rpc.auth import Auth

from weft_kit.identity.expiring import Expiring
from weft_kit.rpc import Caller

AUDIENCE: Final = "weft-api"
ALGORITHM: Final = "Ed25519"  # RFC 9864; "EdDSA" is its deprecated name
API_KEY_SECONDS: Final = 5.0
"""A revoked API key may work for this long."""
_KEYS_SECONDS = 600.0
_UNKNOWN_KEY_SECONDS = 1.0
"""Tokens with made-up key ids make us ask for the keys this often at most."""
_LEEWAY = 5


class TokenVerifier:
    """Knows the installation's public keys; asks auth for them at first use and when a token names
    another."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._keys: KeySet | None = None
        self._kids: frozenset[str] = frozenset()
        self._issuer = ""
        self._asked_at = -_KEYS_SECONDS
        self._asking = asyncio.Lock()
        self._tokens: Expiring[str, Caller] = Expiring()
        self._api_keys: Expiring[bytes, Caller] = Expiring()

    async def verify(self, token: str) -> Caller:
        """The user of an access token. Raises UNAUTHENTICATED; UNAVAILABLE where auth is needed and out of
        reach."""
        known = self._tokens.get(token)
        if known is not None:
            return known
        try:
            kid = str(jws.extract_compact(token.encode()).headers().get("kid", ""))
            keys = await self._keys_with(kid)
            claims = jwt.decode(token, keys, algorithms=[ALGORITHM]).claims
            self._registry().validate(claims)
        except (JoseError, ValueError, TypeError):
            raise _refused() from None
        who = Caller(str(claims["sub"]))
        self._tokens.put(token, who, claims["exp"] - time.time())
        return who

    async def verify_api_key(self, key: str) -> Caller:
        """The user and scopes of an API key. Raises as `verify` does."""
        digest = hashlib.sha256(key.encode()).digest()  # no key is kept in memory
        known = self._api_keys.get(digest)
        if known is not None:
            return known
        answer = await self._auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=key))
        who = Caller(answer.user_id, tuple(answer.scopes))
        self._api_keys.put(digest, who, API_KEY_SECONDS)
        return who

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            exp={"essential": True},
        )

    async def _keys_with(self, kid: str) -> KeySet:
        async with self._asking:
            age = time.monotonic() - self._asked_at
            limit = _KEYS_SECONDS if kid in self._kids else _UNKNOWN_KEY_SECONDS
            if self._keys is None or age > limit:
                answer = await self._auth.GetKeys(pb.GetKeysRequest())
                self._keys = KeySet.import_key_set(orjson.loads(answer.jwks))
                self._kids = frozenset(str(key.kid) for key in self._keys.keys)
                self._issuer = answer.issuer
                self._asked_at = time.monotonic()
        if kid not in self._kids:
            raise _refused()
        return self._keys


def _refused() -> WeftError:
    return WeftError(ErrorCode.UNAUTHENTICATED, "The access token is not valid here, or has expired.")

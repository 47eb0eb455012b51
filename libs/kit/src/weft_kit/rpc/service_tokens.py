"""How one service of the installation proves to another that it is one: short-lived JWTs by the cluster
secret."""

import hashlib
import hmac
import time
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from weft_contracts.errors import ErrorCode, WeftError

LIFETIME: Final = 300
_AUDIENCE = "weft-rpc"
_ALGORITHM = "HS256"


class ServiceTokens:
    """Mints tokens for `service` and verifies those of others; both are cached."""

    def __init__(self, cluster_secret: str, service: str) -> None:
        derived = hmac.digest(cluster_secret.encode(), b"weft service tokens", hashlib.sha256)
        self._key = OctKey.import_key(derived)
        self._service = service
        self._token = ""
        self._renew_at = 0.0
        self._verified: dict[str, tuple[str, float]] = {}
        self._claims = jwt.JWTClaimsRegistry(
            aud={"essential": True, "value": _AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
            leeway=30,
        )

    def mint(self) -> str:
        """A token with at least half its life before it."""
        now = time.time()
        if now >= self._renew_at:
            claims = {"sub": self._service, "aud": _AUDIENCE, "iat": int(now), "exp": int(now) + LIFETIME}
            self._token = jwt.encode({"alg": _ALGORITHM}, claims, self._key)
            self._renew_at = now + LIFETIME / 2
        return self._token

    def verify(self, token: str) -> str:
        """The calling service's name. Raises UNAUTHENTICATED."""
        now = time.time()
        service, expires = self._verified.get(token, ("", 0.0))
        if now < expires:
            return service
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError):
            raise WeftError(ErrorCode.UNAUTHENTICATED, "The call bears no valid service token.") from None
        if len(self._verified) > 256:
            self._verified.clear()
        self._verified[token] = (claims["sub"], claims["exp"])
        return str(claims["sub"])

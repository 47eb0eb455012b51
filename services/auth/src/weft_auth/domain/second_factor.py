"""One-time codes of an authenticator app (TOTP, RFC 6238) and the recovery codes that stand in for it."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import pyotp

ISSUER: Final = "Weft"
RECOVERY_CODES: Final = 10
_STEP_SECONDS: Final = 30
_CLOCKS_DIFFER: Final = 1
"""Steps that a phone may be early or late."""


@dataclass(frozen=True)
class SecondFactor:
    secret: str
    """Base32, as apps take it."""
    enabled: bool
    last_step: int
    """The newest code that was taken: no code works twice."""
    recovery: tuple[bytes, ...]
    """Digests of the recovery codes that are left."""

    def uri(self, email: str) -> str:
        """What the QR code holds."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=email, issuer_name=ISSUER)

    def take(self, code: str, now: datetime, pepper: bytes) -> "SecondFactor | None":
        """The factor once the code is used up; None where the code is wrong or was used before."""
        given = "".join(code.split()).replace("-", "").lower()
        step = int(now.timestamp()) // _STEP_SECONDS
        app = pyotp.TOTP(self.secret)
        for at in range(step - _CLOCKS_DIFFER, step + _CLOCKS_DIFFER + 1):
            if at > self.last_step and hmac.compare_digest(app.generate_otp(at).encode(), given.encode()):
                return replace(self, last_step=at)
        digest = _digest(given, pepper)
        if any(hmac.compare_digest(digest, each) for each in self.recovery):
            return replace(self, recovery=tuple(each for each in self.recovery if each != digest))
        return None


def new_second_factor() -> SecondFactor:
    return SecondFactor(pyotp.random_base32(), enabled=False, last_step=0, recovery=())


def new_recovery_codes(pepper: bytes) -> tuple[list[str], tuple[bytes, ...]]:
    """The codes, shown once, and the digests that are stored. Each has 50 random bits."""
    plain = [base64.b32encode(secrets.token_bytes(7)).decode().lower()[:10] for _ in range(RECOVERY_CODES)]
    return [f"{each[:5]}-{each[5:]}" for each in plain], tuple(_digest(each, pepper) for each in plain)


def _digest(code: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, b"recovery code" + code.encode(), hashlib.sha256)

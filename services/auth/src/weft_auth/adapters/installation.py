"""What makes this installation itself: its name in tokens, the pepper of API keys, the key that signs tokens."""

import os
from datetime import datetime
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import text
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_kit.database import Database, database_errors
from weft_kit.identity.secrets import MasterKey
from weft_kit.identity.tokens import ALGORITHM, AUDIENCE

_LOCK: Final = 2003133046
KEY: Final = "signing key"
PEPPER: Final = "pepper"


class KeptInstallation:
    """Implements Installation and TokenSigner; empty until `load`."""

    def __init__(self, database: Database, master: MasterKey) -> None:
        self._database = database
        self._master = master
        self.issuer = ""
        self.pepper = b""
        self.jwks = b'{"keys":[]}'
        self._kid = ""
        self._key: Any = None

    async def load(self) -> None:
        """Reads it, or makes it once for all processes. Raises UNAVAILABLE, and INTERNAL where the master key is
        another one."""
        with database_errors():
            async with self._database.engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                found = (
                    await connection.execute(text("SELECT issuer, pepper FROM auth.installation"))
                ).first()
                if found is None:
                    await self._make(connection)
                    query = text("SELECT issuer, pepper FROM auth.installation")
                    found = (await connection.execute(query)).one()
                keys = (
                    await connection.execute(
                        text(
                            "SELECT kid, private_key, public_key FROM auth.signing_keys "
                            "WHERE retired_at IS NULL ORDER BY created_at DESC"
                        )
                    )
                ).all()
        self.issuer, self.pepper = found.issuer, self._master.open(PEPPER, found.pepper)
        self._kid = keys[0].kid
        self._key = OKPKey.import_key(orjson.loads(self._master.open(KEY, keys[0].private_key)))
        self.jwks = orjson.dumps({"keys": [orjson.loads(key.public_key) for key in keys]})

    async def _make(self, connection: Any) -> None:
        await connection.execute(
            text("INSERT INTO auth.installation (issuer, pepper) VALUES (:issuer, :pepper)"),
            {"issuer": f"weft:{new_id()}", "pepper": self._master.seal(PEPPER, os.urandom(32))},
        )
        kid = new_id()
        key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": ALGORITHM})
        await connection.execute(
            text(
                "INSERT INTO auth.signing_keys (kid, private_key, public_key, created_at) "
                "VALUES (:kid, :private, :public, now())"
            ),
            {
                "kid": kid,
                "private": self._master.seal(KEY, orjson.dumps(key.as_dict(private=True))),
                "public": orjson.dumps(key.as_dict(private=False)).decode(),
            },
        )
        await connection.execute(
            text("INSERT INTO auth.projects (id, name, kind) VALUES (:id, 'First project', 'personal')"),
            {"id": INSTANCE_PROJECT},
        )

    def sign(self, user_id: str, now: datetime, seconds: int) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "iat": issued,
            "exp": issued + seconds,
            "jti": new_id(),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._kid}, claims, self._key, algorithms=[ALGORITHM])

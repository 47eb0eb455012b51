"""Auth on PostgreSQL and the in-process bus, under a clock that the test moves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import asyncpg
import pytest
from weft_auth import bootstrap
from weft_auth.settings import AuthSettings
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import Envelope
from weft_contracts.pb import auth_pb2 as pb
from weft_contracts.rpc.auth import Access, Auth
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.identity.secrets import ensure_secrets
from weft_kit.identity.tokens import TokenVerifier
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals.memory import MemorySignals

PASSWORD = "a long enough passphrase"


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)


class World:
    """One auth process after another on one database."""

    def __init__(self, dsn: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dsn = dsn
        self.home = home
        self.clock = Clock()
        self.heard: list[Envelope] = []
        monkeypatch.setattr(bootstrap, "_now", self.clock)

    async def boot(self, **flags: Any) -> "World":
        self.bus = MemoryBus()
        self.database = Database(self.dsn)
        self.rpc = LocalRpc()
        infra = Infra(
            new_id(),
            self.home,
            self.bus,
            MemorySignals(),
            MemoryCache(),
            FolderBlobs(self.home / "blobs"),
            self.rpc,
            self.database,
        )
        settings = AuthSettings(**{"home": self.home, "registration": "open", "password_cost": 4, **flags})
        self.service = bootstrap.build(ensure_secrets(settings), infra)
        self.rpc.register(self.service.servicers)
        self.auth = self.rpc.client(Auth)
        self.access = self.rpc.client(Access)
        self.verifier = TokenVerifier(self.auth)
        for topic in (topics.IDENTITY_EVENTS, topics.AUDIT_EVENTS):
            self.bus.subscribe(topic, self._hear, "test")
        await self.bus.start()
        await self.service.start()
        return self

    async def _hear(self, envelope: Envelope) -> None:
        self.heard.append(envelope)

    async def stop(self) -> None:
        await self.service.drain()
        await self.service.stop()
        await self.bus.stop()
        await self.database.close()

    async def again(self, **flags: Any) -> None:
        """The same installation as another process."""
        await self.stop()
        await self.boot(**flags)

    async def register(self, email: str = "ada@example.org", **names: str) -> pb.RegisterResponse:
        return await self.auth.Register(pb.RegisterRequest(email=email, password=PASSWORD, **names))

    async def login(
        self, email: str = "ada@example.org", password: str = PASSWORD, address: str = ""
    ) -> pb.LoginResponse:
        return await self.auth.Login(pb.LoginRequest(email=email, password=password, address=address))

    async def refresh(self, token: str) -> pb.RefreshResponse:
        return await self.auth.Refresh(pb.RefreshRequest(refresh_token=token))

    async def rows(self, query: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            found: list[Any] = await connection.fetch(query, *arguments)
            return found
        finally:
            await connection.close()


class refused:
    """A block that ends with a WeftError of that code."""

    def __init__(self, code: ErrorCode) -> None:
        self._code = code
        self.error: WeftError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, _trace: object) -> bool:
        assert isinstance(error, WeftError), f"{self._code} was expected, not {error!r}"
        assert error.code is self._code, error
        self.error = error
        return True

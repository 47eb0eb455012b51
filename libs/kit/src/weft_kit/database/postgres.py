"""The process's connections to PostgreSQL."""

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from weft_kit.database.failures import database_errors

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 30.0


class Database:
    """At most `size` connections: two thirds in the asyncpg pool (hot paths), one third in the SQLAlchemy
    engine.

    Both outlive a restart of the server: a connection that it closed is replaced when it is next needed, and
    meanwhile statements fail at once with what `database_errors` turns into UNAVAILABLE.
    """

    def __init__(self, dsn: str, size: int = 12) -> None:
        self.dsn = dsn
        self._engine_size = max(2, size // 3)
        self._pool_size = max(2, size - self._engine_size)
        self._pool: Any = None
        self._engine: AsyncEngine | None = None
        self._lock = asyncio.Lock()

    async def pool(self) -> Any:
        """The asyncpg pool, opened at first use. Raises UNAVAILABLE where the server is out of reach then."""
        if self._pool is None:
            async with self._lock:
                if self._pool is None:
                    with database_errors():
                        self._pool = await asyncpg.create_pool(
                            self.dsn,
                            min_size=1,
                            max_size=self._pool_size,
                            statement_cache_size=200,
                            command_timeout=STATEMENT_SECONDS,
                            timeout=CONNECT_SECONDS,
                        )
        return self._pool

    @property
    def engine(self) -> "AsyncEngine":
        """The SQLAlchemy engine, for queries that are not hot."""
        if self._engine is None:
            from sqlalchemy.ext.asyncio import create_async_engine  # 0.2 s that not every process needs

            self._engine = create_async_engine(
                "postgresql+asyncpg://",
                async_creator=self._connect,
                pool_size=self._engine_size,
                max_overflow=0,
                pool_timeout=CONNECT_SECONDS,
                pool_pre_ping=True,
                json_serializer=json.dumps,
            )
        return self._engine

    async def _connect(self, *_: Any, **__: Any) -> Any:
        return await asyncpg.connect(self.dsn, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS)

    async def check(self) -> None:
        """Raises UNAVAILABLE where the server does not answer."""
        with database_errors():
            await (await self.pool()).fetchval("SELECT 1", timeout=2)

    async def close(self) -> None:
        """Waits for what runs, but not for ever."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), CONNECT_SECONDS)
            except TimeoutError:
                self._pool.terminate()
        if self._engine is not None:
            await self._engine.dispose()

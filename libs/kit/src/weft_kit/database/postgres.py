"""The process's connections to PostgreSQL."""

import asyncio
import json
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


class Database:
    """At most `size` connections: two thirds in the asyncpg pool (hot paths), one third in the SQLAlchemy engine."""

    def __init__(self, dsn: str, size: int = 12) -> None:
        self.dsn = dsn
        self._engine_size = max(2, size // 3)
        self._pool_size = max(2, size - self._engine_size)
        self._pool: Any = None
        self._engine: AsyncEngine | None = None
        self._lock = asyncio.Lock()

    async def pool(self) -> Any:
        """The asyncpg pool, opened at first use."""
        if self._pool is None:
            async with self._lock:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self.dsn, min_size=1, max_size=self._pool_size, statement_cache_size=200, command_timeout=30
                    )
        return self._pool

    @property
    def engine(self) -> AsyncEngine:
        """The SQLAlchemy engine, for queries that are not hot."""
        if self._engine is None:
            self._engine = create_async_engine(
                "postgresql+asyncpg://",
                async_creator=lambda *_args, **_kwargs: asyncpg.connect(self.dsn),
                pool_size=self._engine_size,
                max_overflow=0,
                pool_pre_ping=True,
                json_serializer=json.dumps,
            )
        return self._engine

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
        if self._engine is not None:
            await self._engine.dispose()

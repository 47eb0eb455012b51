"""Shared, forgetful memory: rate limits, short-lived facts. Losing it loses no data."""

from typing import Protocol


class Cache(Protocol):
    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, seconds: float) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def take(self, key: str, per_minute: int) -> float:
        """Takes one token of the bucket `key` (capacity and refill `per_minute`). 0.0 where it was granted, else the
        seconds until one is there."""

    async def close(self) -> None: ...

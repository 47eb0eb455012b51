"""A cache inside one process, bounded."""

import time
from collections import OrderedDict
from typing import Final

MAX_KEYS: Final = 50_000


class MemoryCache:
    """Implements Cache. The longest unused keys go first."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        found = self._values.get(key)
        if found is None:
            return None
        if found[0] < time.monotonic():
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found[1]

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        self._values[key] = (time.monotonic() + seconds, value)
        self._values.move_to_end(key)
        if len(self._values) > MAX_KEYS:
            self._values.popitem(last=False)

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)

    async def take(self, key: str, per_minute: int) -> float:
        now = time.monotonic()
        rate = per_minute / 60
        level, since = self._buckets.get(key, (float(per_minute), now))
        level = min(float(per_minute), level + (now - since) * rate)
        granted = level >= 1
        self._buckets[key] = (level - 1 if granted else level, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - level) / rate

    async def close(self) -> None:
        self._values.clear()
        self._buckets.clear()

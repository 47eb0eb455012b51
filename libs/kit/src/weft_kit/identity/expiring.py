"""A small memory of what was true a moment ago."""

import time
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """Keeps values for a time each, at most `size` of them (a full memory forgets everything: it only costs
    asking again)."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._kept: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        found = self._kept.get(key)
        if found is None or found[1] < time.monotonic():
            return None
        return found[0]

    def put(self, key: K, value: V, seconds: float) -> None:
        if len(self._kept) >= self._size:
            self._kept.clear()
        self._kept[key] = (value, time.monotonic() + seconds)

    def drop(self, key: K) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()

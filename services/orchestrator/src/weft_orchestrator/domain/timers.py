"""When which execution is to be looked at."""

import heapq


class Timers:
    """Times in microseconds. An execution may be in it several times: a look too many does nothing."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def add(self, due: int, execution_id: str) -> None:
        heapq.heappush(self._heap, (due, execution_id))

    def take(self, now: int) -> list[str]:
        """Those whose time has come, earliest first."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            found.append(heapq.heappop(self._heap)[1])
        return found

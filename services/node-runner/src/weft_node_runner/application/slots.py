"""How many work at once, and whose turn it is."""

import asyncio
from collections import Counter, deque


class Slots:
    """A semaphore that gives each project its turn among those who wait, however many of another wait before. A
    project that has nothing at work may go beyond the count, by a quarter of it at most."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._spare = max(1, count // 4)
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._working: Counter[str] = Counter()

    async def acquire(self, project_id: str) -> None:
        if self._free > (0 if self._working[project_id] else -self._spare):
            self._free -= 1
        else:
            await self._turn(project_id)
        self._working[project_id] += 1

    async def _turn(self, project_id: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(project_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had been given to us
                self._pass_on()
            raise

    def release(self, project_id: str) -> None:
        self._working[project_id] -= 1
        if not self._working[project_id]:
            del self._working[project_id]
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting and self._free >= 0:
            project_id, turns = next(iter(self._waiting.items()))
            del self._waiting[project_id]
            turn = turns.popleft()
            if turns:
                self._waiting[project_id] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

"""How many work at once, and whose turn it is."""

import asyncio
from collections import deque


class Slots:
    """A semaphore that gives each project its turn among those who wait, however many of another wait before."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def acquire(self, project_id: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(project_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had been given to us
                self.release()
            raise

    def release(self) -> None:
        while self._waiting:
            project_id, turns = next(iter(self._waiting.items()))
            del self._waiting[project_id]
            turn = turns.popleft()
            if turns:
                self._waiting[project_id] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

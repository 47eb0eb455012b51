"""Removes the blobs of executions that are gone."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from weft_kit.blobs import BlobStore

log = logging.getLogger("weft.orchestrator")

FIRST_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 6 * 3600.0
OLD_SECONDS: Final = 8 * 86_400.0
"""Blobs that nothing was added to for so long, and whose execution is not there, will never have one: a command lives
for seven days in the broker."""


class Sweeper:
    """What is deleted loses its blobs soon after. From time to time all are looked through for what a crash left: of
    calls that never became an execution, and of a deletion that was cut short. `unused(ids)`: which of these
    executions are gone, with all that were made of them."""

    def __init__(self, blobs: BlobStore, unused: Callable[[Sequence[str]], Awaitable[Sequence[str]]]) -> None:
        self._blobs = blobs
        self._unused = unused
        self._deleted: asyncio.Queue[str] = asyncio.Queue()

    def deleted(self, execution_id: str) -> None:
        self._deleted.put_nowait(execution_id)

    async def run(self) -> None:
        following = time.monotonic() + FIRST_SECONDS
        while True:
            try:
                left = following - time.monotonic()
                if left <= 0:
                    following = time.monotonic() + AGAIN_SECONDS
                    await self.sweep(time.time() - OLD_SECONDS)
                else:
                    first = await asyncio.wait_for(self._deleted.get(), left)
                    await self.remove(
                        [first, *(self._deleted.get_nowait() for _ in range(self._deleted.qsize()))]
                    )
            except TimeoutError:
                continue
            except Exception:
                log.exception("blobs were not removed; the next sweep will")

    async def sweep(self, before: float) -> None:
        """`before`: Unix seconds."""
        async for groups in self._blobs.groups(before):
            await self.remove(groups)

    async def remove(self, ids: Sequence[str]) -> None:
        for each in await self._unused(ids):
            await self._blobs.delete_group(each)

"""Removes the blobs of executions that are gone."""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from typing import Final, Protocol

from weft_contracts.errors import WeftError
from weft_kit.blobs import BlobStore
from weft_kit.telemetry.logs import fields

log = logging.getLogger("weft.orchestrator")

FIRST_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 6 * 3600.0
OLD_SECONDS: Final = 8 * 86_400.0
"""Blobs that nothing was added to for so long, and whose execution is not there, will never have one: a command lives
for seven days in the broker."""

SETTLED_SECONDS: Final = 86_400.0
"""So long after the last blob of an execution the leftovers of its failed tries are removed."""


class Used(Protocol):
    """Which blobs executions need."""

    async def unused(self, ids: Sequence[str]) -> Sequence[str]:
        """Which of these executions are gone, with all that were made of them."""

    async def troubled(self, ids: Sequence[str]) -> Sequence[str]:
        """Which of these executions have ended and had tries that came to nothing."""

    async def files(self, execution_id: str) -> Collection[str]:
        """Keys of the execution's own files that its items name."""


class Sweeper:
    """What is deleted loses its blobs soon after. From time to time all are looked through for what a crash left: of
    calls that never became an execution, of a deletion that was cut short, of tries that came to nothing."""

    def __init__(self, blobs: BlobStore, used: Used) -> None:
        self._blobs = blobs
        self._used = used
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
                    now = time.time()
                    await self.sweep(now - OLD_SECONDS)
                    await self.tidy(now - SETTLED_SECONDS - 2 * AGAIN_SECONDS, now - SETTLED_SECONDS)
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
        for each in await self._used.unused(ids):
            await self._blobs.delete_group(each)

    async def tidy(self, since: float, before: float) -> None:
        """Removes what failed tries left in executions to which nothing was added since. Times as in `sweep`."""
        async for groups in self._blobs.groups(before, since):
            for each in await self._used.troubled(groups):
                try:
                    await self._blobs.retain_files(each, await self._used.files(each))
                except WeftError as error:  # its data can't be read: then nothing is known to be unused
                    log.warning("files stay: %s", error.message, extra=fields(execution=each))

"""Counts past quarters of an hour in the background."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final, Protocol

from weft_contracts.errors import WeftError

log = logging.getLogger("weft.orchestrator")
PAUSE_SECONDS: Final = 60.0
QUARTER: Final = 900
GRACE_SECONDS: Final = 300
"""A quarter is counted when it is over for so long: most of what began in it has ended then."""
AT_ONCE: Final = 50


class Counts(Protocol):
    async def catch_up(self, until: int, most: int) -> int: ...


class Counting:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            pause = PAUSE_SECONDS
            try:
                until = int(time.time() - GRACE_SECONDS) // QUARTER
                if await self._counts.catch_up(until, AT_ONCE) == AT_ONCE:
                    pause = 1.0
            except WeftError as error:
                log.warning("counting has to wait", extra={"reason": error.message})
            except Exception:
                log.exception("counting failed; it goes on")
            await asyncio.sleep(pause)

"""Removes executions that were kept for long enough."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.sweeper import Sweeper

log = logging.getLogger("weft.orchestrator")

FIRST_SECONDS: Final = 300.0
AGAIN_SECONDS: Final = 3600.0
PAUSE_SECONDS: Final = 0.05
"""Between batches, so that others have the database, too."""
AT_ONCE: Final = 200
_DAY: Final = 86_400


@dataclass(frozen=True)
class Limits:
    """Executions that ended before these times may go (Unix seconds)."""

    ended: float
    failed: float


class Expired(Protocol):
    async def remove(self, limits: Limits, after: str, most: int) -> Sequence[str]:
        """Removes the next executions after this id, of which some others may be in use, and says which. Their counts
        stay."""

    async def drop_days(self, before: float) -> int:
        """Gives back the space of days that have nothing left; how many."""


class Retention:
    """An execution goes `days` after its end, a failed one after `failed_days` (0: never). What it started goes no
    sooner than it: items may name files of it. Rows and counts change in one transaction; blobs go after it, or,
    where a crash comes between, with the sweep."""

    def __init__(self, expired: Expired, sweeper: Sweeper, days: int, failed_days: int) -> None:
        self._expired = expired
        self._sweeper = sweeper
        self._days = days
        self._failed_days = failed_days

    async def run(self) -> None:
        if not self._days and not self._failed_days:
            return
        pause = FIRST_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = AGAIN_SECONDS
            try:
                if count := await self.sweep(time.time()):
                    log.info("executions were removed after their time", extra=fields(executions=count))
            except Exception:
                log.exception("old executions were not removed; the next time will")

    async def sweep(self, now: float) -> int:
        """How many were removed."""
        limits = Limits(*(now - days * _DAY if days else 0.0 for days in (self._days, self._failed_days)))
        after, count = "", 0
        while removed := await self._expired.remove(limits, after, AT_ONCE):
            await self._sweeper.remove(removed)
            after, count = removed[-1], count + len(removed)
            await asyncio.sleep(PAUSE_SECONDS)
        await self._expired.drop_days(max(limits.ended, limits.failed))
        return count

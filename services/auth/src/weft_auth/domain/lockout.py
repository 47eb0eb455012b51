"""How long one waits after wrong passwords, by account and by address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FORGET: Final = timedelta(days=1)
"""A pause this long begins the count anew."""
_LONGEST = timedelta(minutes=15)
_FREE = {"account": 5, "address": 20}
"""Failures without a wait. An address stands for many people."""


@dataclass(frozen=True)
class Failures:
    """What was counted for one subject."""

    count: int
    last_at: datetime

    def wait(self, kind: str, now: datetime) -> float:
        """Seconds until the next try is allowed: one after the last free failure, then twice as many each time."""
        over = self.count - _FREE[kind]
        if over < 0 or now - self.last_at > FORGET:
            return 0.0
        pause = min(timedelta(seconds=2 ** min(over, 20)), _LONGEST)
        return max(0.0, (self.last_at + pause - now).total_seconds())

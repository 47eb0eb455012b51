"""How the library is kept quiet, and closed whatever its broker does."""

import asyncio
import logging
import time
from typing import Any, Final

log = logging.getLogger("weft.bus")

CLOSE_SECONDS: Final = 1.5


async def close(client: Any) -> None:
    """A consumer or producer, even where its broker does not answer."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.stop()
    except Exception as error:  # noqa: BLE001 - it is over either way
        log.debug("a connection to Kafka did not close: %r", error)


class _Seldom(logging.Filter):
    """Lets each message of the library pass once in SECONDS: a lost broker is reported ten times a second."""

    SECONDS: Final = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, str(record.msg))
        now = time.monotonic()
        if now - self._last.get(key, -self.SECONDS) < self.SECONDS:
            return False
        self._last[key] = now
        return True


_SELDOM: Final = _Seldom()


def silence_repetitions() -> None:
    for name in (
        "conn",
        "client",
        "cluster",
        "producer.sender",
        "consumer.fetcher",
        "consumer.group_coordinator",
    ):
        logger = logging.getLogger(f"aiokafka.{name}")
        if _SELDOM not in logger.filters:
            logger.addFilter(_SELDOM)

"""Starting and stopping services, in order, whichever way they run."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.service import Service
from weft_kit.telemetry.logs import fields

log = logging.getLogger("weft.lifecycle")

START_SECONDS: Final = 60.0
DRAIN_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0


async def start_all(services: Sequence[Service], seconds: float = START_SECONDS) -> None:
    """One after the other. Where one fails or takes longer, those that started are stopped and it raises."""
    started: list[Service] = []
    try:
        for service in services:
            started.append(service)
            async with asyncio.timeout(seconds):
                await service.start()
    except BaseException as error:
        log.error("%s did not start", started[-1].name)
        await stop_all(started, drain=False)
        if isinstance(error, TimeoutError):
            message = f"{started[-1].name} did not start within {seconds:g} s."
            raise WeftError(ErrorCode.TIMEOUT, message) from error
        raise


def steady() -> None:
    """After the start: what is there now stays, so the collector need not look at it again; and a run of ten thousand
    items makes many objects and few cycles, so it looks less often at the rest. (Measured: a third of such a run, and
    the long tail of short ones, was the collector's; a look at a million young objects at once stops everything for
    300 ms, so the first two generations are kept small.)"""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 5, 100)


async def drain_all(services: Sequence[Service], seconds: float = DRAIN_SECONDS) -> None:
    """Last started first. A failure or a timeout of one is logged and holds up no other."""
    await _each(reversed(services), lambda service: service.drain(), "drain", seconds)


async def stop_all(services: Sequence[Service], seconds: float = STOP_SECONDS, *, drain: bool = True) -> None:
    """As `drain_all`, which it calls first unless that was done or there is nothing to drain."""
    if drain:
        await drain_all(services)
    await _each(reversed(services), lambda service: service.stop(), "stop", seconds)


async def _each(
    services: Iterable[Service], step: Callable[[Service], Awaitable[None]], name: str, seconds: float
) -> None:
    for service in services:
        try:
            async with asyncio.timeout(seconds):
                await step(service)
        except Exception:
            log.exception("%s did not %s", service.name, name)


async def patiently(what: str, attempt: Callable[[], Awaitable[None]], longest: float = 2.0) -> None:
    """Until it works: tries again, ever more slowly, while what it needs is out of reach."""
    pause = 0.1
    while True:
        try:
            return await attempt()
        except (WeftError, OSError) as error:
            if isinstance(error, WeftError) and error.code is not ErrorCode.UNAVAILABLE:
                raise
            log.warning("waiting for %s", what, extra=fields(reason=str(error)))
        await asyncio.sleep(pause)
        pause = min(pause * 2, longest)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. The second one ends the process in the usual, rude way."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def ask() -> None:
        asked.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, ask)
    try:
        yield asked
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)

"""Ending background tasks."""

import asyncio
from typing import Any, Final

AGAIN_SECONDS: Final = 0.1
TIMES_IF_CANCELLED: Final = 20


async def end(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancels them and waits until they are over, whatever they end with. In Python 3.11 `asyncio.wait_for`, which
    drivers use, loses a cancellation that meets its result: so they are asked again. Where the caller is cancelled
    meanwhile, they still get two seconds before it is passed on."""
    left = {task for task in tasks if task is not None and not task.done()}
    cancelled: asyncio.CancelledError | None = None
    times = 0
    while left and (cancelled is None or times < TIMES_IF_CANCELLED):
        for task in left:
            task.cancel()
        try:
            done, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
        except asyncio.CancelledError as error:
            cancelled = error
            continue
        times += 1
        for task in done:
            if not task.cancelled():
                task.exception()
    if cancelled is not None:
        raise cancelled

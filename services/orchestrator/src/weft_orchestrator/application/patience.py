"""Waiting for what we need and can't reach."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from weft_contracts.errors import ErrorCode, WeftError

T = TypeVar("T")

AGAIN_SECONDS: Final = 0.5
"""Between two tries."""


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What it gives, once what it needs is in reach. Raises whatever it raises but UNAVAILABLE."""
    while True:
        try:
            return await work()
        except WeftError as error:
            if error.code is not ErrorCode.UNAVAILABLE:
                raise
            await asyncio.sleep(AGAIN_SECONDS)

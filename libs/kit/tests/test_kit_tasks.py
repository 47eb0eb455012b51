"""Tasks end, even those that lose a cancellation."""

import asyncio
import contextlib

import pytest
from weft_kit.tasks import end


async def deaf(times: int) -> None:
    """Swallows so many cancellations."""
    for _ in range(times):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


async def failing() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        raise ValueError("on the way out")


async def test_ends_whatever_they_end_with() -> None:
    tasks = [asyncio.create_task(each) for each in (deaf(0), deaf(2), failing(), asyncio.sleep(0))]
    await asyncio.sleep(0)
    await asyncio.wait_for(end(*tasks, None), 5)
    assert all(task.done() for task in tasks)
    await end()


async def test_ends_them_although_the_caller_is_cancelled() -> None:
    task = asyncio.create_task(deaf(2))
    ending = asyncio.create_task(end(task))
    await asyncio.sleep(0.01)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(ending, 5)
    assert task.done()

"""Pauses between batches of requests."""

import asyncio

from weft_node_sdk.context import RunContext


async def pause(ctx: RunContext, seconds: float) -> None:
    """Waits, and notices a cancel within a second."""
    while seconds > 0:
        await asyncio.sleep(min(seconds, 1.0))
        seconds -= 1.0
        await ctx.checkpoint()

"""Long work lets others have their turns."""

import asyncio
from typing import Final

TURNS: Final = 8
"""One turn lets every other task take one step; a webhook takes some eight from its arrival to its answer."""


async def give_way() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)

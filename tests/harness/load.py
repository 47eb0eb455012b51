"""Webhook calls in flight while things die, and what became of them."""

import asyncio
import itertools
from dataclasses import dataclass, field

import httpx

EXECUTION_HEADER = "x-weft-execution-id"


@dataclass
class Calls:
    """`accepted`: execution id of each call that was answered 2xx, by its number."""

    accepted: dict[int, str] = field(default_factory=dict)
    refused: int = 0
    lost: int = 0


async def drive(
    base: str,
    paths: list[str],
    count: int,
    rate: float,
    calls: Calls,
    *,
    first: int = 0,
    stop_on_loss: bool = False,
) -> Calls:
    """`count` POSTs `{"n": number}` at `rate` a second, over the paths in turn. Ends early once the server is gone
    if `stop_on_loss`. 503 and 429 count as refused, connections that break as lost."""
    limits = httpx.Limits(max_connections=200)
    gone = asyncio.Event()

    async def one(client: httpx.AsyncClient, number: int, path: str) -> None:
        try:
            answer = await client.post(f"{base}/webhook/{path}", json={"n": number})
        except httpx.HTTPError:
            calls.lost += 1
            gone.set()
            return
        if answer.is_success:
            calls.accepted[number] = answer.headers[EXECUTION_HEADER]
        else:
            calls.refused += 1

    async with httpx.AsyncClient(timeout=30, limits=limits) as client:
        tasks = []
        start = asyncio.get_running_loop().time()
        for i, path in zip(range(count), itertools.cycle(paths), strict=False):
            if stop_on_loss and gone.is_set():
                break
            await asyncio.sleep(max(0.0, start + i / rate - asyncio.get_running_loop().time()))
            tasks.append(asyncio.create_task(one(client, first + i, path)))
        await asyncio.gather(*tasks)
    return calls

"""Webhook calls in flight while things die, and what became of them."""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

EXECUTION_HEADER = "x-weft-execution-id"


@dataclass
class Calls:
    """`accepted`: execution id of each call that was answered 2xx, by its number. `refusals`: how often each other
    status came; `unadvised`: how many of the 503 did not say when to try again."""

    accepted: dict[int, str] = field(default_factory=dict)
    refusals: Counter[int] = field(default_factory=Counter)
    unadvised: int = 0
    lost: int = 0

    @property
    def refused(self) -> int:
        return self.refusals.total()


async def drive(
    base: str,
    paths: list[str],
    count: int,
    rate: float,
    calls: Calls,
    *,
    first: int = 0,
    body: dict[str, Any] | None = None,
    stop_on_loss: bool = False,
    keep_alive: bool = True,
) -> Calls:
    """`count` POSTs of `body` with `{"n": number}` at `rate` a second, over the paths in turn. Ends early once the
    server is gone if `stop_on_loss`. Connections that break count as lost. Without `keep_alive` each call has its own,
    as an edge that takes a new configuration may close one that is idle just when a call is written to it."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=None if keep_alive else 0)
    gone = asyncio.Event()

    async def one(client: httpx.AsyncClient, number: int, path: str) -> None:
        try:
            answer = await client.post(f"{base}/webhook/{path}", json={**(body or {}), "n": number})
        except httpx.HTTPError:
            calls.lost += 1
            gone.set()
            return
        if answer.is_success:
            calls.accepted[number] = answer.headers[EXECUTION_HEADER]
        else:
            calls.refusals[answer.status_code] += 1
            calls.unadvised += answer.status_code == 503 and "retry-after" not in answer.headers

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

"""What work beside it does to a webhook's answer: the two figures of docs/durability.md.

    python tests/load/neighbours.py [--calls 300] [--queued 10000]

Scenario b is called ten times a second, alone; then beside scenario g, one run after the other; then from a second
project, while the first one's runs (an HTTP call of 1.5 s each) wait in the queue.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.faults.ledger import Ledger
from tests.harness.embedded import Embedded
from tests.harness.flows import chain, request, webhook
from tests.harness.stub import Stub
from tests.harness.user import User, scenario

HERE = Path(__file__).resolve().parent
BODIES = {each["key"]: each["body"] for each in json.loads((HERE / "manifest.json").read_text())}
RATE = 10.0
OPEN = "SELECT count(*) FROM orchestrator.executions WHERE status IN ('queued', 'running')"


async def latencies(client: httpx.AsyncClient, calls: int) -> list[float]:
    """Milliseconds of each call of b, ten a second whatever the ones before take."""

    async def one() -> float:
        began = time.monotonic()
        (await client.post("/webhook/peer-b", json=BODIES["peer-b"])).raise_for_status()
        return (time.monotonic() - began) * 1000

    start, tasks = time.monotonic(), []
    for number in range(calls):
        await asyncio.sleep(max(0.0, start + number / RATE - time.monotonic()))
        tasks.append(asyncio.create_task(one()))
    return await asyncio.gather(*tasks)


@asynccontextmanager
async def beside(client: httpx.AsyncClient) -> AsyncIterator[list[int]]:
    """Runs g again and again; how often."""
    runs = [0]

    async def again() -> None:
        while True:
            (await client.post("/webhook/peer-g", json=BODIES["peer-g"])).raise_for_status()
            runs[0] += 1

    task = asyncio.create_task(again())
    yield runs
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def flood(client: httpx.AsyncClient, count: int) -> None:
    """Brings `count` runs into the queue."""
    turns = asyncio.Semaphore(50)

    async def one() -> None:
        async with turns:
            (await client.post("/webhook/flood", json={})).raise_for_status()

    await asyncio.gather(*[one() for _ in range(count)])


def told(name: str, found: list[float]) -> float:
    percentiles = statistics.quantiles(found, n=100)
    print(f"| {name} | {percentiles[49]:.1f} | {percentiles[98]:.1f} | {max(found):.1f} |", flush=True)
    return percentiles[98]


async def measure(weft: Embedded, calls: int, queued: int) -> None:
    print("| b at 10/s | p50 ms | p99 ms | most ms |\n|---|---|---|---|")
    async with httpx.AsyncClient(base_url=weft.base, timeout=600) as client:
        await latencies(client, 50)
        alone = told("alone", await latencies(client, calls))
        async with beside(client) as runs:
            found = await latencies(client, calls)
        told(f"beside {runs[0]} runs of g", found)
        ledger = Ledger(weft.database.dsn())
        await flood(client, queued)
        (before,) = await asyncio.to_thread(ledger.rows, OPEN)
        found = await latencies(client, calls)
        (after,) = await asyncio.to_thread(ledger.rows, OPEN)
        p99 = told(f"beside another project's {before[0]} to {after[0]} open runs", found)
    print(f"\n{p99 / alone:.1f} times the p99 of b alone")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--queued", type=int, default=10_000)
    arguments = parser.parse_args()
    stub = Stub()
    with tempfile.TemporaryDirectory() as folder:
        weft = Embedded(Path(folder) / "home", allow=stub.address, WEFT_REGISTRATION="open")
        try:
            weft.start()
            one, other = User(weft.base).register(), User(weft.base, "other@example.org").register()
            slow = request("Get", f"{stub.base}/delay?ms=1500")
            one.import_workflow(chain("flood", webhook("flood", "onReceived"), slow))
            one.ready_hook("flood", json={})
            for key in ("peer-b", "peer-g"):
                other.import_workflow(scenario(key))
                assert other.ready_hook(key, json=BODIES[key]).is_success
            asyncio.run(measure(weft, arguments.calls, arguments.queued))
        finally:
            weft.close()
            stub.close()


if __name__ == "__main__":
    main()

"""The bars that need no load: expressions, long workflows, memory. Prints the table of docs/performance.md.

    python tests/load/measures.py

The least and the median of many rounds, by the clock (expressions: of processor time), with the load average before.
The last row starts a Weft of its own. No test: figures depend on the machine.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from weft_engine.graph import Graph  # noqa: E402
from weft_engine.model import Started  # noqa: E402 - the repository is no package
from weft_engine.state import State  # noqa: E402
from weft_node_runner.local import Session  # noqa: E402
from weft_node_sdk.catalogue import Catalogue  # noqa: E402
from weft_workflow_store.domain.document import Document  # noqa: E402
from weft_workflow_store.domain.inspection import inspect  # noqa: E402

from tests.harness.embedded import Embedded  # noqa: E402
from tests.harness.user import User, scenario  # noqa: E402
from tests.load import expressions  # noqa: E402
from tests.load.bench import machine, memory  # noqa: E402

ROUNDS = 30
NODES = 1_000
RUNS = 20


def row(what: str, figures: list[float], unit: str, bar: float) -> None:
    least, median = min(figures), statistics.median(figures)
    print(f"| {what} | {least:.2f} | {median:.2f} | {bar:g} {unit} |", flush=True)


async def of_expressions() -> None:
    """The quickest and the slowest expression of each kind."""
    kinds: dict[str, list[tuple[float, str, list[float]]]] = {"native": [], "V8": []}
    async for kind, text, rounds in expressions.measured(1000):
        if text in expressions.PATHS or kind == "V8":
            kinds[kind].append((statistics.median(rounds), text, rounds))
    for kind, bar in (("native", 1), ("V8", 10)):
        for which, (_, text, rounds) in (("quickest", min(kinds[kind])), ("slowest", max(kinds[kind]))):
            what = "pure path" if kind == "native" else "JavaScript"
            row(f"{what} per item, 1,000 items, {which}: `{text[1:]}`", rounds, "µs", bar)


async def of_chain() -> None:
    document, clock, used = scenario("peer-f"), [], []
    async with Session() as session:
        for _ in range(ROUNDS):
            start, cpu = time.perf_counter(), time.process_time()
            result = await session.run(document, [{"json": {"body": {"n": 1}}}])
            clock.append((time.perf_counter() - start) * 1000)
            used.append((time.process_time() - cpu) * 1000)
            assert result.status == "success", result.error
    row("chain of 50 Edit Fields, run by the runner", clock, "ms", 25)
    row("the same, processor time", used, "ms", 25)


def long_workflow() -> bytes:
    """Edit Fields one after the other, each with an expression."""
    row = {"id": "1", "name": "v", "type": "number", "value": "={{ $json.v + 1 }}"}
    parameters = {"assignments": {"assignments": [row]}, "options": {}}
    nodes: list[dict[str, Any]] = [
        {"name": "N0", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "parameters": {}}
    ]
    nodes += [
        {"name": f"N{n}", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "parameters": parameters}
        for n in range(1, NODES)
    ]
    for n, node in enumerate(nodes):
        node |= {"id": str(n), "position": [200 * n, 0]}
    wires = {
        f"N{n - 1}": {"main": [[{"node": f"N{n}", "type": "main", "index": 0}]]} for n in range(1, NODES)
    }
    settings = {"executionOrder": "v1"}
    return json.dumps({"name": "long", "nodes": nodes, "connections": wires, "settings": settings}).encode()


def of_long_workflow() -> None:
    text, catalogue = long_workflow(), Catalogue.load()

    def started() -> None:
        document = Document.parse(text, len(text))
        assert inspect(document, catalogue) == []
        graph = Graph.compile(document.json, catalogue.traits)
        assert State(graph).apply(Started(0, graph.start_node(), (1,)))

    row("1,000 nodes loaded, validated and started", timed(started, time.perf_counter), "ms", 200)
    row("the same, processor time", timed(started, time.process_time), "ms", 200)


def timed(work: Callable[[], None], clock: Callable[[], float]) -> list[float]:
    """Milliseconds of each round."""
    times = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        times.append((clock() - start) * 1000)
    return times


def of_memory() -> None:
    """PSS of all processes, database included, after each run of 10,000 items, less that at rest before them."""
    body = next(
        entry["body"]
        for entry in json.loads((HERE / "manifest.json").read_text())
        if entry["key"] == "peer-g"
    )
    with tempfile.TemporaryDirectory() as folder:
        weft = Embedded(Path(folder) / "home")
        try:
            weft.start()
            user = User(weft.base).register()
            user.import_workflow(scenario("peer-g"))
            idle, grown = memory(weft.pids()), []
            for _ in range(RUNS):
                assert user.ready_hook("peer-g", json=body).is_success
                grown.append(float(memory(weft.pids()) - idle))
        finally:
            weft.stop()
            weft.close()
    row(f"memory growth in scenario g, after each of {RUNS} runs", grown, "MB", 150)
    print(f"most: {max(grown):.0f} MB")


def main() -> None:
    print(f"{machine()}\n\n| | least | median | bar |\n|---|---|---|---|")
    asyncio.run(of_expressions())
    asyncio.run(of_chain())
    of_long_workflow()
    of_memory()
    print(f"load average after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

"""What an expression costs per item, natively and in V8: python tests/load/expressions.py [ITEMS]

One evaluator, a batch of 1,000 items with some 300 bytes each; the least and the median of 15 rounds, in microseconds
of processor time per item and expression, this process and the evaluator together. No test: figures depend on the
machine.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from weft_expressions.evaluate import evaluate, native_values
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import compile_value

PATHS = [
    "={{ $json.name }}",
    "={{ $json.address.city }}",
    "={{ $json.a.b.c }}",
    "={{ $json.tags[0] }}",
    "={{ $('Before').item.json.id }}",
]
NATIVE = [
    *PATHS,
    "=Hello {{ $json.name }}",
    "={{ $json.n > 5 && $json.name !== '' }}",
    "={{ $json.name.toUpperCase() }}",
    "={{ $json.tags.map(t => t + '!').join() }}",
]
JAVASCRIPT = [
    "={{ $json.n ** 2 }}",
    "={{ $json.name.toTitleCase() }}",
    "={{ $json.tags.filter(t => /a/.test(t)).length }}",
    "={{ Object.entries($json.address).map(([k, v]) => k + v) }}",
    "={{ $now.toISO() }}",
    "={{ $json.date.toDateTime().format('yyyy') }}",
    "={{ $('Before').item.json.id ** 2 }}",
    "=Dear {{ $json.name.toTitleCase() }}, {{ $json.n ** 2 }}",
]
_ROUNDS = 15


def items(count: int) -> list[dict[str, object]]:
    return [
        {
            "json": {
                "name": f"ada {number}",
                "n": number,
                "address": {"city": "London", "street": "St James's Square 12", "zip": "SW1Y 4JH"},
                "tags": ["mathematics", "engines", "notes"],
                "a": {"b": {"c": number}},
                "date": "2024-02-29T10:00:00Z",
                "text": "x" * 100,
            }
        }
        for number in range(count)
    ]


def used() -> float:
    """Seconds of processor time of this process and of those that it has started."""
    spent = 0
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            spent += sum(
                int(each.read_text().split()[0]) for each in Path(f"/proc/{child}/task").glob("*/schedstat")
            )
    return time.process_time() + spent / 1e9


async def measured(count: int) -> AsyncIterator[tuple[str, str, list[float]]]:
    """(evaluator, expression, µs per item of each round) for a batch of `count` items."""
    before = [{"json": {"id": number}} for number in range(count)]
    scope = Scope(
        items=items(count),
        outputs=lambda *_: [before],
        exists=lambda _: True,
        ancestor=lambda _, index: before[index],
        now=1_767_225_600_000_000,
    )
    pool = EvaluatorPool(1)
    await pool.start()
    for text in NATIVE:
        compiled = compile_value(text)
        rounds = []
        for _ in range(_ROUNDS):
            start = time.process_time()
            _, missing = native_values(compiled.leaves, scope, count)
            rounds.append((time.process_time() - start) / count * 1e6)
            assert not missing, text
        yield "native", text, rounds
    for text in JAVASCRIPT:
        compiled = compile_value(text)
        rounds = []
        for _ in range(_ROUNDS):
            start = used()
            await evaluate([compiled], scope, count, pool, "project")
            rounds.append((used() - start) / count * 1e6)
        yield "V8", text, rounds
    await pool.stop()


async def main() -> None:
    print(f"{'':66}{'least':>8}{'median':>8}   µs per item")
    async for kind, text, rounds in measured(int(sys.argv[1]) if len(sys.argv) > 1 else 1000):
        print(f"{kind:8}{text:58}{min(rounds):8.2f}{statistics.median(rounds):8.2f}")


if __name__ == "__main__":
    asyncio.run(main())

"""Every row of expressions.json gives here what n8n gave, or differs in the way that the row says."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from weft_expressions.errors import ExpressionFailure
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.template import compile_value

from tests.compat.expressions_scope import scope_of

TABLE = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))
GROUPS = sorted({row["group"] for row in TABLE["rows"]})


@pytest.fixture
async def pool() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, timeout=60.0)
    await made.start()
    yield made
    await made.stop()


async def value_of(pool: EvaluatorPool, expression: str) -> Any:
    """The values item by item, or "error" where one of them fails."""
    scope = scope_of(TABLE, expression)
    rows = await evaluate([compile_value(expression)], scope, len(scope.items), pool, "project")
    failed = any(isinstance(row[0], ExpressionFailure) for row in rows)
    return "error" if failed else [row[0] for row in rows]


def same(a: Any, b: Any) -> bool:
    """Equal as JSON: numbers are doubles, true is not 1."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and bool not in (type(a), type(b)):
        return float(a) == float(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@pytest.mark.parametrize("group", GROUPS)
async def test_rows_of_a_group(pool: EvaluatorPool, group: str) -> None:
    wrong = []
    for row in TABLE["rows"]:
        if row["group"] != group:
            continue
        wanted = row["ours"] if "difference" in row else "error" if row.get("error") else row["expected"]
        found = await value_of(pool, row["expression"])
        if not same(found, wanted):
            wrong.append((row["expression"], wanted, found))
    assert wrong == []


def test_the_table_is_large_and_explains_what_differs() -> None:
    differing = [row for row in TABLE["rows"] if "difference" in row]
    assert len(TABLE["rows"]) >= 600
    assert all(row["difference"] and not same(row["ours"], row.get("expected")) for row in differing)
    assert len(differing) < len(TABLE["rows"]) / 10

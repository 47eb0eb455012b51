"""Remove Duplicates over several runs: what it remembers, where, and how much."""

from typing import Any

import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import context

CATALOGUE = Catalogue.load()
SEEN = "removeItemsSeenInPreviousExecutions"


class Memory:
    """One node whose history lives from run to run."""

    def __init__(self, **parameters: Any) -> None:
        self._parameters = parameters
        self._first: Any = None

    async def run(self, *values: Any, **changes: Any) -> list[list[Any]]:
        case = {
            "version": 2,
            "parameters": {"operation": SEEN, **self._parameters, **changes},
            "inputs": [[{"a": value} for value in values]],
        }
        ctx = context(CATALOGUE, "removeDuplicates", case)
        if self._first is not None:
            ctx.history = self._first.history  # type: ignore[method-assign]
        self._first = self._first or ctx
        outputs = await CATALOGUE.implementation("removeDuplicates")(ctx)
        assert isinstance(outputs, list)
        return [[item["json"]["a"] for item in items] for items in outputs]


async def test_values_of_earlier_runs_are_discarded() -> None:
    memory = Memory(dedupeValue="={{ $json.a }}")
    assert await memory.run("x", "y", "x") == [["x", "y", "x"], []]
    assert await memory.run("y", "z", 1, "é") == [["z", 1, "é"], ["y"]]
    assert await memory.run(1, "1", "x") == [[], [1, "1", "x"]]


async def test_the_oldest_values_are_forgotten() -> None:
    memory = Memory(dedupeValue="={{ $json.a }}", options={"historySize": 2})
    await memory.run("a", "b")
    await memory.run("c")
    assert await memory.run("a", "c") == [["a"], ["c"]]
    with pytest.raises(NodeRunError, match="keeps 2 values"):
        await memory.run("x", "y", "z")


async def test_numbers_must_rise() -> None:
    memory = Memory(logic="removeItemsUpToStoredIncrementalKey", incrementalDedupeValue="={{ $json.a }}")
    assert await memory.run(3, 1) == [[3, 1], []]
    assert await memory.run(2, 3, "4") == [["4"], [2, 3]]


async def test_dates_must_rise() -> None:
    memory = Memory(logic="removeItemsUpToStoredDate", dateDedupeValue="={{ $json.a }}")
    assert await memory.run("2024-01-01") == [["2024-01-01"], []]
    assert await memory.run("2024-01-01", "2024-01-02T00:00:00Z") == [
        ["2024-01-02T00:00:00Z"],
        ["2024-01-01"],
    ]


async def test_a_failure_remembers_nothing() -> None:
    memory = Memory(logic="removeItemsUpToStoredIncrementalKey", incrementalDedupeValue="={{ $json.a }}")
    with pytest.raises(NodeRunError):
        await memory.run(7, "x")
    assert await memory.run(5) == [[5], []]


@pytest.mark.parametrize("scope", ["node", "workflow"])
async def test_clearing_forgets_its_own_scope(scope: str) -> None:
    memory = Memory(dedupeValue="={{ $json.a }}", options={"scope": scope})
    await memory.run("x")
    await memory.run("q", operation="clearDeduplicationHistory")
    assert await memory.run("x") == [["x"], []]
    other = {"scope": "workflow" if scope == "node" else "node"}
    await memory.run("q", operation="clearDeduplicationHistory", options=other)
    assert await memory.run("x") == [[], ["x"]]

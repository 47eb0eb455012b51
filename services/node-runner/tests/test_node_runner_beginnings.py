"""Where the items of a sub-workflow came from."""

from typing import Any

import pytest
from weft_contracts.messages import NodeOutput, Source
from weft_kit import items
from weft_node_runner.application import beginnings
from weft_node_sdk.context import Outputs

Make = Any
Node = Any


def stored(node: str, outputs: Outputs, *sources: Source) -> NodeOutput:
    counts = tuple(map(len, outputs))
    return NodeOutput(node, 0, counts, items.encode_outputs(outputs), sources)


def rows(*lineages: Any) -> list[dict[str, Any]]:
    return [{"json": {}} if each is None else {"json": {}, "pairedItem": each} for each in lineages]


CHAIN = [
    stored("In", [rows({"item": 0}, {"item": 1}, {"item": 2})]),
    stored("If", [rows({"item": 1}), rows({"item": 2}, {"item": 0})], Source("In", 0, 0)),
]
WAYS = {
    "by the output that was taken": ([rows({"item": 0}, {"item": 1})], [[2, 0]]),
    "several that are one": ([rows([{"item": 1}, {"item": 1}])], [[0]]),
    "several": ([rows([{"item": 0}, {"item": 1}])], [[None]]),
    "beyond what there is": ([rows({"item": 9}, {"item": 0})], [[None, 2]]),
    "no number": (
        [rows({"item": "1"}, {"item": None}, {"item": 0, "input": "x"}, {"item": 0})],
        [[None] * 3 + [2]],
    ),
    "no run": ([rows({"item": 0, "run": []}, {"item": 0})], [[None, 2]]),
    "before the first": ([rows({"item": -1}, {"item": 0})], [[None, 2]]),
    "nothing said": ([rows(None, None)], [[None, None]]),
    "output by output": ([[], rows({"item": 1})], [[], [0]]),
}


@pytest.fixture
def outside(make: Make, a_node: Node) -> Any:
    found = make(a_node("A")).outside
    found.stored = {(each.node, each.run_index): each for each in CHAIN}
    return found


def end(outside: Any, outputs: Outputs) -> None:
    last = stored("End", outputs, Source("If", 1, 0))
    outside.stored |= {("", -1): last, ("End", 0): last}


@pytest.mark.parametrize("way", WAYS)
async def test_items_are_followed_to_those_it_was_called_with(outside: Any, way: str) -> None:
    outputs, wanted = WAYS[way]
    end(outside, outputs)
    assert await beginnings.beginnings("child", outputs, outside) == wanted


async def test_what_says_nothing_asks_nobody(outside: Any) -> None:
    assert await beginnings.beginnings("child", [rows(None)], outside) == [[None]]
    assert outside.asked == []


@pytest.mark.parametrize(("limit", "most"), [("MOST_RUNS", 2), ("MOST_BYTES", 10)])
async def test_ways_that_are_too_long_are_not_followed(
    outside: Any, limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = [rows({"item": 0})]
    end(outside, outputs)
    monkeypatch.setattr(beginnings, limit, most)
    assert await beginnings.beginnings("child", outputs, outside) == [[None]]

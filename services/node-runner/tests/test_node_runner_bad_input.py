"""Every type of node with parameters of wrong types, from the document to the report: the runner tells it in words."""

from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from weft_contracts.messages import NodeCompleted, NodeFailed, NodeWaiting
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError

CATALOGUE = Catalogue.load()
ELSEWHERE = {"code", "function", "functionItem", "aiTransform", "dataTable"}
"""They need a process for scripts or another service."""
TYPES = sorted(
    each["type"] for each in CATALOGUE.list() if each["executable"] and each["type"] not in ELSEWHERE
)
WRONG: Sequence[Any] = (
    None, True, -1, 1e300, 10**20, "", "NaN", "2024-13-45", "x" * 5000, [], [None, [1]], {"": {"a": []}},
)  # fmt: skip
GIVEN: list[Any] = [{"a": 1, "": {"b": [None]}}, {"a": "٣", "b": 1e21}, {}]


class Unreachable:
    """Implements Http and Addresses; nothing is let out."""

    async def request(self, *_: Any, **__: Any) -> Any:
        raise NodeRunError("Nothing is let out", code="ADDRESS_REFUSED")

    @asynccontextmanager
    async def stream(self, *_: Any, **__: Any) -> Any:
        raise NodeRunError("Nothing is let out", code="ADDRESS_REFUSED")
        yield

    async def connect_address(self, host: str, port: int) -> str:
        raise NodeRunError("Nothing is let out", code="ADDRESS_REFUSED")

    async def close(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize("kind", TYPES)
async def test_wrong_parameters_are_told_in_words(make: Any, a_node: Any, kind: str) -> None:
    alias = str(CATALOGUE.resolve(kind)).rpartition(".")[2]
    version = CATALOGUE.versions(kind)[-1]
    defaults = CATALOGUE.defaults(kind, version)
    wrong = [{name: each} for name in defaults for each in WRONG]
    for number, parameters in enumerate(wrong[:: -(-len(wrong) // 6)] if wrong else [{}]):
        on_error = ("stopWorkflow", "continueRegularOutput", "continueErrorOutput")[number % 3]
        world = make(a_node("A", alias, version, parameters=parameters, onError=on_error), a_node("B"))
        await world.outside.http.close()
        world.outside.http = world.outside.addresses = Unreachable()
        reports = await world.walk(world.task(given=GIVEN))
        ends = [each for each in reports if isinstance(each, NodeCompleted | NodeFailed | NodeWaiting)]
        assert ends, parameters
        error = getattr(ends[0], "error", None)
        if error is not None:
            assert error.message
            assert error.code != "INTERNAL", (parameters, error)

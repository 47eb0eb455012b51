"""Nodes whose columns are names of the items' fields: the rows that they write."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.values import names_in, value


def names(parameters: Mapping[str, Any], name: str) -> list[str]:
    """Raises NodeRunError where there are none."""
    found = names_in(value(parameters.get(name)))
    if not found:
        raise NodeRunError("There is nothing to write: no column is named", parameter=(name,))
    return list(dict.fromkeys(found))


def chunks(rows: Sequence[Any], columns: int, *, most_values: int, most_rows: int) -> list[range]:
    """Which rows go together, so that a statement has no more values and rows than the database takes."""
    size = max(1, min(most_rows, most_values // max(columns, 1)))
    return [range(first, min(first + size, len(rows))) for first in range(0, len(rows), size)]


async def written(
    ctx: RunContext,
    rows: Sequence[dict[str, Any]],
    parts: Iterable[range],
    write: Callable[[range], Awaitable[object]],
) -> list[Item]:
    """Writes the rows of many items at a time; what the database refuses, it refuses for all of them."""
    output: list[Item] = []
    for indices in parts:
        await ctx.checkpoint()
        try:
            await write(indices)
        except NodeRunError as error:
            if not ctx.continues():
                error.item_index = indices[0]
                raise
            output += [ctx.failed_item(error, index) for index in indices]
        else:
            output += [made(rows[index], index) for index in indices]
    return output

"""Where the items that a sub-workflow gave came from: which of those that it was called with."""

from typing import Final

from weft_contracts.messages import Source
from weft_node_sdk.context import Item, Outputs

from weft_node_runner.application.data import Data, beginning
from weft_node_runner.application.ports import Outside

MOST_RUNS: Final = 500
"""Node runs on the way, as many as are looked at."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of their outputs, as stored."""


async def beginnings(child: str, outputs: Outputs, outside: Outside) -> list[list[int | None]]:
    """For every item of the last node's outputs; None where it is not known, where it came from several, or where the
    way is too long to be followed."""
    unknown: list[list[int | None]] = [[None] * len(items) for items in outputs]
    if not any(_says(item) for items in outputs for item in items):
        return unknown
    found = await outside.outputs(child, [("", -1)])  # the last node
    if not found:
        return unknown
    data, last, seen, size = Data(child, {}, outside), found[0], set[tuple[str, int]](), 0
    while found:
        size += sum(each.output.size for each in found)
        seen |= {(each.node, each.run_index) for each in found}
        wanted = {(s.node, s.run) for each in found for s in each.inputs if s is not None} - seen
        if size > MOST_BYTES or len(seen) + len(wanted) > MOST_RUNS:
            return unknown
        data.add(found)
        await data.need((each.node, each.run_index) for each in found)
        seen |= wanted
        found = await outside.outputs(child, sorted(wanted)) if wanted else []
    return [
        [beginning(data.run, Source(last.node, place, last.run_index), item) for item in items]
        for place, items in enumerate(outputs)
    ]


def _says(item: Item) -> bool:
    return "pairedItem" in item

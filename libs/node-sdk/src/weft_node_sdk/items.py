"""The item loop: checkpoints, failures per item, lineage."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from weft_node_sdk.context import Item, NodeRunError, RunContext
from weft_node_sdk.whole import told

STRIDE = 64
"""Items between two checkpoints."""

Row = TypeVar("Row")


async def for_each(
    ctx: RunContext,
    handle: Callable[[int, Item, dict[str, Any]], None],
    failed: Callable[[int, NodeRunError], None],
) -> None:
    """Calls `handle(index, item, parameters)` for every item of input 0. A NodeRunError of one item goes to
    `failed` where the node continues on failures, else it is raised with the item's index."""
    await for_each_row(ctx, await ctx.parameters(), handle, failed)


async def for_each_row(
    ctx: RunContext,
    rows: Sequence[Row],
    handle: Callable[[int, Item, Row], None],
    failed: Callable[[int, NodeRunError], None],
) -> None:
    """The same with `rows[index]` for the parameters: those of `ctx.varying()`."""
    for index, item in enumerate(ctx.items):
        if index % STRIDE == 0:
            await ctx.checkpoint()
        try:
            handle(index, item, rows[index])
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if error.fatal or not ctx.continues():
                raise
            failed(index, error)


async def map_items(
    ctx: RunContext, handle: Callable[[int, dict[str, Any]], Awaitable[list[Item]]]
) -> list[Item]:
    """What `handle(index, parameters)` gives for all items of input 0, one after the other. A NodeRunError of
    one item becomes an item where the node continues on failures, else it is raised with the item's index."""
    found: list[Item] = []
    parameters = await ctx.parameters()
    for index in range(len(ctx.items)):
        await ctx.checkpoint()
        try:
            found += await handle(index, parameters[index])
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if error.fatal or not ctx.continues():
                raise
            found.append(ctx.failed_item(error, index))
    return found


def made(json: dict[str, Any], index: int, source: Item | None = None) -> Item:
    """A new item that comes from item `index` of input 0, with the files of `source`."""
    item: Item = {"json": json, "pairedItem": {"item": index}}
    if source is not None and "binary" in source:
        item["binary"] = source["binary"]
    return item


def passed(item: Item, index: int, input_index: int = 0) -> Item:
    """An input item on its way out, with its new lineage."""
    lineage = {"item": index, "input": input_index} if input_index else {"item": index}
    if len(item) == 1 or (len(item) == 2 and "pairedItem" in item):
        return {"json": item["json"], "pairedItem": lineage}
    return {**item, "pairedItem": lineage}


def passed_all(items: list[Item], input_index: int = 0) -> list[Item]:
    """All items of an input on their way out."""
    return [passed(item, index, input_index) for index, item in enumerate(items)]


def bare(item: Item) -> Item:
    """An input item without its lineage, for what leaves the node's own outputs."""
    return {name: told(part) for name, part in item.items() if name != "pairedItem"}

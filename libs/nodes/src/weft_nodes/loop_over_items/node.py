"""Loop Over Items: hands out batches, collects what comes back, and gives everything at the end.

Its state lives as long as the execution: `items` are those of the run `firstRun` and never change, `cursor`
tells how many are handed out, `returned` is what came back. `noItemsLeft`, `currentRunIndex`, `maxRunIndex`
and `done` are what expressions see as the node's context.
"""

import math
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import bare, passed
from weft_node_sdk.values import members, to_whole, value


def _size(parameters: dict[str, Any], version: float) -> int:
    given = value(parameters.get("batchSize", 1 if version >= 3 else 10))
    try:
        size = to_whole(given)
    except ValueError:
        size = None
    if size is None or size < 1:
        raise NodeRunError(f"The batch size must be a number from 1 on, not {given!r}")
    return int(size)


def _start(ctx: RunContext, size: int) -> None:
    ctx.state.clear()
    ctx.state.update(
        items=[bare(item) for item in ctx.items],
        cursor=0,
        returned=[],
        firstRun=ctx.run_index,
        currentRunIndex=-1,
        maxRunIndex=math.ceil(len(ctx.items) / size),
        noItemsLeft=False,
        done=False,
    )


def _lineage(item: Item, index: int, run: int, now: int) -> Item:
    """An item with its lineage; the run is named where it is not the present one."""
    made = passed(item, index)
    if run != now:
        made["pairedItem"]["run"] = run
    return made


def _next(ctx: RunContext, size: int) -> list[Item]:
    state = ctx.state
    first, items = state["cursor"], state["items"]
    batch = [
        _lineage(item, first + offset, state["firstRun"], ctx.run_index)
        for offset, item in enumerate(items[first : first + size])
    ]
    state["cursor"] = first + len(batch)
    state["currentRunIndex"] += 1
    state["noItemsLeft"] = state["cursor"] >= len(items)
    return batch


async def run(ctx: RunContext) -> Outputs:
    parameters = await ctx.parameters_for(0)
    version = ctx.node.version
    size = _size(parameters, version)
    state = ctx.state
    if not state or value(members(parameters).get("reset")) is True:
        _start(ctx, size)
    else:
        state["returned"] += (
            _lineage(bare(item), index, ctx.run_index, -1) for index, item in enumerate(ctx.items)
        )
    await ctx.checkpoint()
    batch = _next(ctx, size)
    if batch:
        return [batch] if version < 2 else [batch, []] if version < 3 else [[], batch]
    state["done"] = True
    done = list(state["returned"])
    if version < 2:
        return [[]]
    return [[], done] if version < 3 else [done, []]

"""Filter: keeps the items that fulfil the conditions."""

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed

from weft_nodes.if_.node import for_each_judged


async def run(ctx: RunContext) -> Outputs:
    kept: list[Item] = []

    def judged(index: int, item: Item, fulfilled: bool) -> None:
        if fulfilled:
            kept.append(passed(item, index))

    def failed(index: int, error: NodeRunError) -> None:
        if ctx.node.on_error == "continueErrorOutput":
            kept.append(ctx.failed_item(error, index))

    await for_each_judged(ctx, "combineConditions", judged, failed)
    return [kept]

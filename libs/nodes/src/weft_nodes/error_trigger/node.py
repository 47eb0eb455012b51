"""Error Trigger: what is known of the failure comes in as an item; a run by hand gets an example."""

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import passed_all


def _example(ctx: RunContext) -> Item:
    failure = {"message": "Example error message", "stack": "Stacktrace"}
    execution = {"id": "231", "error": failure, "lastNodeExecuted": "Node With Error", "mode": "manual"}
    workflow = {"id": ctx.execution.workflow_id, "name": ctx.execution.workflow_name}
    return {"json": {"execution": execution, "workflow": workflow}}


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    return [passed_all(ctx.items) or [_example(ctx)]]

"""AI Transform: runs the code that an assistant has written."""

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    # code is never an expression: what stands in the document runs as it is
    source = str(value(ctx.node.parameters.get("jsCode", parameters.get("jsCode", ""))))
    try:
        if not source.strip():
            raise NodeRunError("The node has no code yet", description="Write the code, or paste it.")
        return await ctx.code.javascript(source, each_item=False)
    except NodeRunError as error:
        if error.fatal or not ctx.continues():
            raise
        return [[ctx.failed_item(error, error.item_index or 0)]]

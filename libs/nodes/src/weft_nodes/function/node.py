"""Function: the older form of Code, over all items at once."""

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value

_STATIC = "getWorkflowStaticData"


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    # code is never an expression: what stands in the document runs as it is
    source = str(value(ctx.node.parameters.get("functionCode", parameters.get("functionCode", ""))))
    if _STATIC in source:
        # once a plain name; on one line with the code, so that errors name its lines
        source = f"const {_STATIC} = $getWorkflowStaticData; return await (async () => {{{source}\n}})();"
    try:
        return await ctx.code.javascript(source, each_item=False)
    except NodeRunError as error:
        if error.fatal or not ctx.continues():
            raise
        return [[ctx.failed_item(error, error.item_index or 0)]]

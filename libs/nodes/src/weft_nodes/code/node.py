"""Code: the user's JavaScript, in the jail."""

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    if parameters.get("language", "javaScript") != "javaScript":
        raise NodeRunError(
            "Python code can't run on this installation yet",
            description="Write the code in JavaScript, or keep the node disabled.",
            code="UNSUPPORTED",
        )
    # code is never an expression: what stands in the document runs as it is
    source = ctx.node.parameters.get("jsCode", parameters.get("jsCode", ""))
    each_item = parameters.get("mode") == "runOnceForEachItem"
    try:
        return await ctx.code.javascript(str(value(source)), each_item=each_item)
    except NodeRunError as error:
        if error.fatal or not ctx.continues():
            raise
        index = error.item_index if error.item_index is not None else 0
        item = ctx.failed_item(error, index)
        if error.item_index is None:
            item.pop("pairedItem", None)
        return [[item]]

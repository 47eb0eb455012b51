"""Code: the user's JavaScript or Python, in the jail."""

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    python = parameters.get("language", "javaScript") in ("python", "pythonNative")
    name = "pythonCode" if python else "jsCode"
    # code is never an expression: what stands in the document runs as it is
    source = str(value(ctx.node.parameters.get(name, parameters.get(name, ""))))
    each_item = parameters.get("mode") == "runOnceForEachItem"
    try:
        script = ctx.code.python if python else ctx.code.javascript
        return await script(source, each_item=each_item)
    except NodeRunError as error:
        error.parameter = (name,)
        if error.fatal or not ctx.continues():
            raise
        index = error.item_index if error.item_index is not None else 0
        item = ctx.failed_item(error, index)
        if error.item_index is None and not each_item and ctx.node.on_error == "continueErrorOutput":
            # it failed for all items at once, and belongs to none
            item = {"json": {"error": item["json"]["error"]}, "error": item["error"]}
        return [[item]]

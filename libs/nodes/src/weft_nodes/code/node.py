"""Code: the user's JavaScript or Python, in the jail."""

from collections.abc import Callable

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value


def _failed_item(ctx: RunContext, parameter: str) -> Callable[[NodeRunError], Item]:
    def failed(error: NodeRunError) -> Item:
        error.parameter = (parameter,)
        return ctx.failed_item(error, error.item_index or 0)

    return failed


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    python = parameters.get("language", "javaScript") in ("python", "pythonNative")
    name = "pythonCode" if python else "jsCode"
    # code is never an expression: what stands in the document runs as it is
    source = str(value(ctx.node.parameters.get(name, parameters.get(name, ""))))
    each_item = parameters.get("mode") == "runOnceForEachItem"
    of_an_item = _failed_item(ctx, name) if each_item and ctx.continues() else None
    try:
        script = ctx.code.python if python else ctx.code.javascript
        return await script(source, each_item=each_item, on_failure=of_an_item)
    except NodeRunError as error:
        error.parameter = (name,)
        if error.fatal or not ctx.continues():
            raise
        if of_an_item is not None and error.item_index is None:
            # not even the first item could be run: a syntax error, no time left
            return [[ctx.failed_item(error, index) for index in range(len(ctx.items))]]
        index = error.item_index if error.item_index is not None else 0
        item = ctx.failed_item(error, index)
        if error.item_index is None and not each_item and ctx.node.on_error == "continueErrorOutput":
            # it failed for all items at once, and belongs to none
            item = {"json": {"error": item["json"]["error"]}, "error": item["error"]}
        return [[item]]

"""Function Item: the older form of Code, over one item after the other."""

from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.values import value

_WRAPPER: Final = (
    "let $$binary = $input.item.binary;"
    " const getBinaryData = () => $$binary, setBinaryData = (data) => {{ $$binary = data; }},"
    " getBinaryDataAsync = async () => $$binary, setBinaryDataAsync = async (data) => {{ $$binary = data; }},"
    " getWorkflowStaticData = {static};"
    " try {{ const $$made = await (async (item) => {{{source}\n}})($input.item.json);"
    " return {{ json: {{ made: $$made, binary: $$binary }} }};"
    " }} catch ($$error) {{ return {{ json: {{ failed: String($$error?.message ?? $$error) }} }}; }}"
)
"""Each item's result or failure stands in an envelope, so that one failure leaves the other items alone."""


def _unwrapped(result: dict[str, Any], index: int) -> Item:
    """Raises NodeRunError where the code failed or returned nothing."""
    if "failed" in result:
        raise NodeRunError(result["failed"], item_index=index, code="CODE_ERROR")
    if result.get("made") is None:
        raise NodeRunError(
            "The code returned nothing",
            description="End it with: return item;",
            item_index=index,
            code="CODE_ERROR",
        )
    binary = result.get("binary")
    return made(result["made"], index, {"binary": binary} if binary else None)


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    parameters = await ctx.parameters_for(0)
    # code is never an expression: what stands in the document runs as it is
    source = str(value(ctx.node.parameters.get("functionCode", parameters.get("functionCode", ""))))
    static = "$getWorkflowStaticData" if "getWorkflowStaticData" in source else "undefined"
    output: list[Item] = []
    try:
        wrapped = _WRAPPER.format(source=source, static=static)
        results = (await ctx.code.javascript(wrapped, each_item=True))[0]
    except NodeRunError as error:
        if error.fatal or not ctx.continues():
            raise
        return [[ctx.failed_item(error, error.item_index or 0)]]
    for index, result in enumerate(results):
        try:
            output.append(_unwrapped(result["json"], index))
        except NodeRunError as error:
            if not ctx.continues():
                raise
            output.append(ctx.failed_item(error, index))
    return [output]

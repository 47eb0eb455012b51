"""Webhook: the ingress makes its item; a run of the node passes on what came. With several methods each has
an output of its own, in the order in which they are chosen."""

from weft_node_sdk.context import Outputs, RunContext
from weft_node_sdk.items import passed_all


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    methods = parameters.get("httpMethod")
    several = methods if parameters.get("multipleMethods") and isinstance(methods, list) else []
    outputs: Outputs = [[] for _ in several] or [[]]
    outputs[0] = passed_all(ctx.items)
    return outputs

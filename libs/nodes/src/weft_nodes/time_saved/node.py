"""Time Saved: how much work a run saves stands with the execution, as `minutesSaved` of its custom data."""

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed_all
from weft_node_sdk.values import number_text, value


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    parameters = await ctx.parameters_for(0)
    minutes = value(parameters.get("minutesSaved", 0))
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0:
        raise NodeRunError(f"{minutes!r} is no number of minutes", parameter=("minutesSaved",))
    times = len(ctx.items) if parameters.get("mode", "once") == "perItem" else 1
    ctx.note("minutesSaved", number_text(minutes * times))
    return [passed_all(ctx.items)]

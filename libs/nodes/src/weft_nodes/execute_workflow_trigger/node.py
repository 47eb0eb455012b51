"""When Called by Another Workflow: the items are the caller's; stated inputs that it left out become null."""

from typing import Any

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, passed_all
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import entries


def stated_inputs(parameters: dict[str, Any], version: float) -> list[str] | None:
    """Names of the inputs that the workflow states; None where it takes everything."""
    source = parameters.get("inputSource", "workflowInputs")
    if version < 1.1 or source == "passthrough":
        return None
    if source == "jsonExample":
        example = parameters.get("jsonExample")
        try:
            example = parse_json(example) if isinstance(example, str) else example
        except ValueError:
            raise NodeRunError("The JSON example is not valid JSON") from None
        return list(example) if isinstance(example, dict) else []
    return [
        str(entry["name"]) for entry in entries(parameters, "workflowInputs", "values") if entry.get("name")
    ]


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    names = stated_inputs(await ctx.parameters_for(0), ctx.node.version)
    if names is None or not names:
        return [passed_all(ctx.items)]
    return [
        [
            made({name: item["json"].get(name) for name in names}, index, item)
            for index, item in enumerate(ctx.items)
        ]
    ]

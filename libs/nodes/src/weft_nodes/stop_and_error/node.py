"""Stop and Error: ends the run as an error. Neither `onError` nor a retry applies; its input is recorded as
output."""

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed_all
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import checked, compact_json, to_text, value


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    description = ""
    if parameters.get("errorType") == "errorObject":
        given = checked(parameters.get("errorObject"))
        if isinstance(given, str):
            try:
                given = parse_json(given)
            except ValueError:
                raise NodeRunError("The error object is not valid JSON", fatal=True) from None
        fields = given if isinstance(given, dict) else {"message": given}
        told = next((fields[key] for key in ("message", "description", "error") if fields.get(key)), None)
        message = str(to_text(told)) if told is not None else compact_json(given)
        description = compact_json(given)
    else:
        message = str(to_text(value(parameters.get("errorMessage"))) or "The run was stopped")
    raise NodeRunError(
        message, description=description, code="STOPPED", fatal=True, recorded=[passed_all(ctx.items)]
    )

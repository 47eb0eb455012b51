"""Workflow Trigger and n8n Trigger: the orchestrator starts a run when the workflow is published."""

from datetime import UTC, datetime

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import passed_all


def event(name: str, moment: datetime, workflow_id: str) -> Item:
    """What a run begins with. `moment` is in UTC."""
    timestamp = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    return {"json": {"event": name, "timestamp": timestamp, "workflow_id": workflow_id}}


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    return [
        passed_all(ctx.items) or [event("Manual execution", datetime.now(UTC), ctx.execution.workflow_id)]
    ]

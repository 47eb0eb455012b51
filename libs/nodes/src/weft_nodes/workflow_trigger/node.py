"""Workflow Trigger and n8n Trigger: the orchestrator starts a run when the workflow is published."""

from datetime import UTC, datetime

from weft_contracts.beginnings import event
from weft_node_sdk.context import Outputs, RunContext
from weft_node_sdk.items import passed_all


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    told = event("Manual execution", datetime.now(UTC), ctx.execution.workflow_id)
    return [passed_all(ctx.items) or [{"json": {**told}}]]

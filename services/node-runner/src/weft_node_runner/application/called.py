"""A call of another workflow: which one it is, where it begins, and with what items."""

from typing import Final, NamedTuple, cast

from weft_contracts.messages import Activation, RunSegment
from weft_node_sdk.context import Item, NodeRunError, RunContext, SubWorkflow

from weft_node_runner.application.context import NodeContext
from weft_node_runner.application.data import Data
from weft_node_runner.application.ports import Outside
from weft_node_runner.domain.plan import Plan
from weft_node_runner.domain.shaping import shaped

MOST_DEPTH: Final = 50
"""Calls within calls."""


class Called(NamedTuple):
    workflow_id: str
    plan: Plan
    trigger: str
    items: list[Item]


async def called(call: SubWorkflow, task: RunSegment, outside: Outside) -> Called:
    """Raises NodeRunError where there is no such workflow, it may not be called, or its trigger fails."""
    if task.depth >= MOST_DEPTH:
        raise NodeRunError(
            f"Workflows call each other more than {MOST_DEPTH} deep",
            description="A workflow that calls itself needs a condition that ends it.",
            code="TOO_DEEP",
        )
    if call.document is None:
        workflow_id, plan = await outside.resolve(call.workflow_id, task.project_id, task.workflow_id)
    else:
        workflow_id, plan = task.workflow_id, await outside.keep(call.document, task.project_id)
    trigger = _trigger(plan)
    return Called(workflow_id, plan, trigger, await _items(call.items, task, plan, trigger, outside))


def _trigger(plan: Plan) -> str:
    nodes = plan.graph.nodes
    for name in plan.graph.triggers:
        if nodes[name].type.rpartition(".")[2] == "executeWorkflowTrigger":
            return name
    return plan.graph.start_node()


async def _items(
    items: list[Item], task: RunSegment, plan: Plan, trigger: str, outside: Outside
) -> list[Item]:
    """What the trigger makes of them: the inputs that it states."""
    node_plan = plan.node(trigger)
    if node_plan.run is None or not node_plan.node.type.endswith("executeWorkflowTrigger"):
        return items
    activation = Activation(trigger, 0, ())
    data = Data(task.execution_id, {}, outside)
    ctx = NodeContext(task, plan, node_plan, activation, [items], data, outside, None, {}, lambda *_: None)
    outputs = await node_plan.run(cast("RunContext", ctx))
    return shaped(node_plan, outputs, [items])[0] if isinstance(outputs, list) and outputs else []

"""Runs one node and says what came of it."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Activation, NodeError, RunSegment
from weft_contracts.payload import Payload
from weft_expressions.errors import ExpressionFailure
from weft_kit import items as codec
from weft_node_sdk.context import Child, Item, NodeRunError, Outputs, ResumeInfo, RunContext, Suspend
from weft_node_sdk.items import passed_all
from weft_node_sdk.labels import path_text

from weft_node_runner.application.beginnings import beginnings
from weft_node_runner.application.context import NodeContext
from weft_node_runner.application.data import Data
from weft_node_runner.application.ports import Outside
from weft_node_runner.domain.plan import NodePlan, Plan
from weft_node_runner.domain.shaping import shaped

log = logging.getLogger("weft.runner")

Respond = Callable[[int, Sequence[tuple[str, str]], Payload], None]


class Outcome(NamedTuple):
    """`outputs` with `error` set where the settings made items of a failure; `error` alone: it failed; `suspend`: it
    waits. `fatal`: not to be tried again."""

    outputs: Outputs | None = None
    error: NodeError | None = None
    suspend: Suspend | None = None
    state: dict[str, Any] | None = None
    logs: tuple[str, ...] = ()
    pinned: bool = False
    fatal: bool = False


def now_us() -> int:
    return time.time_ns() // 1000


async def execute(
    task: RunSegment,
    plan: Plan,
    activation: Activation,
    data: Data,
    outside: Outside,
    pins: dict[str, Any],
    attempt: int,
    respond: Respond,
) -> Outcome:
    node_plan = plan.node(activation.node)
    node = node_plan.node
    pinned = pins.get(node.name)
    if isinstance(pinned, list) and not node.disabled:
        given = [each if "json" in each else {"json": each} for each in pinned if isinstance(each, dict)]
        return Outcome(shaped(node_plan, [given], []), pinned=True)
    inputs = whole = await data.inputs(activation)
    if node.disabled:
        passed = next((items for items in inputs if items), [])
        return Outcome([[_passed(item, index) for index, item in enumerate(passed)]])
    if node.execute_once:
        inputs = [items[:1] for items in inputs]
    if node_plan.run is None:
        known = f"The node type '{node.type}' is not installed, or not in version {node.version:g}."
        return Outcome(error=NodeError(known, "UNKNOWN_NODE_TYPE", node=node.name), fatal=True)
    state = await _state(node_plan, activation, data)
    resume = await _resume(task, activation, outside, several=bool(inputs) and len(inputs[0]) > 1)
    ctx = NodeContext(task, plan, node_plan, activation, whole, data, outside, resume, state, respond)
    error: NodeRunError | None = None
    try:
        result = await node_plan.run(cast("RunContext", ctx))
        if isinstance(result, Suspend):
            return Outcome(suspend=result, state=state, logs=tuple(ctx.logs))
        await ctx.checkpoint()
        outputs = shaped(node_plan, result, inputs, whole)
        kept = state if node.traits.loops else None
        return Outcome(outputs, state=kept, logs=tuple(ctx.logs))
    except NodeRunError as failure:
        error = failure.with_traceback(None)  # which would hold this frame, and so the items
    except ExpressionFailure as failure:
        error = NodeRunError(
            failure.message,
            description=failure.description,
            item_index=failure.item_index,
            code=failure.code,
            leaf=failure.leaf,
        )
    except WeftError as failure:
        if failure.code is ErrorCode.UNAVAILABLE:
            raise
        error = NodeRunError(failure.message, code=failure.code.value)
    except Exception as failure:
        log.exception("the node type %s failed", node.type)
        error = NodeRunError(f"The node failed: {failure}", code="INTERNAL")
    finally:
        ctx.close()
    path = error.parameter if error.leaf is None else node_plan.compiled.places[error.leaf]
    return _failed(node_plan, ctx, error, attempt, path_text(path), plan.parameter_name(node, path))


def _failed(
    plan: NodePlan, ctx: NodeContext, error: NodeRunError, attempt: int, parameter: str, parameter_name: str
) -> Outcome:
    node, logs = plan.node, tuple(ctx.logs)
    told = NodeError(
        _written(error.message),
        error.code,
        node=node.name,
        description=_written(error.description),
        item_index=error.item_index,
        http_status=error.http_status,
        parameter=parameter,
        parameter_name=parameter_name,
    )
    again = attempt < node.max_tries
    if node.passes_input and not (error.fatal or again):
        given = ctx.inputs[0] if ctx.inputs else []
        return Outcome(shaped(plan, [passed_all(given)], ctx.inputs), told, logs=logs)
    if error.fatal or again or not ctx.continues():
        return (
            Outcome(error.recorded, told, logs=logs, fatal=error.fatal)
            if error.fatal
            else Outcome(None, told, logs=logs)
        )
    item = ctx.failed_item(error, error.item_index or 0)
    return Outcome(shaped(plan, [[item]], ctx.inputs), told, logs=logs)


def _written(text: str) -> str:
    """As UTF-8 can say it: the names of files, for one, may be no text."""
    return text.encode("utf-8", "replace").decode()


def _passed(item: Item, index: int) -> Item:
    return {**item, "pairedItem": {"item": index}}


async def _state(plan: NodePlan, activation: Activation, data: Data) -> dict[str, Any]:
    """What the node kept at its last run."""
    if not plan.node.traits.loops or activation.run_index == 0:
        return {}
    await data.need([(activation.node, activation.run_index - 1)])
    run = data.run(activation.node, activation.run_index - 1)
    if run is None:
        return {}
    _ = run.outputs  # decodes the state, too
    return dict(run.state or {})


async def _resume(
    task: RunSegment, activation: Activation, outside: Outside, *, several: bool
) -> ResumeInfo | None:
    """`several`: a child may have been called with more than one item, so that its items may come from this or that."""
    given = task.resume
    if given is None or activation != task.entry:
        return None
    if given.kind == "timer":
        return ResumeInfo("timer")
    values: list[Outputs] = []
    for payload in given.data:
        if payload is None:
            values.append([])
        else:
            decoded = codec.decode(await codec.unclaim(payload, outside.blobs))
            values.append(codec.outputs_of(decoded))
    if given.kind == "child":
        children = [
            Child(value, error.message if error else None)
            for value, error in zip(values, given.errors or [None] * len(values), strict=False)
        ]
        if len(children) == len(given.children) == 1 and several and children[0].error is None:
            followed = await beginnings(given.children[0], children[0].outputs, outside)
            children = [replace(children[0], origins=followed)]
        return ResumeInfo("child", children=children)
    return ResumeInfo(given.kind, items=values[0][0] if values and values[0] else [])

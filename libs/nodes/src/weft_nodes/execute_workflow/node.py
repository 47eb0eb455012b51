"""Execute Sub-workflow: runs another workflow once with all items or once for each, waiting for it or not."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext, SubWorkflow, Suspend
from weft_node_sdk.items import bare, passed, passed_all
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import (
    CONVERSIONS,
    NotConvertible,
    article,
    checked,
    located,
    members,
    shown,
    type_name,
    value,
)


def _inputs(item: Item, parameters: dict[str, Any], version: float, index: int) -> Item:
    """What the child gets of an item: the item, and over it the values mapped to its inputs. Raises NodeRunError where
    a value is not of its input's type."""
    mapping = parameters.get("workflowInputs")
    stated = mapping.get("value") if isinstance(mapping, Mapping) and version >= 1.2 else None
    if not isinstance(stated, dict) or mapping is None:
        return bare(item)
    schema = [entry for entry in mapping.get("schema") or () if isinstance(entry, dict)]
    kinds = {entry.get("id"): entry.get("type") for entry in schema}
    removed = {entry.get("id") for entry in schema if entry.get("removed") is True}
    json = {name: held for name, held in item["json"].items() if name not in removed}
    for name, given in checked(stated).items():
        held = _typed(name, str(kinds.get(name)), given, mapping, index)
        if held is None:
            json.pop(name, None)
        elif name not in removed:
            json[name] = held
    return {**bare(item), "json": json}


def _typed(name: str, kind: str, given: Any, mapping: Mapping[str, Any], index: int) -> Any:
    """The value as its input wants it; what is no text is taken for one unless texts are asked for."""
    convert = CONVERSIONS.get(kind)
    if (
        convert is None
        or given is None
        or (kind == "string" and mapping.get("convertFieldsToString") is not True)
    ):
        return given
    if mapping.get("attemptToConvertTypes") is True:
        try:
            return convert(given)
        except NotConvertible:
            pass
    elif type_name(given) == kind:
        return given
    raise NodeRunError(
        f"The input '{name}' expects {article(kind)} but we got {shown(given)}",
        description="Change the value, or let the node convert types.",
        item_index=index,
    )


async def _document(ctx: RunContext, parameters: dict[str, Any]) -> Mapping[str, Any]:
    """The workflow that is given as JSON or by its address."""
    source = parameters.get("source", "database")
    if source == "localFile":
        raise NodeRunError(
            "Workflows can't be read from files", description="Import it and choose it by its name."
        )
    text = value(parameters.get("workflowJson"))
    if source == "url":
        answer = await ctx.http.request("GET", str(value(parameters.get("workflowUrl"))))
        if answer.status >= 400:
            raise NodeRunError(f"The workflow's address answered {answer.status} {answer.reason}")
        text = answer.body.decode("utf-8", "replace")
    try:
        document = parse_json(text) if isinstance(text, str) else text
    except ValueError as error:
        raise NodeRunError(f"The workflow is not valid JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("nodes"), list):
        raise NodeRunError("The JSON is no workflow: it has no list of nodes")
    return document


async def _call(ctx: RunContext, parameters: dict[str, Any], items: list[Item], wait: bool) -> SubWorkflow:
    if parameters.get("source", "database") != "database":
        return SubWorkflow(items, document=await _document(ctx, parameters), wait=wait)
    workflow_id = str(located(value(parameters.get("workflowId"))) or "")
    if not workflow_id:
        raise NodeRunError("No workflow to run is chosen")
    return SubWorkflow(items, workflow_id=workflow_id, wait=wait)


def _waits(parameters: dict[str, Any]) -> bool:
    return members(parameters).get("waitForSubWorkflow", True) is not False


async def run(ctx: RunContext) -> Outputs | Suspend:
    await ctx.checkpoint()
    if ctx.resume is not None:
        return await _finished(ctx)
    if not ctx.items:
        return [[]]
    version = ctx.node.version
    parameters = await ctx.parameters()
    given = enumerate(zip(ctx.items, parameters, strict=True))
    items = [_inputs(item, one, version, index) for index, (item, one) in given]
    if parameters[0].get("mode", "once") == "each":
        children = [
            await _call(ctx, one, [item], _waits(one)) for item, one in zip(items, parameters, strict=True)
        ]
    else:
        children = [await _call(ctx, parameters[0], items, _waits(parameters[0]))]
    unattended = not any(child.wait for child in children)
    return Suspend("child", children=children, output=[passed_all(ctx.items)] if unattended else None)


async def _finished(ctx: RunContext) -> Outputs:
    """The children's items, in order; a failed child fails its item, or the run."""
    assert ctx.resume is not None
    parameters = await ctx.parameters_for(0)
    if not _waits(parameters) and not ctx.resume.children:
        return [passed_all(ctx.items)]
    each = parameters.get("mode", "once") == "each"
    outputs: Outputs = [[]]
    for index, child in enumerate(ctx.resume.children):
        if child.error is not None:
            error = NodeRunError(child.error, item_index=index, code="SUB_WORKFLOW_FAILED")
            if not ctx.continues():
                raise error
            item = ctx.failed_item(error, index)
            if not each:
                item["pairedItem"] = [{"item": number} for number in range(len(ctx.items))]
            outputs[0].append(item)
            continue
        given = child.outputs[:1] if ctx.node.on_error == "continueErrorOutput" else child.outputs
        outputs += [[] for _ in range(len(given) - len(outputs))]
        for place, items in enumerate(given):
            origins = child.origins[place] if place < len(child.origins) else [None] * len(items)
            outputs[place] += [
                passed(item, index) if each else _traced(item, number, origin, len(ctx.items), len(items))
                for number, (item, origin) in enumerate(zip(items, origins, strict=True))
            ]
    return outputs


def _traced(item: Item, number: int, origin: int | None, count: int, given: int) -> Item:
    """Item `number` of the `given` that a child gave, which was called with `count`. As in n8n (tests/compat, calls),
    one that says nothing of where it came from stands for all, and one that can't be followed for that in its place."""
    if count == 1 or origin is not None:
        return passed(item, origin or 0)
    lineage = item.get("pairedItem")
    if number < count and (lineage is not None or given == count):
        return passed(item, number)
    said = lineage if isinstance(lineage, list) else [lineage]
    kept = [each for each in said if isinstance(each, dict) and not each.get("input")]
    return {**item, "pairedItem": kept or [{"item": index} for index in range(count)]}

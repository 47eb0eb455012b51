"""What becomes of a node's outputs before they are stored: lineage, error output, the empty item."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs
from weft_node_sdk.whole import told

from weft_node_runner.domain.plan import NodePlan

_JSON_TYPES = frozenset({dict, list, str, int, float, bool, type(None)})


def shaped(
    plan: NodePlan, outputs: Any, inputs: list[list[Item]], whole: list[list[Item]] | None = None
) -> Outputs:
    """`whole`: the inputs as they came, where the node was given only the first items. Raises NodeRunError where the
    node gave what are no items."""
    node = plan.node
    if not isinstance(outputs, list):
        raise NodeRunError(f"'{node.name}' gave no outputs")
    found: Outputs = [_items(items, inputs) for items in outputs]
    if node.on_error != "stopWorkflow":
        found = _errors(plan, found)
    if node.always_output and not (found and found[0]):
        found = [[{"json": {}, "pairedItem": _everything(whole or inputs)}], *found[1:]]
    return found


def _everything(inputs: list[list[Item]]) -> list[dict[str, int]]:
    """Lineage of what stands for all items of all inputs."""
    return [
        {"item": index, "input": number} if number else {"item": index}
        for number, items in enumerate(inputs)
        for index in range(len(items))
    ]


def _items(items: Any, inputs: list[list[Item]]) -> list[Item]:
    if not isinstance(items, list):
        raise NodeRunError("An output must be a list of items")
    width = len(inputs[0]) if inputs else 0
    same = len(items) == width
    for index, item in enumerate(items):
        if type(item) is not dict or "json" not in item:
            raise NodeRunError("An item must be an object with `json`", item_index=index)
        if type(item["json"]) is not dict:
            item["json"] = value = told(item["json"])
            if type(value) not in _JSON_TYPES:
                raise NodeRunError("An item's `json` must be a JSON value", item_index=index)
        if "pairedItem" not in item:
            if same:
                item["pairedItem"] = {"item": index}
            elif width == 1:
                item["pairedItem"] = {"item": 0}
    return items


def _errors(plan: NodePlan, outputs: Outputs) -> Outputs:
    """Items of failures go to the error output where there is one; their mark stays out of what is stored."""
    failed: list[Item] = []
    kept: Outputs = []
    for items in outputs:
        if not any("error" in item for item in items):
            kept.append(items)
            continue
        good: list[Item] = []
        for item in items:
            if "error" not in item:
                good.append(item)
                continue
            bare = {name: part for name, part in item.items() if name != "error"}
            (failed if plan.node.on_error == "continueErrorOutput" else good).append(bare)
        kept.append(good)
    if plan.node.on_error == "continueErrorOutput":
        kept += [[] for _ in range(plan.outputs - len(kept))]
        kept.append(failed)
    return kept

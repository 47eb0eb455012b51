"""Function: the older form of Code, over all items at once."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value

_STATIC = "getWorkflowStaticData"
_HINT = "Return a list of items: return [{ json: { name: 'Ada' } }];"


def _items(result: dict[str, Any]) -> list[Item]:
    """What the code returned, under `made`, as items. As n8n has it (tests/compat, function): the data of an item may
    be a list, and fields beside it are left out. Raises NodeRunError."""
    made = result.get("made")
    values = [made] if isinstance(made, dict) else made
    if not isinstance(values, list):
        said = "nothing" if made is None else "no list of items"
        raise NodeRunError(f"The code returned {said}", description=_HINT, code="CODE_ERROR")
    wrapped = [isinstance(each, dict) and ("json" in each or "binary" in each) for each in values]
    if not all(wrapped):
        if any(wrapped):
            text = "Some of the returned items have their data under `json` and others do not"
            raise NodeRunError(text, description=_HINT, code="CODE_ERROR")
        values = [{"json": each} for each in values]
    items = [_item(each) for each in values]
    if len(items) == 1:
        items[0].setdefault("pairedItem", {"item": 0})
    return items


def _item(given: dict[str, Any]) -> Item:
    json = given.get("json", {})
    if not isinstance(json, (dict, list)):
        text = "The `json` of a returned item is neither an object nor a list"
        raise NodeRunError(text, description=_HINT, code="CODE_ERROR")
    beside = {name: given[name] for name in ("binary", "pairedItem") if given.get(name) is not None}
    return {"json": json, **beside}


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    # code is never an expression: what stands in the document runs as it is
    source = str(value(ctx.node.parameters.get("functionCode", parameters.get("functionCode", ""))))
    # its result in an envelope, and on one line with the code, so that errors name its lines; once a plain name
    static = f"const {_STATIC} = $getWorkflowStaticData; " if _STATIC in source else ""
    wrapped = f"{static}return [{{ json: {{ made: await (async () => {{{source}\n}})() }} }}];"
    try:
        ran = (await ctx.code.javascript(wrapped, each_item=False))[0]
        return [_items(ran[0]["json"]) if ran else []]
    except NodeRunError as error:
        if error.fatal or not ctx.continues():
            raise
        return [[ctx.failed_item(error, error.item_index or 0)]]

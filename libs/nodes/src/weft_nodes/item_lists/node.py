"""Item Lists: hands each operation to the node that has it today."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import entries, members, names_in, value

from weft_nodes.aggregate import node as aggregate
from weft_nodes.limit import node as limit
from weft_nodes.remove_duplicates import node as remove_duplicates
from weft_nodes.sort import node as sort
from weft_nodes.split_out import node as split_out
from weft_nodes.summarize.node import Summary

_NAME_LISTS: Final = ("fieldsToInclude", "fieldsToExclude", "fieldsToCompare")


def _with_name_lists(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of names stood in collections before version 3."""
    changed = dict(parameters)
    for name in _NAME_LISTS:
        if isinstance(changed.get(name), dict):
            found = entries(changed, name, "fields")
            changed[name] = [value(entry.get("fieldName")) or "" for entry in found]
    return changed


class _OlderParameters:
    """The node's context, its parameters as the present nodes have them."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    async def parameters(self) -> list[dict[str, Any]]:
        return [_with_name_lists(own) for own in await self._ctx.parameters()]

    async def parameters_for(self, item_index: int) -> dict[str, Any]:
        return _with_name_lists(await self._ctx.parameters_for(item_index))


def _require(ctx: RunContext, parameters: Mapping[str, Any], *, lists: bool) -> None:
    """Versions 1 and 2 want every item to have the fields, 1 as lists. Raises NodeRunError."""
    dots = members(parameters).get("disableDotNotation") is not True
    for field in names_in(value(parameters.get("fieldToSplitOut"))):
        for index, item in enumerate(ctx.items):
            found = get(item["json"], field, dots=dots)
            if found is MISSING or (lists and not isinstance(found, list)):
                missing = "is missing" if found is MISSING else "is no list"
                raise NodeRunError(f"The field '{field}' {missing}", item_index=index)


def _summarized(ctx: RunContext, parameters: Mapping[str, Any]) -> Outputs:
    summary = Summary(ctx.items, parameters, text_keys=True)
    if members(parameters).get("outputFormat") == "singleItem":
        return [[summary.as_one_item()]]
    return [summary.as_items()]


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    older: Any = _OlderParameters(ctx)
    parameters = await older.parameters_for(0)
    operation = parameters.get("operation", "splitOutItems")
    try:
        if operation == "splitOutItems":
            if ctx.node.version < 2.1:
                _require(ctx, parameters, lists=ctx.node.version < 2)
            return await split_out.run(older)
        if operation in ("aggregateItems", "concatenateItems"):
            return await aggregate.run(older)
        if operation == "limit":
            return await limit.run(older)
        if operation == "removeDuplicates":
            return [remove_duplicates.within(ctx.items, parameters)]
        if operation == "sort":
            return await sort.run(older)
        if operation == "summarize":
            return _summarized(ctx, parameters)
        raise NodeRunError(f"'{operation}' is not a known operation")
    except NodeRunError as error:
        if error.fatal or not ctx.continues():
            raise
        return [[ctx.failed_item(error, error.item_index or 0)]]

"""Sort: by fields, at random, or by code that compares two items."""

import random
from functools import cmp_to_key
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import entries, members, value

Keyed = list[tuple[Any, int]]
"""(sort key, index of the item)."""

_NUMBERS = frozenset({int, float})


def _compare(left: tuple[Any, int], right: tuple[Any, int]) -> int:
    """JavaScript's `<` and `>`: values of different types and null are neither, so they stay where they
    are."""
    first, second = left[0], right[0]
    try:
        if first < second:
            return -1
        return 1 if first > second else 0
    except TypeError:
        return 0


def _ordered(order: list[int], keys: list[Any], descending: bool) -> list[int]:
    """Indexes sorted stably by their keys."""
    kinds = {type(key) for key in keys}
    if kinds == {str} or kinds <= _NUMBERS:
        return sorted(order, key=keys.__getitem__, reverse=descending)
    keyed: Keyed = [(keys[index], index) for index in order]
    keyed.sort(key=cmp_to_key(_compare if not descending else lambda left, right: _compare(right, left)))
    return [index for _, index in keyed]


def _keys(items: list[Item], name: str, dots: bool) -> list[Any]:
    """The field of every item; texts without case. Raises NodeRunError where no item has it."""
    keys: list[Any] = []
    missing = 0
    for item in items:
        json = item["json"]
        key = json[name] if name in json else get(json, name, dots=dots)
        if key is MISSING:
            missing += 1
            key = None
        keys.append(key.lower() if type(key) is str else key)
    if items and missing == len(items):
        raise NodeRunError(
            f"No item has the field '{name}'",
            description="Names are case-sensitive; dots reach into objects unless that is off.",
        )
    return keys


async def _by_fields(ctx: RunContext, parameters: dict[str, Any]) -> list[int]:
    fields = entries(parameters, "sortFieldsUi", "sortField")
    if not fields:
        raise NodeRunError("No field to sort by is given")
    dots = members(parameters).get("disableDotNotation") is not True
    order = list(range(len(ctx.items)))
    for field in reversed(fields):
        await ctx.checkpoint()
        name = str(value(field.get("fieldName", "")))
        order = _ordered(order, _keys(ctx.items, name, dots), field.get("order") == "descending")
    return order


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    parameters = await ctx.parameters_for(0)
    kind = parameters.get("type", "simple")
    try:
        if kind == "code":
            body = str(value(parameters.get("code", "")))
            if "return" not in body:
                raise NodeRunError("The code must return a number")
            source = f"return $input.all().sort((a, b) => {{\n{body}\n}});"
            return await ctx.code.javascript(source, each_item=False)
        if kind == "random":
            order = list(range(len(ctx.items)))
            random.shuffle(order)
        else:
            order = await _by_fields(ctx, parameters)
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)]]
    return [[passed(ctx.items[index], index) for index in order]]

"""Sort: by fields, at random, or by code that compares two items."""

import math
import random
from functools import cmp_to_key
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.values import entries, members, value

_NUMBERS = frozenset({int, float})


def _number(key: Any) -> float:
    """JavaScript's Number() of what is no text of both sides; NaN, which is less than nothing, where it is none."""
    if key is None or isinstance(key, (bool, int, float)):
        return float(key or 0)
    if isinstance(key, str):
        try:
            return float(key.strip() or 0)
        except ValueError:
            return math.nan
    return math.nan


def _compare(left: Any, right: Any, descending: bool) -> int:
    """Equal values are equal; otherwise JavaScript's `<` decides, and what is not less is taken for greater,
    as n8n does: that gives values of mixed types the same order."""
    if left is right or (type(left) is type(right) and left == right):
        return 0
    both_texts = isinstance(left, str) and isinstance(right, str)
    less = left < right if both_texts else _number(left) < _number(right)
    return -1 if less != descending else 1


def _ordered(count: int, columns: list[tuple[list[Any], bool]]) -> list[int]:
    """Indexes sorted stably by their keys, the first column's before the next one's."""
    kinds = [{type(key) for key in keys} for keys, _ in columns]
    if all(found == {str} or found <= _NUMBERS for found in kinds):
        order = list(range(count))
        for keys, descending in reversed(columns):
            order.sort(key=keys.__getitem__, reverse=descending)
        return order

    # mixed types have no order of their own: which one comes first hangs on what is compared with what
    def compare(left: int, right: int) -> int:
        found = (_compare(keys[left], keys[right], descending) for keys, descending in columns)
        return next((each for each in found if each), 0)

    return sorted(range(count), key=cmp_to_key(compare))


def _keys(items: list[Item], name: str, dots: bool) -> list[Any]:
    """The field of every item; texts without case. Raises NodeRunError where no item has it."""
    keys: list[Any] = []
    missing = 0
    for item in items:
        json = item["json"]
        key = json[name] if name in json else get(json, name, dots=dots)
        missing += key is MISSING
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
    columns = []
    for field in fields:
        await ctx.checkpoint()
        name = str(value(field.get("fieldName", "")))
        columns.append((_keys(ctx.items, name, dots), field.get("order") == "descending"))
    return _ordered(len(ctx.items), columns)


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

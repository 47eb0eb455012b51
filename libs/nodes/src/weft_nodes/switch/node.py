"""Switch: rules or an expression choose the output of each item."""

from collections.abc import Callable
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, passed
from weft_node_sdk.legacy_conditions import fulfilled
from weft_node_sdk.values import entries, members, parse_number, text_of, value

from weft_nodes.if_.node import matcher_for

Choose = Callable[[dict[str, Any]], list[int]]
"""Parameters of one item -> the outputs that it goes to."""


def _index(given: Any, count: int) -> int:
    """An output's index. Raises NodeRunError where there is no such output."""
    number = parse_number(given) if isinstance(given, str) and given.strip() else given
    if (
        isinstance(number, bool)
        or not isinstance(number, int | float)
        or not 0 <= number < count
        or number != int(number)
    ):
        raise NodeRunError(
            f"The output {given!r} does not exist", description=f"It must be a number from 0 to {count - 1}."
        )
    return int(number)


def _by_expression(count: int) -> Choose:
    return lambda parameters: [_index(value(parameters.get("output")), count)]


def _amount(parameters: dict[str, Any], name: str) -> int:
    given = parameters.get(name, 4)
    return int(given) if isinstance(given, int | float) and 1 <= given <= 100 else 4


def _by_rules(ctx: RunContext, parameters: dict[str, Any]) -> tuple[int, Choose]:
    """Version 3: a filter per output, and a fallback."""
    matcher = matcher_for(ctx, parameters)
    options = members(parameters)
    count = len(entries(parameters, "rules", "values"))
    extra = options.get("fallbackOutput") == "extra"
    outputs = count + 1 if extra else max(count, 1)

    def choose(item_parameters: dict[str, Any]) -> list[int]:
        item_options = members(item_parameters)
        every = item_options.get("allMatchingOutputs") is True
        chosen: list[int] = []
        for number, rule in enumerate(entries(item_parameters, "rules", "values")):
            if matcher.matches(rule.get("conditions")):
                chosen.append(number)
                if not every:
                    return chosen
        fallback = item_options.get("fallbackOutput", "none")
        if chosen or fallback in ("none", None, ""):
            return chosen
        return [count] if fallback == "extra" else [_index(fallback, outputs)]

    return outputs, choose


def _by_old_rules(ctx: RunContext, parameters: dict[str, Any]) -> tuple[int, Choose]:
    """Versions 1 (four outputs, each rule names its own) and 2 (an output per rule)."""
    first = ctx.node.version < 2
    rules = len(entries(parameters, "rules", "rules"))
    extra = parameters.get("fallbackOutput") == "extra"
    count = 4 if first else rules + 1 if extra else max(rules, 1)
    timezone = ctx.execution.timezone

    def choose(item_parameters: dict[str, Any]) -> list[int]:
        kind = text_of(item_parameters.get("dataType", "number"))
        default = {"dateTime": "after", "number": "smaller"}.get(kind, "equal")
        left = item_parameters.get("value1")
        for number, rule in enumerate(entries(item_parameters, "rules", "rules")):
            if fulfilled(kind, text_of(rule.get("operation", default)), left, rule.get("value2"), timezone):
                return [_index(rule.get("output", 0), count) if first else number]
        fallback = item_parameters.get("fallbackOutput", -1)
        if fallback == "extra":
            return [rules]
        return [] if fallback in (-1, "-1", None, "") else [_index(fallback, count)]

    return count, choose


async def run(ctx: RunContext) -> Outputs:
    parameters = await ctx.parameters_for(0)
    version = ctx.node.version
    if parameters.get("mode") == "expression":
        name = "numberOutputs" if version >= 3 else "outputsAmount"
        count = 4 if version < 2 else _amount(parameters, name)
        choose = _by_expression(count)
    else:
        count, choose = (_by_rules if version >= 3 else _by_old_rules)(ctx, parameters)
    outputs: Outputs = [[] for _ in range(count)]

    def handle(index: int, item: Item, item_parameters: dict[str, Any]) -> None:
        for chosen in choose(item_parameters):
            outputs[chosen].append(passed(item, index))

    def failed(index: int, error: NodeRunError) -> None:
        outputs[0].append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return outputs

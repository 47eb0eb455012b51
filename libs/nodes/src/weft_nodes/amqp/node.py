"""AMQP 1.0: a message per item."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import compact_json, members, text_of, to_text, to_whole, value

from weft_nodes.amqp.connection import sending
from weft_nodes.messaging.content import object_of

_AGAIN: Final = 50


def _body(json: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The item's fields or one of them, as JSON or as what it is."""
    name = text_of(options.get("sendOnlyProperty"))
    if name and name not in json:
        raise NodeRunError(f"The item has no field '{name}'")
    held = json[name] if name else json
    return held if options.get("dataAsObject") is True else compact_json(held)


def _properties(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The protocol has no lists and objects in them."""
    given = object_of(parameters.get("headerParametersJson"), "The application properties")
    return {name: to_text(held) if isinstance(held, dict | list) else held for name, held in given.items()}


def _again(options: Mapping[str, Any]) -> int:
    if options.get("reconnect", True) is False:
        return 0
    try:
        return int(to_whole(value(options.get("reconnectLimit", _AGAIN))) or 0)
    except ValueError as error:
        raise NodeRunError(f"The number of tries is none: {error}") from None


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    secret, first = await ctx.credential("amqp"), members(await ctx.parameters_for(0))
    settings = {"container": text_of(first.get("containerId")), "again": _again(first)}
    async with sending(ctx, secret, **settings) as sender:
        count = 0

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            nonlocal count
            sink = text_of(parameters.get("sink"))
            if not sink:
                raise NodeRunError("The queue or topic is missing")
            body = _body(ctx.items[index]["json"], members(parameters))
            await sender.send(sink, body, _properties(parameters))
            count += 1
            return [made({"id": count - 1}, index)]

        return [await map_items(ctx, handle)]

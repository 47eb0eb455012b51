"""MQTT: a message per item."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import map_items, passed
from weft_node_sdk.values import members, text_of, value

from weft_nodes.messaging.content import message_of
from weft_nodes.mqtt_.connection import connected

_SECONDS: Final = 60.0


async def _publish(ctx: RunContext, client: Any, index: int, parameters: Mapping[str, Any]) -> None:
    """Returns when the broker has it as surely as the QoS says."""
    import aiomqtt

    topic, options = text_of(parameters.get("topic")), members(parameters)
    qos = value(options.get("qos", 0))
    if qos not in (0, 1, 2):
        raise NodeRunError(f"The QoS {qos!r} is neither 0, 1 nor 2")
    payload = message_of(ctx, index, parameters).encode()
    try:
        await client.publish(
            topic, payload, qos=int(qos), retain=options.get("retain") is True, timeout=_SECONDS
        )
    except ValueError as error:
        raise NodeRunError(f"MQTT: topic '{topic}': {error}", code="MESSAGING_ERROR") from None
    except (aiomqtt.MqttError, OSError) as error:
        cause = error.__cause__ or error
        raise NodeRunError(f"MQTT: topic '{topic}': {cause}", code="MESSAGING_ERROR") from None


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    async with connected(ctx, await ctx.credential("mqtt")) as client:

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            await _publish(ctx, client, index, parameters)
            return [passed(ctx.items[index], index)]

        return [await map_items(ctx, handle)]

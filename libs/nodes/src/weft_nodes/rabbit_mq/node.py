"""RabbitMQ: a message per item, to a queue or an exchange."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items, passed_all
from weft_node_sdk.values import members, text_of, value

from weft_nodes.messaging.content import message_of, named_values
from weft_nodes.rabbit_mq.connection import connected

_SECONDS: Final = 60.0
_MAKING: Final = ("durable", "autoDelete", "exclusive", "arguments", "alternateExchange")
"""Options that say how a queue or exchange is made."""


class _Targets:
    """Queues and exchanges of a run, each looked for once."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._channel: Any = None
        self._there: set[tuple[str, str]] = set()

    async def channel(self) -> Any:
        """An open one: the server closes it when it says no."""
        if self._channel is None or self._channel.is_closed:
            self._channel = await self._connection.channel()
        return self._channel

    async def exchange(self, mode: str, name: str, parameters: Mapping[str, Any]) -> Any:
        """What to publish to. One that is not there is made where the options say how."""
        from aio_pika.exceptions import ChannelNotFoundEntity

        if (mode, name) not in self._there:
            try:
                await self._declare(mode, name, parameters, passive=True)
            except ChannelNotFoundEntity:
                if not any(option in members(parameters) for option in _MAKING):
                    raise
                await self._declare(mode, name, parameters, passive=False)
            self._there.add((mode, name))
        channel = await self.channel()
        if mode == "queue":
            return channel.default_exchange
        return await channel.get_exchange(name, ensure=False)

    async def _declare(self, mode: str, name: str, parameters: Mapping[str, Any], *, passive: bool) -> None:
        options = members(parameters)
        arguments = named_values(options, "arguments", "argument")
        settings: dict[str, Any] = {
            "durable": options.get("durable", True) is not False,
            "auto_delete": options.get("autoDelete") is True,
            "passive": passive,
            "timeout": _SECONDS,
        }
        channel = await self.channel()
        if mode == "queue":
            settings["exclusive"] = options.get("exclusive") is True
            await channel.declare_queue(name, arguments=arguments, **settings)
            return
        if other := text_of(options.get("alternateExchange")):
            arguments["alternate-exchange"] = other
        kind = str(parameters.get("exchangeType", "fanout"))
        await channel.declare_exchange(name, kind, arguments=arguments, **settings)


def _target(parameters: Mapping[str, Any]) -> tuple[str, str, str]:
    """(mode, name, routing key)."""
    mode = str(value(parameters.get("mode", "queue")))
    if mode not in {"queue", "exchange"}:
        raise NodeRunError(f"The mode '{mode}' is not known", code="UNSUPPORTED")
    name = text_of(parameters.get(mode))
    if not name:
        raise NodeRunError(f"The {mode}'s name is missing")
    return mode, name, name if mode == "queue" else text_of(parameters.get("routingKey"))


async def _send(ctx: RunContext, targets: _Targets, index: int, parameters: Mapping[str, Any]) -> None:
    from aio_pika import DeliveryMode, Message
    from aio_pika.exceptions import AMQPError

    mode, name, routing_key = _target(parameters)
    message = Message(
        message_of(ctx, index, parameters).encode(),
        headers=named_values(members(parameters), "headers", "header"),
        delivery_mode=DeliveryMode.PERSISTENT,
    )
    try:
        exchange = await targets.exchange(mode, name, parameters)
        await exchange.publish(message, routing_key, mandatory=False, timeout=_SECONDS)
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        text = str(error) or type(error).__name__
        raise NodeRunError(f"RabbitMQ: {mode} '{name}': {text}", code="MESSAGING_ERROR") from None
    except (ValueError, TypeError) as error:
        raise NodeRunError(f"A header or argument can't be sent: {error}") from None


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    if (await ctx.parameters_for(0)).get("operation") == "deleteMessage":
        # It takes the message that started the execution off its queue; no execution was started by one.
        return [passed_all(ctx.items)]
    async with connected(ctx, await ctx.credential("rabbitmq")) as connection:
        targets = _Targets(connection)

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            await _send(ctx, targets, index, parameters)
            return [made({"success": True}, index)]

        return [await map_items(ctx, handle)]

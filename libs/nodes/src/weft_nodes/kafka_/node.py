"""Kafka: a message per item."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final, NamedTuple

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.values import members, text_of, to_whole, value

from weft_nodes.kafka_.connection import producing
from weft_nodes.kafka_.registry import Registry
from weft_nodes.messaging.content import message_of, named_values, object_of

_HELD: Final = 1000
"""Messages that are under way at once."""
_COMPRESSIONS: Final = ("gzip", "lz4", "snappy", "zstd")


class _Message(NamedTuple):
    topic: str
    value: bytes
    key: bytes | None
    headers: list[tuple[str, bytes]]


class _Sent(NamedTuple):
    item: int
    topic: str
    record: Awaitable[Any]


async def _message(
    ctx: RunContext, registry: Registry, index: int, parameters: Mapping[str, Any]
) -> _Message:
    topic = text_of(parameters.get("topic"))
    if not topic:
        raise NodeRunError("The topic is missing")
    if parameters.get("jsonParameters") is True:
        headers = object_of(parameters.get("headerParametersJson"), "The headers")
    else:
        headers = named_values(parameters, "headersUi", "headerValues")
    text = message_of(ctx, index, parameters)
    if parameters.get("useSchemaRegistry") is True:
        url, subject = (text_of(parameters.get(name)) for name in ("schemaRegistryUrl", "eventName"))
        content = await registry.encoded(url, subject, text)
    else:
        content = text.encode()
    return _Message(
        topic,
        content,
        text_of(parameters.get("key")).encode() if parameters.get("useKey") is True else None,
        [(name, text_of(held).encode()) for name, held in headers.items()],
    )


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    compression = value(options.get("compression"))
    if isinstance(compression, bool):
        compression = "gzip" if compression else "none"
    if compression not in (None, "", "none", *_COMPRESSIONS):
        raise NodeRunError(f"The compression '{compression}' is not known")
    try:
        milliseconds = int(to_whole(value(options.get("timeout", 30_000))) or 30_000)
    except ValueError as error:
        raise NodeRunError(f"The timeout is no number of milliseconds: {error}") from None
    return {
        "acks": "all" if options.get("acks") is True else 0,
        "compression_type": compression if compression in _COMPRESSIONS else None,
        "request_timeout_ms": max(milliseconds, 1),
    }


class _Sending:
    """The messages of a run: what became of each, by the item's index."""

    def __init__(self, ctx: RunContext, producer: Any) -> None:
        self._ctx = ctx
        self._producer = producer
        self._registry = Registry(ctx)
        self._pending: list[_Sent] = []
        self._unknown: dict[str, Exception] = {}
        """Topics that are not there: it takes the whole timeout to know."""
        self.records: dict[int, Any] = {}
        self.failures: dict[int, NodeRunError] = {}

    async def send(self, index: int, parameters: Mapping[str, Any]) -> None:
        from aiokafka.errors import KafkaError

        try:
            message = await _message(self._ctx, self._registry, index, parameters)
            if message.topic in self._unknown:
                raise self._unknown[message.topic]
            future = await self._producer.send(
                message.topic, message.value, key=message.key, headers=message.headers
            )
        except NodeRunError as error:
            self._failed(index, error)
        except (KafkaError, OSError) as error:
            if not self._producer.client.cluster.partitions_for_topic(message.topic):
                self._unknown[message.topic] = error
            self._failed(index, _said(error, message.topic))
        else:
            self._pending.append(_Sent(index, message.topic, future))
            if len(self._pending) >= _HELD:
                await self.settle()

    async def settle(self) -> None:
        """Waits for all that are under way."""
        pending, self._pending = self._pending, []
        results = await asyncio.gather(*(each.record for each in pending), return_exceptions=True)
        for each, result in zip(pending, results, strict=True):
            if isinstance(result, BaseException):
                self._failed(each.item, _said(result, each.topic))
            else:
                self.records[each.item] = result

    def _failed(self, index: int, error: NodeRunError) -> None:
        if error.item_index is None:
            error.item_index = index
        if error.fatal or not self._ctx.continues():
            raise error
        self.failures[index] = error


def _said(error: BaseException, topic: str) -> NodeRunError:
    text = str(error) or type(error).__name__
    return NodeRunError(f"Kafka: topic '{topic}': {text}", code="MESSAGING_ERROR")


def _items(ctx: RunContext, sending: _Sending) -> list[Item]:
    """An item per partition that took messages, in the order of the first of each; failed ones as they come."""
    found: list[Item] = []
    groups: dict[Any, Item] = {}
    for index in range(len(ctx.items)):
        if index in sending.failures:
            found.append(ctx.failed_item(sending.failures[index], index))
            continue
        record = sending.records[index]
        key = record and record.topic_partition
        if key not in groups:
            groups[key] = {"json": _taken(record), "pairedItem": []}
            found.append(groups[key])
        groups[key]["pairedItem"].append({"item": index})
    return found


def _taken(record: Any) -> dict[str, Any]:
    """What the broker said of the first message of a partition; without acknowledgement it says nothing."""
    if record is None:
        return {"success": True}
    by_log = record.timestamp_type == 1
    return {
        "topicName": record.topic,
        "partition": record.partition,
        "errorCode": 0,
        "baseOffset": str(record.offset),
        "logAppendTime": str(record.timestamp if by_log else -1),
        "logStartOffset": str(record.log_start_offset),
    }


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    parameters = await ctx.parameters()
    settings = _settings(members(parameters[0]))
    async with producing(ctx, await ctx.credential("kafka"), **settings) as producer:
        sending = _Sending(ctx, producer)
        for index in range(len(ctx.items)):
            await ctx.checkpoint()
            await sending.send(index, parameters[index])
        await sending.settle()
    return [_items(ctx, sending)]

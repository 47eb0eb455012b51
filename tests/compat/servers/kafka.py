"""Kafka: what is sent, by a broker of its own. Version 1: n8n has another library for version 2, which is not built
where its cases were recorded."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from weft_kit.testing.servers import Kafka

from tests.compat.cases.build import Case, named, node
from tests.compat.servers.served import Served, asked, chain, told

MESSAGES = "http://messages.invalid"
"""Answers with the messages that came since the last reset."""
_TOPICS = ("first", "second")


class _Messages:
    """Offsets can't be given back: each case begins behind what is there."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._begin: dict[TopicPartition, int] = {}

    async def _made(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(name, 1, 1) for name in _TOPICS])
        await admin.close()

    async def reset(self) -> None:
        if not self._begin:
            await self._made()
        async with AIOKafkaConsumer(bootstrap_servers=self._bootstrap) as consumer:
            self._begin = await consumer.end_offsets([TopicPartition(name, 0) for name in _TOPICS])

    async def found(self) -> dict[str, Any]:
        async with AIOKafkaConsumer(bootstrap_servers=self._bootstrap) as consumer:
            consumer.assign(list(self._begin))
            ends = await consumer.end_offsets(list(self._begin))
            told = []
            for partition, begin in self._begin.items():
                consumer.seek(partition, begin)
                told += [_shown(await consumer.getone(partition)) for _ in range(ends[partition] - begin)]
            return {"messages": told}


def _shown(record: Any) -> dict[str, Any]:
    headers = {name: held.decode() for name, held in record.headers}
    key = record.key if record.key is None else record.key.decode()
    return {"topic": record.topic, "key": key, "value": record.value.decode(), "headers": headers}


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = Kafka(folder / "kafka")
    server.start()
    messages = _Messages(server.bootstrap)
    secret = {"clientId": "compat", "brokers": server.bootstrap, "ssl": False, "authentication": False}
    try:
        with told(lambda: asyncio.run(messages.found())) as address:
            yield Served(
                {"kafka": secret},
                lambda: asyncio.run(messages.reset()),
                {MESSAGES: address},
                masks=[(r'"baseOffset": "\d+"', '"baseOffset": "…"')],
            )
    finally:
        server.kill()


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    seen = node("Seen", "httpRequest", 4.2, {"url": MESSAGES, "options": {}}, 3, executeOnce=True)

    def add(name: str, parameters: Mapping[str, Any], **options: Any) -> None:
        given = {"topic": "first", **parameters, "options": {"acks": True, **options}}
        sent = asked("kafka", "kafka", 1, given, onError="continueRegularOutput")
        rows = [{"n": 1, "t": "Zoë"}, {"n": 2, "o": {"a": [1]}, "t": None}]
        found[f"{name} v1"] = chain(sent, seen, rows=rows)

    add("items", {})
    text = {"sendInputData": False}
    add("text", {**text, "message": "=Hi {{ $json.n }} é"})
    add("object as text", {**text, "message": "={{ $json.o ?? 'none' }}"})
    add("empty text", {**text, "message": ""})
    add("topic by expression", {"topic": "={{ $json.n === 1 ? 'first' : 'second' }}"})
    add("key", {"useKey": True, "key": "=k{{ $json.n }}"})
    for name, headers in named({"headers": {"h": "v"}, "headers by expression": {"h": "=v{{ $json.n }}"}}):
        rows = [{"key": key, "value": held} for key, held in headers.items()]
        add(name, {"headersUi": {"headerValues": rows}})
    add("headers as json", {"jsonParameters": True, "headerParametersJson": '{"h": "v", "n": 1}'})
    add("headers not json", {"jsonParameters": True, "headerParametersJson": "{h"})
    add("compressed", {}, compression=True)
    add("not acknowledged", {}, acks=False)
    return found

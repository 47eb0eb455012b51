"""RabbitMQ: messages to queues and exchanges."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aio_pika
from weft_kit.testing.brokers import RabbitMq

from tests.compat.cases.build import Case, named, node
from tests.compat.servers.served import HOST, Served, asked, chain, told

MESSAGES = "http://messages.invalid"
"""Answers with the messages of all queues."""
_QUEUES = ("there", "bound", "fresh")


async def _messages(url: str) -> dict[str, Any]:
    found = []
    async with await aio_pika.connect(url) as connection:
        for name in _QUEUES:
            channel = await connection.channel()
            try:
                queue = await channel.declare_queue(name, passive=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                continue
            while message := await queue.get(no_ack=True, fail=False):
                headers = {key: str(held) for key, held in message.headers.items()}
                found.append([name, message.body.decode(), headers, message.routing_key])
    return {"messages": found}


async def _made(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for name in _QUEUES:
            await channel.queue_delete(name)
        for name in ("fan", "sorted", "new"):
            await channel.exchange_delete(name)
        await channel.declare_queue("there", durable=True)
        bound = await channel.declare_queue("bound", durable=True)
        await bound.bind(await channel.declare_exchange("fan", "fanout", durable=True))
        await bound.bind(await channel.declare_exchange("sorted", "direct", durable=True), "key")


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = RabbitMq(folder / "rabbitmq")
    server.start()
    url = f"amqp://guest:guest@{HOST}:{server.port}/"
    secret = {
        "hostname": HOST,
        "port": server.port,
        "username": "guest",
        "password": "guest",
        "vhost": "/",
        "ssl": False,
    }
    try:
        with told(lambda: asyncio.run(_messages(url))) as address:
            yield Served({"rabbitmq": secret}, lambda: asyncio.run(_made(url)), {MESSAGES: address})
    finally:
        server.kill()


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    seen = node("Seen", "httpRequest", 4.2, {"url": MESSAGES, "options": {}}, 3, executeOnce=True)

    def add(name: str, parameters: Mapping[str, Any], version: float = 1.1) -> None:
        sent = asked("rabbitmq", "rabbitmq", version, parameters, onError="continueRegularOutput")
        found[f"{name} v{version:g}"] = chain(
            sent, seen, rows=[{"n": 1, "t": "Zoë"}, {"n": 2, "o": {"a": [1]}}]
        )

    for version in (1, 1.1):
        add("items to a queue", {"queue": "there"}, version)
    text = {"queue": "there", "sendInputData": False}
    add("text", {**text, "message": "=Hi {{ $json.n }} é"})
    add("object as text", {**text, "message": "={{ $json.o ?? 'none' }}"})
    add("queue by expression", {"queue": "={{ $json.n === 1 ? 'there' : 'bound' }}"})
    add("queue made", {"queue": "fresh", "options": {"durable": True}})
    for name, headers in named({"headers": {"h": "v"}, "headers by expression": {"h": "={{ $json.n }}"}}):
        rows = [{"key": key, "value": held} for key, held in headers.items()]
        add(name, {"queue": "there", "options": {"headers": {"header": rows}}})
    exchange = {"mode": "exchange", "exchange": "fan", "exchangeType": "fanout"}
    add("fanout", exchange)
    add("direct", {**exchange, "exchange": "sorted", "exchangeType": "direct", "routingKey": "key"})
    add(
        "direct elsewhere",
        {**exchange, "exchange": "sorted", "exchangeType": "direct", "routingKey": "other"},
    )
    return found

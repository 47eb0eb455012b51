"""AMQP 1.0: what is sent, by RabbitMQ, which speaks it too. Read back by AMQP 0-9-1."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aio_pika
from weft_kit.testing.brokers import RabbitMq

from tests.compat.cases.build import Case, node
from tests.compat.servers.served import HOST, Served, asked, chain, told

MESSAGES = "http://messages.invalid"
"""Answers with the messages of the queue."""
_QUEUE = "there"


async def _messages(url: str) -> dict[str, Any]:
    found = []
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(_QUEUE)
        while message := await queue.get(no_ack=True, fail=False):
            # of AMQP 1.0's sections, as its plugin writes them: bodies that are no plain bytes keep their encoding
            headers = {key: str(held) for key, held in sorted(message.headers.items())}
            found.append([message.body.hex(), headers])
    return {"messages": found}


async def _made(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(_QUEUE, durable=True)
        await (await channel.get_queue(_QUEUE)).purge()


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = RabbitMq(folder / "rabbitmq")
    server.start()
    url = f"amqp://guest:guest@{HOST}:{server.port}/"
    secret = {"hostname": HOST, "port": server.port, "username": "guest", "password": "guest"}
    try:
        with told(lambda: asyncio.run(_messages(url))) as address:
            yield Served(
                {"amqp": {**secret, "transportType": ""}},
                lambda: asyncio.run(_made(url)),
                {MESSAGES: address},
            )
    finally:
        server.kill()


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    seen = node("Seen", "httpRequest", 4.2, {"url": MESSAGES, "options": {}}, 3, executeOnce=True)

    def add(name: str, parameters: Mapping[str, Any], **options: Any) -> None:
        given = {"sink": f"/amq/queue/{_QUEUE}", **parameters, "options": options}
        sent = asked("amqp", "amqp", 1, given, onError="continueRegularOutput")
        found[name] = chain(sent, seen, rows=[{"n": 1, "t": "Zoë"}, {"n": 2, "t": "x"}])

    add("items", {})
    add("only one field", {}, sendOnlyProperty="t")
    add("as objects", {}, dataAsObject=True)
    add("one field as it is", {}, sendOnlyProperty="t", dataAsObject=True)
    add("properties", {"headerParametersJson": '{"h": "v", "n": 1}'})
    add("properties not json", {"headerParametersJson": "{h"})
    add("no sink", {"sink": ""})
    return found

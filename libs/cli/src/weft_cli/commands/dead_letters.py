"""`weft dead-letters`: messages that could not be handled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
import orjson
from weft_contracts.ids import id_milliseconds, new_id
from weft_contracts.messages import Envelope, StartExecution
from weft_kit.bus.letters import DeadLetters, Letter, Letters, find
from weft_kit.settings import CoreSettings

Deed = Callable[[DeadLetters, Letter], Awaitable[str]]


@asynccontextmanager
async def opened() -> AsyncIterator[DeadLetters]:
    """Those of the brokers that the settings name, else those in the folder. Raises UNAVAILABLE."""
    settings = CoreSettings.load()
    if not settings.kafka_brokers:
        yield Letters(settings.home / "dead-letters")
        return
    from weft_kit.bus.kafka import KafkaBus
    from weft_kit.bus.kafka_letters import KafkaLetters
    from weft_kit.bus.kafka_topics import TOPICS

    bus = KafkaBus(settings.kafka_brokers, f"cli-{new_id()}")
    await bus.start()
    try:
        yield KafkaLetters(bus.link, list(TOPICS))
    finally:
        await bus.stop()


async def listed(*, as_json: bool) -> None:
    async with opened() as letters:
        found = [_head(letter) async for letter in letters.all()]
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    for each in found:
        click.echo(
            "  ".join((each["id"], each["at"], each["topic"], each["type"], each["key"], each["error"]))
        )
    if not found:
        click.echo("there are no dead letters")


async def shown(letter_id: str) -> None:
    async with opened() as letters:
        letter = await find(letters, letter_id)
    body = None if letter.envelope is None else msgspec.to_builtins(letter.envelope.body)
    message = {**_head(letter), "error": letter.error, "message": body}
    click.echo(orjson.dumps(message, option=orjson.OPT_INDENT_2))


async def treated(letter_ids: Sequence[str], deed: Deed) -> None:
    """Does it to these letters; to all where none is named. Raises NOT_FOUND before anything is done."""
    async with opened() as letters:
        if letter_ids:
            found = [await find(letters, each) for each in letter_ids]
            for letter in found:
                click.echo(await deed(letters, letter))
        else:
            async for letter in letters.all():
                click.echo(await deed(letters, letter))


async def replay(letters: DeadLetters, letter: Letter) -> str:
    envelope = await letters.replay(letter)
    return f"{letter.id} is handled again{_as_what(envelope)}"


async def remove(letters: DeadLetters, letter: Letter) -> str:
    await letters.remove(letter)
    return f"{letter.id} is removed"


def _as_what(envelope: Envelope) -> str:
    body = envelope.body
    return f" as execution {body.execution_id}" if isinstance(body, StartExecution) else ""


def _head(letter: Letter) -> dict[str, Any]:
    """`at`: when it became one. The error's first line."""
    envelope = letter.envelope
    moment = datetime.fromtimestamp(id_milliseconds(letter.id) / 1000, UTC)
    return {
        "id": letter.id,
        "at": moment.isoformat(timespec="seconds"),
        "topic": letter.topic,
        "type": type(envelope.body).__name__ if envelope else "unreadable",
        "key": envelope.key if envelope else "",
        "error": letter.error.partition("\n")[0][:200],
    }


def run(work: Any) -> None:
    asyncio.run(work)

"""`weft letters`: the messages that could not be handled."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import click
from weft_kit.bus.letters import LetterHead, Letters
from weft_kit.settings import CoreSettings


def list_letters(*, as_json: bool) -> int:
    """0 where there is none, else 1. Raises UNAVAILABLE."""
    found = asyncio.run(_print(_letters(CoreSettings.load()), as_json=as_json))
    if not found and not as_json:
        click.echo("no dead letters")
    return int(found > 0)


async def _letters(settings: CoreSettings) -> AsyncIterator[LetterHead]:
    if settings.kafka_brokers:
        from weft_kit.bus.kafka_letters import dead_letters

        async for head in dead_letters(settings.kafka_brokers):
            yield head
    else:
        for letter in Letters(settings.home / "dead-letters").all():
            yield letter.head


async def _print(heads: AsyncIterator[LetterHead], *, as_json: bool) -> int:
    count = 0
    async for head in heads:
        count += 1
        at = datetime.fromtimestamp(head.at / 1000, UTC).isoformat(timespec="seconds")
        if as_json:
            click.echo(json.dumps({**head._asdict(), "at": at}))
        else:
            click.echo(f"{at}  {head.topic}  {head.type}  {head.key}  {head.id}\n  {head.error}")
    return count

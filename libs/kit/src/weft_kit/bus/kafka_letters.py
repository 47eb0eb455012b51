"""Reads the dead letters of a cluster."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.bus.kafka_logs import close
from weft_kit.bus.kafka_topics import REQUEST_MS
from weft_kit.bus.letters import LetterHead

PATIENCE: Final = 30.0
"""Seconds in which a broker has to give the next letters."""


async def dead_letters(brokers: str) -> AsyncIterator[LetterHead]:
    """Those there are when it begins, oldest first within a topic. Raises UNAVAILABLE."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers,
        client_id="weft-letters",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_MS,
    )
    try:
        await asyncio.wait_for(consumer.start(), PATIENCE)
        suffix = topics.dead_letters("")
        places = [
            TopicPartition(name, 0) for name in sorted(await consumer.topics()) if name.endswith(suffix)
        ]
        for place in places:
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                record = await asyncio.wait_for(consumer.getone(), PATIENCE)
                told = {name: value.decode(errors="replace") for name, value in record.headers}
                yield LetterHead(
                    told.get("letter", ""),
                    place.topic.removesuffix(suffix),
                    (record.key or b"").decode(errors="replace"),
                    told.get("type", ""),
                    told.get("error", ""),
                    record.timestamp,
                )
    except (KafkaError, OSError, TimeoutError) as error:
        raise WeftError(ErrorCode.UNAVAILABLE, f"Kafka at {brokers} is out of reach: {error!r}") from error
    finally:
        await close(consumer)

"""What everything on the bus has in common: how to reach the brokers, and where to put what can't be handled."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id

from weft_kit.bus.kafka_logs import close
from weft_kit.bus.kafka_producer import Entry, Outgoing
from weft_kit.bus.kafka_topics import MAX_MESSAGE, REQUEST_MS, make_topics

log = logging.getLogger("weft.bus")

FETCH_WAIT_MS: Final = 100
"""How long the broker holds a fetch that finds nothing. A message ends the wait at once; a new assignment has to wait
for it, and each fetch costs CPU in proportion to the partitions."""

Key = tuple[str, int]
"""Topic and partition."""


class Link:
    """Of one instance to its brokers."""

    def __init__(self, brokers: str, client: str, topic_partitions: Mapping[str, int]) -> None:
        self.brokers = brokers
        self._client = client
        self._topics = topic_partitions
        self.out = Outgoing(brokers, client, topic_partitions)
        self._offsets: Any = None

    async def start(self) -> None:
        """Makes missing topics and connects. Raises what the library raises."""
        await make_topics(self.brokers, self._client, self._topics)
        await self.out.start()
        self._offsets = self.consumer()
        await self._offsets.start()

    async def stop(self) -> None:
        offsets, self._offsets = self._offsets, None
        await asyncio.gather(self.out.stop(), *([close(offsets)] if offsets is not None else []))

    async def bury(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes]],
        error: str,
    ) -> str:
        """Puts the bytes of a message on the dead-letter topic; the letter's id once it is acknowledged."""
        letter = new_id()
        more = [("letter", letter.encode()), ("topic", topic.encode()), ("error", error.encode()[:4000])]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        target = topics.dead_letters(topic)
        self.out.submit(Entry(target, 0, key, value or b"", [*headers, *more], done))
        await done
        return letter

    async def bury_surely(self, record: Any, error: str) -> str:
        """As `bury`, until it succeeds: a reader may not pass what it has not put away."""
        while True:
            try:
                return await self.bury(record.topic, record.key, record.value, record.headers, error)
            except WeftError as failure:
                log.warning("a dead letter of %s can't be written: %s", record.topic, failure)
                await asyncio.sleep(1)

    def consumer(self, group: str | None = None, reset: str = "earliest") -> Any:
        """Not started. `reset`: where it goes on when its position is not in the log."""
        return AIOKafkaConsumer(
            bootstrap_servers=self.brokers,
            client_id=self._client,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset=reset,
            fetch_min_bytes=1,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=2 * MAX_MESSAGE,
            request_timeout_ms=REQUEST_MS,
            # A rebalance must not take longer than a request for it may.
            rebalance_timeout_ms=REQUEST_MS - 2000,
            session_timeout_ms=6000,
            heartbeat_interval_ms=1500,
        )

    async def ends(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Raises UNAVAILABLE."""
        wanted = [TopicPartition(*key) for key in keys]
        if not wanted:
            return {}
        try:
            found = await self._offsets.end_offsets(wanted)
        except (KafkaError, OSError, TimeoutError, AttributeError) as error:
            raise WeftError(ErrorCode.UNAVAILABLE, f"Kafka is out of reach: {error!r}") from error
        return {(tp.topic, tp.partition): int(offset) for tp, offset in found.items()}

    async def partitions(self, topic: str) -> int:
        """How many the topic has."""
        return len(await self.out.partitions(topic))

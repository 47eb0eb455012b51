"""Dead letters on Kafka. Nothing can be taken out of a log, so a further record says that a letter is done with."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope

from weft_kit.bus.kafka_link import Link
from weft_kit.bus.kafka_logs import close
from weft_kit.bus.kafka_producer import Entry, encoded
from weft_kit.bus.letters import Letter, again, partition_of, read_back

_DONE: Final = "done"
"""Header of the record that ends a letter."""
_SILENCE_MS: Final = 10_000


class KafkaLetters:
    """Implements DeadLetters. `link`: started; `names`: the topics whose letters are meant."""

    def __init__(self, link: Link, names: list[str]) -> None:
        self._link = link
        self._names = {topics.dead_letters(name): name for name in names}

    async def all(self) -> AsyncIterator[Letter]:
        done = {
            headers["letter"].decode() async for _, headers in self._records() if _DONE in headers
        }  # read twice: letters may be large, and none is kept
        async for record, headers in self._records():
            letter_id = headers.get("letter", b"").decode()
            if _DONE not in headers and letter_id and letter_id not in done:
                error = headers.get("error", b"").decode(errors="replace")
                yield Letter(letter_id, self._names[record.topic], error, read_back(record.value))

    async def replay(self, letter: Letter) -> Envelope:
        envelope = again(letter)
        await self._submit(letter.topic, partition_of(letter.topic, envelope), *encoded(envelope))
        await self._end(letter, b"replayed")
        return envelope

    async def remove(self, letter: Letter) -> None:
        await self._end(letter, b"removed")

    async def _end(self, letter: Letter, how: bytes) -> None:
        headers = [("letter", letter.id.encode()), (_DONE, how)]
        await self._submit(topics.dead_letters(letter.topic), 0, None, b"", headers)

    async def _submit(
        self,
        topic: str,
        partition: int | None,
        key: bytes | None,
        value: bytes,
        headers: list[tuple[str, bytes]],
    ) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._link.out.submit(Entry(topic, partition, key, value, headers, done))
        await done

    async def _records(self) -> AsyncIterator[tuple[Any, dict[str, bytes]]]:
        """All that there are now, with their headers, in the order of their topics. Raises UNAVAILABLE."""
        for name in self._names:
            async for record in self._of(name):
                yield record, dict(record.headers)

    async def _of(self, name: str) -> AsyncIterator[Any]:
        place = TopicPartition(name, 0)
        end = (await self._link.ends([(name, 0)]))[name, 0]
        consumer = self._link.consumer()
        try:
            await consumer.start()
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            while await consumer.position(place) < end:
                batch = await consumer.getmany(timeout_ms=_SILENCE_MS, max_records=100)
                if not batch:
                    raise WeftError(ErrorCode.UNAVAILABLE, "Kafka does not answer.")
                for record in batch[place]:
                    yield record
        except (KafkaError, OSError, TimeoutError) as error:
            raise WeftError(ErrorCode.UNAVAILABLE, f"Kafka is out of reach: {error!r}") from error
        finally:
            await close(consumer)

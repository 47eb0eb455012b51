"""The bus between processes: Kafka by aiokafka. Why not FastStream: docs/decisions/0004.

One idempotent producer with `acks=all` takes everything out, in the order of the calls. Readers assign themselves
partitions and keep the positions in tables; groups are Kafka's; listeners without a group read every partition from its
end. A broker that is gone is waited for: only `submit`, `assign` and `start` say so, with UNAVAILABLE.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka.errors import KafkaError
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import Envelope

from weft_kit.bus import Handler
from weft_kit.bus.kafka_groups import Group, Listeners
from weft_kit.bus.kafka_link import Link
from weft_kit.bus.kafka_logs import silence_repetitions
from weft_kit.bus.kafka_producer import Entry, encoded
from weft_kit.bus.kafka_reader import KafkaReader
from weft_kit.bus.kafka_topics import TOPICS

START_SECONDS: Final = 30.0


class KafkaBus:
    """Implements EventBus. `brokers`: host:port, several with commas. `instance`: `<service>-<id>`; readers commit
    their positions under the group `<service>.reader`. `topic_partitions`: what `start` makes where it is missing."""

    def __init__(
        self, brokers: str, instance: str, topic_partitions: Mapping[str, int] | None = None
    ) -> None:
        self.link = Link(brokers, instance, TOPICS if topic_partitions is None else topic_partitions)
        self._readers = f"{instance[: -len(new_id()) - 1] or instance}.reader"
        self._groups: dict[str, Group] = {}
        self._listeners = Listeners(self.link)
        silence_repetitions()

    def submit(self, topic: str, envelope: Envelope, partition: int | None = None) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.link.out.submit(Entry(topic, partition, *encoded(envelope), done))
        return done

    def send(self, topic: str, envelope: Envelope, partition: int | None = None) -> None:
        self.link.out.send(Entry(topic, partition, *encoded(envelope), None))

    def reader(self) -> KafkaReader:
        return KafkaReader(self.link, self._readers)

    def subscribe(self, topic: str, handler: Handler, group: str | None) -> None:
        if group is None:
            self._listeners.add(topic, handler)
        else:
            self._groups.setdefault(group, Group(self.link, group)).add(topic, handler)

    async def dead_letter(self, topic: str, envelope: Envelope, error: str) -> str:
        return await self.link.bury(topic, *encoded(envelope), error)

    async def start(self) -> None:
        """Makes missing topics, connects, joins. Raises UNAVAILABLE where no broker can be reached."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.link.start()
                await self._listeners.start()
                for group in self._groups.values():
                    await group.start()
        except BaseException as error:
            await self.stop()
            if isinstance(error, KafkaError | OSError | TimeoutError):
                message = f"Kafka at {self.link.brokers} is out of reach: {error!r}"
                raise WeftError(ErrorCode.UNAVAILABLE, message) from error
            raise

    async def stop(self) -> None:
        await asyncio.gather(*[group.stop() for group in self._groups.values()], self._listeners.stop())
        await self.link.stop()

"""Messages of our shards: taken in by assignment, handled in order, done with once they have taken effect.

A message whose execution must be read first waits in the execution's queue, and holds back its shard's position. One
that can't be handled becomes a dead letter before the position passes it.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, NamedTuple, Protocol

from weft_contracts import messages as m
from weft_contracts import topics
from weft_contracts.errors import WeftError
from weft_contracts.messages import Envelope
from weft_kit.bus import EventBus, Received
from weft_kit.crash import point
from weft_kit.tasks import end
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.patience import AGAIN_SECONDS, patiently
from weft_orchestrator.domain.live import Live
from weft_orchestrator.domain.shard import Shard

log = logging.getLogger("weft.orchestrator")
Work = Callable[[], Awaitable[None]]
Action = Callable[[Live | None], None]
Step = tuple[Work, Action, Received | None, Shard | None]
"""What waits for its turn: what is to be read first, what is done then, its message and the shard that has it open."""
Place = tuple[str, int]
"""Topic and partition."""

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of messages whose effect is not in the database yet; beyond, reading waits for a commit."""


class Progress(NamedTuple):
    """How far shards have come since they were last asked: their positions, and the bytes that are let go when those
    are in the database."""

    positions: dict[Place, int]
    size: int


class Handler(Protocol):
    def handle(self, body: m.Message, received: Received) -> None:
        """Whatever it raises makes a dead letter of the message."""

    def give_up(self, execution_id: str, reason: str, start: m.StartExecution | None = None) -> None:
        """A message of the execution is lost. `start`: what could not even begin."""

    def rest(self) -> None:
        """Some messages have been handled."""


class Inbox:
    """`lives`: the executions in memory. `asked`: set where positions have moved on, so that they get written."""

    def __init__(self, bus: EventBus, handler: Handler, lives: dict[str, Live], asked: asyncio.Event) -> None:
        self._bus = bus
        self._handler = handler
        self._lives = lives
        self._asked = asked
        self._reader = bus.reader()
        self._waiting: dict[str, deque[Step]] = {}
        self._touched: set[Place] = set()
        self._in_hand = 0
        self._settled: Counter[int] = Counter()
        """Bytes in hand, by shard, that the next group lets go."""
        self._room = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.shards: dict[int, Shard] = {}

    async def assign(self, shards: dict[int, Shard]) -> None:
        """Reads these shards from now on. Raises UNAVAILABLE; then none was added."""
        before, self.shards = self.shards, shards
        for number in self._settled.keys() - shards.keys():
            self._let_go(self._settled.pop(number))
        try:
            await self._reader.assign(
                {
                    (topic, number): shard.position(topic)
                    for number, shard in shards.items()
                    for topic in (topics.NODE_RESULTS, topics.EXECUTION_COMMANDS)
                }
            )
        except WeftError:
            self.shards = {n: shard for n, shard in before.items() if n in shards}
            raise

    async def read(self) -> None:
        """For ever."""
        while True:
            fetched, ours = await self._reader.fetch(), self.shards
            for received in fetched:
                while self._in_hand >= MOST_BYTES:
                    self._handler.rest()
                    self._room.clear()
                    await self._room.wait()
                number = received.partition
                if self.shards.get(number) is ours.get(number):  # else it has been assigned anew meanwhile
                    self._take(received)
            self._handler.rest()

    async def end_of_results(self, shard: int) -> int:
        return await self._reader.end(topics.NODE_RESULTS, shard)

    def _take(self, received: Received) -> None:
        shard = self.shards.get(received.partition)
        if shard is None or received.offset < shard.next[received.topic]:
            return
        shard.next[received.topic] = received.offset + 1
        self._in_hand += received.size
        self._moved(received)
        if received.envelope is None:
            self._handler.give_up(received.key, received.error)
        else:
            try:
                self._handler.handle(received.envelope.body, received)
            except Exception as error:
                log.exception("a message could not be handled", extra=fields(topic=received.topic))
                self._bury(received, received.envelope, error)
        if received.offset not in shard.open[received.topic]:
            self._settled[shard.number] += received.size

    # --- positions ------------------------------------------------------------------------------------------

    def moved(self) -> set[int]:
        """Our shards whose positions may have changed."""
        return {number for _, number in self._touched if number in self.shards}

    def progress(self, numbers: Collection[int]) -> Progress:
        touched = {place for place in self._touched if place[1] in numbers}
        self._touched -= touched
        positions = {
            (topic, number): self.shards[number].position(topic)
            for topic, number in touched
            if number in self.shards
        }
        return Progress(positions, sum(self._settled.pop(number, 0) for number in numbers))

    def commit(self, progress: Progress) -> None:
        """What came before these positions has taken effect in the database."""
        self._let_go(progress.size)
        for (topic, number), position in progress.positions.items():
            if number in self.shards:
                point("position.before")
                self._reader.commit(topic, number, position)

    def _let_go(self, size: int) -> None:
        self._in_hand -= size
        if self._in_hand < MOST_BYTES:
            self._room.set()

    def _moved(self, received: Received) -> None:
        self._touched.add((received.topic, received.partition))
        self._asked.set()

    def _done_with(self, received: Received, shard: Shard) -> None:
        shard.open[received.topic].discard(received.offset)
        if self.shards.get(shard.number) is shard:
            self._settled[shard.number] += received.size
            self._moved(received)
        else:
            self._let_go(received.size)

    # --- turns ----------------------------------------------------------------------------------------------

    def busy(self, execution_id: str) -> bool:
        """Whether something waits for its turn there."""
        return execution_id in self._waiting

    def wait(self, execution_id: str, work: Work, action: Action, received: Received | None) -> None:
        """Does it after `work`, in its turn among what waits for this execution. Until then the message's position
        stays open."""
        shard = None if received is None else self.shards[received.partition]
        if received is not None and shard is not None:
            shard.open[received.topic].add(received.offset)
        steps = self._waiting.get(execution_id)
        if steps is None:
            steps = self._waiting[execution_id] = deque()
            self.spawn(self._in_turn(execution_id, steps))
        steps.append((work, action, received, shard))

    async def _in_turn(self, execution_id: str, steps: deque[Step]) -> None:
        while steps:
            work, action, received, shard = steps[0]
            try:
                await patiently(work)
                action(self._lives.get(execution_id))
            except Exception as error:
                log.exception("a message could not be handled", extra=fields(execution=execution_id))
                if received is not None and shard is not None:
                    self._failed(received, shard, error)
            else:
                if received is not None and shard is not None:
                    self._done_with(received, shard)
            steps.popleft()
        del self._waiting[execution_id]
        self._handler.rest()

    def _failed(self, received: Received, shard: Shard, error: Exception) -> None:
        if self.shards.get(shard.number) is shard and received.envelope is not None:
            self._bury(received, received.envelope, error)
        else:
            self._done_with(received, shard)

    def _bury(self, received: Received, envelope: Envelope, error: Exception) -> None:
        """The position stays open until the dead letter can't be lost."""
        shard = self.shards[received.partition]
        shard.open[received.topic].add(received.offset)

        async def bury() -> None:
            letter = ""
            while not letter:
                try:
                    letter = await self._bus.dead_letter(received.topic, envelope, repr(error))
                except Exception as failure:  # noqa: BLE001 - whatever it is, nothing may pass the message
                    log.warning("a dead letter can't be written: %r", failure)
                    await asyncio.sleep(AGAIN_SECONDS)
            self._done_with(received, shard)
            start = envelope.body if isinstance(envelope.body, m.StartExecution) else None
            self._handler.give_up(envelope.key, f"dead letter {letter}", start)

        self.spawn(bury())

    def spawn(self, work: Any) -> None:
        """Until the inbox is closed at most."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        await end(*self._tasks)
        await self._reader.close()

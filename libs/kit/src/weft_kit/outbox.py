"""The outbox: messages to another owner, written in the transaction that they depend on, sent after it.

A service's first migration runs `outbox_ddl(schema)`. A use case stages messages on its transaction's connection
and calls `wake` once it has committed; the relay sends what it finds, in order, and deletes it when the bus has it.
What a dead process left behind is found by any relay of the schema within SWEEP_SECONDS. A message may be sent
twice: receivers are idempotent by its natural key.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope

from weft_kit.bus import EventBus
from weft_kit.crash import point
from weft_kit.database import Database, database_errors
from weft_kit.tasks import end

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger("weft.outbox")

SWEEP_SECONDS: Final = 2.0
BATCH: Final = 200

Row = tuple[str, Envelope, int | None]
"""Topic, message, partition (None: by the envelope's key)."""


def outbox_ddl(schema: str) -> str:
    """The table, for the schema's first migration."""
    return f"""
        CREATE TABLE {schema}.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            topic text NOT NULL,
            partition integer,
            envelope bytea NOT NULL
        )"""


class Outbox:
    """Of one schema."""

    def __init__(self, schema: str, bus: EventBus, database: Database) -> None:
        self._bus = bus
        self._database = database
        self._insert = f"INSERT INTO {schema}.outbox (topic, partition, envelope) "
        self._take = (
            f"DELETE FROM {schema}.outbox WHERE id IN (SELECT id FROM {schema}.outbox ORDER BY id LIMIT {BATCH} "  # noqa: S608
            "FOR UPDATE SKIP LOCKED) RETURNING id, topic, partition, envelope"
        )
        self._awake = asyncio.Event()
        self._relay: asyncio.Task[None] | None = None

    async def stage(self, connection: "AsyncConnection", topic: str, envelope: Envelope) -> None:
        """In the transaction of a SQLAlchemy connection."""
        from sqlalchemy import text

        await connection.execute(
            text(f"{self._insert} VALUES (:topic, NULL, :envelope)"),
            {"topic": topic, "envelope": wire.encode(envelope)},
        )

    async def stage_rows(self, connection: Any, rows: Sequence[Row]) -> None:
        """In the transaction of an asyncpg connection, all at once."""
        await connection.execute(
            f"{self._insert} SELECT * FROM unnest($1::text[], $2::int[], $3::bytea[])",  # noqa: S608
            [topic for topic, _, _ in rows],
            [partition for _, _, partition in rows],
            [wire.encode(envelope) for _, envelope, _ in rows],
        )

    def wake(self) -> None:
        """Something was committed."""
        self._awake.set()

    async def start(self) -> None:
        self._relay = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """What was not sent yet stays."""
        relay, self._relay = self._relay, None
        await end(relay)

    async def _run(self) -> None:
        while True:
            try:
                while await self.relay() == BATCH:
                    pass
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("messages wait in the outbox: %s", error)
                await asyncio.sleep(SWEEP_SECONDS / 2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), SWEEP_SECONDS)
            self._awake.clear()

    async def relay(self) -> int:
        """Sends one batch; how many left. Rows stay locked until the bus has them, so that several relays do not send
        the same. Where the bus is away, all stay; what it will not have goes to the end, and holds up nothing."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                rows = sorted(await connection.fetch(self._take), key=lambda row: int(row["id"]))
                results = await asyncio.gather(*[self._send(row) for row in rows], return_exceptions=True)
                refused = []
                for row, result in zip(rows, results, strict=True):
                    if isinstance(result, WeftError) and result.code is ErrorCode.UNAVAILABLE:
                        raise result
                    if result is not None:
                        log.error("a message of %s can't be sent: %r", row["topic"], result)
                        refused.append((row["topic"], row["partition"], row["envelope"]))
                if refused:
                    await connection.executemany(f"{self._insert} VALUES ($1, $2, $3)", refused)
                if rows:
                    point("publish.after")
                return len(rows) - len(refused)

    async def _send(self, row: Any) -> None:
        await self._bus.submit(row["topic"], wire.decode(row["envelope"]), row["partition"])

"""A group commit as one statement: fence, new executions, changed ones, node runs, wakes, outbox."""

import contextlib
from typing import Any, Final

import asyncpg
from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.payload import EMPTY
from weft_kit.database import Database, database_errors
from weft_kit.database.failures import lost

from weft_orchestrator.application.ports import Entry, ExistingError, FencedError, Group, UnstorableError
from weft_orchestrator.domain.records import encode

LEAN: Final = """
WITH fence AS (
    UPDATE orchestrator.shards s SET commands_pos = f.commands, results_pos = f.results
    FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS f(shard, epoch, commands, results)
    WHERE s.shard = f.shard AND s.epoch = f.epoch
    RETURNING 1
), fresh AS (
    INSERT INTO orchestrator.executions (
        id, shard, project_id, workflow_id, version_id, status, mode, seq, created_at, started_at, finished_at,
        due_at, last_node, data_size, follow_up, head, error, reply)
    SELECT * FROM unnest(
        $5::uuid[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[],
        $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::text[], $18::bigint[], $19::boolean[],
        $20::bytea[], $21::bytea[], $22::bytea[])
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
), changed AS (
    UPDATE orchestrator.executions e SET status = c.status, seq = c.seq, finished_at = c.finished_at,
        due_at = c.due_at, last_node = c.last_node, data_size = c.data_size, follow_up = c.follow_up, error = c.error,
        reply = c.reply
    FROM unnest(
        $23::uuid[], $24::text[], $25::bigint[], $26::bigint[], $27::bigint[], $28::text[], $29::bigint[],
        $30::boolean[], $31::bytea[], $32::bytea[])
        AS c(id, status, seq, finished_at, due_at, last_node, data_size, follow_up, error, reply)
    WHERE e.id = c.id
), runs AS (
    INSERT INTO orchestrator.node_runs (
        execution_id, node, run_index, seq, status, started_at, finished_at, details, codec, size, ref, data)
    SELECT * FROM unnest(
        $33::uuid[], $34::text[], $35::int[], $36::bigint[], $37::text[], $38::bigint[], $39::bigint[], $40::bytea[],
        $41::smallint[], $42::bigint[], $43::text[], $44::bytea[])
    ON CONFLICT (execution_id, node, run_index) DO UPDATE SET
        seq = excluded.seq, status = excluded.status, started_at = excluded.started_at,
        finished_at = excluded.finished_at, details = excluded.details, codec = excluded.codec,
        size = excluded.size, ref = excluded.ref, data = excluded.data
)"""
_MORE: Final = """, woken AS (
    INSERT INTO orchestrator.wakes (execution_id, node, run_index, index, kind, error, codec, size, ref, data)
    SELECT * FROM unnest(
        $47::uuid[], $48::text[], $49::int[], $50::int[], $51::text[], $52::bytea[], $53::smallint[], $54::bigint[],
        $55::text[], $56::bytea[])
    ON CONFLICT DO NOTHING
), sent AS (
    INSERT INTO orchestrator.outbox (topic, partition, envelope)
    SELECT * FROM unnest($57::text[], $58::int[], $59::bytea[])
), kept AS (
    INSERT INTO orchestrator.custom_data (execution_id, key, value)
    SELECT * FROM unnest($60::uuid[], $61::text[], $62::text[])
    ON CONFLICT (execution_id, key) DO UPDATE SET value = excluded.value
)"""
END: Final = """
SELECT orchestrator.must('fenced', (SELECT count(*) FROM fence), $45::bigint),
       orchestrator.must('existing', (SELECT count(*) FROM fresh), $46::bigint)
"""
PLANS: Final = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""A plan made while a day's partition is nearly empty would read the whole partition for every commit, until
statistics come: rows are found by their keys."""
_FENCED, _EXISTING = "WF001", "WF002"
_DATA_ERRORS: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,  # the driver's own DataError; text that is no UTF-8
)
"""What PostgreSQL, or its driver, refuses for its content."""


def _columns(rows: list[tuple[Any, ...]], count: int) -> list[Any]:
    return list(zip(*rows, strict=True)) if rows else [()] * count


class PostgresCommits:
    """Implements Commits, on a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._uncertain = False
        """The outcome of the last try is unknown: the connection was lost on the way."""

    async def commit(self, group: Group) -> None:
        with database_errors():
            if self._uncertain and await self._written(group):
                self._uncertain = False
                return
            try:
                statement, arguments = _statement(group)
                await (await self._connect()).execute(statement, *arguments)
            except Exception as error:
                state = getattr(error, "sqlstate", "")
                if state == _FENCED:
                    raise FencedError from None
                if state == _EXISTING:
                    raise ExistingError(await self._existing(group)) from None
                if isinstance(error, _DATA_ERRORS) and (refused := await self._refused(group)):
                    raise UnstorableError(refused) from None
                # Whatever it is, the group must not get lost: it is tried again on a new connection.
                self._uncertain = lost(error)
                await self.close()
                raise WeftError(ErrorCode.UNAVAILABLE, f"PostgreSQL did not commit: {error!r}") from error
        self._uncertain = False

    async def _refused(self, group: Group) -> frozenset[str]:
        """Whose entries are refused for themselves: each is tried alone and taken back."""
        refused = set()
        connection = await self._connect()
        for entry in group.entries:
            transaction = connection.transaction()
            await transaction.start()
            try:
                statement, arguments = _statement(Group(entries=[entry]))
                await connection.execute(statement, *arguments)
            except _DATA_ERRORS:
                refused.add(entry.live.id)
            finally:
                await transaction.rollback()
        return frozenset(refused)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()

    async def _connect(self) -> Any:
        """Not from the pool: a pool's connection is reset after every use, which takes another round trip."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._database.dsn, timeout=5, command_timeout=30, server_settings=PLANS
            )
        return self._connection

    async def _existing(self, group: Group) -> frozenset[str]:
        ids = [entry.live.id for entry in group.entries if entry.new]
        query = "SELECT id::text FROM orchestrator.executions WHERE id = ANY($1::uuid[])"
        return frozenset(row[0] for row in await (await self._connect()).fetch(query, ids))

    async def _written(self, group: Group) -> bool:
        """Whether the try before has come through after all. Everything else in a group may be written twice."""
        born = {entry.live.id: entry.live.created_at for entry in group.entries if entry.new}
        if not born:
            return False
        query = "SELECT id::text, created_at FROM orchestrator.executions WHERE id = ANY($1::uuid[])"
        rows = await (await self._connect()).fetch(query, list(born))
        return {row[0]: row[1] for row in rows} == born


def _statement(group: Group) -> tuple[str, list[Any]]:
    fresh = [_fresh(entry) for entry in group.entries if entry.new]
    changed = [_changed(entry) for entry in group.entries if not entry.new]
    runs = [row for entry in group.entries for row in _runs(entry)]
    fences = [(shard, epoch, *positions) for shard, (epoch, positions) in group.fences.items()]
    arguments = [
        *_columns(fences, 4),
        *_columns(fresh, 18),
        *_columns(changed, 10),
        *_columns(runs, 12),
        len(fences),
        len(fresh),
    ]
    statement = LEAN + END
    woken = [row for entry in group.entries for row in _wakes(entry)]
    kept = [row for entry in group.entries for row in _custom(entry)]
    if woken or kept or group.outbox:
        statement = LEAN + _MORE + END
        sent = [(topic, partition, wire.encode(envelope)) for topic, envelope, partition in group.outbox]
        arguments += [*_columns(woken, 10), *_columns(sent, 3), *_columns(kept, 3)]
    return statement, arguments


def _fresh(entry: Entry) -> tuple[Any, ...]:
    live = entry.live
    return (
        live.id,
        live.shard,
        live.project_id,
        live.workflow_id,
        live.version_id,
        entry.status,
        live.mode,
        entry.seq,
        live.created_at,
        live.created_at,
        live.finished_at,
        entry.due_at,
        live.state.last_node,
        live.size,
        live.follow_up,
        encode(live.head),
        encode(live.error) if live.error else None,
        live.reply,
    )


def _changed(entry: Entry) -> tuple[Any, ...]:
    live = entry.live
    return (
        live.id,
        entry.status,
        entry.seq,
        live.finished_at,
        entry.due_at,
        live.state.last_node,
        live.size,
        live.follow_up,
        encode(live.error) if live.error else None,
        live.reply,
    )


def _runs(entry: Entry) -> list[tuple[Any, ...]]:
    execution_id = entry.live.id
    rows = []
    for row in entry.rows:
        output = row.output
        payload = EMPTY if output is None else output
        rows.append(
            (
                execution_id,
                row.node,
                row.run_index,
                row.seq,
                row.status,
                row.started_at,
                row.finished_at,
                encode(row.details),
                payload.codec,
                payload.size,
                payload.ref,
                None if output is None else output.data,
            )
        )
    return rows


def _custom(entry: Entry) -> list[tuple[str, str, str]]:
    live = entry.live
    changed = {key for row in entry.rows for key in row.details.custom_data}
    return [(live.id, key, value) for key, value in live.custom_data.items() if key in changed]


def _wakes(entry: Entry) -> list[tuple[Any, ...]]:
    return [
        (
            entry.live.id,
            *key,
            wake.index,
            wake.kind,
            encode(wake.error) if wake.error else None,
            wake.data.codec if wake.data else 0,
            wake.data.size if wake.data else 0,
            wake.data.ref if wake.data else "",
            wake.data.data if wake.data else None,
        )
        for key, wake in entry.wakes
    ]

"""Executions counted: past quarters of an hour once and kept, the last ones when somebody asks.

An execution belongs to the quarter in which its id was made (UUIDv7). Nothing here is on the way of an execution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from weft_kit.database import Database, database_errors

QUARTER: Final = 900
"""Seconds."""
_LOCK: Final = 2003133045
_AGAIN: Final = """CASE
WHEN {open} THEN now() + least(greatest((now() - to_timestamp({end})) / 8, '1 minute'), '15 minutes')
WHEN {first} OR to_timestamp({end}) > now() - interval '1 day' THEN now() + interval '1 day' ELSE 'infinity' END"""
"""What has not ended is looked at again the less often the older it is; the rest a day after it was first counted, for
what came late: after an outage the commands of days may be started."""


@dataclass(frozen=True)
class Wanted:
    """Quarters from `first` to before `end`; `step`, `offset`: seconds, how they are put together."""

    projects: Sequence[str]
    workflow_id: str
    first: int
    end: int
    step: int
    offset: int


@dataclass(frozen=True)
class Counted:
    """`start`: seconds since the epoch, None in a count by workflow; `workflow_id`: empty in one by time."""

    start: int | None
    workflow_id: str
    status: str
    executions: int
    ended: int
    milliseconds: int


def bound(quarter: int) -> str:
    """The least UUIDv7 of a quarter."""
    text = f"{quarter * QUARTER * 1000:012x}"
    return f"{text[:8]}-{text[8:]}-0000-0000-000000000000"


def _quarter_of(key: str) -> int:
    return int(key[:8] + key[9:13], 16) // (QUARTER * 1000)


async def counted_again(connection: Any, execution_id: str) -> None:
    """To be told where an execution is deleted."""
    await connection.execute(
        "UPDATE orchestrator.counted SET next_at = '-infinity' WHERE quarter = $1", _quarter_of(execution_id)
    )


class PostgresCounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, wanted: Wanted) -> list[Counted]:
        """By time and by workflow, in one list."""
        with database_errors():
            pool = await self._database.pool()
            async with (
                pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                live = await connection.fetchval("SELECT max(quarter) + 1 FROM orchestrator.counted")
                first = wanted.first if live is None else max(wanted.first, live)
                arguments = (
                    list(wanted.projects),
                    wanted.workflow_id,
                    wanted.first,
                    wanted.end,
                    wanted.step,
                    wanted.offset,
                    bound(first),
                    bound(max(first, wanted.end)),
                )
                rows = await connection.fetch(
                    """SELECT CASE WHEN grouping(start) = 0 THEN start END AS start,
                    coalesce(workflow_id, '') AS workflow_id, status, sum(executions)::bigint AS executions,
                    sum(ended)::bigint AS ended, sum(milliseconds)::bigint AS milliseconds
                    FROM (
                        SELECT (quarter * 900::bigint + $6) / $5 * $5 - $6 AS start, workflow_id, status, executions,
                        ended, milliseconds FROM orchestrator.counts
                        WHERE project_id = ANY($1::text[]) AND quarter >= $3 AND quarter < $4
                        AND ($2 = '' OR workflow_id = $2)
                        UNION ALL
                        SELECT (created_at / 1000000 / 900 * 900 + $6) / $5 * $5 - $6, workflow_id, status,
                        1, (finished_at IS NOT NULL)::int, coalesce(finished_at - created_at, 0) / 1000
                        FROM orchestrator.executions
                        WHERE project_id = ANY($1::text[]) AND id >= $7::uuid AND id < $8::uuid
                        AND ($2 = '' OR workflow_id = $2)
                    ) each
                    GROUP BY GROUPING SETS ((start, status), (workflow_id, status))""",
                    *arguments,
                )
        return [Counted(**row) for row in rows]

    async def catch_up(self, until: int, most: int) -> int:
        """Counts quarters before `until` that are due, at most so many; how many it was. One instance does it at a
        time."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection:
                done = 0
                while done < most:
                    async with connection.transaction():
                        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                            return done
                        if not await self._one(connection, until):
                            return done
                    done += 1
                return done

    async def _one(self, connection: Any, until: int) -> bool:
        due = await connection.fetchval(
            # locked: a deletion that is under way ends before it is counted, a later one has it counted again
            "SELECT quarter FROM orchestrator.counted WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE"
        )
        if due is not None:
            await self._count(connection, due)
            return True
        last = await connection.fetchval("SELECT max(quarter) FROM orchestrator.counted")
        oldest = await connection.fetchval(
            "SELECT id::text AS key FROM orchestrator.executions WHERE id >= $1::uuid ORDER BY id LIMIT 1",
            bound(0 if last is None else last + 1),
        )
        held = until if oldest is None else _quarter_of(oldest)
        following = held if last is None else last + 1
        if following >= until:
            return False
        if held > following:  # nothing began in between
            again = _AGAIN.format(open="false", first="true", end=f"(q + 1) * {QUARTER}")
            await connection.execute(
                f"INSERT INTO orchestrator.counted SELECT q, {again} FROM generate_series($1::int, $2::int) q",  # noqa: S608
                following,
                min(held, until) - 1,
            )
            return True
        await self._count(connection, following)
        return True

    async def _count(self, connection: Any, quarter: int) -> None:
        await connection.execute("DELETE FROM orchestrator.counts WHERE quarter = $1", quarter)
        await connection.execute(
            "INSERT INTO orchestrator.counts "
            "(project_id, quarter, workflow_id, status, executions, ended, milliseconds) "
            "SELECT project_id, $1, workflow_id, status, sum(executions)::bigint, sum(ended)::bigint, "
            "sum(milliseconds)::bigint FROM ("
            "SELECT project_id, workflow_id, status, count(*) AS executions, count(finished_at) AS ended, "
            "coalesce(sum(finished_at - created_at), 0)::bigint / 1000 AS milliseconds FROM orchestrator.executions "
            "WHERE id >= $2::uuid AND id < $3::uuid GROUP BY project_id, workflow_id, status UNION ALL "
            "SELECT project_id, workflow_id, status, executions, executions, milliseconds "
            "FROM orchestrator.removed WHERE quarter = $1) each GROUP BY project_id, workflow_id, status",
            quarter,
            bound(quarter),
            bound(quarter + 1),
        )
        unfinished = "EXISTS (SELECT FROM orchestrator.counts WHERE quarter = $1 AND ended < executions)"
        first = "NOT EXISTS (SELECT FROM orchestrator.counted WHERE quarter = $1)"
        again = _AGAIN.format(open=unfinished, first=first, end=f"($1 + 1) * {QUARTER}::bigint")
        await connection.execute(
            f"INSERT INTO orchestrator.counted VALUES ($1, {again}) "  # noqa: S608
            "ON CONFLICT (quarter) DO UPDATE SET next_at = excluded.next_at",
            quarter,
        )

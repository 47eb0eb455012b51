"""Schedules in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import msgspec
from weft_contracts.messages import ScheduleRule
from weft_kit.database import Database, database_errors

_SEEN: Final = (
    "INSERT INTO scheduler.members VALUES ($1, now() + $2 * interval '1 second') "
    "ON CONFLICT (instance) DO UPDATE SET expires_at = excluded.expires_at"
)


class Schedule(NamedTuple):
    workflow_id: str
    number: int
    project_id: str
    version_id: str
    timezone: str
    rule: ScheduleRule
    next_at: int


def _schedule(row: Any) -> Schedule:
    return Schedule(
        row["workflow_id"],
        row["number"],
        row["project_id"],
        row["version_id"],
        row["timezone"],
        msgspec.json.decode(row["rule"], type=ScheduleRule),
        row["next_at"],
    )


class PostgresSchedules:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def replace(
        self,
        workflow_id: str,
        seq: int,
        rules: Sequence[tuple[str, str, str, ScheduleRule, int | None]],
    ) -> None:
        """(project, version, zone, rule, first tick) of a workflow, unless newer ones are known. A rule that stays
        keeps its next tick, so that one that is due is not lost."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                newer = await connection.fetchval(
                    "INSERT INTO scheduler.workflows VALUES ($1, $2) ON CONFLICT (workflow_id) "
                    "DO UPDATE SET seq = excluded.seq WHERE workflows.seq < excluded.seq RETURNING true",
                    workflow_id,
                    seq,
                )
                if not newer:
                    return
                old = await connection.fetch(
                    "DELETE FROM scheduler.schedules WHERE workflow_id = $1 RETURNING timezone, rule, next_at",
                    workflow_id,
                )
                kept = {(row["timezone"], bytes(row["rule"])): row["next_at"] for row in old}
                for number, (project_id, version_id, timezone, rule, first) in enumerate(rules):
                    encoded = msgspec.json.encode(rule)
                    await connection.execute(
                        "INSERT INTO scheduler.schedules VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
                        workflow_id,
                        number,
                        project_id,
                        version_id,
                        timezone,
                        encoded,
                        kept.get((timezone, encoded), first),
                        rule.at_start,
                    )

    async def remove(self, workflow_id: str, seq: int) -> None:
        """What a workflow had, unless something newer than `seq` is known."""
        await self._fetch(
            "DELETE FROM scheduler.schedules s USING scheduler.workflows w "
            "WHERE s.workflow_id = $1 AND w.workflow_id = $1 AND w.seq = $2",
            workflow_id,
            seq,
        )

    async def known(self) -> dict[str, int]:
        """Workflow to seq, of those that have schedules."""
        rows = await self._fetch(
            "SELECT workflow_id, seq FROM scheduler.workflows w "
            "WHERE EXISTS (SELECT 1 FROM scheduler.schedules s WHERE s.workflow_id = w.workflow_id)"
        )
        return {row[0]: row[1] for row in rows}

    @asynccontextmanager
    async def due(self, now: int, most: int) -> AsyncIterator[tuple[list[Schedule], Any]]:
        """Schedules that are due, nobody else's until the context is left; `move(schedule, next)` sets the next
        tick."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(
                    "SELECT * FROM scheduler.schedules WHERE next_at <= $1 ORDER BY next_at LIMIT $2 "
                    "FOR UPDATE SKIP LOCKED",
                    now,
                    most,
                )

                async def move(schedule: Schedule, following: int | None) -> None:
                    await connection.execute(
                        "UPDATE scheduler.schedules SET next_at = $3 WHERE workflow_id = $1 AND number = $2",
                        schedule.workflow_id,
                        schedule.number,
                        following,
                    )

                yield [_schedule(row) for row in rows], move

    async def join(self, instance: str, now: int, seconds: float, *, exclusive: bool) -> None:
        """A scheduler counts as running for `seconds`. Where no other does, or none can (`exclusive`), the rules that
        wait for a start are due `now`."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("LOCK TABLE scheduler.members IN SHARE ROW EXCLUSIVE MODE")
                await connection.execute(
                    "DELETE FROM scheduler.members WHERE expires_at < now() OR $1", exclusive
                )
                first = await connection.fetchval(
                    "SELECT NOT EXISTS (SELECT FROM scheduler.members WHERE instance <> $1)", instance
                )
                await connection.execute(_SEEN, instance, seconds)
                if first:
                    await connection.execute(
                        "UPDATE scheduler.schedules SET next_at = $1 WHERE at_start", now
                    )

    async def renew(self, instance: str, seconds: float) -> None:
        await self._fetch(_SEEN, instance, seconds)

    async def leave(self, instance: str) -> None:
        await self._fetch("DELETE FROM scheduler.members WHERE instance = $1", instance)

    async def soonest(self) -> int | None:
        rows = await self._fetch("SELECT min(next_at) FROM scheduler.schedules")
        found: int | None = rows[0][0]
        return found

    async def of(self, projects: Sequence[str], most: int) -> list[Schedule]:
        rows = await self._fetch(
            "SELECT * FROM scheduler.schedules WHERE project_id = ANY($1) AND next_at IS NOT NULL "
            "ORDER BY next_at LIMIT $2",
            list(projects),
            most,
        )
        return [_schedule(row) for row in rows]

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        with database_errors():
            rows: list[Any] = await (await self._database.pool()).fetch(query, *arguments)
            return rows

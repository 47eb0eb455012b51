"""Leases of shards, membership, partitions of runners, partitions of days."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.topics import RUNNER_PARTITIONS
from weft_kit.database import Database, database_errors

from weft_orchestrator.domain.shard import Positions

RUNNER_SECONDS: Final = 30.0
"""A partition is free again when its runner was not heard of for so long."""


class PostgresShards:
    """Implements Shards. All times are PostgreSQL's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_all(self, instance: str) -> Mapping[int, tuple[int, Positions]]:
        return _claimed(
            await self._fetch(
                "UPDATE orchestrator.shards SET owner = $1, epoch = epoch + 1, expires_at = 'infinity' "
                "RETURNING shard, epoch, 0::bigint AS commands_pos, 0::bigint AS results_pos",
                instance,
            )
        )

    async def renew(self, instance: str, seconds: float) -> int:
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO orchestrator.members VALUES ($1, now() + $2 * interval '1 second') "
                    "ON CONFLICT (instance) DO UPDATE SET expires_at = excluded.expires_at",
                    instance,
                    seconds,
                )
                await connection.execute("DELETE FROM orchestrator.members WHERE expires_at < now()")
                await connection.execute(
                    "UPDATE orchestrator.shards SET expires_at = now() + $2 * interval '1 second' "
                    "WHERE shard IN (SELECT shard FROM orchestrator.shards WHERE owner = $1 "
                    "ORDER BY shard FOR UPDATE)",
                    instance,
                    seconds,
                )
                return int(await connection.fetchval("SELECT count(*) FROM orchestrator.members"))

    async def claim(self, instance: str, count: int, seconds: float) -> Mapping[int, tuple[int, Positions]]:
        """Free ones. What is ours is renewed, even late: a new epoch would fence off what we are about to write."""
        return _claimed(
            await self._fetch(
                "UPDATE orchestrator.shards SET owner = $1, epoch = epoch + 1, "
                "expires_at = now() + $3 * interval '1 second' "
                "WHERE shard IN (SELECT shard FROM orchestrator.shards WHERE expires_at < now() "
                "AND owner <> $1 ORDER BY random() LIMIT $2 FOR UPDATE SKIP LOCKED) "
                "RETURNING shard, epoch, commands_pos, results_pos",
                instance,
                count,
                seconds,
            )
        )

    async def held(self, instance: str) -> set[int]:
        query = "SELECT shard FROM orchestrator.shards WHERE owner = $1"
        return {row[0] for row in await self._fetch(query, instance)}

    async def release(self, instance: str, shards: Sequence[int]) -> None:
        await self._fetch(
            "UPDATE orchestrator.shards SET owner = '', expires_at = '-infinity' "
            "WHERE owner = $1 AND shard = ANY($2::smallint[])",
            instance,
            list(shards),
        )

    async def leave(self, instance: str) -> None:
        await self._fetch("DELETE FROM orchestrator.members WHERE instance = $1", instance)

    async def prepare(self) -> None:
        await self._fetch("SELECT orchestrator.prepare_days(3)")

    async def register_runner(self, runner: str, seconds: float = RUNNER_SECONDS) -> int:
        """A partition that is the runner's own while `runner_seen` is told of it. Raises UNAVAILABLE where all are
        taken."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(2003133045)")
                taken = await connection.fetch(
                    "SELECT partition, runner FROM orchestrator.runners WHERE expires_at > now() OR runner = $1",
                    runner,
                )
                mine = next((row["partition"] for row in taken if row["runner"] == runner), None)
                if mine is None:
                    used = {row["partition"] for row in taken}
                    mine = next((n for n in range(RUNNER_PARTITIONS) if n not in used), None)
                if mine is None:
                    raise WeftError(
                        ErrorCode.UNAVAILABLE, f"{RUNNER_PARTITIONS} runners are at work already."
                    )
                await connection.execute(
                    "INSERT INTO orchestrator.runners VALUES ($1, $2, now() + $3 * interval '1 second') "
                    "ON CONFLICT (partition) DO UPDATE SET runner = excluded.runner, expires_at = excluded.expires_at",
                    mine,
                    runner,
                    seconds,
                )
                return int(mine)

    async def runners_seen(self, runners: Sequence[str], seconds: float = RUNNER_SECONDS) -> None:
        await self._fetch(
            "UPDATE orchestrator.runners SET expires_at = now() + $2 * interval '1 second' "
            "WHERE runner = ANY($1::text[])",
            list(runners),
            seconds,
        )

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        with database_errors():
            rows: list[Any] = await (await self._database.pool()).fetch(query, *arguments)
            return rows


def _claimed(rows: Sequence[Any]) -> Mapping[int, tuple[int, Positions]]:
    return {row["shard"]: (row["epoch"], (row["commands_pos"], row["results_pos"])) for row in rows}

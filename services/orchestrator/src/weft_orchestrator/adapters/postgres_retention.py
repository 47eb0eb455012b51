"""Old executions and what is kept of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from weft_contracts import messages as m
from weft_kit.database import Database, database_errors

from weft_orchestrator.adapters.postgres_counts import QUARTER, bound
from weft_orchestrator.application.retention import Limits

_LOCK: Final = 2003133046
_OVER: Final = """{0}.status = ANY($1::text[]) AND NOT {0}.follow_up
AND {0}.finished_at < CASE {0}.status WHEN 'error' THEN $3::bigint ELSE $2::bigint END"""
_MADE: Final = (
    "(position('\"root_id\":'::bytea IN e.head) > 0 OR position('\"retry_of\":'::bytea IN e.head) > 0)"
)
_FOUND: Final = f"""
    SELECT e.id::text AS key FROM orchestrator.executions e
    WHERE e.id > $4::uuid AND e.id < $5::uuid AND {_OVER.format("e")} AND (NOT {_MADE} OR NOT EXISTS (
        SELECT FROM orchestrator.executions o
        WHERE o.id = ANY(orchestrator.origins(e.head)::uuid[]) AND NOT ({_OVER.format("o")})
    ))
    ORDER BY e.id LIMIT $6 FOR UPDATE OF e SKIP LOCKED
"""  # noqa: S608 - only our own text
_COUNTED: Final = f"""
    INSERT INTO orchestrator.removed AS r
    SELECT project_id, (('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / {QUARTER * 1000})::int AS q,
    workflow_id, status, count(*), coalesce(sum(finished_at - created_at), 0)::bigint / 1000
    FROM orchestrator.executions WHERE id = ANY($1::uuid[]) GROUP BY project_id, q, workflow_id, status
    ON CONFLICT (quarter, project_id, workflow_id, status) DO UPDATE
    SET executions = r.executions + excluded.executions, milliseconds = r.milliseconds + excluded.milliseconds
"""  # noqa: S608
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"


class PostgresRetention:
    """Implements Expired. One instance does it at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(self, limits: Limits, after: str, most: int) -> Sequence[str]:
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                    return []
                # what was not counted yet is counted from its rows
                counted = await connection.fetchval("SELECT max(quarter) + 1 FROM orchestrator.counted")
                if counted is None:
                    return []
                newest = int(max(limits.ended, limits.failed)) // QUARTER + 1
                rows = await connection.fetch(
                    _FOUND,
                    list(m.TERMINAL),
                    int(limits.ended * 1_000_000),
                    int(limits.failed * 1_000_000),
                    after or _NO_ID,
                    bound(max(min(newest, counted), 0)),
                    most,
                )
                ids = [row["key"] for row in rows]
                if not ids:
                    return []
                await connection.execute(_COUNTED, ids)
                for table in ("node_runs", "wakes", "custom_data"):
                    await connection.execute(
                        f"DELETE FROM orchestrator.{table} WHERE execution_id = ANY($1::uuid[])",  # noqa: S608
                        ids,
                    )
                await connection.execute(
                    "DELETE FROM orchestrator.executions WHERE id = ANY($1::uuid[])", ids
                )
                return ids

    async def drop_days(self, before: float) -> int:
        with database_errors():
            pool = await self._database.pool()
            day = datetime.fromtimestamp(before, UTC).date()
            return int(await pool.fetchval("SELECT orchestrator.drop_days($1)", day))

"""Idempotency keys and test listeners in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Route
from weft_kit.database import Database, database_errors

from weft_webhook_ingress.domain.hook import Owner

KEPT_DAYS: Final = 2
"""A repeat after that is a new call."""


class PostgresCalls:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def first_accepted(self, workflow_id: str, node: str, key: str, now_ms: int) -> int:
        """When a call with this key was first accepted, Unix milliseconds: now, unless it is a repeat."""
        rows = await self._fetch(
            "INSERT INTO webhook_ingress.idempotency_keys VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (workflow_id, node, key) DO UPDATE SET key = excluded.key RETURNING accepted_ms",
            workflow_id,
            node,
            key,
            now_ms,
        )
        return int(rows[0][0])

    async def forget(self, now_ms: int) -> None:
        await self._fetch(
            "DELETE FROM webhook_ingress.idempotency_keys WHERE accepted_ms < $1",
            now_ms - KEPT_DAYS * 86_400_000,
        )

    async def listen(self, owner: Owner, routes: Sequence[Route], by: str, seconds: int) -> None:
        """Replaces what the workflow listened on. Of two workflows of a project on one path the later one hears.
        Raises CONFLICT where one of another project is listening."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "DELETE FROM webhook_ingress.test_listeners WHERE workflow_id = $1", owner.workflow_id
                )
                for route in routes:
                    heard = await connection.fetchrow(
                        "INSERT INTO webhook_ingress.test_listeners AS held VALUES "
                        "($1,$2,$3,$4,$5,$6,$7,$8, now() + $9 * interval '1 second') "
                        "ON CONFLICT (method, path) DO UPDATE SET workflow_id = excluded.workflow_id, "
                        "node = excluded.node, project_id = excluded.project_id, version_id = excluded.version_id, "
                        "route = excluded.route, created_by = excluded.created_by, until = excluded.until "
                        "WHERE held.project_id = excluded.project_id OR held.until <= now() RETURNING 1",
                        owner.workflow_id,
                        route.node,
                        route.method,
                        route.path,
                        owner.project_id,
                        owner.version_id,
                        msgspec.json.encode(route),
                        by,
                        seconds,
                    )
                    if heard is None:
                        raise WeftError(
                            ErrorCode.CONFLICT,
                            f"A workflow of another project is listening for {route.method} {route.path}. "
                            "Try again in a moment, or choose another path.",
                        )

    async def listeners(self, method: str) -> list[tuple[Owner, Route]]:
        rows = await self._fetch(
            "SELECT * FROM webhook_ingress.test_listeners WHERE method = $1 AND until > now()", method
        )
        return [
            (
                Owner(row["workflow_id"], row["project_id"], row["version_id"]),
                msgspec.json.decode(row["route"], type=Route),
            )
            for row in rows
        ]

    async def catch(self, workflow_id: str) -> bool:
        """True for the one call that ends the workflow's listening."""
        rows = await self._fetch(
            "DELETE FROM webhook_ingress.test_listeners WHERE workflow_id = $1 AND until > now() RETURNING 1",
            workflow_id,
        )
        return bool(rows)

    async def stop_listening(self, workflow_id: str, project_id: str) -> None:
        await self._fetch(
            "DELETE FROM webhook_ingress.test_listeners WHERE workflow_id = $1 AND project_id = $2",
            workflow_id,
            project_id,
        )

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        with database_errors():
            rows: list[Any] = await (await self._database.pool()).fetch(query, *arguments)
            return rows

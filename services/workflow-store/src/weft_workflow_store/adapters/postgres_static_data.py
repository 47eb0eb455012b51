"""What workflows remember between runs, one row each, changed under its lock."""

from typing import Any, Final

import orjson
from weft_contracts.errors import ErrorCode, WeftError

from weft_workflow_store.adapters.postgres import Store

MAX_BYTES: Final = 1 << 20


class StaticData:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, workflow_id: str) -> bytes:
        """JSON. Before the first run has changed anything it is what the document came with."""
        async with self._store.transaction() as tx:
            return orjson.dumps(await self._held(tx.connection, workflow_id))

    async def merge(self, workflow_id: str, execution_id: str, changes: bytes) -> None:
        """Raises NOT_FOUND, TOO_LARGE."""
        async with self._store.transaction() as tx:
            connection = tx.connection
            found = await connection.fetchval(
                "SELECT true FROM workflow_store.workflows WHERE id = $1 FOR UPDATE", workflow_id
            )
            if not found:
                raise WeftError(ErrorCode.NOT_FOUND, "The workflow is gone.")
            last = await connection.fetchval(
                "SELECT execution_id FROM workflow_store.static_data WHERE workflow_id = $1", workflow_id
            )
            if last == execution_id:
                return
            data = orjson.dumps({**await self._held(connection, workflow_id), **orjson.loads(changes)})
            if len(data) > MAX_BYTES:
                message = f"The workflow's static data would take {len(data)} bytes; {MAX_BYTES} are allowed."
                raise WeftError(ErrorCode.TOO_LARGE, message)
            await connection.execute(
                "INSERT INTO workflow_store.static_data (workflow_id, data, execution_id) VALUES ($1, $2, $3) "
                "ON CONFLICT (workflow_id) DO UPDATE SET data = excluded.data, "
                "execution_id = excluded.execution_id, updated_at = now()",
                workflow_id,
                data,
                execution_id,
            )

    @staticmethod
    async def _held(connection: Any, workflow_id: str) -> dict[str, Any]:
        row = await connection.fetchrow(
            "SELECT w.document, s.data FROM workflow_store.workflows w "
            "LEFT JOIN workflow_store.static_data s ON s.workflow_id = w.id WHERE w.id = $1",
            workflow_id,
        )
        if row is None:
            return {}
        if row["data"] is not None:
            held: dict[str, Any] = orjson.loads(row["data"])
            return held
        given = orjson.loads(row["document"]).get("staticData")
        if isinstance(given, str):
            given = orjson.loads(given)
        return given if isinstance(given, dict) else {}

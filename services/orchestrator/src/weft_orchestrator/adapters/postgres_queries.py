"""What people and other services ask about executions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from weft_contracts import messages as m
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.payload import Payload
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit import items
from weft_kit.blobs import FILES, BlobStore
from weft_kit.database import Database, database_errors
from weft_kit.outbox import Outbox, Row

from weft_orchestrator.adapters.file_entries import FileEntries
from weft_orchestrator.adapters.postgres_counts import counted_again
from weft_orchestrator.adapters.postgres_executions import payload_of
from weft_orchestrator.domain.records import decode_details, decode_error, decode_head, encode

_UNUSED: Final = """
    WITH gone AS (
        SELECT id FROM unnest($1::text[]) AS given (id)
        WHERE NOT EXISTS (SELECT 1 FROM orchestrator.executions e WHERE e.id = given.id::uuid)
    )
    SELECT id FROM gone WHERE NOT EXISTS (
        SELECT 1 FROM orchestrator.executions e WHERE e.id > gone.id::uuid
        AND orchestrator.origins(e.head) && ARRAY[gone.id]
        AND (position('"root_id":'::bytea IN head) > 0 OR position('"retry_of":'::bytea IN head) > 0)
    )
"""
_TROUBLED: Final = """
    SELECT id::text AS id FROM orchestrator.executions e
    WHERE id = ANY($1::text[]::uuid[]) AND status = ANY($2::text[]) AND EXISTS (
        SELECT 1 FROM orchestrator.node_runs r WHERE r.execution_id = e.id AND (
            r.status <> 'success'
            OR position('"attempt":'::bytea IN details) > 0 OR position('"losses":'::bytea IN details) > 0
        )
    )
"""
_SHOWN: Final = {"retry": "running"}


class PostgresQueries:
    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs
        self._entries = FileEntries()

    async def row(self, execution_id: str) -> Any:
        """The execution's row, or None; None, too, for what is no id."""
        if not _is_id(execution_id):
            return None
        rows = await self._fetch(
            "SELECT *, id::text AS key FROM orchestrator.executions WHERE id = $1::uuid", execution_id
        )
        return rows[0] if rows else None

    async def page(
        self,
        projects: Sequence[str],
        request: pb.ListExecutionsRequest,
    ) -> tuple[list[Any], int]:
        """A page, newest first, and how many there are in all (counted up to 10,000)."""
        where: list[str] = ["project_id = ANY($1::text[])"]
        arguments: list[Any] = [list(projects)]

        def add(condition: str, value: Any) -> None:
            arguments.append(value)
            where.append(condition.format(f"${len(arguments)}"))

        if request.workflow_id:
            add("workflow_id = {}", request.workflow_id)
        if request.statuses:
            add("status = ANY({}::text[])", [*request.statuses])
        if request.modes:
            add("mode = ANY({}::text[])", [*request.modes])
        if request.HasField("after"):
            add("created_at >= {}", request.after.ToMicroseconds())
        if request.HasField("before"):
            add("created_at < {}", request.before.ToMicroseconds())
        for key, value in request.custom_data.items():
            kept = "(SELECT execution_id FROM orchestrator.custom_data WHERE key = $%d AND value = {})"
            arguments.append(key)
            add(f"id IN {kept % len(arguments)}", value)
        conditions = " AND ".join(where)
        counted = await self._fetch(
            "SELECT count(*) FROM (SELECT 1 FROM orchestrator.executions "  # noqa: S608 - only our own text
            f"WHERE {conditions} LIMIT 10000) found",
            *arguments,
        )
        if request.cursor:
            if not _is_id(request.cursor):
                raise WeftError(ErrorCode.BAD_REQUEST, "The cursor is none that a page has given.")
            add("id < {}::uuid", request.cursor)
        limit = min(max(request.limit, 1), 250)
        offset = 0 if request.cursor else (max(request.page, 1) - 1) * limit
        rows = await self._fetch(
            "SELECT *, id::text AS key FROM orchestrator.executions "  # noqa: S608
            f"WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT {limit} OFFSET {offset}",
            *arguments,
        )
        return rows, int(counted[0][0])

    async def custom_data(self, execution_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What executions have kept of themselves, by id; those that have nothing are left out."""
        found: dict[str, dict[str, str]] = {}
        for row in await self._fetch(
            "SELECT execution_id::text AS id, key, value FROM orchestrator.custom_data "
            "WHERE execution_id = ANY($1::uuid[]) ORDER BY key",
            list(execution_ids),
        ):
            found.setdefault(row["id"], {})[row["key"]] = row["value"]
        return found

    async def node_runs(self, execution_id: str, node: str, *, data: bool) -> list[pb.NodeRun]:
        columns = "*" if data else "node, run_index, seq, status, started_at, finished_at, details"
        rows = await self._fetch(
            f"SELECT {columns} FROM orchestrator.node_runs WHERE execution_id = $1::uuid "  # noqa: S608
            "AND ($2 = '' OR node = $2) ORDER BY seq",
            execution_id,
            node,
        )
        return [await self._node_run(row, data=data) for row in rows]

    async def _node_run(self, row: Any, *, data: bool) -> pb.NodeRun:
        details = decode_details(row["details"])
        run = pb.NodeRun(
            node=row["node"],
            run_index=row["run_index"],
            status=_SHOWN.get(row["status"], row["status"]),
            error=encode(details.error) if details.error else b"",
            source=encode(details.inputs),
            counts=details.counts,
            seq=row["seq"],
            tries=encode(details.tries) if details.tries else b"",
            logs=details.logs,
        )
        run.started_at.FromMicroseconds(row["started_at"])
        if row["finished_at"]:
            run.finished_at.FromMicroseconds(row["finished_at"])
        if data and (row["data"] is not None or row["ref"]):
            payload = await items.unclaim(payload_of(row), self._blobs)
            run.outputs = items.dumps_js(items.outputs_of(items.decode(payload)))
        return run

    async def node_data(self, execution_id: str, keys: Sequence[tuple[str, int]]) -> list[pb.StoredOutput]:
        """Stored outputs; run index -1 is the newest that has one, no node the last node of what has ended. What is
        not there is left out."""
        found = []
        for node, index in keys:
            rows = await self._fetch(
                "SELECT * FROM orchestrator.node_runs WHERE execution_id = $1::uuid AND node = coalesce("
                "nullif($2, ''), (SELECT last_node FROM orchestrator.executions WHERE id = $1::uuid)) "
                "AND ($3 < 0 OR run_index = $3) AND (data IS NOT NULL OR ref <> '') "
                "ORDER BY run_index DESC LIMIT 1",
                execution_id,
                node,
                index,
            )
            for row in rows:
                details = decode_details(row["details"])
                found.append(
                    pb.StoredOutput(
                        node=row["node"],
                        run_index=row["run_index"],
                        counts=details.counts,
                        codec=row["codec"],
                        data=row["data"] or b"",
                        size=row["size"],
                        ref=row["ref"],
                        source=encode(details.inputs),
                    )
                )
        return found

    async def file(self, request: pb.GetFileRequest) -> Any:
        """The entry of an item's file, or None."""
        rows = await self._fetch(
            "SELECT run_index, seq FROM orchestrator.node_runs WHERE execution_id = $1::uuid AND node = $2 "
            "AND ($3 < 0 OR run_index = $3) AND (data IS NOT NULL OR ref <> '') ORDER BY run_index DESC LIMIT 1",
            request.execution_id,
            request.node,
            request.run_index,
        )
        if not rows or request.output < 0 or request.item < 0:
            return None
        run = (request.execution_id, request.node, rows[0]["run_index"], rows[0]["seq"])
        binary = self._entries.get(run, request.output, request.item)
        if binary is None:
            outputs = await self._outputs(*run[:3])
            listed = outputs[request.output] if request.output < len(outputs) else []
            if request.item >= len(listed):
                return None
            self._entries.keep(run, request.output, request.item, listed[request.item :])
            binary = listed[request.item].get("binary") or {}
        entry = binary.get(request.name)
        return entry if isinstance(entry, dict) else None

    async def _outputs(self, execution_id: str, node: str, run_index: int) -> list[list[Any]]:
        for found in await self.node_data(execution_id, [(node, run_index)]):
            payload = Payload(found.codec, found.data, found.size, found.ref)
            return items.outputs_of(items.decode(await items.unclaim(payload, self._blobs)))
        return []

    async def unused(self, ids: Sequence[str]) -> list[str]:
        """Executions that are gone, unless one that is there was started by it or is a retry of it: such may have its
        files in their items."""
        rows = await self._fetch(_UNUSED, ids)
        return [row["id"] for row in rows]

    async def troubled(self, ids: Sequence[str]) -> list[str]:
        """Executions that have ended and had tries that came to nothing."""
        rows = await self._fetch(_TROUBLED, ids, list(m.TERMINAL))
        return [row["id"] for row in rows]

    async def files(self, execution_id: str) -> set[str]:
        """Keys of the execution's own files that its items name, wherever they do."""
        own = re.compile(re.escape(f"{execution_id}{FILES}") + r"[\w-]+")
        found: set[str] = set()
        rows = await self._fetch(
            "SELECT node, run_index FROM orchestrator.node_runs WHERE execution_id = $1::uuid", execution_id
        )
        for row in rows:
            for stored in await self.node_data(execution_id, [(row["node"], row["run_index"])]):
                payload = Payload(stored.codec, stored.data, stored.size, stored.ref)
                decoded = items.decode(await items.unclaim(payload, self._blobs))
                found.update(own.findall(items.dumps_js(decoded).decode()))
        return found

    async def waiting(self, execution_id: str) -> Any:
        """The node run that waits for a call, with its details; None where none does."""
        rows = await self._fetch(
            "SELECT node, run_index, details FROM orchestrator.node_runs "
            "WHERE execution_id = $1::uuid AND status = 'waiting' ORDER BY seq DESC",
            execution_id,
        )
        for row in rows:
            details = decode_details(row["details"])
            if details.sleep in ("webhook", "form"):
                return row["node"], row["run_index"], details
        return None

    async def changes(self, execution_id: str, after: int) -> list[m.ExecutionChange]:
        """What happened after a seq, as far as the rows tell: the last word on each node run."""
        row = await self.row(execution_id)
        if row is None:
            return []
        head = decode_head(row["head"])
        found: list[m.ExecutionChange] = [
            m.ExecutionStarted(1, row["created_at"], row["mode"], head.trigger_node)
        ]
        for run in await self._fetch(
            "SELECT node, run_index, seq, status, started_at, finished_at, details FROM orchestrator.node_runs "
            "WHERE execution_id = $1::uuid ORDER BY seq",
            execution_id,
        ):
            details, key = decode_details(run["details"]), (run["node"], run["run_index"])
            if details.start_seq:
                found.append(m.NodeExecuting(details.start_seq, run["started_at"], *key))
            if run["finished_at"] is not None:
                found.append(
                    m.NodeFinished(
                        run["seq"],
                        run["finished_at"],
                        *key,
                        run["status"],
                        details.counts,
                        run["started_at"],
                        details.error,
                    )
                )
            elif run["status"] == "waiting":
                found.append(m.ExecutionWaiting(run["seq"], run["started_at"], run["node"], details.until))
        if row["status"] in m.TERMINAL:
            error = decode_error(row["error"])
            found.append(
                m.ExecutionFinished(
                    row["seq"], row["finished_at"] or 0, row["status"], error, row["last_node"]
                )
            )
        return sorted((each for each in found if each.seq > after), key=lambda each: each.seq)

    async def delete(self, execution_id: str, outbox: Outbox, told: Row) -> None:
        """`told` is sent where it is gone."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                for table, column in (
                    ("node_runs", "execution_id"),
                    ("wakes", "execution_id"),
                    ("custom_data", "execution_id"),
                    ("executions", "id"),
                ):
                    await connection.execute(
                        f"DELETE FROM orchestrator.{table} WHERE {column} = $1::uuid",  # noqa: S608
                        execution_id,
                    )
                await counted_again(connection, execution_id)
                await outbox.stage_rows(connection, [told])
        outbox.wake()

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        with database_errors():
            rows: list[Any] = await (await self._database.pool()).fetch(query, *arguments)
            return rows


def execution_of(row: Any, custom_data: Mapping[str, str] | None = None) -> pb.Execution:
    head = decode_head(row["head"])
    execution = pb.Execution(
        id=row["key"],
        project_id=row["project_id"],
        workflow_id=row["workflow_id"],
        version_id=row["version_id"],
        status=row["status"],
        mode=row["mode"],
        error=row["error"] or b"",
        retry_of=head.retry_of,
        parent_id=head.parent.execution_id if head.parent else "",
        trigger_node=head.trigger_node,
        last_node=row["last_node"],
        created_by=head.created_by,
        seq=row["seq"],
        data_size=row["data_size"],
        custom_data=custom_data or {},
    )
    execution.created_at.FromMicroseconds(row["created_at"])
    if row["started_at"]:
        execution.started_at.FromMicroseconds(row["started_at"])
    if row["finished_at"]:
        execution.finished_at.FromMicroseconds(row["finished_at"])
        elapsed = (row["finished_at"] - row["created_at"]) // 1000
        execution.execution_time_ms = min(max(elapsed, 0), 2**31 - 1)
    return execution


def _is_id(text: str) -> bool:
    return len(text) == 36 and all(c in "0123456789abcdefABCDEF-" for c in text)

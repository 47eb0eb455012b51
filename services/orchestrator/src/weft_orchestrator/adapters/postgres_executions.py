"""Executions as they are stored: read back to go on with them."""

from collections.abc import Sequence
from typing import Any, Final

from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import TERMINAL, NodeOutput, RetryExecution, StartExecution
from weft_contracts.payload import EMPTY, Payload
from weft_engine.graph import Graph
from weft_kit.database import Database, database_errors

from weft_orchestrator.application.ports import Versions
from weft_orchestrator.domain import folding
from weft_orchestrator.domain.live import NO_GRAPH, Key, Live
from weft_orchestrator.domain.records import NodeRow, Wake, decode_details, decode_error, decode_head
from weft_orchestrator.domain.replies import reply_at_end

_EXECUTION: Final = "SELECT *, id::text AS key FROM orchestrator.executions WHERE id = $1::uuid"
_RUNS: Final = """
    SELECT node, run_index, seq, status, started_at, finished_at, details, codec, size, ref,
           data IS NOT NULL AS there, CASE WHEN length(data) <= 262144 THEN data END AS data
    FROM orchestrator.node_runs WHERE execution_id = $1::uuid ORDER BY seq"""


def payload_of(row: Any) -> Payload:
    return Payload(row["codec"], row["data"] or b"", row["size"], row["ref"])


def node_row(row: Any) -> NodeRow:
    """`output` is None where there is none, or where it is too large to be read along."""
    there = row["there"] and row["data"] is not None
    return NodeRow(
        row["node"],
        row["run_index"],
        row["status"],
        row["started_at"],
        decode_details(row["details"]),
        row["seq"],
        row["finished_at"],
        payload_of(row) if there else None,
    )


class PostgresExecutions:
    """Implements Executions of the ports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, execution_id: str, versions: Versions) -> Live | None:
        with database_errors():
            row, runs = await self._rows(execution_id)
            if row is None:
                return None
            wakes = await (await self._database.pool()).fetch(
                "SELECT * FROM orchestrator.wakes WHERE execution_id = $1::uuid", execution_id
            )
        live = _live(row, await versions.graph(row["version_id"]))
        folding.restore(live, map(node_row, runs), map(_wake, wakes), row["seq"])
        return live

    async def bare(self, execution_id: str) -> Live | None:
        with database_errors():
            row, runs = await self._rows(execution_id)
        if row is None:
            return None
        live = _live(row, NO_GRAPH)
        folding.restore_open(live, map(node_row, runs), row["seq"])
        return live

    async def _rows(self, execution_id: str) -> tuple[Any, list[Any]]:
        """Nothing where it is over."""
        pool = await self._database.pool()
        row = await pool.fetchrow(_EXECUTION, execution_id)
        if row is None or row["status"] in TERMINAL:
            return None, []
        return row, await pool.fetch(_RUNS, execution_id)

    async def retry(self, command: RetryExecution) -> StartExecution:
        with database_errors():
            pool = await self._database.pool()
            row = await pool.fetchrow(_EXECUTION, command.retry_of)
            if row is None:
                raise WeftError(ErrorCode.NOT_FOUND, "There is no such execution.")
            if row["status"] not in TERMINAL:
                raise WeftError(ErrorCode.CONFLICT, "The execution has not ended yet.")
            runs = await pool.fetch(
                "SELECT *, data IS NOT NULL AS there FROM orchestrator.node_runs "
                "WHERE execution_id = $1::uuid ORDER BY seq",
                command.retry_of,
            )
        head = decode_head(row["head"])
        done: list[NodeOutput] = []
        trigger, counts = EMPTY, (0,)
        for run in runs:
            details = decode_details(run["details"])
            if run["status"] != "success":
                continue
            if run["node"] == head.trigger_node and run["run_index"] == 0:
                trigger, counts = payload_of(run), details.counts  # type: ignore[assignment]
            elif not command.from_start and run["node"] != row["last_node"]:
                done.append(
                    NodeOutput(
                        run["node"],
                        run["run_index"],
                        details.counts,
                        payload_of(run),
                        details.inputs,
                        run["started_at"],
                    )
                )
        return StartExecution(
            command.execution_id,
            row["project_id"],
            row["workflow_id"],
            command.version_id or row["version_id"],
            "retry",
            head.trigger_node,
            trigger,
            counts,
            run_data=tuple(done),
            retry_of=command.retry_of,
            created_by=command.created_by,
        )

    async def unfinished(self, shards: Sequence[int]) -> list[str]:
        query = (
            "SELECT id::text FROM orchestrator.executions "
            "WHERE shard = ANY($1::smallint[]) AND status IN ('queued', 'running') ORDER BY id"
        )
        return [row[0] for row in await self._fetch(query, list(shards))]

    async def due(self, shards: Sequence[int], until: int) -> list[tuple[int, str]]:
        query = (
            "SELECT due_at, id::text FROM orchestrator.executions "
            "WHERE shard = ANY($1::smallint[]) AND due_at <= $2 ORDER BY due_at LIMIT 5000"
        )
        return [(row[0], row[1]) for row in await self._fetch(query, list(shards), until)]

    async def to_follow_up(self, shards: Sequence[int]) -> list[str]:
        query = "SELECT id::text FROM orchestrator.executions WHERE shard = ANY($1::smallint[]) AND follow_up LIMIT 500"
        return [row[0] for row in await self._fetch(query, list(shards))]

    async def static_data(self, execution_id: str) -> bytes:
        """What it has changed of its workflow's, JSON."""
        query = "SELECT details FROM orchestrator.node_runs WHERE execution_id = $1::uuid ORDER BY seq DESC"
        for (details,) in await self._fetch(query, execution_id):
            if changes := decode_details(details).static_data:
                return changes
        return b""

    async def settle(self, execution_id: str) -> None:
        """Its error workflow has been asked for."""
        with database_errors():
            await (await self._database.pool()).execute(
                "UPDATE orchestrator.executions SET follow_up = false WHERE id = $1::uuid", execution_id
            )

    async def reply(self, execution_id: str) -> bytes | None:
        row = next(iter(await self._fetch(_EXECUTION, execution_id)), None)
        if row is None:
            return None
        if row["reply"] is not None:
            return bytes(row["reply"])
        if row["status"] not in TERMINAL:
            return None
        query = (
            "SELECT *, data IS NOT NULL AS there FROM orchestrator.node_runs "
            "WHERE execution_id = $1::uuid AND node = $2 ORDER BY run_index DESC LIMIT 1"
        )
        runs = await self._fetch(query, execution_id, row["last_node"])
        last = node_row(runs[0]) if runs else None
        head = decode_head(row["head"])
        reply = reply_at_end(execution_id, head.response, row["status"], last, decode_error(row["error"]))
        return wire.encode_signal(reply)

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        with database_errors():
            rows: list[Any] = await (await self._database.pool()).fetch(query, *arguments)
            return rows


def _live(row: Any, graph: Graph) -> Live:
    live = Live(
        row["key"],
        row["shard"],
        row["project_id"],
        row["workflow_id"],
        row["version_id"],
        row["mode"],
        decode_head(row["head"]),
        graph,
        row["created_at"],
    )
    live.reply, live.size = row["reply"], row["data_size"]
    return live


def _wake(row: Any) -> tuple[Key, Wake]:
    data = None if row["data"] is None and not row["ref"] else payload_of(row)
    wake = Wake(row["index"], row["kind"], data, decode_error(row["error"]))
    return (row["node"], row["run_index"]), wake

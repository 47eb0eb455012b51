"""`Executions`: start, read, stop, retry, watch; and what runners and the ingress ask."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import orjson
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import TERMINAL, AuditRecorded, Mode
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit.identity.access import AccessPolicy
from weft_kit.outbox import Outbox
from weft_kit.rpc import caller

from weft_orchestrator.adapters.postgres_executions import PostgresExecutions
from weft_orchestrator.adapters.postgres_queries import PostgresQueries, execution_of
from weft_orchestrator.adapters.postgres_shards import PostgresShards
from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.envelopes import envelope
from weft_orchestrator.application.starts import Starts, parse
from weft_orchestrator.application.sweeper import Sweeper
from weft_orchestrator.domain.records import decode_head, encode

WATCH_SECONDS = 0.2
STOP_SECONDS = 3.0


class ExecutionsServicer:
    def __init__(
        self,
        starts: Starts,
        queries: PostgresQueries,
        executions: PostgresExecutions,
        shards: PostgresShards,
        workflows: Workflows,
        policy: AccessPolicy,
        sweeper: Sweeper,
        outbox: Outbox,
    ) -> None:
        self._starts = starts
        self._queries = queries
        self._executions = executions
        self._shards = shards
        self._workflows = workflows
        self._policy = policy
        self._sweeper = sweeper
        self._outbox = outbox

    async def _mine(self, execution_id: str, action: str) -> Any:
        """The row. Raises NOT_FOUND outside the caller's projects, FORBIDDEN."""
        row = await self._queries.row(execution_id)
        if row is None or row["project_id"] not in await self._policy.projects():
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such execution.", id=execution_id)
        await self._policy.require(row["project_id"], action)
        return row

    async def Start(self, request: pb.StartRequest) -> pb.StartResponse:
        await self._policy.require(request.project_id, "workflow:execute")
        if request.mode and request.mode not in get_args(Mode):
            raise WeftError(ErrorCode.VALIDATION_ERROR, f"There is no mode '{request.mode}'.")
        given = parse(request.trigger_data, "trigger_data", list)
        execution_id = await self._starts.start(
            workflow_id=request.workflow_id,
            version_id=request.version_id,
            project_id=request.project_id,
            mode=request.mode or "manual",  # type: ignore[arg-type]
            start_node=request.start_node,
            destination_node=request.destination_node,
            trigger_items=given,
            run_data=parse(request.run_data, "run_data", dict) or {},
            pins=parse(request.pin_data, "pin_data", dict),
            created_by=caller().user_id,
            idempotency_key=request.idempotency_key,
        )
        if request.wait_seconds <= 0:
            return pb.StartResponse(execution=await self._execution(await self._row(execution_id)))
        await self._starts.ended(execution_id, request.wait_seconds, lambda: self._over(execution_id))
        row = await self._row(execution_id)
        runs: list[pb.NodeRun] = []
        if row["status"] in TERMINAL:
            runs = await self._queries.node_runs(execution_id, "", data=True)
        return pb.StartResponse(execution=await self._execution(row), node_runs=runs)

    async def _row(self, execution_id: str) -> Any:
        """It was accepted; its row may be a moment behind."""
        for _ in range(100):
            row = await self._queries.row(execution_id)
            if row is not None:
                return row
            await asyncio.sleep(0.02)
        raise WeftError(ErrorCode.UNAVAILABLE, "The execution is accepted and will start in a moment.")

    async def _execution(self, row: Any) -> pb.Execution:
        return execution_of(row, (await self._queries.custom_data([row["key"]])).get(row["key"]))

    async def _over(self, execution_id: str) -> bool:
        row = await self._queries.row(execution_id)
        return row is not None and row["status"] in TERMINAL

    async def Get(self, request: pb.GetExecutionRequest) -> pb.GetExecutionResponse:
        row = await self._mine(request.execution_id, "execution:read")
        runs = await self._queries.node_runs(request.execution_id, request.node, data=request.include_data)
        return pb.GetExecutionResponse(execution=await self._execution(row), node_runs=runs)

    async def List(self, request: pb.ListExecutionsRequest) -> pb.ListExecutionsResponse:
        mine = await self._policy.projects("execution:read")
        projects = [each for each in request.project_ids if each in mine] if request.project_ids else mine
        rows, total = await self._queries.page(projects, request)
        full = len(rows) == min(max(request.limit, 1), 250)
        custom = await self._queries.custom_data([row["key"] for row in rows])
        return pb.ListExecutionsResponse(
            executions=[execution_of(row, custom.get(row["key"])) for row in rows],
            total=total,
            next_cursor=rows[-1]["key"] if rows and full else "",
        )

    async def Stop(self, request: pb.StopRequest) -> pb.StopResponse:
        row = await self._mine(request.execution_id, "execution:stop")
        if row["status"] in TERMINAL:
            raise WeftError(ErrorCode.CONFLICT, "The execution has ended already.", status=row["status"])
        await self._starts.cancel(request.execution_id, row["project_id"], caller().user_id)
        await self._starts.ended(request.execution_id, STOP_SECONDS, lambda: self._over(request.execution_id))
        return pb.StopResponse(execution=await self._execution(await self._row(request.execution_id)))

    async def Retry(self, request: pb.RetryRequest) -> pb.RetryResponse:
        row = await self._mine(request.execution_id, "execution:retry")
        if row["status"] not in ("error", "cancelled"):
            raise WeftError(ErrorCode.CONFLICT, "Only a failed execution is retried.", status=row["status"])
        version_id = ""
        if request.newest_version:
            snapshot = store.SnapshotRequest(workflow_id=row["workflow_id"])
            version_id = (await self._workflows.Snapshot(snapshot)).version.id
        execution_id = await self._starts.retry(
            request.execution_id,
            row["project_id"],
            version_id,
            from_start=request.from_start,
            by=caller().user_id,
        )
        return pb.RetryResponse(execution=execution_of(await self._row(execution_id)))

    async def Delete(self, request: pb.DeleteExecutionRequest) -> pb.DeleteExecutionResponse:
        row = await self._mine(request.execution_id, "execution:delete")
        if row["status"] not in TERMINAL:
            raise WeftError(ErrorCode.CONFLICT, "The execution has not ended yet. Stop it first.")
        by, project_id = caller().user_id, row["project_id"]
        audit = AuditRecorded(by, "execution.deleted", "execution", row["key"], project_id, now_us())
        told = (topics.AUDIT_EVENTS, envelope(audit, row["key"], project_id), None)
        await self._queries.delete(row["key"], self._outbox, told)
        self._sweeper.deleted(row["key"])
        return pb.DeleteExecutionResponse()

    async def GetFile(self, request: pb.GetFileRequest) -> pb.GetFileResponse:
        await self._mine(request.execution_id, "execution:read")
        entry = await self._queries.file(request)
        if entry is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such file.")
        return pb.GetFileResponse(entry=orjson.dumps(entry))

    async def Watch(self, request: pb.WatchRequest) -> AsyncIterator[pb.WatchResponse]:
        await self._mine(request.execution_id, "execution:read")
        seq, over = request.from_seq, False
        while not over:
            over = await self._over(request.execution_id)
            for change in await self._queries.changes(request.execution_id, seq):
                seq = max(seq, change.seq)
                yield pb.WatchResponse(change=encode(change))
            if not over:
                await asyncio.sleep(WATCH_SECONDS)

    async def Replay(self, request: pb.ReplayRequest) -> pb.ReplayResponse:
        row = await self._mine(request.execution_id, "execution:read")
        changes = await self._queries.changes(request.execution_id, request.from_seq)
        return pb.ReplayResponse(
            changes=[encode(change) for change in changes],
            project_id=row["project_id"],
            workflow_id=row["workflow_id"],
        )

    # --- internal -------------------------------------------------------------------------------------------

    async def GetNodeData(self, request: pb.GetNodeDataRequest) -> pb.GetNodeDataResponse:
        keys = [(key.node, key.run_index) for key in request.keys]
        return pb.GetNodeDataResponse(outputs=await self._queries.node_data(request.execution_id, keys))

    async def GetReply(self, request: pb.GetReplyRequest) -> pb.GetReplyResponse:
        reply = await self._executions.reply(request.execution_id)
        return pb.GetReplyResponse(reply=reply or b"", found=reply is not None)

    async def GetWait(self, request: pb.GetWaitRequest) -> pb.GetWaitResponse:
        row = await self._queries.row(request.execution_id)
        if row is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such execution.")
        answer = pb.GetWaitResponse(
            version_id=row["version_id"], project_id=row["project_id"], status=row["status"]
        )
        found = await self._queries.waiting(request.execution_id)
        if found is not None:
            node, run_index, details = found
            answer.waiting, answer.node, answer.run_index = True, node, run_index
            answer.kind, answer.token = details.sleep, decode_head(row["head"]).resume_token
        return answer

    async def RegisterRunner(self, request: pb.RegisterRunnerRequest) -> pb.RegisterRunnerResponse:
        return pb.RegisterRunnerResponse(partition=await self._shards.register_runner(request.runner))

"""What an execution's end asks for of other services, done until it has worked."""

import logging
from collections.abc import Awaitable
from typing import Any

import orjson
from weft_contracts.beginnings import execution_url
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import HISTORY, NodeError
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc.workflow_store import StaticData, Workflows
from weft_kit.telemetry.logs import fields

from weft_orchestrator.adapters.postgres_executions import PostgresExecutions
from weft_orchestrator.adapters.postgres_queries import PostgresQueries
from weft_orchestrator.application.starts import Starts
from weft_orchestrator.domain.records import decode_error, decode_head

log = logging.getLogger("weft.orchestrator")


class FollowUp:
    """Its workflow's static data is kept, its error workflow and its next workflows start."""

    def __init__(
        self,
        starts: Starts,
        queries: PostgresQueries,
        executions: PostgresExecutions,
        workflows: Workflows,
        static_data: StaticData,
        origin: str,
    ) -> None:
        self._starts = starts
        self._queries = queries
        self._executions = executions
        self._workflows = workflows
        self._static_data = static_data
        self._origin = origin

    async def follow_up(self, execution_id: str) -> None:
        row = await self._queries.row(execution_id)
        if row is None or not row["follow_up"]:
            return
        tried = row["mode"] in ("manual", "test")
        await self._keep_static_data(row["workflow_id"], execution_id, history_only=tried)
        if tried:
            await self._executions.settle(execution_id)
            return
        document = await self._document(row["version_id"])
        if row["status"] == "error" and row["mode"] != "error_workflow":
            await self._tried(self._start_error_workflow(execution_id, row, document), execution_id)
        await self._tried(self._start_next_workflows(execution_id, row, document), execution_id)
        await self._executions.settle(execution_id)

    @staticmethod
    async def _tried(start: Awaitable[None], execution_id: str) -> None:
        """Raises UNAVAILABLE; what will never start, now or later, is logged and left."""
        try:
            await start
        except Exception as error:
            if isinstance(error, WeftError) and error.code is ErrorCode.UNAVAILABLE:
                raise
            log.exception("what follows an execution can't start", extra=fields(execution=execution_id))

    async def _document(self, version_id: str) -> Any:
        """What the execution ran; nothing where that has been deleted since."""
        try:
            answer = await self._workflows.GetVersion(store.GetVersionRequest(version_id=version_id))
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            return {}
        return orjson.loads(answer.version.document)

    async def _keep_static_data(self, workflow_id: str, execution_id: str, *, history_only: bool) -> None:
        changes = await self._executions.static_data(execution_id)
        if history_only:
            entries = orjson.loads(changes or b"{}").items()
            kept = {key: entry for key, entry in entries if key.startswith(HISTORY)}
            changes = orjson.dumps(kept) if kept else b""
        if not changes:
            return
        request = store.MergeStaticDataRequest(
            workflow_id=workflow_id, execution_id=execution_id, changes=changes
        )
        try:
            await self._static_data.Merge(request)
        except WeftError as error:
            if error.code is ErrorCode.UNAVAILABLE:
                raise
            log.warning("static data is not kept: %s", error.message, extra=fields(execution=execution_id))

    async def _start_next_workflows(self, execution_id: str, row: Any, document: Any) -> None:
        """`settings.nextWorkflows`: `[{"workflowId", "when": "success" (default), "error", "always"}]`, each once."""
        named = (document.get("settings") or {}).get("nextWorkflows")
        wanted = [
            str(each["workflowId"])
            for each in (named if isinstance(named, list) else ())
            if isinstance(each, dict)
            and each.get("workflowId")
            and each.get("when", "success") in (row["status"], "always")
        ]
        if wanted:
            data = await self._queries.node_data(execution_id, [(row["last_node"], -1)])
            for target in dict.fromkeys(wanted):
                await self._starts.next_workflow(row, target, data[0] if data else None)

    async def _start_error_workflow(self, execution_id: str, row: Any, document: Any) -> None:
        target = (document.get("settings") or {}).get("errorWorkflow")
        if isinstance(target, str) and target and target != "DEFAULT":
            error = decode_error(row["error"]) or NodeError("The execution failed.")
            head = decode_head(row["head"])
            failed = {
                "execution": {
                    "id": execution_id,
                    "url": execution_url(self._origin, execution_id),
                    **({"retryOf": head.retry_of} if head.retry_of else {}),
                    "mode": row["mode"],
                    "error": {
                        "message": error.message,
                        "description": error.description,
                        "name": error.code,
                        "node": {"name": error.node},
                        "stack": f"{error.code}: {error.message}",
                    },
                    "lastNodeExecuted": row["last_node"],
                },
                "workflow": {"id": row["workflow_id"], "name": document.get("name", "")},
            }
            await self._starts.error_workflow(failed, target, row["project_id"])

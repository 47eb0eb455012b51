"""Starts that come by call: a run of the draft, a retry, a cancellation, an error workflow."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from weft_contracts import beginnings, topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import ExecutionIds, derived_id, id_milliseconds, new_id, shard_of
from weft_contracts.messages import (
    CancelExecution,
    Envelope,
    ExecutionCommand,
    Mode,
    NodeOutput,
    ParentLink,
    RetryExecution,
    StartExecution,
    WorkflowPublished,
)
from weft_contracts.payload import Payload
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc.workflow_store import Workflows
from weft_engine.graph import Graph
from weft_kit import items
from weft_kit.blobs import BlobStore
from weft_kit.bus import EventBus

from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.ports import Versions
from weft_orchestrator.domain.records import decode_head

MOST_DEPTH: Final = 50
"""Workflows that start each other."""
_PUBLISHED: Final = {
    "workflowTrigger": ("Workflow activated", "Workflow updated"),
    "n8nTrigger": ("Workflow published", "Workflow updated"),
}
"""What n8n calls a first publication and one of another version, by the type of the trigger."""


class Starts:
    """`waiters`: execution id to futures that are done when it has ended (in this process). `timezone`: of workflows
    that name none. `origin`: of the installation's addresses."""

    def __init__(
        self,
        bus: EventBus,
        blobs: BlobStore,
        versions: Versions,
        workflows: Workflows,
        waiters: dict[str, list[asyncio.Future[None]]],
        timezone: str,
        origin: str,
    ) -> None:
        self._ids = ExecutionIds()
        self._bus = bus
        self._blobs = blobs
        self._versions = versions
        self._workflows = workflows
        self._waiters = waiters
        self._timezone = timezone
        self._origin = origin

    async def start(
        self,
        *,
        workflow_id: str,
        version_id: str,
        project_id: str,
        mode: Mode,
        start_node: str,
        destination_node: str,
        trigger_items: list[Any] | None,
        run_data: Mapping[str, Any],
        pins: Mapping[str, Any] | None,
        created_by: str,
        idempotency_key: str = "",
    ) -> str:
        """The execution's id, once it is durable. Without items the trigger gives its own. Raises VALIDATION_ERROR
        where the workflow can't start so."""
        graph = await self._versions.graph(version_id)
        trigger = graph.start_node(start_node)
        if trigger_items is None:
            trigger_items = [self._own_item(graph, trigger)]
        execution_id = self._ids.new()
        if idempotency_key:
            day = 86_400_000
            bucket = int(time.time() * 1000) // day * day
            execution_id = derived_id(bucket, "start", created_by, workflow_id, idempotency_key)
        payload = await items.claim(
            items.encode_outputs([[_item(each) for each in trigger_items]]),
            self._blobs,
            f"{execution_id}/start",
        )
        given = tuple(
            NodeOutput(
                node,
                index,
                tuple(len(output or ()) for output in outputs),
                items.encode_outputs([[_item(each) for each in output or ()] for output in outputs]),
            )
            for node, runs in run_data.items()
            if node != destination_node or node == trigger  # it runs anew whatever it gave, as in n8n
            for index, outputs in enumerate(runs)
        )
        await self.submit(
            StartExecution(
                execution_id,
                project_id,
                workflow_id,
                version_id,
                mode,
                trigger,
                payload,
                (len(trigger_items),),
                destination_node=destination_node,
                run_data=given,
                pins=items.encode(pins) if pins and mode in ("manual", "test") else None,
                created_by=created_by,
            ),
            project_id,
        )
        return execution_id

    def _own_item(self, graph: Graph, trigger: str) -> dict[str, Any]:
        named = graph.settings.get("timezone")
        timezone = named if isinstance(named, str) and named not in ("", "DEFAULT") else self._timezone
        try:
            now = datetime.now(ZoneInfo(timezone))
        except (ValueError, ZoneInfoNotFoundError):  # the run itself says what is wrong
            return {}
        return beginnings.by_hand(graph.nodes[trigger].type, now, timezone, self._origin)

    async def retry(self, of: str, project_id: str, version_id: str, *, from_start: bool, by: str) -> str:
        command = RetryExecution(new_id(), of, version_id, from_start, by)
        await self.submit(command, project_id)
        return command.execution_id

    async def cancel(self, execution_id: str, project_id: str, by: str) -> None:
        await self.submit(CancelExecution(execution_id, "Stopped by a user.", by), project_id)

    async def error_workflow(self, failed: Mapping[str, Any], target: str, project_id: str) -> None:
        """Starts workflow `target` with what is known of a failure in the project (`failed`: the item's JSON). A repeat
        changes nothing. Nothing happens where the target is gone or not for this workflow."""
        source: str = failed["execution"]["id"]
        version = await self._callable(target, project_id, failed["workflow"]["id"])
        if version is None:
            return
        graph = await self._versions.graph(version.id)
        trigger = next(
            (name for name in graph.triggers if graph.nodes[name].type.endswith(".errorTrigger")), ""
        )
        if not trigger:
            return
        execution_id = derived_id(id_milliseconds(source), "error workflow", source)
        await self.submit(
            StartExecution(
                execution_id,
                version.project_id,
                version.workflow_id,
                version.id,
                "error_workflow",
                trigger,
                items.encode_outputs([[{"json": failed}]]),
                (1,),
                root_id=source,
            ),
            version.project_id,
        )

    async def next_workflow(self, ended: Any, target: str, output: pb.StoredOutput | None) -> None:
        """Starts workflow `target` with the items that the last node of an execution (its row) gave on the first
        output that has some, or an empty one. A repeat changes nothing; as for what is gone, see error_workflow."""
        version = await self._callable(target, ended["project_id"], ended["workflow_id"])
        head = decode_head(ended["head"])
        if version is None or head.depth >= MOST_DEPTH:
            return
        given: list[Any] = [{"json": {}}]
        if output is not None:
            payload = Payload(output.codec, output.data, output.size, output.ref)
            outputs = items.outputs_of(items.decode(await items.unclaim(payload, self._blobs)))
            given = next((each for each in outputs if each), given)
        graph = await self._versions.graph(version.id)
        called = (n for n in graph.triggers if graph.nodes[n].type.endswith(".executeWorkflowTrigger"))
        source = str(ended["id"])
        execution_id = derived_id(id_milliseconds(source), f"next workflow {target}", source)
        await self.submit(
            StartExecution(
                execution_id,
                version.project_id,
                version.workflow_id,
                version.id,
                "sub_workflow",
                next(called, "") or graph.start_node(),
                await items.claim(items.encode_outputs([given]), self._blobs, f"{execution_id}/given"),
                (len(given),),
                parent=ParentLink(source, ended["last_node"], 0, 0, wait=False),
                root_id=head.root_id or source,
                depth=head.depth + 1,
            ),
            version.project_id,
        )

    async def workflow_event(self, envelope: Envelope) -> None:
        """A workflow that was published is started where it has a trigger for that; a repeat changes nothing. Raises
        UNAVAILABLE, and is called again then."""
        event = envelope.body
        if not isinstance(event, WorkflowPublished):
            return
        try:
            graph = await self._versions.graph(event.version_id)
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            return
        for name in graph.triggers:
            node = graph.nodes[name]
            names = _PUBLISHED.get(node.type.rpartition(".")[2])
            wanted = (node.json.get("parameters") or {}).get("events")
            if names is None or ("update" if event.again else "activate") not in (wanted or ()):
                continue
            moment = datetime.fromtimestamp(event.at / 1_000_000, UTC)
            told = beginnings.event(names[event.again], moment, event.workflow_id)
            execution_id = derived_id(event.at // 1000, "published", event.workflow_id, event.seq, name)
            await self.submit(
                StartExecution(
                    execution_id,
                    event.project_id,
                    event.workflow_id,
                    event.version_id,
                    "trigger",
                    name,
                    items.encode_outputs([[{"json": told}]]),
                    (1,),
                ),
                event.project_id,
            )

    async def _callable(self, target: str, project_id: str, caller: str) -> store.Version | None:
        """What a call of it runs; None where it is gone or not for this workflow."""
        request = store.ResolveVersionRequest(
            workflow_id=target, caller_project_id=project_id, caller_workflow_id=caller
        )
        try:
            return (await self._workflows.ResolveVersion(request)).version
        except WeftError as error:
            if error.code is ErrorCode.UNAVAILABLE:
                raise
            return None

    async def submit(self, command: ExecutionCommand, project_id: str) -> None:
        execution_id = command.execution_id
        envelope = Envelope(new_id(), command, execution_id, project_id, now_us())
        await self._bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(execution_id))

    async def ended(self, execution_id: str, seconds: float, probe: Callable[[], Any]) -> None:
        """Returns when it has ended or the time is over. `probe()` (awaitable bool) looks into the database, for
        executions that another orchestrator owns."""
        deadline = asyncio.get_running_loop().time() + seconds
        pause = 0.25
        while not await probe():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            future = asyncio.get_running_loop().create_future()
            self._waiters.setdefault(execution_id, []).append(future)
            await asyncio.wait([future], timeout=min(pause, left))
            waiting = self._waiters.get(execution_id)
            if waiting is not None and future in waiting:
                waiting.remove(future)
                if not waiting:
                    del self._waiters[execution_id]
            pause = min(pause * 1.5, 2.0)


def _item(value: Any) -> dict[str, Any]:
    """An item as people send it: whole, or only its fields."""
    if not isinstance(value, dict):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "An item must be a JSON object.")
    return value if isinstance(value.get("json"), dict) else {"json": value}


def parse(data: bytes, what: str, kind: type) -> Any:
    """The JSON of a request's field; None where it is empty. Raises VALIDATION_ERROR."""
    if not data:
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"{what}: {error}.") from None
    if not isinstance(value, kind):
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"{what} has the wrong shape.")
    return value

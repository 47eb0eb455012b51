"""An orchestrator on PostgreSQL and the in-process bus, with a runner that is played by the test."""

import asyncio
import contextlib
import itertools
import json
from pathlib import Path
from typing import Any

from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id, shard_of
from weft_contracts.messages import (
    Envelope,
    Heartbeat,
    NodeCompleted,
    NodeReport,
    RunSegment,
    SegmentReports,
    StartExecution,
    WebhookReply,
)
from weft_contracts.pb import auth_pb2, orchestrator_pb2, workflow_store_pb2
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import StaticData, Workflows
from weft_engine.graph import Graph
from weft_engine.segment import Segment
from weft_kit import items
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals.memory import MemorySignals
from weft_node_sdk.catalogue import Catalogue
from weft_orchestrator.bootstrap import OrchestratorService, build
from weft_orchestrator.settings import OrchestratorSettings

WORKFLOW = "w1"


def node(name: str, kind: str = "noOp", at: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": more.pop("version", 1),
        "position": [at, 0],
        "parameters": more.pop("parameters", {}),
        **more,
    }


def chain(*nodes: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A document whose nodes follow each other."""
    return {
        "nodes": list(nodes),
        "connections": {
            first["name"]: {"main": [[{"node": second["name"], "type": "main", "index": 0}]]}
            for first, second in itertools.pairwise(nodes)
        },
        "settings": {"executionOrder": "v1", **settings},
    }


class FakeAccess:
    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        project = auth_pb2.Project(id=INSTANCE_PROJECT, role="owner")
        return auth_pb2.ListProjectsResponse(projects=[project], default_project_id=INSTANCE_PROJECT)

    async def Authorize(self, request: auth_pb2.AuthorizeRequest) -> auth_pb2.AuthorizeResponse:
        return auth_pb2.AuthorizeResponse(role="owner")


class FakeStore:
    def __init__(self) -> None:
        self.versions: dict[str, dict[str, Any]] = {}

    async def GetVersion(
        self, request: workflow_store_pb2.GetVersionRequest
    ) -> workflow_store_pb2.GetVersionResponse:
        if request.version_id not in self.versions:
            raise WeftError(ErrorCode.NOT_FOUND, "no such version")
        return workflow_store_pb2.GetVersionResponse(version=self._version(request.version_id))

    async def ResolveVersion(
        self, request: workflow_store_pb2.ResolveVersionRequest
    ) -> workflow_store_pb2.ResolveVersionResponse:
        return workflow_store_pb2.ResolveVersionResponse(version=self._version(request.workflow_id))

    def _version(self, version_id: str) -> workflow_store_pb2.Version:
        return workflow_store_pb2.Version(
            id=version_id,
            workflow_id=WORKFLOW,
            project_id=INSTANCE_PROJECT,
            document=json.dumps(self.versions[version_id]).encode(),
        )


class FakeStaticData:
    def __init__(self) -> None:
        self.merged: list[workflow_store_pb2.MergeStaticDataRequest] = []

    async def Merge(
        self, request: workflow_store_pb2.MergeStaticDataRequest
    ) -> workflow_store_pb2.MergeStaticDataResponse:
        self.merged.append(request)
        return workflow_store_pb2.MergeStaticDataResponse()


class World:
    """One orchestrator process after another on one database."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.dsn = dsn
        self.home = home
        self.store = FakeStore()
        self.static_data = FakeStaticData()
        self.blobs = FolderBlobs(home / "blobs")
        self.catalogue = Catalogue.load()
        self.replies: list[WebhookReply] = []

    async def boot(self, *, exclusive: bool = True, bus: MemoryBus | None = None) -> "World":
        self.bus = bus or MemoryBus()
        self.signals = MemorySignals()
        self.rpc = LocalRpc()
        self.database = Database(self.dsn)
        infra = Infra(
            new_id(),
            self.home,
            self.bus,
            self.signals,
            MemoryCache(),
            self.blobs,
            self.rpc,
            self.database,
        )
        self.rpc.register({Access: FakeAccess(), Workflows: self.store, StaticData: self.static_data})
        self.service: OrchestratorService = build(OrchestratorSettings(exclusive=exclusive), infra)
        self.rpc.register(self.service.servicers)
        self.executions = self.rpc.client(Executions)
        await self.bus.start()
        self.signals.listen("reply.test", self.replies.append)  # type: ignore[arg-type]
        await self.service.start()
        return self

    async def crash(self) -> None:
        """What is in memory is gone; nothing is handed over."""
        await self.service.stop()
        await self.bus.stop()
        await self.database.close()

    async def start(self, version: str, trigger: str = "Start", **more: Any) -> str:
        execution_id = more.pop("execution_id", None) or new_id()
        command = StartExecution(
            execution_id,
            more.pop("project", INSTANCE_PROJECT),
            WORKFLOW,
            version,
            more.pop("mode", "webhook"),
            trigger,
            more.pop("output", None) or items.encode_outputs([[{"json": {"n": 1}}]]),
            (1,),
            **more,
        )
        envelope = Envelope(new_id(), command, execution_id)
        await self.bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(execution_id))
        return execution_id

    async def get(self, execution_id: str) -> orchestrator_pb2.GetExecutionResponse:
        request = orchestrator_pb2.GetExecutionRequest(execution_id=execution_id, include_data=True)
        return await self.executions.Get(request)

    async def committed(self, execution_id: str, node: str, seconds: float = 10) -> None:
        """Waits until the node's run is in the database."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(WeftError):
                    if any(run.node == node for run in (await self.get(execution_id)).node_runs):
                        return
                await asyncio.sleep(0.01)

    async def has_status(self, execution_id: str, status: str, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(WeftError):
                    if (await self.get(execution_id)).execution.status == status:
                        return
                await asyncio.sleep(0.01)

    async def ended(self, execution_id: str, status: str = "success", seconds: float = 10) -> Any:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    found = await self.get(execution_id)
                    if found.execution.status in {"success", "error", "cancelled"}:
                        break
                except WeftError:
                    pass
                await asyncio.sleep(0.02)
        assert found.execution.status == status, found
        return found


class FakeRunner:
    """Runs every node as one that passes an item on. `script`: node name to what to report instead."""

    def __init__(self, world: World, name: str = "r1", partition: int = 0) -> None:
        self.world = world
        self.name = name
        self.partition = partition
        self.tasks: list[RunSegment] = []
        self.ran: list[str] = []
        self.script: dict[str, Any] = {}
        self.hold = False
        self.reader = world.bus.reader()
        self._work: asyncio.Task[None] | None = None
        self._beats: asyncio.Task[None] | None = None

    async def start(self, *, alive: bool = False) -> "FakeRunner":
        """`alive`: its heartbeats go on by themselves and list every task that it was given."""
        await self.reader.assign({(topics.node_tasks(p), self.partition): None for p in ("default", "code")})
        self._work = asyncio.create_task(self._run())
        self.beat()
        if alive:
            self._beats = asyncio.create_task(self._beat_on())
        return self

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.beat(*(task.dispatch_id for task in self.tasks))

    async def stop(self) -> None:
        running = [task for task in (self._work, self._beats) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.reader.close()

    def beat(self, *dispatches: str) -> None:
        body = Heartbeat(self.name, self.partition, {"default": 50, "code": 5}, dispatches, 0)
        self.world.bus.send(topics.RUNNER_HEARTBEATS, Envelope(new_id(), body, self.name))

    async def _run(self) -> None:
        while True:
            for received in await self.reader.fetch():
                self.reader.commit(received.topic, received.partition, received.offset + 1)
                assert received.envelope is not None
                task = received.envelope.body
                assert isinstance(task, RunSegment)
                self.tasks.append(task)
                if not self.hold:
                    self.run(task)

    def run(self, task: RunSegment) -> None:
        graph = Graph.compile(self.world.store.versions[task.version_id], self.world.catalogue.traits)
        segment, reports = Segment(graph, task), list[NodeReport]()
        while segment.current is not None:
            activation = segment.current
            self.ran.append(activation.node)
            made = self.script.get(activation.node)
            if made is not None:
                made = made(task, activation)
                reports += made if isinstance(made, list) else [made]
                if not isinstance(reports[-1], NodeCompleted):
                    break
                segment.completed(reports[-1].counts)
                continue
            output = items.encode_outputs([[{"json": {"by": activation.node}}]])
            reports.append(
                NodeCompleted(activation.node, activation.run_index, 2, 1, activation.inputs, (1,), output)
            )
            segment.completed((1,))
        self.report(task, reports)

    def report(self, task: RunSegment, reports: list[NodeReport], *, last: bool = True) -> None:
        body = SegmentReports(task.execution_id, task.dispatch_id, self.name, tuple(reports), last)
        self.world.bus.send(topics.NODE_RESULTS, Envelope(new_id(), body, task.execution_id), task.shard)

"""A webhook ingress on PostgreSQL and the in-process bus; the other services are played."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from weft_contracts import topics, wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import (
    Envelope,
    ExecutionCommand,
    Route,
    Signal,
    StartExecution,
    WebhookReply,
    WorkflowPublished,
)
from weft_contracts.pb import auth_pb2, orchestrator_pb2, workflow_store_pb2
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.webhook_ingress import Webhooks
from weft_contracts.rpc.workflow_store import Credentials, Workflows
from weft_kit import items
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.database.migrate import migrate
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals.memory import MemorySignals
from weft_webhook_ingress.bootstrap import build
from weft_webhook_ingress.settings import WebhookIngressSettings

INSTANCE = "i1"


def route(path: str = "a", method: str = "POST", **more: Any) -> Route:
    """`options` and other parameters of the Webhook node by their names."""
    pattern = any(part.startswith(":") for part in path.split("/"))
    credentials = more.pop("credentials", {})
    version = more.pop("version", 2)
    parameters = msgspec.Raw(json.dumps({"httpMethod": method, "path": path, **more}).encode())
    return Route(
        method, path, "Webhook", "n8n-nodes-base.webhook", version, parameters, "", pattern, credentials
    )


class Played:
    """The answers of the other services."""

    def __init__(self) -> None:
        self.routes: list[workflow_store_pb2.Route] = []
        self.asked = 0
        self.secrets: dict[tuple[str, str], dict[str, Any]] = {}
        self.replies: dict[str, WebhookReply] = {}
        self.waits: dict[str, orchestrator_pb2.GetWaitResponse] = {}

    async def ListRoutes(
        self, request: workflow_store_pb2.ListRoutesRequest
    ) -> workflow_store_pb2.ListRoutesResponse:
        self.asked += 1
        return workflow_store_pb2.ListRoutesResponse(routes=self.routes)

    async def Decrypt(self, request: workflow_store_pb2.DecryptRequest) -> workflow_store_pb2.DecryptResponse:
        found = self.secrets.get((request.project_id, request.credential_id))
        if found is None:
            raise WeftError(ErrorCode.NOT_FOUND, "no such credential")
        return workflow_store_pb2.DecryptResponse(data=json.dumps(found).encode())

    async def GetReply(self, request: orchestrator_pb2.GetReplyRequest) -> orchestrator_pb2.GetReplyResponse:
        found = self.replies.get(request.execution_id)
        if found is None:
            return orchestrator_pb2.GetReplyResponse()
        return orchestrator_pb2.GetReplyResponse(found=True, reply=wire.encode_signal(found))

    async def GetWait(self, request: orchestrator_pb2.GetWaitRequest) -> orchestrator_pb2.GetWaitResponse:
        if request.execution_id not in self.waits:
            raise WeftError(ErrorCode.NOT_FOUND, "no such execution")
        return self.waits[request.execution_id]

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        return auth_pb2.ListProjectsResponse(projects=[auth_pb2.Project(id="p1", role="owner")])

    async def Authorize(self, request: auth_pb2.AuthorizeRequest) -> auth_pb2.AuthorizeResponse:
        if request.project_id != "p1":
            raise WeftError(ErrorCode.NOT_FOUND, "no such project")
        return auth_pb2.AuthorizeResponse(role="owner")


class World:
    """`commands`: what was submitted. `answer`: makes the reply to a start, None for silence."""

    def __init__(self, dsn: str, home: Path, **settings: Any) -> None:
        self.played = Played()
        self.bus = MemoryBus()
        self.signals = MemorySignals()
        self.rpc = LocalRpc()
        self.rpc.register(dict.fromkeys((Access, Workflows, Credentials, Executions), self.played))
        self.database = Database(dsn)
        self.blobs = FolderBlobs(home / "blobs")
        infra = Infra(
            INSTANCE, home, self.bus, self.signals, MemoryCache(), self.blobs, self.rpc, self.database
        )
        values = {
            "public_url": "http://weft.test",
            "webhook_max_bytes": 300_000,
            "webhook_max_upload_bytes": 360_000,
            **settings,
        }
        self.service = build(WebhookIngressSettings(**values), infra)
        self.rpc.register(self.service.servicers)
        self.webhooks = self.rpc.client(Webhooks)
        self.commands: list[ExecutionCommand] = []
        self.heard: list[Signal] = []
        self.answer: Callable[[StartExecution], WebhookReply | None] = lambda _: None
        self.bus.subscribe(topics.EXECUTION_COMMANDS, self._command, "orchestrator")
        self.signals.listen(topics.UI_EVENTS, self.heard.append)
        self._seq = 0

    async def start(self) -> "World":
        await self.bus.start()
        await self.service.start()
        return self

    async def stop(self) -> None:
        await self.service.stop()
        await self.bus.stop()
        await self.database.close()

    async def _command(self, envelope: Envelope) -> None:
        command = envelope.body
        assert isinstance(command, ExecutionCommand)
        self.commands.append(command)
        if isinstance(command, StartExecution) and (reply := self.answer(command)) is not None:
            self.signals.publish(command.reply_to or topics.reply_channel(INSTANCE), reply)

    async def publish(self, *routes: Route, workflow: str = "w1", project: str = "p1") -> None:
        """Returns once the ingress has them."""
        self._seq += 1
        event = WorkflowPublished(workflow, project, self._seq, version_id="v1", routes=routes)
        await self.service._routes.changed(Envelope(str(self._seq), event))

    async def call(self, method: str, path: str, client: str = "9.9.9.9", **options: Any) -> httpx.Response:
        app: Any = self.service.asgi
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://weft.test") as http:
            return await http.request(method, path, **options)

    async def started(self) -> StartExecution:
        """The newest start."""
        async with asyncio.timeout(10):
            while not self.commands:
                await asyncio.sleep(0.005)
        command = self.commands[-1]
        assert isinstance(command, StartExecution)
        return command

    async def item(self) -> dict[str, Any]:
        """The item of the newest start."""
        payload = await items.unclaim((await self.started()).trigger, self.blobs)
        outputs = items.decode(payload)
        found: dict[str, Any] = next(output[0] for output in outputs if output)
        return found


@pytest.fixture
async def world(pg_dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    await migrate(pg_dsn, "weft_webhook_ingress", "webhook_ingress")
    made = await World(pg_dsn, tmp_path).start()
    yield made
    await made.stop()


@pytest.fixture
def made_route() -> Callable[..., Route]:
    return route

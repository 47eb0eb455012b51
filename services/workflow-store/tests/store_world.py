"""The workflow store on PostgreSQL and the in-process bus, with a policy point that is played by the test."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import asyncpg
import orjson
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import Envelope
from weft_contracts.pb import auth_pb2
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_contracts.rpc import workflow_store as rpc
from weft_contracts.rpc.auth import Access
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.identity.secrets import ensure_secrets
from weft_kit.rpc import Caller, current
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals.memory import MemorySignals
from weft_workflow_store.bootstrap import build
from weft_workflow_store.settings import WorkflowStoreSettings

HOME, OTHER = INSTANCE_PROJECT, "p2"


def node(name: str, kind: str = "noOp", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": more.pop("version", 1),
        "position": [0, 0],
        "parameters": more.pop("parameters", {}),
        **more,
    }


def hook(path: str, method: str = "POST", name: str = "Hook") -> dict[str, Any]:
    return node(name, "webhook", version=2, parameters={"path": path, "httpMethod": method})


def document(*nodes: dict[str, Any], **more: Any) -> bytes:
    return orjson.dumps({"name": "W", "nodes": list(nodes), "connections": {}, **more})


class FakeAccess:
    """Ada owns both projects, Bea views the first one only."""

    members: ClassVar = {("ada", HOME): "owner", ("ada", OTHER): "owner", ("bea", HOME): "viewer"}

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        mine = [project for user, project in self.members if user == request.user_id]
        projects = [auth_pb2.Project(id=project) for project in mine]
        return auth_pb2.ListProjectsResponse(projects=projects, default_project_id=mine[0] if mine else "")

    async def Authorize(self, request: auth_pb2.AuthorizeRequest) -> auth_pb2.AuthorizeResponse:
        role = self.members.get((request.user_id, request.project_id))
        if role is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such project.")
        if role == "viewer" and not request.action.endswith(":read"):
            raise WeftError(ErrorCode.FORBIDDEN, "A viewer only reads.")
        return auth_pb2.AuthorizeResponse(role=role)


class World:
    def __init__(self, dsn: str, home: Path) -> None:
        self.dsn = dsn
        self.home = home
        self.heard: list[Envelope] = []

    async def boot(self, **flags: Any) -> "World":
        self.bus = MemoryBus()
        self.database = Database(self.dsn)
        local = LocalRpc()
        infra = Infra(
            new_id(),
            self.home,
            self.bus,
            MemorySignals(),
            MemoryCache(),
            FolderBlobs(self.home / "blobs"),
            local,
            self.database,
        )
        local.register({Access: FakeAccess()})
        settings = ensure_secrets(WorkflowStoreSettings(**{"home": self.home, **flags}))
        self.service = build(settings, infra)
        local.register(self.service.servicers)
        self.workflows = local.client(rpc.Workflows)
        self.credentials = local.client(rpc.Credentials)
        self.variables = local.client(rpc.Variables)
        self.tags = local.client(rpc.Tags)
        self.tables = local.client(rpc.DataTables)
        for topic in (topics.WORKFLOW_EVENTS, topics.CREDENTIAL_EVENTS, topics.AUDIT_EVENTS):
            self.bus.subscribe(topic, self._hear, "test")
        await self.bus.start()
        await self.service.start()
        return self

    async def _hear(self, envelope: Envelope) -> None:
        self.heard.append(envelope)

    async def told(self, count: int, about: str, *kinds: type) -> list[Any]:
        """The events of these kinds about an object, by its key, once there are so many."""
        async with asyncio.timeout(60):
            while True:
                found = [
                    each.body for each in self.heard if each.key == about and isinstance(each.body, kinds)
                ]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self.service.drain()
        await self.service.stop()
        await self.bus.stop()
        await self.database.close()

    async def again(self, **flags: Any) -> None:
        """The same installation as another process."""
        await self.stop()
        await self.boot(**flags)

    async def create(self, text: bytes, project_id: str = "", key: str = "") -> pb.Workflow:
        call = pb.CreateRequest(project_id=project_id, document=text, idempotency_key=key)
        return (await self.workflows.Create(call)).workflow

    async def get(self, workflow_id: str) -> pb.Workflow:
        return (await self.workflows.Get(pb.GetRequest(workflow_id=workflow_id))).workflow

    async def update(self, workflow_id: str, text: bytes, base: str = "") -> pb.Workflow:
        call = pb.UpdateRequest(workflow_id=workflow_id, document=text, base_version_id=base)
        return (await self.workflows.Update(call)).workflow

    async def publish(self, workflow_id: str, version: int = 0) -> pb.Workflow:
        call = pb.PublishRequest(workflow_id=workflow_id, version=version)
        return (await self.workflows.Publish(call)).workflow

    async def snapshot(self, workflow_id: str) -> pb.Version:
        return (await self.workflows.Snapshot(pb.SnapshotRequest(workflow_id=workflow_id))).version

    async def routes(self, method: str = "", path: str = "") -> list[tuple[str, str]]:
        """Workflow id and path of each."""
        found = await self.workflows.ListRoutes(pb.ListRoutesRequest(method=method, path=path))
        return [(each.workflow_id, orjson.loads(each.route)["path"]) for each in found.routes]

    async def rows(self, query: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            found: list[Any] = await connection.fetch(query, *arguments)
            return found
        finally:
            await connection.close()


@contextmanager
def acting(user_id: str, *scopes: str) -> Iterator[None]:
    token = current.set(Caller(user_id, scopes))
    try:
        yield
    finally:
        current.reset(token)


class refused:
    """A block that ends with a WeftError of that code."""

    def __init__(self, code: ErrorCode) -> None:
        self._code = code
        self.error: WeftError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, _trace: object) -> bool:
        assert isinstance(error, WeftError), f"{self._code} was expected, not {error!r}"
        assert error.code is self._code, error
        self.error = error
        return True

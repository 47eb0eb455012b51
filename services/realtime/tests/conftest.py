"""Realtime on the in-process bus; auth and the orchestrator are played, clients speak ASGI."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope, ExecutionChange, ExecutionChanged, Message
from weft_contracts.pb import auth_pb2, orchestrator_pb2, workflow_store_pb2
from weft_contracts.rpc.auth import Access, Auth
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.identity import tokens
from weft_kit.rpc import caller
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals import Signals
from weft_kit.signals.memory import MemorySignals
from weft_realtime.bootstrap import build
from weft_realtime.settings import RealtimeSettings


class Played:
    """`projects`: user to project ids. `past`: execution to (project, changes)."""

    def __init__(self) -> None:
        self.key = OKPKey.generate_key("Ed25519", {"kid": "1"})
        self.projects = {"ada": ["p1"], "bob": ["p2"]}
        self.past: dict[str, tuple[str, list[ExecutionChange]]] = {}
        self.workflows = {"w1": "p1", "w2": "p2"}
        self.gate: asyncio.Event | None = None

    def token(self, user: str = "ada", **claims: Any) -> str:
        body = {"iss": "here", "aud": tokens.AUDIENCE, "sub": user, "exp": int(time.time()) + 900, **claims}
        return jwt.encode(
            {"alg": tokens.ALGORITHM, "kid": "1"}, body, self.key, algorithms=[tokens.ALGORITHM]
        )

    async def GetKeys(self, request: auth_pb2.GetKeysRequest) -> auth_pb2.GetKeysResponse:
        jwks = {"keys": [self.key.as_dict(private=False)]}
        return auth_pb2.GetKeysResponse(jwks=orjson.dumps(jwks), issuer="here")

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        found = [auth_pb2.Project(id=each) for each in self.projects[request.user_id]]
        return auth_pb2.ListProjectsResponse(projects=found)

    async def GetUser(self, request: auth_pb2.GetUserRequest) -> auth_pb2.GetUserResponse:
        user = auth_pb2.User(id=request.user_id, first_name=request.user_id.title(), last_name="L")
        return auth_pb2.GetUserResponse(user=user)

    async def Get(self, request: workflow_store_pb2.GetRequest) -> workflow_store_pb2.GetResponse:
        project = self.workflows.get(request.workflow_id, "")
        if project not in self.projects[caller().user_id]:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such workflow.")
        found = workflow_store_pb2.Workflow(id=request.workflow_id, project_id=project)
        return workflow_store_pb2.GetResponse(workflow=found)

    async def Replay(self, request: orchestrator_pb2.ReplayRequest) -> orchestrator_pb2.ReplayResponse:
        if self.gate is not None:
            await self.gate.wait()
        project, changes = self.past.get(request.execution_id, ("", []))
        if project not in self.projects[caller().user_id]:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such execution.")
        wanted = [msgspec.json.encode(change) for change in changes if change.seq > request.from_seq]
        return orchestrator_pb2.ReplayResponse(changes=wanted, project_id=project, workflow_id="w1")


class Client:
    """A browser. `reading`: whether it takes what is sent."""

    def __init__(self, app: Any) -> None:
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self._in.put_nowait({"type": "websocket.connect"})
        self.running = asyncio.create_task(app({"type": "websocket"}, self._in.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reading.wait()
        self._out.put_nowait(message)

    def say(self, **frame: Any) -> None:
        self._in.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def say_raw(self, text: str) -> None:
        self._in.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._in.put_nowait({"type": "websocket.disconnect"})

    async def hear(self) -> dict[str, Any]:
        """The next frame; `{"closed": code}` at the end."""
        while True:
            message = await asyncio.wait_for(self._out.get(), 10)
            if message["type"] == "websocket.close":
                return {"closed": message["code"]}
            if message["type"] == "websocket.send":
                found: dict[str, Any] = json.loads(message["text"])
                return found

    async def hear_all(self) -> list[dict[str, Any]]:
        """Everything up to the answer to a ping, or to the close."""
        self.say(type="ping")
        found: list[dict[str, Any]] = []
        while True:
            frame = await self.hear()
            if frame.get("type") == "pong":
                return found
            found.append(frame)
            if "closed" in frame:
                return found


class World:
    """`signals`, `played`: shared ones, of another instance."""

    def __init__(
        self,
        home: Path,
        *,
        instance: str = "i",
        signals: Signals | None = None,
        played: Played | None = None,
        **settings: Any,
    ) -> None:
        self.played = played or Played()
        self.bus = MemoryBus()
        self.signals = signals or MemorySignals()
        rpc = LocalRpc()
        rpc.register(dict.fromkeys((Auth, Access, Executions, Workflows), self.played))
        database = Database("postgresql://none")
        infra = Infra(instance, home, self.bus, self.signals, MemoryCache(), FolderBlobs(home), rpc, database)
        self.service = build(RealtimeSettings(**{"frames_waiting": 40, **settings}), infra)
        self.clients: list[Client] = []

    async def start(self) -> "World":
        await self.bus.start()
        await self.service.start()
        return self

    async def stop(self) -> None:
        for client in self.clients:
            client.leave()
            client.reading.set()
        await self.service.stop()
        await asyncio.gather(*[client.running for client in self.clients])
        await self.bus.stop()

    def connect(self) -> Client:
        self.clients.append(Client(self.service.asgi))
        return self.clients[-1]

    async def sign_in(self, user: str = "ada") -> Client:
        client = self.connect()
        client.say(type="auth", token=self.played.token(user))
        assert (await client.hear())["type"] == "ready"
        return client

    async def tell(self, topic: str, body: Message) -> None:
        """Returns once every connection was offered it."""
        self.bus.send(topic, Envelope("x", body))
        for subscriber in self.bus._subscribers[topic]:
            while subscriber.queue:
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def change(self, execution: str, *changes: ExecutionChange, project: str = "p1") -> None:
        await self.tell(topics.EXECUTION_EVENTS, ExecutionChanged(execution, project, "w1", changes))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World(tmp_path).start()
    yield made
    await made.stop()

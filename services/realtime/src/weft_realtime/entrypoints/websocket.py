"""The WebSocket at `/api/v1/ws`, as a raw ASGI application."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import id_milliseconds
from weft_contracts.messages import ExecutionChange
from weft_contracts.pb import auth_pb2, workflow_store_pb2
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_contracts.rpc.auth import Auth
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit.identity.access import AccessPolicy
from weft_kit.identity.tokens import TokenVerifier
from weft_kit.rpc import current
from weft_kit.service import AsgiReceive, AsgiSend, Scope
from weft_kit.tasks import end

from weft_realtime.application.hub import Connection, Hub, frame_of
from weft_realtime.application.presence import Presence

AUTH_SECONDS: Final = 10.0
DENIED: Final = 4401
MOST_TOPICS: Final = 500
MOST_OPEN: Final = 20
"""Workflows that one connection may have open."""
LONGEST_NODE: Final = 200
YOUNG_MS: Final = 60_000
"""How long after its id was made an execution may be stored, clocks that differ counted in."""
_change: Final = msgspec.json.Decoder(ExecutionChange)


@dataclass(frozen=True, slots=True)
class Backends:
    auth: Auth
    executions: Executions
    workflows: Workflows


class Live:
    def __init__(
        self,
        hub: Hub,
        presence: Presence,
        verifier: TokenVerifier,
        policy: AccessPolicy,
        backends: Backends,
        most: int,
    ) -> None:
        self._hub = hub
        self._presence = presence
        self._verifier = verifier
        self._policy = policy
        self._backends = backends
        self._most = most

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        if scope["type"] != "websocket":
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 426, "headers": []})
                await send({"type": "http.response.body", "body": b"This address speaks WebSocket."})
            return
        if (await receive())["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept"})
        connection = Connection(self._most)
        self._hub.add(connection)
        sending = asyncio.create_task(_sender(connection, send))
        reading = asyncio.create_task(self._reader(connection, receive))
        try:
            await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave(connection)
            self._hub.remove(connection)
            await end(sending, reading)

    async def _reader(self, connection: Connection, receive: AsgiReceive) -> None:
        try:
            async with asyncio.timeout(AUTH_SECONDS):
                if not await self._sign_in(connection, receive):
                    return
        except (TimeoutError, WeftError):
            connection.close(DENIED)
            await asyncio.Event().wait()  # until the sender has closed it
            return
        connection.put(orjson.dumps({"type": "ready", "data": {"session": connection.session}}))
        while (frame := await _frame(receive)) is not None:
            try:
                await self._handle(connection, frame)
            except WeftError as error:
                data = {"code": error.code.value, "message": error.message, "frame": frame}
                connection.put(orjson.dumps({"type": "error", "data": data}))

    async def _sign_in(self, connection: Connection, receive: AsgiReceive) -> bool:
        """False where the client has gone. Raises UNAUTHENTICATED."""
        frame = await _frame(receive)
        if frame is None:
            return False
        if frame.get("type") != "auth":
            raise WeftError(ErrorCode.UNAUTHENTICATED, "The first frame must be auth.")
        await self._identify(connection, frame)
        return True

    async def _identify(self, connection: Connection, frame: dict[str, Any]) -> None:
        who = await self._verifier.verify(str(frame.get("token", "")))
        current.set(who)
        if connection.user != who.user_id:
            self._leave(connection)
            connection.user, connection.name = who.user_id, ""
        connection.projects = frozenset(await self._policy.projects())

    async def _handle(self, connection: Connection, frame: dict[str, Any]) -> None:
        kind = frame.get("type")
        if kind == "ping":
            connection.put(b'{"type":"pong","data":{}}')
        elif kind == "auth":
            await self._identify(connection, frame)
        elif kind in ("subscribe", "unsubscribe"):
            await self._subscription(connection, frame, kind == "subscribe")
        elif kind == "presence":
            await self._present(connection, frame)
        else:
            raise WeftError(ErrorCode.BAD_REQUEST, f"There is no frame of type {kind!r}.")

    async def _subscription(self, connection: Connection, frame: dict[str, Any], begins: bool) -> None:
        for name in ("execution", "workflow", "project"):
            wanted = frame.get(f"{name}_id")
            if not isinstance(wanted, str):
                continue
            topic = f"{name}:{wanted}"
            if not begins:
                self._hub.unsubscribe(connection, topic)
                connection.seen.pop(wanted, None)
                if name == "workflow" and connection.present.pop(wanted, None) is not None:
                    self._presence.leave(wanted, connection.session)
                return
            if len(connection.topics) >= MOST_TOPICS:
                raise WeftError(ErrorCode.RATE_LIMITED, f"At most {MOST_TOPICS} subscriptions.")
            connection.projects = frozenset(await self._policy.projects())
            if name == "project" and wanted not in connection.projects:
                raise WeftError(ErrorCode.NOT_FOUND, "There is no such project.")
            if name == "execution":
                seq = frame.get("from_seq") or 0
                if not isinstance(seq, int):
                    raise WeftError(ErrorCode.BAD_REQUEST, "from_seq must be an integer.")
                await self._replay(connection, wanted, topic, seq)
            else:
                self._hub.subscribe(connection, topic)
            return
        raise WeftError(ErrorCode.BAD_REQUEST, "Name an execution_id, a workflow_id or a project_id.")

    async def _present(self, connection: Connection, frame: dict[str, Any]) -> None:
        """The client has a workflow open, and perhaps a node of it chosen; said again and again, else it counts as
        gone. Raises NOT_FOUND where the caller may not read it."""
        workflow_id, node = frame.get("workflow_id"), frame.get("node", "")
        if not isinstance(workflow_id, str) or not isinstance(node, str) or len(node) > LONGEST_NODE:
            raise WeftError(ErrorCode.BAD_REQUEST, "Name a workflow_id, and perhaps a node.")
        connection.projects = frozenset(await self._policy.projects())
        if workflow_id not in connection.present:
            if len(connection.present) >= MOST_OPEN:
                raise WeftError(ErrorCode.RATE_LIMITED, f"At most {MOST_OPEN} workflows are open.")
            call = workflow_store_pb2.GetRequest(workflow_id=workflow_id)
            workflow = (await self._backends.workflows.Get(call)).workflow
            if not connection.name:
                connection.name = await self._name(connection.user)
            connection.present[workflow_id] = workflow.project_id
        project_id = connection.present[workflow_id]
        if project_id not in connection.projects:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such workflow.")
        self._presence.enter(
            workflow_id, project_id, connection.session, connection.user, connection.name, node
        )

    async def _name(self, user_id: str) -> str:
        user = (await self._backends.auth.GetUser(auth_pb2.GetUserRequest(user_id=user_id))).user
        return f"{user.first_name} {user.last_name}".strip() or user.email

    def _leave(self, connection: Connection) -> None:
        for workflow_id in connection.present:
            self._presence.leave(workflow_id, connection.session)
        connection.present.clear()

    async def _replay(self, connection: Connection, execution_id: str, topic: str, seq: int) -> None:
        """The past from the rows, then what came meanwhile, then what comes: no gap, nothing twice.

        An id is told before its execution is stored. One that is not found and is young has no past yet: what is
        stored after this was asked for is told after it, to those who may see it. Raises NOT_FOUND for any other."""
        connection.held[execution_id] = []
        connection.seen[execution_id] = seq
        self._hub.subscribe(connection, topic)
        try:
            answer = await self._backends.executions.Replay(
                pb.ReplayRequest(execution_id=execution_id, from_seq=seq)
            )
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND or not _young(execution_id):
                self._hub.unsubscribe(connection, topic)
                connection.held.pop(execution_id, None)
                connection.seen.pop(execution_id, None)
                raise
            answer = pb.ReplayResponse()
        for data in answer.changes:
            change = _change.decode(data)
            if change.seq > seq:
                await connection.room()
                connection.put(frame_of(change, execution_id, answer.workflow_id, answer.project_id))
                connection.seen[execution_id] = seq = change.seq
        for number, frame in connection.held.pop(execution_id):
            connection.offer(execution_id, number, frame)


def _young(execution_id: str) -> bool:
    try:
        made = id_milliseconds(execution_id)
    except ValueError:
        return False
    return abs(time.time_ns() // 1_000_000 - made) < YOUNG_MS


async def _sender(connection: Connection, send: AsgiSend) -> None:
    async for frame in connection.frames():
        await send({"type": "websocket.send", "text": frame.decode()})
    await send({"type": "websocket.close", "code": connection.code})


async def _frame(receive: AsgiReceive) -> dict[str, Any] | None:
    """The next frame of the client; None where it has gone. Raises BAD_REQUEST."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        return None
    data = message.get("text") or message.get("bytes") or ""
    try:
        frame = orjson.loads(data)
    except orjson.JSONDecodeError:
        frame = None
    if not isinstance(frame, dict):
        return {"type": None}
    return frame

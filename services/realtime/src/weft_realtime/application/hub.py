"""Who is connected, what they want to see, and how events find them."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Hashable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import orjson
from weft_contracts.messages import (
    Envelope,
    ExecutionChange,
    ExecutionChanged,
    ExecutionFinished,
    IdentityChanged,
    NodeExecuting,
    NodeFinished,
    Signal,
    TestCallReceived,
    WorkflowDeleted,
    WorkflowPublished,
    WorkflowUnpublished,
    WorkflowUpdated,
)
from weft_kit.telemetry import metrics

OVERFLOWED: Final = 1013
RESTARTS: Final = 1012
_connections = metrics.gauge("connections", "Open WebSockets")


def _moment(at: int) -> str:
    return (
        datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def frame_of(change: ExecutionChange, execution_id: str, workflow_id: str, project_id: str) -> bytes:
    """One frame, `{type, data, timestamp, seq}`."""
    data: dict[str, Any] = msgspec.to_builtins(change)
    kind, seq, at = data.pop("type"), data.pop("seq"), data.pop("at", 0)
    if isinstance(change, ExecutionFinished):
        data.setdefault("status", change.status)
    elif kind == "node.completed":
        data.setdefault("status", "success")
    data |= {"execution_id": execution_id, "workflow_id": workflow_id, "project_id": project_id}
    return orjson.dumps({"type": kind, "data": data, "timestamp": _moment(at), "seq": seq})


class Connection:
    """One client. While a quarter of `most` frames waits for it, a node's newer progress takes the place of its older
    one; with more than `most` it is cut off, and comes again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Hashable, bytes] = {}
        self._number = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self.code = 1000
        self.session = uuid.uuid4().hex
        self.user = ""
        self.name = ""
        self.projects: frozenset[str] = frozenset()
        self.topics: set[str] = set()
        self.seen: dict[str, int] = {}
        """Execution to the newest seq sent, of subscribed executions."""
        self.present: dict[str, str] = {}
        """Workflows that it has open, with their projects."""
        self.held: dict[str, list[tuple[int, bytes]]] = {}
        """Execution to live frames that wait until its past was replayed."""

    async def frames(self) -> AsyncIterator[bytes]:
        """What is to be sent, until it is to be closed with `code`."""
        while True:
            await self._arrived.wait()
            if self.code != 1000:
                return
            self._arrived.clear()
            while self._waiting:
                frame = self._waiting.pop(next(iter(self._waiting)))
                self._taken.set()
                yield frame

    async def room(self) -> None:
        """Returns when the client has read half of what may wait, or is to be cut off."""
        while self.code == 1000 and len(self._waiting) >= self._most // 2:
            self._taken.clear()
            await self._taken.wait()

    def put(self, frame: bytes, about: Hashable = None) -> None:
        """`about`: what a later frame with the same may take the place of; None: nothing may."""
        if self.code != 1000:
            return
        crowded = len(self._waiting) >= self._most // 4
        if about is not None and crowded:
            self._waiting.pop(about, None)  # the newer one goes to the end, so that `seq` rises
        if len(self._waiting) >= self._most:
            self.close(OVERFLOWED)
            return
        if about is None or about in self._waiting:
            self._number += 1
            about = self._number
        self._waiting[about] = frame
        self._arrived.set()

    def close(self, code: int) -> None:
        if self.code == 1000:
            self.code = code
            self._waiting.clear()
            self._arrived.set()
            self._taken.set()

    def offer(self, execution_id: str, seq: int, frame: bytes, about: Hashable = None) -> None:
        """A live frame of an execution that it has subscribed to, in order and once."""
        held = self.held.get(execution_id)
        if held is not None:
            if len(held) >= self._most:
                self.close(OVERFLOWED)
            else:
                held.append((seq, frame))
        elif seq > self.seen.get(execution_id, 0):
            self.seen[execution_id] = seq
            self.put(frame, about)


class Hub:
    """All connections of this process. A topic is `execution:`, `workflow:` or `project:` with an id."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Connection]] = {}
        self._connections: set[Connection] = set()

    def add(self, connection: Connection) -> None:
        self._connections.add(connection)
        _connections.set(len(self._connections))

    def remove(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for topic in list(connection.topics):
            self.unsubscribe(connection, topic)
        _connections.set(len(self._connections))

    def subscribe(self, connection: Connection, topic: str) -> None:
        connection.topics.add(topic)
        self._topics.setdefault(topic, set()).add(connection)

    def unsubscribe(self, connection: Connection, topic: str) -> None:
        connection.topics.discard(topic)
        listeners = self._topics.get(topic)
        if listeners is not None:
            listeners.discard(connection)
            if not listeners:
                del self._topics[topic]

    def close_all(self) -> None:
        for connection in self._connections:
            connection.close(RESTARTS)

    @property
    def empty(self) -> bool:
        return not self._connections

    async def execution_event(self, envelope: Envelope) -> None:
        body = envelope.body
        if not self._topics or not isinstance(body, ExecutionChanged):
            return
        watching = self._topics.get(f"execution:{body.execution_id}", ())
        beside = self._of((f"workflow:{body.workflow_id}", f"project:{body.project_id}")).difference(watching)
        if not watching and not beside:
            return
        for change in body.changes:
            frame = frame_of(change, body.execution_id, body.workflow_id, body.project_id)
            about = None
            if isinstance(change, NodeExecuting | NodeFinished):
                about = (body.execution_id, change.node)
            for connection in watching:
                if body.project_id in connection.projects:
                    connection.offer(body.execution_id, change.seq, frame, about)
            for connection in beside:
                if body.project_id in connection.projects:
                    connection.put(frame, about)

    async def workflow_event(self, envelope: Envelope) -> None:
        event = envelope.body
        kinds = {
            WorkflowUpdated: "workflow.updated",
            WorkflowPublished: "workflow.activated",
            WorkflowUnpublished: "workflow.deactivated",
            WorkflowDeleted: "workflow.deleted",
        }
        kind = kinds.get(type(event))
        if kind is not None and self._topics:
            data = {"workflow_id": event.workflow_id, "project_id": event.project_id, "name": event.name}  # type: ignore[union-attr]
            self._tell(kind, data, event.at)  # type: ignore[union-attr]

    async def identity_event(self, envelope: Envelope) -> None:
        """Whoever may see less, or more, comes again and is asked anew."""
        event = envelope.body
        if isinstance(event, IdentityChanged) and event.action in ("membership", "signed_out"):
            for connection in self._connections:
                if connection.user == event.user_id:
                    connection.close(RESTARTS)

    def signal(self, signal: Signal) -> None:
        if isinstance(signal, TestCallReceived) and self._topics:
            data = {
                "workflow_id": signal.workflow_id,
                "project_id": signal.project_id,
                "node": signal.node,
                "execution_id": signal.execution_id,
            }
            self._tell("webhook.test.received", data, signal.at)

    def presence(self, workflow_id: str, project_id: str, people: list[dict[str, Any]]) -> None:
        """Who has a workflow open, to those who have subscribed to it and may read it; a newer list takes the place
        of one that waits."""
        data = {"workflow_id": workflow_id, "project_id": project_id, "people": people}
        at = _moment(time.time_ns() // 1000)
        frame = orjson.dumps({"type": "presence.changed", "data": data, "timestamp": at})
        for connection in self._of((f"workflow:{workflow_id}",)):
            if project_id in connection.projects:
                connection.put(frame, ("presence", workflow_id))

    def _tell(self, kind: str, data: dict[str, str], at: int) -> None:
        listeners = self._of((f"workflow:{data['workflow_id']}", f"project:{data['project_id']}"))
        if listeners:
            frame = orjson.dumps({"type": kind, "data": data, "timestamp": _moment(at)})
            for connection in listeners:
                if data["project_id"] in connection.projects:
                    connection.put(frame)

    def _of(self, names: Iterable[str]) -> set[Connection]:
        found: set[Connection] = set()
        for name in names:
            found |= self._topics.get(name, set())
        return found

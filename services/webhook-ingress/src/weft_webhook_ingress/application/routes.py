"""The projection of all production routes: a snapshot, then events, and a question where a path is unknown."""

import asyncio
import logging
import time
from typing import Final

import msgspec
from weft_contracts.errors import WeftError
from weft_contracts.messages import (
    Envelope,
    Route,
    WorkflowDeleted,
    WorkflowEvent,
    WorkflowPublished,
    WorkflowUnpublished,
)
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_contracts.rpc.workflow_store import Workflows

from weft_webhook_ingress.domain.hook import Hook, Owner, compile_hook
from weft_webhook_ingress.domain.table import Found, RouteTable

log = logging.getLogger("weft.ingress")

UNKNOWN_SECONDS: Final = 1.0
MOST_UNKNOWN: Final = 10_000
REFRESH_SECONDS: Final = 60.0


class Routes:
    def __init__(self, workflows: Workflows, origin: str) -> None:
        self._workflows = workflows
        self._origin = origin
        self.table = RouteTable()
        self._unknown: dict[tuple[str, str], float] = {}
        self.loaded = False

    async def load(self) -> None:
        """The snapshot. Raises UNAVAILABLE."""
        before = self.table.known()
        answer = await self._workflows.ListRoutes(pb.ListRoutesRequest())
        hooks: dict[tuple[str, int], list[Hook]] = {}
        for row in answer.routes:
            hooks.setdefault((row.workflow_id, row.seq), []).append(self._hook(row))
        for (workflow_id, seq), found in hooks.items():
            self.table.replace(workflow_id, seq, found)
        self.table.retain(before, [workflow_id for workflow_id, _ in hooks])
        self.loaded = True

    async def keep(self) -> None:
        """For ever: a lost event is made good within REFRESH_SECONDS."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.load()
            except WeftError as error:
                log.warning("routes can't be refreshed: %s", error.message)
            except Exception:
                log.exception("routes can't be refreshed")

    async def changed(self, envelope: Envelope) -> None:
        event = envelope.body
        if isinstance(event, WorkflowPublished):
            owner = Owner(event.workflow_id, event.project_id, event.version_id)
            self._replace(event, [compile_hook(route, owner, self._origin) for route in event.routes])
        elif isinstance(event, WorkflowUnpublished | WorkflowDeleted):
            self._replace(event, [])

    def _replace(self, event: WorkflowEvent, hooks: list[Hook]) -> None:
        self.table.replace(event.workflow_id, event.seq, hooks)
        self._unknown.clear()

    async def find(self, method: str, path: str) -> Found | None:
        """Asks the store once a second about an address that is not known."""
        found = self.table.find(method, path)
        if found is not None:
            return found
        now = time.monotonic()
        key = (method, path)
        if self._unknown.get(key, 0.0) > now:
            return None
        answer = await self._workflows.ListRoutes(pb.ListRoutesRequest(method=method, path=path))
        for row in answer.routes:
            self.table.add(self._hook(row), row.seq)
        found = self.table.find(method, path)
        if found is None:
            if len(self._unknown) >= MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[key] = now + UNKNOWN_SECONDS
        return found

    def _hook(self, row: pb.Route) -> Hook:
        owner = Owner(row.workflow_id, row.project_id, row.version_id)
        return compile_hook(msgspec.json.decode(row.route, type=Route), owner, self._origin)

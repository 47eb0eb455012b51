"""A scheduler on PostgreSQL and the in-process bus; the workflow store is played."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope, ScheduleRule, StartExecution, WorkflowPublished
from weft_contracts.pb import auth_pb2, workflow_store_pb2
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.scheduler import Schedules
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.database.migrate import migrate
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals.memory import MemorySignals
from weft_scheduler.adapters.postgres import PostgresSchedules
from weft_scheduler.bootstrap import SchedulerService, build
from weft_scheduler.settings import SchedulerSettings


class Played:
    """The workflow store and auth."""

    def __init__(self) -> None:
        self.schedules: list[workflow_store_pb2.Schedule] = []

    async def ListSchedules(
        self, request: workflow_store_pb2.ListSchedulesRequest
    ) -> workflow_store_pb2.ListSchedulesResponse:
        return workflow_store_pb2.ListSchedulesResponse(schedules=self.schedules)

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        return auth_pb2.ListProjectsResponse(projects=[auth_pb2.Project(id="p1")])


class World:
    """`starts`: what was submitted, by whichever scheduler. `refuse`: the bus takes nothing."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.dsn = dsn
        self.home = home
        self.played = Played()
        self.bus = MemoryBus()
        self.rpc = LocalRpc()
        self.rpc.register({Workflows: self.played, Access: self.played})
        self.starts: list[StartExecution] = []
        self.refuse = False
        self.databases: list[Database] = []
        self.services: list[SchedulerService] = []
        self.bus.submit = self._submit  # type: ignore[method-assign]

    def _submit(self, topic: str, envelope: Envelope, partition: int | None = None) -> "asyncio.Future[None]":
        assert topic == topics.EXECUTION_COMMANDS
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.refuse:
            done.set_exception(WeftError(ErrorCode.UNAVAILABLE, "busy"))
            return done
        assert isinstance(envelope.body, StartExecution)
        self.starts.append(envelope.body)
        done.set_result(None)
        return done

    def scheduler(self, **settings: Any) -> SchedulerService:
        """One more process of the service."""
        database = Database(self.dsn)
        self.databases.append(database)
        infra = Infra(
            f"i{len(self.services)}",
            self.home,
            self.bus,
            MemorySignals(),
            MemoryCache(),
            FolderBlobs(self.home),
            self.rpc,
            database,
        )
        made = build(SchedulerSettings(**settings), infra)
        self.rpc.register(made.servicers)
        self.services.append(made)
        return made

    @property
    def table(self) -> PostgresSchedules:
        return PostgresSchedules(self.databases[0])

    @property
    def listed(self) -> Any:
        return self.rpc.client(Schedules)

    async def publish(self, *rules: ScheduleRule, workflow: str = "w1", seq: int = 1, **more: Any) -> None:
        values = {"version_id": "v1", "timezone": "UTC", **more}
        event = WorkflowPublished(workflow, values.pop("project_id", "p1"), seq, schedules=rules, **values)
        await self.services[0]._clock.changed(Envelope("x", event))

    def row(self, rule: ScheduleRule, workflow: str = "w1", seq: int = 1) -> workflow_store_pb2.Schedule:
        return workflow_store_pb2.Schedule(
            workflow_id=workflow, project_id="p1", version_id="v1", seq=seq, timezone="UTC",
            rule=msgspec.json.encode(rule),
        )  # fmt: skip

    async def close(self) -> None:
        for service in self.services:
            await service.stop()
        for database in self.databases:
            await database.close()


@pytest.fixture
async def world(pg_dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    await migrate(pg_dsn, "weft_scheduler", "scheduler")
    made = World(pg_dsn, tmp_path)
    made.scheduler()
    yield made
    await made.close()

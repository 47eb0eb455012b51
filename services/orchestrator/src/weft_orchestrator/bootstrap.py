"""The one file of the orchestrator that knows concrete classes."""

import asyncio
import contextlib
from collections.abc import Mapping

from weft_contracts import topics
from weft_contracts.messages import Envelope, Heartbeat
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.statistics import Statistics
from weft_contracts.rpc.workflow_store import StaticData, Workflows
from weft_kit.identity.access import AccessPolicy
from weft_kit.outbox import Outbox
from weft_kit.service import AsgiApp, Infra
from weft_node_sdk.catalogue import Catalogue

from weft_orchestrator.adapters.postgres_commits import PostgresCommits
from weft_orchestrator.adapters.postgres_counts import PostgresCounts
from weft_orchestrator.adapters.postgres_executions import PostgresExecutions
from weft_orchestrator.adapters.postgres_queries import PostgresQueries
from weft_orchestrator.adapters.postgres_retention import PostgresRetention
from weft_orchestrator.adapters.postgres_shards import PostgresShards
from weft_orchestrator.adapters.versions import StoredVersions
from weft_orchestrator.application.counting import Counting
from weft_orchestrator.application.keeper import Keeper
from weft_orchestrator.application.owner import Owner
from weft_orchestrator.application.retention import Retention
from weft_orchestrator.application.starts import Starts
from weft_orchestrator.application.sweeper import Sweeper
from weft_orchestrator.entrypoints.follow_up import FollowUp
from weft_orchestrator.entrypoints.grpc import ExecutionsServicer
from weft_orchestrator.entrypoints.statistics import StatisticsServicer
from weft_orchestrator.settings import OrchestratorSettings

SEEN_SECONDS = 10.0


class OrchestratorService:
    name = "orchestrator"
    asgi: AsgiApp | None = None

    def __init__(
        self,
        servicers: Mapping[type, object],
        owner: Owner,
        keeper: Keeper,
        outbox: Outbox,
        commits: PostgresCommits,
        shards: PostgresShards,
        counting: Counting,
        sweeper: Sweeper,
        retention: Retention,
    ) -> None:
        self.servicers = servicers
        self._counting = counting
        self._owner = owner
        self._keeper = keeper
        self._outbox = outbox
        self._commits = commits
        self._shards = shards
        self._sweeper = sweeper
        self._retention = retention
        self._loops: list[asyncio.Task[None]] = []

    async def heartbeat(self, envelope: Envelope) -> None:
        if isinstance(envelope.body, Heartbeat):
            self._owner.heard(envelope.body)

    async def start(self) -> None:
        await self._keeper.start()
        await self._outbox.start()
        self._counting.start()
        loops = (self._renew_runners(), self._sweeper.run(), self._retention.run())
        self._loops = [asyncio.create_task(each) for each in loops]

    async def drain(self) -> None:
        await self._keeper.drain()

    async def stop(self) -> None:
        for task in self._loops:
            task.cancel()
        await self._counting.stop()
        await self._keeper.stop()
        await self._outbox.stop()
        await self._commits.close()

    def ready(self) -> str:
        return self._keeper.ready()

    async def _renew_runners(self) -> None:
        while True:
            await asyncio.sleep(SEEN_SECONDS)
            with contextlib.suppress(Exception):  # next time; a partition is kept for longer than that
                await self._shards.runners_seen(list(self._owner.dispatcher.fleet.runners))


def build(settings: OrchestratorSettings, infra: Infra) -> OrchestratorService:
    workflows = infra.rpc.client(Workflows)
    versions = StoredVersions(workflows, Catalogue.load())
    executions = PostgresExecutions(infra.database)
    counts = PostgresCounts(infra.database)
    queries = PostgresQueries(infra.database, infra.blobs)
    shards = PostgresShards(infra.database)
    commits = PostgresCommits(infra.database)
    outbox = Outbox("orchestrator", infra.bus, infra.database)
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    owner = Owner(
        infra.bus,
        infra.signals,
        commits,
        executions,
        versions,
        lease=settings.lease_seconds,
        commit_delay=settings.commit_delay_ms / 1000,
        memory=settings.memory_executions,
        exclusive=settings.exclusive,
    )
    owner.committer.on_outbox = outbox.wake
    starts = Starts(
        infra.bus,
        infra.blobs,
        versions,
        workflows,
        owner.transitions.waiters,
        settings.timezone,
        settings.public_origin,
    )
    after = FollowUp(
        starts, queries, executions, workflows, infra.rpc.client(StaticData), settings.public_origin
    )
    keeper = Keeper(
        owner,
        shards,
        executions,
        after.follow_up,
        instance=infra.instance,
        exclusive=settings.exclusive,
    )
    sweeper = Sweeper(infra.blobs, queries)
    retention = Retention(
        PostgresRetention(infra.database), sweeper, settings.retention_days, settings.retention_failed_days
    )
    servicers: dict[type, object] = {
        Executions: ExecutionsServicer(
            starts, queries, executions, shards, workflows, policy, sweeper, outbox
        ),
        Statistics: StatisticsServicer(counts, policy),
    }
    service = OrchestratorService(
        servicers, owner, keeper, outbox, commits, shards, Counting(counts), sweeper, retention
    )
    infra.bus.subscribe(topics.WORKFLOW_EVENTS, starts.workflow_event, "orchestrator")
    infra.bus.subscribe(topics.RUNNER_HEARTBEATS, service.heartbeat, None)
    return service

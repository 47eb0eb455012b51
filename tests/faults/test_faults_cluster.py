"""kill -9 of each process of the distributed form, its broker, its database, its cache, under load."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from weft_kit.testing.servers import Kafka, Postgres, Redis

from tests.faults.invariants import check
from tests.faults.ledger import Ledger, Table
from tests.faults.workflows import HELD, RETRIES, Hold, install
from tests.harness.cluster import Cluster, Member
from tests.harness.load import Calls, drive
from tests.harness.stub import Stub
from tests.harness.user import User

Server = Redis | Postgres | Kafka
pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
KINDS = ["pure", "safe", "unsafe", "wait"]
RATE = 50.0
SETTLE_SECONDS = 120.0
PATIENT_SECONDS = 900.0
"""In a long run: who starves on a loaded machine isn't stuck."""


@dataclass
class Site:
    """A cluster with its workflows, and everything that was ever accepted there."""

    cluster: Cluster
    stub: Stub
    user: User
    workflows: dict[str, str]
    table: Table
    calls: Calls = field(default_factory=Calls)
    hold: Hold = field(default_factory=Hold)
    started: int = 0
    patience: float = SETTLE_SECONDS

    def under_load(self, name: str, fault: Callable[[], None], count: int = 200) -> None:
        """`fault` runs in the middle of `count` calls, with what is held besides, and returns once everything is up
        again."""
        ledger = Ledger(self.cluster.postgres.dsn)

        def strike(held: set[str]) -> tuple[int, float]:
            in_flight = ledger.unfinished(list(self.calls.accepted.values()))
            began = time.monotonic()
            fault()
            # those that are held take their time by themselves
            ledger.settle([each for each in in_flight if each not in held], self.patience)
            return len(in_flight), time.monotonic() - began

        async def both() -> tuple[int, float]:
            held = await self.hold.bring(self.cluster.base, self.calls, self.started)
            first = self.started + RETRIES * HELD
            self.started = first + count
            load = asyncio.create_task(drive(self.cluster.base, KINDS, count, RATE, self.calls, first=first))
            await asyncio.sleep(count / RATE / 4)
            seen = await asyncio.to_thread(strike, held)
            await load
            return seen

        seen = asyncio.run(both())
        self.settled()
        self.table.add(name, *seen)

    @property
    def servers(self) -> list[Server]:
        return [self.cluster.redis, self.cluster.postgres, self.cluster.kafka]

    def settled(self) -> None:
        """The invariants hold over all that was accepted so far."""
        Ledger(self.cluster.postgres.dsn).settle(list(self.calls.accepted.values()), self.patience)
        check(self.user, self.workflows, self.calls, self.stub, self.patience)

    def again(self, *members: Member) -> None:
        """Kills them all, then starts them."""
        for member in members:
            member.kill()
        for member in members:
            member.launch(self.cluster.environment)
        for member in members:
            member.wait()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    stub = Stub()
    cluster = Cluster(
        tmp_path_factory.mktemp("faults") / "home",
        allow=stub.address,
        replicas={"scheduler": 2},
        WEFT_ACCESS_TOKEN_MINUTES="600",
    )
    try:
        cluster.start()
        user = User(cluster.base).register()
        for table in Table().written(Path("build") / "faults.md"):
            site = Site(cluster, stub, user, install(user, stub, 500), table)
            if request.config.getoption("--long"):
                site.patience = PATIENT_SECONDS
            yield site
    finally:
        cluster.close()
        stub.close()


@pytest.mark.parametrize(
    "service",
    [
        "auth",
        "workflow-store",
        "orchestrator",
        "node-runner",
        "scheduler",
        "webhook-ingress",
        "realtime",
        "gateway",
    ],
)
def test_nothing_is_lost_when_a_service_is_killed(site: Site, service: str) -> None:
    member = site.cluster.of(service)[0]
    site.under_load(f"kill -9 {service}", lambda: site.again(member))


def test_nothing_is_lost_when_all_orchestrators_are_killed(site: Site) -> None:
    site.under_load("kill -9 of both orchestrators", lambda: site.again(*site.cluster.of("orchestrator")))


def test_nothing_is_lost_when_all_runners_are_killed(site: Site) -> None:
    site.under_load("kill -9 of both node-runners", lambda: site.again(*site.cluster.of("node-runner")))


@pytest.mark.parametrize("server", ["redis", "postgres", "kafka"])
def test_nothing_is_lost_when_a_server_is_killed(site: Site, server: str) -> None:
    running = dict(zip(("redis", "postgres", "kafka"), site.servers, strict=True))
    site.under_load(f"kill -9 {server}", running[server].restart)


def test_while_the_database_is_down_callers_are_told_when_to_come_back(site: Site) -> None:
    def down() -> None:
        site.cluster.postgres.kill()
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            told.append(site.user.call("GET", "/workflows"))
        site.cluster.postgres.start()

    told: list[httpx.Response] = []
    before = site.calls.refusals.copy()
    site.under_load("PostgreSQL 20 s down", down, 400)
    assert {answer.status_code for answer in told} == {503}, {answer.text for answer in told}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in told)
    assert set(site.calls.refusals - before) <= {503}
    assert not site.calls.unadvised


def test_nothing_is_lost_when_anything_is_killed_at_random(
    site: Site, request: pytest.FixtureRequest
) -> None:
    long = request.config.getoption("--long")
    seed = random.randrange(1_000_000) if long else 7
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(60 if long else 2):
        members = rng.sample(site.cluster.members, 2)
        servers = rng.sample(site.servers, rng.randrange(2))

        def strike(members: list[Member] = members, servers: list[Server] = servers) -> None:
            for server in servers:
                server.restart()
            site.again(*members)

        names = [member.name for member in members] + [type(server).__name__ for server in servers]
        site.under_load("kill -9 " + ", ".join(names), strike)

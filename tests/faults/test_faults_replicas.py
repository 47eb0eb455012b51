"""Two of each service: rolling restarts that nobody notices, a runner that was frozen, clocks that die."""

import asyncio
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.invariants import check
from tests.faults.ledger import Ledger, Table
from tests.faults.workflows import install
from tests.harness.cluster import Cluster, Member
from tests.harness.flows import chain, edit, node, request, webhook
from tests.harness.load import Calls, drive
from tests.harness.stub import Stub
from tests.harness.user import FINAL, User, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
KINDS = ["pure", "safe", "unsafe", "wait", "answer"]
ROLLED = ["orchestrator", "node-runner", "auth", "workflow-store", "webhook-ingress", "gateway"]
RATE = 25.0


@dataclass
class Site:
    cluster: Cluster
    stub: Stub
    user: User
    workflows: dict[str, str]
    table: Table
    calls: Calls = field(default_factory=Calls)
    reads: Counter[str] = field(default_factory=Counter)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.cluster.postgres.dsn)

    async def _read(self, over: asyncio.Event) -> None:
        """A person at work: reads and writes, one after the other."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=self.cluster.base, timeout=30, limits=limits) as client:
            client.headers.update(self.user.http.headers)
            while not over.is_set():
                for method, path in [
                    ("GET", "/workflows"),
                    ("GET", "/executions?limit=5"),
                    ("GET", "/auth/me"),
                    ("POST", "/workflows"),
                ]:
                    body = {"name": "made meanwhile", "nodes": [], "connections": {}}
                    json = body if method == "POST" else None
                    try:
                        answer = await client.request(method, f"/api/v1{path}", json=json)
                        seen = (
                            "ok" if answer.is_success else f"{path} {answer.status_code} {answer.text[:200]}"
                        )
                    except httpx.HTTPError as error:
                        seen = f"{path} {error!r}"
                    self.reads[seen] += 1

    async def during(self, work: Any) -> None:
        """Webhook calls and a person's, until `work` (in a thread) is done."""
        over = asyncio.Event()
        reading = asyncio.create_task(self._read(over))
        working = asyncio.create_task(asyncio.to_thread(work))
        first = 0
        while not working.done():
            await drive(self.cluster.base, KINDS, int(RATE), RATE, self.calls, first=first, keep_alive=False)
            first += int(RATE)
        over.set()
        await reading
        await working


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    stub = Stub()
    home = tmp_path_factory.mktemp("replicas") / "home"
    cluster = Cluster(home, allow=stub.address, replicas=dict.fromkeys([*ROLLED, "scheduler"], 2))
    try:
        cluster.start()
        user = User(cluster.base).register()
        workflows = install(user, stub)
        workflows["answer"] = user.import_workflow(
            chain(
                "answer", webhook("answer"), request("Get", f"{stub.base}/delay?ms=20"), edit("E", {"a": 1})
            )
        )
        assert user.ready_hook("answer", json={"n": "first"}).is_success
        for table in Table().written(Path("build") / "faults-replicas.md"):
            yield Site(cluster, stub, user, workflows, table)
    finally:
        cluster.close()
        stub.close()


def test_a_rolling_restart_fails_no_request(site: Site, request: pytest.FixtureRequest) -> None:
    """One of each of the six services at once, then the other. With `--long` each of the twelve in its turn, too."""
    waves = [[site.cluster.of(service)[number] for service in ROLLED] for number in (0, 1)]
    if request.config.getoption("--long"):
        waves += [[member] for wave in waves for member in wave]

    def roll() -> None:
        for wave in waves:
            site.cluster.roll(*wave)

    asyncio.run(site.during(roll))
    assert (site.calls.lost, dict(site.calls.refusals)) == (0, {})
    assert set(site.reads) == {"ok"}, site.reads
    recovery = site.ledger.settle(list(site.calls.accepted.values()), 120)
    check(site.user, site.workflows, site.calls, site.stub, 120)
    rows = [row for workflow in site.workflows.values() for row in site.user.executions(workflow)]
    assert [row["error"] for row in rows if row["status"] != "success"] == []
    site.table.add("rolling restart of 12 processes", len(site.calls.accepted), recovery)


def _rows(site: Site, workflows: list[str]) -> list[tuple[Any, ...]]:
    query = (
        "SELECT n.* FROM orchestrator.node_runs n JOIN orchestrator.executions e ON e.id = n.execution_id "
        "WHERE e.workflow_id = ANY($1::text[]) ORDER BY n.execution_id, n.seq"
    )
    return site.ledger.rows(query, workflows)


def test_a_runner_that_was_frozen_past_its_lease_changes_nothing(site: Site) -> None:
    stub, user = site.stub, site.user
    kinds = {"frozen-get": "GET", "frozen-post": "POST"}
    workflows = {}
    for name, method in kinds.items():
        key = f"{name}-{{{{ $('Webhook').item.json.body.n }}}}"
        call = request("Call", f"={stub.base}/delay?ms=1500&key={key}", method)
        workflows[name] = user.import_workflow(
            chain(name, webhook(name, "onReceived"), call, edit("After", {"done": True}))
        )
        assert user.ready_hook(name, json={"n": "first"}).is_success
        user.finished(workflows[name])
    for n in range(20):
        for name in kinds:
            assert user.hook(name, json={"n": n}).is_success
    begun = [f"{name}-{n}" for name in kinds for n in range(20)]
    until(lambda: all(stub.calls[key] for key in begun), 30, "the calls")
    frozen = site.cluster.of("node-runner")[0]
    frozen.signal(signal.SIGSTOP)
    ended = {name: user.finished(workflow, 21, 60) for name, workflow in workflows.items()}
    assert all(row["status"] == "success" for row in ended["frozen-get"])
    unknown = [row for row in ended["frozen-post"] if row["status"] == "error"]
    assert all(row["error"]["code"] == "OUTCOME_UNKNOWN" for row in unknown)
    again = [key for key in begun if stub.calls[key] == 2]
    assert again, "the frozen runner held nothing"
    assert all(key.startswith("frozen-get-") for key in again)
    rows, position = _rows(site, list(workflows.values())), _results(site)
    frozen.signal(signal.SIGCONT)
    # What it held is told now: one message at least for each, and all are taken in.
    until(lambda: _results(site) >= position + len(again) + len(unknown), 60, "the late results")
    assert _rows(site, list(workflows.values())) == rows
    assert all(stub.calls[key] == (2 if key in again else 1) for key in begun)
    late = user.import_workflow(chain("late", webhook("late"), edit("E", {"a": 1})))
    assert all(user.ready_hook("late", json={}).is_success for _ in range(20))
    assert {row["status"] for row in user.finished(late, 20)} == {"success"}
    site.table.add("runner frozen past its lease, then woken", len(begun), 0.0)


def _results(site: Site) -> int:
    """How many results the orchestrators have taken in."""
    return int(site.ledger.rows("SELECT sum(results_pos)::bigint FROM orchestrator.shards")[0][0])


def test_a_schedule_fires_once_a_tick_while_schedulers_die(
    site: Site, request: pytest.FixtureRequest
) -> None:
    ticks_wanted = 300 if request.config.getoption("--long") else 8
    rng, user = random.Random(11), site.user
    rule = {"rule": {"interval": [{"field": "seconds", "secondsInterval": 1}]}}
    workflow = user.import_workflow(
        chain("ticks", node("Clock", "scheduleTrigger", rule, 1.2), edit("Mark", {"a": 1}))
    )
    until(lambda: len(user.executions(workflow)) >= 2, 30, "two ticks")
    over = threading.Event()

    def kill_and_start() -> None:
        while not over.is_set():
            victim: Member = rng.choice(site.cluster.of("scheduler"))
            victim.kill()
            victim.launch(site.cluster.environment)
            victim.wait()

    killing = threading.Thread(target=kill_and_start)
    killing.start()
    try:
        until(lambda: len(user.executions(workflow)) >= 2 + ticks_wanted, ticks_wanted * 5, "more ticks")
    finally:
        over.set()
        killing.join()
    user.data("POST", f"/workflows/{workflow}/deactivate")
    rows = user.finished(workflow)
    assert {row["status"] for row in rows} <= FINAL
    ticks = sorted(int(row["id"].replace("-", "")[:12], 16) for row in rows)
    assert [b - a for a, b in pairwise(ticks)] == [1000] * (len(ticks) - 1)
    site.table.add("schedulers killed at random under a 1 s schedule", len(ticks), 0.0)

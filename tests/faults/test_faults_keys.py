"""The master key is exchanged beside a cluster at work: no run notices, and what is old stays readable."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.invariants import check
from tests.faults.workflows import install
from tests.harness.cluster import Cluster
from tests.harness.flows import chain, code, request, webhook
from tests.harness.load import Calls, drive
from tests.harness.stub import Stub
from tests.harness.user import User, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
KINDS = ["pure", "safe", "unsafe", "wait", "large", "secret"]
RATE = 20
OLD, NEW = "the key of yesterday, long enough", "the key of today, long enough"
BOTH = {"WEFT_MASTER_KEY": NEW, "WEFT_MASTER_KEY_PREVIOUS": OLD}
LARGE = """return Array.from({length: 60}, (_, n) => ({json: {
  n, text: Array.from({length: 2000}, (_, i) => ((n * 2000 + i) * 7919 % 999983).toString(36)).join(),
}}))"""
"""More than the claim check lets pass: a blob."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


@pytest.fixture
def cluster(tmp_path: Path, stub: Stub) -> Iterator[Cluster]:
    replicas = {"orchestrator": 1, "node-runner": 1}
    made = Cluster(tmp_path / "home", allow=stub.address, replicas=replicas, WEFT_MASTER_KEY=OLD)
    try:
        yield made
    finally:
        made.close()


def installed(user: User, stub: Stub) -> dict[str, str]:
    """The workflows of the other suites, one whose items are a blob, one with a credential; kind to id."""
    workflows = install(user, stub)
    workflows["large"] = user.import_workflow(
        chain("large", webhook("large", "onReceived"), code("Large", LARGE))
    )
    login = {"name": "Login", "type": "httpHeaderAuth", "data": {"name": "X-Key", "value": "a secret"}}
    credential = user.data("POST", "/credentials", json=login)
    call = request(
        "Call",
        f"{stub.base}/delay?ms=5",
        credentials={"httpHeaderAuth": {"id": credential["id"], "name": "Login"}},
    )
    call["parameters"] |= {"authentication": "genericCredentialType", "genericAuthType": "httpHeaderAuth"}
    workflows["secret"] = user.import_workflow(chain("secret", webhook("secret", "onReceived"), call))
    for kind in ("large", "secret"):
        assert user.ready_hook(kind, json={}).is_success
    return workflows


async def under_load(base: str, command: list[str], environment: dict[str, str]) -> tuple[str, Calls]:
    """What the command says, begun in the midst of calls that go on until it has ended."""
    calls = Calls()
    await drive(base, KINDS, RATE * 2, RATE, calls)
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    ending = asyncio.create_task(process.communicate())
    first = RATE * 2
    while not ending.done():
        await drive(base, KINDS, RATE, RATE, calls, first=first)
        first += RATE
    output, _ = await ending
    assert process.returncode == 0, output
    return output.decode(), calls


def test_a_rotation_under_load_fails_no_run_and_leaves_all_readable(cluster: Cluster, stub: Stub) -> None:
    cluster.start()
    user = User(cluster.base).register()
    workflows = installed(user, stub)
    (old,) = user.finished(workflows["large"])
    before = user.execution(old["id"])["node_data"]["Large"]
    assert before[0]["counts"] == [60]

    def restart(**keys: str) -> None:
        cluster.stop()
        del cluster.extra["WEFT_MASTER_KEY"]
        cluster.extra.pop("WEFT_MASTER_KEY_PREVIOUS", None)
        cluster.extra |= keys
        cluster.start()

    restart(**BOTH)
    command = [sys.executable, "-m", "weft_cli.main", "keys", "rotate"]
    environment = {**os.environ, **cluster.environment}
    said, calls = asyncio.run(under_load(cluster.base, command, environment))
    assert (calls.lost, dict(calls.refusals)) == (0, {})
    counts: dict[str, Any] = dict(check(user, workflows, calls, stub, 120))
    assert set(counts) == {"success"}
    assert not said.startswith("under the new key now: 0 values"), said
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert again.stdout.startswith("under the new key now: 0 values of the database, 0 blobs")

    restart(WEFT_MASTER_KEY=NEW)
    assert user.execution(old["id"])["node_data"]["Large"] == before
    until(lambda: user.hook("secret", json={}).is_success, 20, "a call")
    rows = user.finished(workflows["secret"])
    assert {row["status"] for row in rows} == {"success"}

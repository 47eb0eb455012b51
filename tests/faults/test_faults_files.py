"""kill -9 while files come in: what was accepted has its files, whole; what was not leaves no execution."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.embedded import Embedded
from tests.harness.flows import flow, node
from tests.harness.user import FINAL, User, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KIND = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def weft(tmp_path: Path) -> Iterator[Embedded]:
    installation = Embedded(tmp_path / "home")
    yield installation
    installation.close()


@pytest.mark.parametrize("database", [False, True], ids=["weft", "weft-and-postgres"])
def test_files_outlive_their_process(weft: Embedded, database: bool) -> None:
    weft.start()
    user = User(weft.base).register()
    hook = {"path": "take", "httpMethod": "POST"}
    keep = {"operation": "compress", "outputFormat": "gzip", "binaryPropertyName": "data"}
    nodes = [node("Hook", "webhook", hook, 2), node("Pack", "compression", keep, 1.1)]
    workflow = user.import_workflow(flow("takes", nodes, ("Hook", "Pack")))
    user.ready_hook("take", content=b"first", headers=KIND)
    accepted: dict[str, str] = {}
    for size in (10, 5_000, 70_000, 300_000, 3_000_000):
        data = os.urandom(size)
        answer = user.hook("take", content=data, headers=KIND)
        assert answer.status_code == 200
        accepted[answer.headers["x-weft-execution-id"]] = hashlib.sha256(data).hexdigest()

    def cut_off() -> Iterator[bytes]:
        for part in range(40):
            if part == 20:
                weft.kill(database=database)
            yield bytes(100_000)

    with pytest.raises(httpx.HTTPError):
        user.hook("take", content=cut_off(), headers=KIND)
    weft.start()

    def over() -> bool:
        return all(user.data("GET", f"/executions/{each}")["status"] in FINAL for each in accepted)

    until(over, 60, "the end of every run")
    for execution, digest in accepted.items():
        assert user.data("GET", f"/executions/{execution}")["status"] == "success"
        taken = user.call("GET", f"/executions/{execution}/files", params={"node": "Hook"})
        assert hashlib.sha256(taken.content).hexdigest() == digest
        packed = user.call("GET", f"/executions/{execution}/files", params={"node": "Pack"})
        assert packed.content.startswith(b"\x1f\x8b")
    assert len(user.executions(workflow)) == len(accepted) + 1

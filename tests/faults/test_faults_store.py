"""The blob store goes away and comes back: runs wait, callers with files are told to come again, nothing is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from tests.harness.embedded import Embedded
from tests.harness.flows import code, flow, node
from tests.harness.ports import free_port
from tests.harness.user import FINAL, User, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KIND = {"Content-Type": "application/octet-stream"}
KEYS = {"aws_access_key_id": "weft", "aws_secret_access_key": "a secret of the bucket"}


class Store:
    """moto's server as a process, which can be stopped in the midst: connections are taken, nothing is answered."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **KEYS)
        until(self._answers, 30, "the start of the store")
        self.client.create_bucket(Bucket="weft")

    def _answers(self) -> bool:
        try:
            self.client.list_buckets()
        except BotoCoreError:
            return False
        return True

    def objects(self) -> int:
        return int(self.client.list_objects_v2(Bucket="weft")["KeyCount"])

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def weft(tmp_path: Path, store: Store) -> Iterator[Embedded]:
    installation = Embedded(
        tmp_path / "home",
        WEFT_BLOB_URL="s3://weft/files",
        WEFT_BLOB_S3_ENDPOINT=store.url,
        WEFT_BLOB_S3_ACCESS_KEY=KEYS["aws_access_key_id"],
        WEFT_BLOB_S3_SECRET_KEY=KEYS["aws_secret_access_key"],
    )
    yield installation
    installation.close()


LARGE = "return [{json: {text: Array.from({length: 200000}, (_, i) => (i * 7919 % 999983).toString(36)).join()}}];"


def test_runs_wait_for_the_store_and_files_are_read_from_it(weft: Embedded, store: Store) -> None:
    weft.start()
    user = User(weft.base).register()
    take = node("Take", "webhook", {"path": "take", "httpMethod": "POST"}, 2)
    keep = {"operation": "compress", "outputFormat": "gzip", "binaryPropertyName": "data"}
    user.import_workflow(flow("takes", [take, node("Pack", "compression", keep, 1.1)], ("Take", "Pack")))
    make = node("Make", "webhook", {"path": "make", "httpMethod": "POST"}, 2)
    user.import_workflow(flow("makes", [make, code("Large", LARGE)], ("Make", "Large")))
    data = os.urandom(3_000_000)
    answer = user.ready_hook("take", content=data, headers=KIND)
    execution = answer.headers["x-weft-execution-id"]
    assert user.ready_hook("make", json={}).is_success
    until(lambda: store.objects() >= 3, 60, "file, packed file and large output in the bucket")
    part = user.call(
        "GET",
        f"/executions/{execution}/files",
        params={"node": "Take"},
        headers={"Range": "bytes=1000000-1000099"},
    )
    assert (part.status_code, part.content) == (206, data[1_000_000:1_000_100])
    assert not (weft.home / "blobs").exists()

    store.pause()
    waiting = user.hook("make", json={}).headers["x-weft-execution-id"]
    refused = user.hook("take", content=data, headers=KIND, timeout=120)
    assert refused.status_code == 503
    assert "secret" not in refused.text
    assert user.data("GET", f"/executions/{waiting}")["status"] not in FINAL
    store.resume()

    until(lambda: user.data("GET", f"/executions/{waiting}")["status"] in FINAL, 120, "the end of the run")
    assert user.data("GET", f"/executions/{waiting}")["status"] == "success"
    user.call("DELETE", f"/executions/{execution}")
    before = store.objects()
    assert KEYS["aws_secret_access_key"] not in weft.log.read_text()
    until(lambda: store.objects() < before or before <= 2, 60, "the removal of the files")

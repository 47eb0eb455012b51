"""Large files go through every service without being in its memory, in both forms."""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from tests.harness.cluster import Cluster
from tests.harness.embedded import Embedded
from tests.harness.flows import flow, node
from tests.harness.user import User, until

SIZE = 210 * 1024 * 1024
MOST_GROWTH = 40 * 1024 * 1024
BLOCK = os.urandom(1024 * 1024)


def blocks(size: int) -> Iterator[bytes]:
    for at in range(0, size, len(BLOCK)):
        yield BLOCK[: min(len(BLOCK), size - at)]


def digest(chunks: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()


class Handler(BaseHTTPRequestHandler):
    """GET /N gives N bytes; POST keeps length, digest and content type of what came."""

    protocol_version = "HTTP/1.1"
    sunk: ClassVar[dict[str, tuple[int, str, str]]] = {}

    def do_GET(self) -> None:
        size = int(self.path[1:])
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for chunk in blocks(size):
            self.wfile.write(chunk)

    def do_POST(self) -> None:
        left, found = int(self.headers["Content-Length"]), hashlib.sha256()
        length = left
        while left:
            chunk = self.rfile.read(min(left, 1 << 20))
            left -= len(chunk)
            found.update(chunk)
        Handler.sunk[self.path] = (length, found.hexdigest(), self.headers["Content-Type"])
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def weft(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, remote: str
) -> Iterator[Embedded | Cluster]:
    home = tmp_path_factory.mktemp("binary") / "home"
    started: Embedded | Cluster
    if request.param == "embedded":
        started = Embedded(home, allow=remote)
    else:
        started = Cluster(home, allow=remote, replicas={"orchestrator": 1, "node-runner": 1})
    started.start()
    yield started
    started.stop()
    started.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def owner(weft: Embedded | Cluster, remote: str) -> User:
    user = User(weft.base).register()
    user.http.timeout = httpx.Timeout(120)
    hook = {"httpMethod": "POST", "responseMode": "responseNode"}
    post = {"method": "POST", "sendBody": True}
    form = {"parameters": [{"parameterType": "formBinaryData", "name": "f", "inputDataFieldName": "data"}]}
    user.import_workflow(
        flow(
            "takes",
            [
                node("Hook", "webhook", {**hook, "path": "take", "options": {"rawBody": True}}, 2),
                node("Forms", "webhook", {**hook, "path": "take-form"}, 2),
                node("Write", "readWriteFile", {"operation": "write", "fileName": "copy.bin"}),
                node("Read", "readWriteFile", {"fileSelector": "copy.bin"}),
                node(
                    "Raw",
                    "httpRequest",
                    {
                        **post,
                        "url": f"http://{remote}/raw",
                        "contentType": "binaryData",
                        "inputDataFieldName": "data",
                    },
                    4.2,
                ),
                node(
                    "Form",
                    "httpRequest",
                    {
                        **post,
                        "url": f"http://{remote}/form",
                        "contentType": "multipart-form-data",
                        "bodyParameters": form,
                    },
                    4.2,
                ),
                node("Answer", "respondToWebhook", {"respondWith": "binary"}, 1.1),
            ],
            ("Hook", "Write"),
            ("Forms", "Write"),
            ("Write", "Read"),
            ("Read", "Raw"),
            ("Read", "Form"),
            ("Read", "Answer"),
        )
    )
    gives = {"path": "give", "responseMode": "lastNode", "responseData": "firstEntryBinary"}
    file = {"response": {"response": {"responseFormat": "file"}}}
    user.import_workflow(
        flow(
            "gives",
            [
                node("Hook", "webhook", gives, 2),
                node(
                    "Get",
                    "httpRequest",
                    {"url": f"=http://{remote}/{{{{ $json.query.size }}}}", "options": file},
                    4.2,
                ),
            ],
            ("Hook", "Get"),
        )
    )
    return user


class Memory:
    """Peak memory of the processes that files go through, since `reset`."""

    def __init__(self, weft: Embedded | Cluster) -> None:
        if isinstance(weft, Embedded):
            processes = {"weft": weft.process}
        else:
            names = ("webhook-ingress", "node-runner", "orchestrator", "gateway")
            processes = {member.name: member.process for name in names for member in weft.of(name)}
        self._folders = {name: Path(f"/proc/{each.pid}") for name, each in processes.items() if each}

    def reset(self) -> None:
        for folder in self._folders.values():
            (folder / "clear_refs").write_text("5")
        self._before = self._peaks()

    def growth(self) -> dict[str, int]:
        return {name: peak - self._before[name] for name, peak in self._peaks().items()}

    def _peaks(self) -> dict[str, int]:
        return {
            name: int(line.split()[1]) * 1024
            for name, folder in self._folders.items()
            for line in (folder / "status").read_text().splitlines()
            if line.startswith("VmHWM")
        }


def send(owner: User, size: int, *, as_form: bool, folder: Path) -> tuple[str, str]:
    """Posts a file; the execution's id, and the digest of what came back."""
    if as_form:
        path = folder / "upload"
        with path.open("wb") as file:
            file.writelines(blocks(size))
        with path.open("rb") as file:
            form = {"data": ("up.bin", file, "application/octet-stream")}
            return received(owner, path="/webhook/take-form", files=form)
    kind = {"Content-Type": "application/octet-stream"}
    return received(owner, content=blocks(size), headers=kind)


def received(
    owner: User, method: str = "POST", path: str = "/webhook/take", **options: Any
) -> tuple[str, str]:
    with owner.http.stream(method, path, **options) as answer:
        assert answer.status_code == 200, answer.read()
        return answer.headers.get("x-weft-execution-id", ""), digest(answer.iter_bytes())


def ready(owner: User) -> None:
    def probe() -> bool:
        kind = {"Content-Type": "application/octet-stream"}
        taken = owner.http.post("/webhook/take", content=b"x" * 1_000_000, headers=kind)
        given = owner.http.get("/webhook/give?size=1000000")
        return taken.status_code == given.status_code == 200

    until(probe, 20, "both routes")


@pytest.mark.parametrize("as_form", [False, True], ids=["raw", "form"])
def test_a_large_upload_is_written_sent_on_and_given_back(
    weft: Embedded | Cluster, owner: User, tmp_path: Path, as_form: bool
) -> None:
    ready(owner)
    send(owner, 1_000_000, as_form=as_form, folder=tmp_path)
    Handler.sunk.clear()
    memory = Memory(weft)
    memory.reset()
    expected = digest(blocks(SIZE))
    execution, given_back = send(owner, SIZE, as_form=as_form, folder=tmp_path)
    (tmp_path / "upload").unlink(missing_ok=True)
    assert given_back == expected

    def over() -> bool:
        return owner.data("GET", f"/executions/{execution}")["status"] == "success"

    until(over, 60, "the end of the run")
    assert Handler.sunk["/raw"][:2] == (SIZE, expected)
    length, _, kind = Handler.sunk["/form"]
    assert SIZE < length < SIZE + 1000
    assert kind.startswith("multipart/form-data; boundary=")
    entry = owner.execution(execution)["node_data"]["Forms" if as_form else "Hook"][0]["outputs"][0][0][
        "binary"
    ]["data"]
    assert (entry["bytes"], entry.get("fileName", "")) == (SIZE, "up.bin" if as_form else "")
    address = f"/api/v1/executions/{execution}/files?node=Read&name=data"
    assert received(owner, "GET", address)[1] == expected
    for start in range(3, SIZE - 1000, SIZE // 50):
        part = owner.http.get(address, headers={"Range": f"bytes={start}-{start + 999}"})
        at = start % len(BLOCK)
        assert (part.status_code, part.content) == (206, (BLOCK + BLOCK)[at : at + 1000])
    part = owner.http.get(address, headers={"Range": f"bytes={SIZE - 10}-"})
    assert (part.status_code, len(part.content)) == (206, 10)
    growth = memory.growth()
    assert max(growth.values()) < MOST_GROWTH, growth
    owner.data("DELETE", f"/executions/{execution}")
    until(lambda: not large_blobs(weft), 20, "the removal of the files")


def large_blobs(weft: Embedded | Cluster) -> list[Path]:
    found = (weft.home / "blobs").rglob("*")
    return [path for path in found if path.is_file() and path.stat().st_size >= SIZE]


def test_a_large_download_is_the_answer(weft: Embedded | Cluster, owner: User) -> None:
    ready(owner)
    memory = Memory(weft)
    memory.reset()
    execution, found = received(owner, "GET", f"/webhook/give?size={SIZE}")
    assert found == digest(blocks(SIZE))
    growth = memory.growth()
    assert max(growth.values()) < MOST_GROWTH, growth
    owner.data("DELETE", f"/executions/{execution}")
    until(lambda: not large_blobs(weft), 20, "the removal of the files")

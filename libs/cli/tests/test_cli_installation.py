"""`weft up` and what speaks to it, as processes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from weft_cli.main import cli

from tests.harness.embedded import Embedded
from tests.harness.ports import free_port
from tests.harness.user import User

pytestmark = pytest.mark.integration
ODD = '{ "name":"Round trip", "nodes":[], "connections":{}, "later":[1.0, 1e3] }'
HOOK = {
    "name": "Hook",
    "nodes": [
        {
            "name": "In",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "position": [0, 0],
            "parameters": {"path": "from-the-shell"},
        }
    ],
    "connections": {},
}


def call(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)], env=environment)


def weft(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "weft_cli.main", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    made = Embedded(tmp_path_factory.mktemp("cli") / "home")
    made.start()
    yield made
    code = made.stop()
    made.close()
    assert code == 0  # Ctrl-C is a clean end


@pytest.fixture(scope="module")
def key(installation: Embedded) -> str:
    user = User(installation.base).register()
    made: str = user.data("POST", "/api-keys", json={"name": "shell"})["key"]
    return made


def test_one_weft_for_each_folder(installation: Embedded) -> None:
    second = weft("up", "--port", free_port(), "--home", installation.home)
    assert second.returncode == 3
    assert installation.process is not None
    assert f"process {installation.process.pid}" in second.stderr
    assert installation.healthy()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = weft("up", "--port", port, "--home", tmp_path / "home")
    assert refused.returncode == 3
    assert f"Port {port} is in use" in refused.stderr
    assert not (tmp_path / "home").exists()


def test_workflows_go_in_and_come_out_as_they_were(installation: Embedded, key: str, tmp_path: Path) -> None:
    odd, hook, broken = (tmp_path / name for name in ("odd.json", "hook.json", "broken.json"))
    odd.write_text(ODD)
    hook.write_text(json.dumps([HOOK]))
    broken.write_text("{")
    server = {"WEFT_SERVER": installation.base, "WEFT_API_KEY": key}
    mixed = call("import", odd, broken, "--json", **server)
    assert mixed.exit_code == 1, mixed.stderr
    stored, refused = json.loads(mixed.stdout)
    assert (stored["name"], stored["issues"]) == ("Round trip", [])
    assert refused.keys() == {"file", "error"}

    published = call("import", hook, "--publish", **server)
    assert published.exit_code == 0, published.stderr
    assert "Hook" in published.stdout
    refusal = call("import", odd, "--publish", **server)  # it has no trigger
    assert refusal.exit_code == 1
    assert "trigger" in refusal.stderr

    out = tmp_path / "out"
    exported = call("export", out, "--json", **server)
    assert exported.exit_code == 0, exported.stderr
    files = [Path(name) for name in json.loads(exported.stdout)]
    texts = [file.read_text() for file in files]
    assert texts.count(ODD) == 2
    assert json.dumps(HOOK, separators=(",", ":")) in [
        text.replace(": ", ":").replace(", ", ",") for text in texts
    ]
    assert len({file.name for file in files}) == len(files)
    assert any(file.name.startswith("round-trip-") for file in files)


def test_a_server_that_is_not_there_is_3(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    result = call("export", tmp_path, WEFT_SERVER=address, WEFT_API_KEY="k")
    assert result.exit_code == 3
    assert "can't be reached" in result.stderr
    file = tmp_path / "odd.json"
    file.write_text(ODD)
    assert call("import", file, WEFT_SERVER=address, WEFT_API_KEY="k").exit_code == 3
    assert call("export", tmp_path, WEFT_API_KEY="").exit_code == 2


@pytest.mark.parametrize("path", ["/nothing", "/webhook"])
def test_an_address_that_is_no_weft_is_3(installation: Embedded, path: str, tmp_path: Path) -> None:
    result = call("export", tmp_path, WEFT_SERVER=installation.base + path, WEFT_API_KEY="k")
    assert result.exit_code == 3
    assert "is no Weft" in result.stderr


def test_a_wrong_key_is_told(installation: Embedded, tmp_path: Path) -> None:
    result = call("export", tmp_path, WEFT_SERVER=installation.base, WEFT_API_KEY="weft_wrong")
    assert result.exit_code == 1
    assert result.stderr.startswith("weft: ")


def test_doctor_sees_a_running_weft(installation: Embedded) -> None:
    result = call("doctor", "--json", WEFT_HOME=str(installation.home), WEFT_PORT=str(installation.port))
    found = {each["name"]: each for each in json.loads(result.stdout)}
    assert found["port"]["state"] == "warning"
    assert found["postgresql"]["state"] == "ok"

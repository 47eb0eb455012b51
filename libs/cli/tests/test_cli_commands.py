"""`weft doctor`, `weft migrate`, the lock, the front door."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from weft_cli.commands import doctor
from weft_cli.embedded.front_door import FrontDoor
from weft_cli.embedded.lock import HomeLock, open_port
from weft_cli.main import cli
from weft_contracts.errors import ErrorCode, WeftError
from weft_expressions.errors import EvaluatorUnavailable


def findings(**environment: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(cli, ["doctor", "--json"], env=environment)
    return result.exit_code, {each["name"]: each for each in json.loads(result.stdout)}


@pytest.fixture
def jail(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the jail lacks, as the test says."""
    lacks: list[str] = []
    monkeypatch.setattr("weft_cli.commands.jail_check.missing", lambda: lacks)
    return lacks


def test_doctor_finds_nothing_wrong_with_a_good_machine(tmp_path: Path, jail: list[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code, found = findings(WEFT_HOME=str(tmp_path / "home"), WEFT_PORT=str(port))
    assert code == 0
    assert {name for name, each in found.items() if each["state"] == "ok"} >= {
        "python",
        "port",
        "postgresql",
        "jail",
    }
    jail.append("seccomp: refused")
    assert findings(WEFT_HOME=str(tmp_path), WEFT_PORT=str(port))[1]["jail"]["state"] == "warning"


def test_doctor_looks_for_programs_that_nodes_run(
    tmp_path: Path, jail: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\necho OpenSSH_8.4p1 >&2\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    code, found = findings(WEFT_HOME=str(tmp_path))
    assert code == 0
    assert (found["ssh"]["state"], found["git"]["state"]) == ("warning", "warning")
    assert found["ssh"]["text"] == "OpenSSH_8.4p1: SSH and SFTP nodes want ssh 8.5 or newer"
    assert found["git"]["text"] == "not installed: Git nodes want git 2.37 or newer"
    (tmp_path / "ssh").write_text("#!/bin/sh\necho OpenSSH_10.0 >&2\n")
    assert findings(WEFT_HOME=str(tmp_path))[1]["ssh"]["state"] == "ok"


def test_doctor_names_what_is_out_of_reach(tmp_path: Path, jail: list[str]) -> None:
    with socket.socket() as silent:  # bound, not listening: connections are refused
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        code, found = findings(
            WEFT_HOME=str(tmp_path),
            WEFT_KAFKA_BROKERS=address,
            WEFT_REDIS_URL=f"redis://user:secret@{address}/0",
            WEFT_DATABASE_URL=f"postgresql://user:secret@{address}/weft",
        )
    assert code == 1
    for name in ("kafka", "redis", "postgresql"):
        assert found[name]["state"] == "problem", found[name]
        assert "secret" not in found[name]["text"]
    assert findings(WEFT_HOME=str(tmp_path), WEFT_KAFKA_BROKERS="a:b")[1]["kafka"]["state"] == "problem"


def test_doctor_explains_in_words(tmp_path: Path, jail: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(cli, ["doctor"], env={"WEFT_HOME": str(tmp_path)})
    assert "python" in result.stdout
    assert "\x1b" not in result.stdout  # colours are for terminals

    def broken() -> list[str]:
        raise EvaluatorUnavailable("no worker")

    monkeypatch.setattr("weft_cli.commands.jail_check.missing", broken)
    code, found = findings(WEFT_HOME=str(tmp_path))
    assert code == 1
    assert found["jail"]["state"] == "problem"


def test_doctor_sees_a_folder_that_is_closed(
    tmp_path: Path, jail: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert findings(WEFT_HOME=str(tmp_path / "home"))[1]["home"]["state"] == "problem"


def test_wrong_settings_are_named_without_a_trace() -> None:
    for command in ("doctor", "migrate"):
        result = CliRunner().invoke(cli, [command], env={"WEFT_PORT": "many"})
        assert result.exit_code == 2
        assert "WEFT_PORT" in result.stderr


def test_migrate_needs_to_know_the_database() -> None:
    result = CliRunner().invoke(cli, ["migrate"], env={"WEFT_DATABASE_URL": ""})
    assert result.exit_code == 3
    assert "WEFT_DATABASE_URL" in result.stderr


@pytest.mark.integration
def test_migrate_brings_every_schema_up(pg_dsn: str) -> None:
    for _ in range(2):
        result = CliRunner().invoke(cli, ["migrate"], env={"WEFT_DATABASE_URL": pg_dsn})
        assert result.exit_code == 0, result.output


def test_help_shows_examples() -> None:
    for command in ("up", "run", "import"):
        result = CliRunner().invoke(cli, [command, "--help"])
        assert f"weft {command}" in result.stdout
    assert CliRunner().invoke(cli, ["--version"]).stdout.startswith("weft")


def test_a_folder_has_one_holder_at_a_time(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    with HomeLock(home):
        assert (home / "lock").read_text() == str(os.getpid())
        assert home.stat().st_mode & 0o077 == 0
        with pytest.raises(WeftError, match=str(os.getpid())) as refused, HomeLock(home):
            pass
        assert refused.value.code is ErrorCode.CONFLICT
    with HomeLock(home):
        pass


def test_a_folder_that_can_not_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WeftError, match="Set WEFT_HOME") as caught, HomeLock(home):
            pass
        assert caught.value.code is ErrorCode.CONFLICT
        assert str(home) in caught.value.message
        result = CliRunner().invoke(cli, ["export", str(home / "out"), "--api-key", "k"])
        assert result.exit_code == 2
        assert str(home) in result.stderr


def test_a_port_is_opened_once() -> None:
    first = open_port("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(WeftError, match=f"Port {port} is in use") as refused:
        open_port("127.0.0.1", port)
    assert refused.value.code is ErrorCode.CONFLICT
    first.close()
    with pytest.raises(WeftError, match="can't be opened"):
        open_port("192.0.2.1", 0)  # no address of this machine


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/webhook/a", "ingress"),
        ("/webhook-test/a", "ingress"),
        ("/form/x", "ingress"),
        ("/api/v1/ws", "realtime"),
        ("/api/v1/wsx", "gateway"),
        ("/api/v1/webhooks", "gateway"),
        ("/", "gateway"),
    ],
)
def test_the_front_door_sends_each_path_to_its_service(path: str, service: str) -> None:
    called: list[str] = []

    def app(name: str) -> Any:
        async def answer(*_: Any) -> None:
            called.append(name)

        return answer

    door = FrontDoor(app("ingress"), app("realtime"), app("gateway"))
    asyncio.run(door({"type": "http", "path": path}, None, None))  # type: ignore[arg-type]
    assert called == [service]


def test_a_service_without_its_settings_is_not_in_a_state_to_run(tmp_path: Path) -> None:
    nothing = {"WEFT_KAFKA_BROKERS": "", "WEFT_REDIS_URL": "", "WEFT_DATABASE_URL": ""}
    command = [sys.executable, "-m", "weft_cli.main", "service", "gateway"]
    environment = {**os.environ, **nothing, "WEFT_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 3
    assert "WEFT_KAFKA_BROKERS is not set" in done.stdout + done.stderr

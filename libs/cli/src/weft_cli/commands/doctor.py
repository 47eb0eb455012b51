"""`weft doctor`: what this machine has and what Weft needs, each with what to do about it."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import click
from weft_contracts.errors import WeftError
from weft_kit.settings import CoreSettings


@dataclass(frozen=True)
class Finding:
    """`state`: ok, warning (it runs, with less) or problem."""

    name: str
    state: str
    text: str


def _python(_settings: CoreSettings) -> Finding:
    version = sys.version.split()[0]
    state = "ok" if sys.version_info >= (3, 11) else "problem"
    return Finding("python", state, f"{version} (3.11 or newer is needed)")


def _home(settings: CoreSettings) -> Finding:
    nearest = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        return Finding("home", "problem", f"{nearest} is not writable; set WEFT_HOME to a folder that is")
    free = shutil.disk_usage(nearest).free / 2**30
    return Finding("home", "ok" if free > 1 else "warning", f"{settings.home}, {free:.1f} GiB free")


def _port(settings: CoreSettings) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.port))
        except OSError as error:
            return Finding(
                "port", "warning", f"{settings.port}: {error.strerror}; Weft may be running already"
            )
    return Finding("port", "ok", f"{settings.port} is free")


def _database(settings: CoreSettings) -> Finding:
    if not settings.database_url:
        from weft_kit.database.embedded import binaries

        try:
            return Finding("postgresql", "ok", f"embedded, {binaries()}")
        except WeftError as error:
            return Finding("postgresql", "problem", error.message)
    return asyncio.run(_remote_database(settings.dsn))


async def _remote_database(dsn: str) -> Finding:
    from weft_kit.database import Database

    database = Database(dsn)
    try:
        version = await (await database.pool()).fetchval("SHOW server_version")
    except (WeftError, OSError) as error:
        return Finding("postgresql", "problem", str(error))
    finally:
        await database.close()
    return Finding("postgresql", "ok", f"server {version}")


def _reachable(name: str, address: str, default_port: int) -> Finding:
    host, _, port = address.rpartition(":") if ":" in address else (address, "", str(default_port))
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=3).close()
    except (OSError, ValueError) as error:
        return Finding(name, "problem", f"{address}: {error}")
    return Finding(name, "ok", address)


def _brokers(settings: CoreSettings) -> list[Finding]:
    found = [
        _reachable("kafka", broker.strip(), 9092)
        for broker in settings.kafka_brokers.split(",")
        if broker.strip()
    ]
    if settings.redis_url:
        parts = urlsplit(settings.redis_url.get_secret_value())
        found.append(_reachable("redis", parts.netloc.rpartition("@")[2], 6379))
    return found


def _jail(_settings: CoreSettings) -> Finding:
    from weft_expressions.errors import EvaluatorUnavailable

    from weft_cli.commands.jail_check import missing

    try:
        lacks = missing()
    except EvaluatorUnavailable as error:
        return Finding("jail", "problem", f"expressions and code can't run: {error}")
    if lacks:
        return Finding("jail", "warning", f"expressions and code run without: {', '.join(lacks)}")
    return Finding("jail", "ok", "expressions and code run with every guard")


def _program(name: str, flag: str, least: tuple[int, int], nodes: str) -> Finding:
    """A program that nodes run; the rest runs without it."""
    needed = f"{nodes} nodes want {name} {least[0]}.{least[1]} or newer"
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [name, flag], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding(name, "warning", f"not installed: {needed}")
    text = (done.stdout or done.stderr).strip()
    version = re.search(r"(\d+)\.(\d+)", text)
    fits = version is not None and (int(version[1]), int(version[2])) >= least
    return Finding(name, "ok" if fits else "warning", text if fits else f"{text}: {needed}")


def _ssh(_settings: CoreSettings) -> Finding:
    return _program("ssh", "-V", (8, 5), "SSH and SFTP")


def _git(_settings: CoreSettings) -> Finding:
    return _program("git", "--version", (2, 37), "Git")


CHECKS: tuple[Callable[[CoreSettings], Finding], ...] = (
    _python,
    _home,
    _port,
    _database,
    _jail,
    _ssh,
    _git,
)


def examine(*, as_json: bool) -> int:
    """0 when nothing is a problem."""
    settings = CoreSettings.load()
    findings = [check(settings) for check in CHECKS] + _brokers(settings)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        colours = {"ok": "green", "warning": "yellow", "problem": "red"}
        for finding in findings:
            mark = click.style(f"{finding.state:8}", fg=colours[finding.state])
            click.echo(f"{mark} {finding.name:11} {finding.text}")
    return 1 if any(finding.state == "problem" for finding in findings) else 0

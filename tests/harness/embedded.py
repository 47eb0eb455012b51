"""The embedded form as a process that tests start, kill and start again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from weft_kit.database.embedded import EmbeddedPostgres, binaries

from tests.harness.ports import answers, free_port


class Embedded:
    """`weft up` on a folder and a port of its own. `allow`: what nodes may call on this machine."""

    form = "embedded"

    def __init__(self, home: Path, *, allow: str = "", **environment: str) -> None:
        self.home = home
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = {"WEFT_NET_ALLOW": allow, "WEFT_LOG_LEVEL": "WARNING", **environment}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home.parent / f"{home.name}.log"

    def start(self, **environment: str) -> float:
        """Seconds until it was healthy."""
        began = time.monotonic()
        self.launch(**environment)
        while not self.healthy():
            assert self.process is not None
            assert self.process.poll() is None, f"weft ended:\n{self.tail()}"
            assert time.monotonic() - began < 180, f"weft is not healthy:\n{self.tail()}"
            time.sleep(0.02)
        return time.monotonic() - began

    def launch(self, **environment: str) -> None:
        """Starts the process and does not wait."""
        env = {**os.environ, **self.environment, **environment}
        env |= {"WEFT_HOME": str(self.home), "WEFT_PORT": str(self.port)}
        command = [sys.executable, "-m", "weft_cli.main", "up"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)

    def healthy(self) -> bool:
        return answers(f"{self.base}/readyz")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def pids(self) -> list[int]:
        """Roots of the process trees that make up the installation."""
        database = self.database.pid()
        return [pid for pid in (self.process.pid if self.process else None, database) if pid]

    def database_client(self) -> str:
        """A psql command line for the installation's database, without the query."""
        return f"{binaries() / 'psql'} -XAtq '{self.database.dsn()}'"

    @property
    def database(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.home / "postgres")

    def kill(self, *, database: bool = False) -> None:
        """kill -9 of Weft, with its database too if asked."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        if database:
            self.database.stop(signal.SIGKILL)

    def died(self, seconds: float) -> bool:
        """Waits for the process to end by itself (a crash point)."""
        assert self.process is not None
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"weft did not stop on Ctrl-C:\n{self.tail()}") from None

    def close(self) -> None:
        """Leaves nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.database.stop(signal.SIGKILL)

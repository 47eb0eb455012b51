"""Databases that nodes are tested against, as processes of this machine."""

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from weft_kit.testing.servers import LOOPBACK, ServerProcess, jars, program


class MariaDb(ServerProcess):
    """MariaDB with a user `weft`, whose password is `secret`, who may do anything in the database `weft`. `tls`: the
    server's certificate and key, as PEM files."""

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        super().__init__(folder)
        self._tls = tls

    @property
    def port(self) -> int:
        return self._port("mariadb")

    def _prepare(self) -> None:
        if (self.folder / "data" / "mysql").exists():
            return
        words = ["mariadb-install-db", *self._settings(), "--auth-root-authentication-method=normal"]
        done = subprocess.run([*words, "--skip-test-db"], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(f"MariaDB's folder could not be made: {done.stdout}{done.stderr}")
        (self.folder / "start.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS weft;\n"
            "CREATE OR REPLACE USER weft@'127.0.0.1' IDENTIFIED BY 'secret';\n"
            "GRANT ALL ON weft.* TO weft@'127.0.0.1';\n"
        )

    def _settings(self) -> list[str]:
        user = ["--user=root"] if os.geteuid() == 0 else []
        small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
        return ["--no-defaults", f"--datadir={self.folder / 'data'}", *user, *small]

    def _command(self) -> Sequence[str]:
        tls = [f"--ssl-cert={self._tls[0]}", f"--ssl-key={self._tls[1]}"] if self._tls else []
        place = [
            f"--port={self.port}",
            f"--bind-address={LOOPBACK}",
            "--skip-name-resolve",
            f"--socket={self.folder / 'socket'}",
        ]
        return [
            program("mariadbd"),
            *self._settings(),
            *place,
            f"--init-file={self.folder / 'start.sql'}",
            *tls,
        ]

    def _ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as probe:
                # its greeting: a packet of the protocol's version 10
                return probe.recv(5)[4:] == b"\x0a"
        except OSError:
            return False


class MongoDb(ServerProcess):
    """What speaks MongoDB's protocol and keeps all in memory; it knows no users, no search indexes and no other
    members. `tls`: the server's certificate and key, as PEM files."""

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        super().__init__(folder)
        self._tls = tls

    @property
    def port(self) -> int:
        return self._port("mongodb")

    def _command(self) -> Sequence[str]:
        libs = jars("mongo")
        flags = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dfolder={self.folder}"]
        tls = [str(path) for path in self._tls or ()]
        return ["java", *flags, "-cp", f"{libs}:{libs}/*", "MongoServer", LOOPBACK, str(self.port), *tls]

    def _ready(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        except OSError:
            return False
        return True

"""PostgreSQL, Kafka and Redis as processes of this machine, each with its data in a folder and on ports that it
keeps. `start` adopts a server that already runs on the folder; `kill` is kill -9; all can be started again.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from weft_kit.database.embedded import EmbeddedPostgres

START_SECONDS: Final = 180.0
LOOPBACK: Final = "127.0.0.1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str, *first: str) -> str:
    """A server's program, which may lie outside a user's PATH. `first`: folders to look in before. Raises
    FileNotFoundError."""
    folders = (*first, os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin")
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise FileNotFoundError(f"{name} is not here; run scripts/install_servers.sh.")
    return found


def jars(server: str) -> Path:
    """Folder of the jars of `kafka` or `mongo`: WEFT_KAFKA_LIBS, WEFT_MONGO_LIBS, else `.run/kafka-libs` and so on of
    the checkout we run from, where `scripts/install_servers.sh` puts them. Raises FileNotFoundError."""
    named = os.environ.get(f"WEFT_{server.upper()}_LIBS")
    roots = (Path.cwd(), *Path.cwd().parents, *Path(__file__).parents)
    for folder in (Path(named),) if named else (root / ".run" / f"{server}-libs" for root in roots):
        if any(folder.glob("*.jar")):
            return folder
    raise FileNotFoundError(f"The jars of {server} are not here; run scripts/install_servers.sh.")


class Postgres:
    """PostgreSQL from the wheel, on a socket in `folder`."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._server = EmbeddedPostgres(folder, settings)
        self.dsn: Final = self._server.dsn()

    @property
    def pid(self) -> int | None:
        return self._server.pid()

    def start(self) -> None:
        self._server.start()
        atexit.register(self.kill)

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.stop(signal.SIGKILL)

    def restart(self) -> None:
        """As after a crash."""
        self.kill()
        self.start()

    def create_database(self, name: str) -> str:
        """The DSN of a new, empty database."""
        self._server.run_psql("postgres", f'CREATE DATABASE "{name}"')
        return self._server.dsn(name)

    def run(self, database: str, script: str) -> None:
        """Runs a script of SQL."""
        self._server.run_psql(database, script)

    @property
    def socket(self) -> Path:
        return self._server.socket_folder / ".s.PGSQL.5432"


class ServerProcess:
    """A server that is one process: how it is started and when it is ready is the subclass's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def _port(self, name: str) -> int:
        """A free port, the same one for ever: who is connected finds the restarted server again."""
        path = self.folder / f"{name}.port"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(str(_free_port()))
        return int(path.read_text())

    @property
    def pid(self) -> int | None:
        """Of the server that runs on the folder, whoever started it."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        try:
            pid = int((self.folder / "pid").read_text())
            return pid if str(self.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes() else None
        except (OSError, ValueError):
            return None

    def start(self) -> None:
        """Returns when it takes requests."""
        if self.pid is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._prepare()
            log_path = self.folder / "server.log"
            log_path.unlink(missing_ok=True)
            with log_path.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 - our own command
                    self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            (self.folder / "pid").write_text(str(self._process.pid))
            atexit.register(self.kill)
        self._await(self._ready)

    def _prepare(self) -> None:
        """Files that the server needs before its start."""

    def _command(self) -> Sequence[str]:
        raise LookupError(f"{type(self).__name__} has no command")

    def _ready(self) -> bool:
        raise LookupError(f"{type(self).__name__} cannot be asked")

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.pid is None or time.monotonic() > deadline:
                tail = (self.folder / "server.log").read_text(errors="replace")[-1500:]
                raise RuntimeError(f"{type(self).__name__} did not start:\n{tail}")
            time.sleep(0.02)

    def send_signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            os.kill(pid, number)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """As after a crash: what the operating system has of the data is there."""
        self.kill()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, how)
        if self._process is not None and self._process.pid == pid:
            self._process.wait(30)
        else:
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.02)
        (self.folder / "pid").unlink(missing_ok=True)


class Redis(ServerProcess):
    """Redis or Valkey without persistence: a restart loses everything, as a cache may."""

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self._port('redis')}/0"

    def _command(self) -> Sequence[str]:
        settings = {"port": str(self._port("redis")), "bind": LOOPBACK, "save": "", "appendonly": "no"}
        # The process title would hide the arguments, by which `pid` knows it.
        settings |= {"dir": str(self.folder), "set-proc-title": "no"}
        return [
            program("redis-server"),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def _ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self._port("redis")), timeout=1) as probe:
                probe.sendall(b"PING\r\n")
                return probe.recv(5) == b"+PONG"
        except OSError:
            return False


KAFKA_SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    # A restart after kill -9 may register only when the dead session is over.
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
    # Small: hundreds of partitions on one machine with little memory.
    "num.network.threads": "2",
    "num.io.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "log.segment.bytes": "67108864",
    "log.index.size.max.bytes": "1048576",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "message.max.bytes": "33554432",
    "log.retention.hours": "24",
}

_LOG4J: Final = """\
Configuration:
  status: WARN
  appenders:
    Console: { name: out, PatternLayout: { pattern: "%d %p %c{1} %m%n" } }
  Loggers:
    Root: { level: WARN, AppenderRef: { ref: out } }
    Logger: [ { name: kafka.server.KafkaRaftServer, level: INFO } ]
"""


class Kafka(ServerProcess):
    """One KRaft broker. Topics are made by who uses them."""

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._port('kafka')}"

    def _java(self, *words: str) -> list[str]:
        flags = [
            "-Xms96m",
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
        ]
        flags += [f"-Dlog4j2.configurationFile={self.folder / 'log4j2.yaml'}", "-cp", f"{jars('kafka')}/*"]
        return ["java", *flags, *words]

    def _prepare(self) -> None:
        controller = f"{LOOPBACK}:{self._port('controller')}"
        settings = {
            **KAFKA_SETTINGS,
            "log.dirs": str(self.folder / "data"),
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
        }
        properties = self.folder / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (self.folder / "log4j2.yaml").write_text(_LOG4J)
        if not (self.folder / "data" / "meta.properties").exists():
            words = ("kafka.tools.StorageTool", "format", "-t", uuid.uuid4().hex[:22], "-c", str(properties))
            done = subprocess.run(self._java(*words), capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                raise RuntimeError(f"Kafka's storage could not be formatted: {done.stdout}{done.stderr}")

    def _command(self) -> Sequence[str]:
        return self._java("kafka.Kafka", str(self.folder / "server.properties"))

    def _ready(self) -> bool:
        return b"Kafka Server started" in (self.folder / "server.log").read_bytes()

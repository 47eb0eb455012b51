"""The distributed form on this machine: Kafka, PostgreSQL, Redis, an edge, and every service a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from weft_kit.database.embedded import binaries
from weft_kit.testing.servers import Kafka, Postgres, Redis

from tests.harness.ports import answers, free_port

REPLICAS: Mapping[str, int] = {
    "auth": 1,
    "workflow-store": 1,
    "orchestrator": 2,
    "node-runner": 2,
    "scheduler": 1,
    "webhook-ingress": 1,
    "realtime": 1,
    "gateway": 1,
}
"""Started in this order."""

EDGE = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
{upstreams}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_read_timeout 1h;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_next_upstream error timeout;
    location ~ ^/(webhook|form) {{ proxy_pass http://webhook-ingress; }}
    location = /api/v1/ws {{ proxy_pass http://realtime; }}
    location / {{ proxy_pass http://gateway; }}
  }}
}}
"""


class Member:
    """One process of one service."""

    def __init__(self, service: str, number: int, folder: Path) -> None:
        self.service = service
        self.name = f"{service}-{number}"
        self.http = free_port()
        self.rpc = free_port()
        self.log = folder / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, environment: Mapping[str, str]) -> None:
        env = {**os.environ, **environment, "WEFT_PORT": str(self.http), "WEFT_RPC_PORT": str(self.rpc)}
        command = [sys.executable, "-m", f"weft_{self.service.replace('-', '_')}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)

    def ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.http}/readyz")

    def wait(self, seconds: float = 180) -> float:
        began = time.monotonic()
        while not self.ready():
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended:\n{self.tail()}"
            assert time.monotonic() - began < seconds, f"{self.name} is not ready:\n{self.tail()}"
            time.sleep(0.05)
        return time.monotonic() - began

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Cluster:
    """`allow`: what nodes may call on this machine. `replicas`: service to number of processes."""

    form = "cluster"

    def __init__(
        self,
        home: Path,
        *,
        allow: str = "",
        port: int = 0,
        replicas: Mapping[str, int] | None = None,
        **extra: str,
    ) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.postgres = Postgres(home / "postgres")
        self.kafka = Kafka(home / "kafka")
        self.redis = Redis(home / "redis")
        counts = {**REPLICAS, **(replicas or {})}
        self.members = [Member(s, n, home) for s, count in counts.items() for n in range(1, count + 1)]
        self.edge: subprocess.Popen[bytes] | None = None
        self.extra = {"WEFT_NET_ALLOW": allow, "WEFT_LOG_LEVEL": "WARNING", **extra}

    def of(self, service: str) -> list[Member]:
        return [member for member in self.members if member.service == service]

    @property
    def environment(self) -> dict[str, str]:
        addresses = {
            f"WEFT_RPC_{service.replace('-', '_').upper()}": ",".join(
                f"127.0.0.1:{m.rpc}" for m in self.of(service)
            )
            for service in REPLICAS
        }
        return {
            "WEFT_HOME": str(self.home / "weft"),
            "WEFT_PUBLIC_URL": self.base,
            "WEFT_DATABASE_URL": self.postgres.dsn,
            "WEFT_KAFKA_BROKERS": self.kafka.bootstrap,
            "WEFT_REDIS_URL": self.redis.url,
            "WEFT_MASTER_KEY": "a master key of the local cluster only",
            "WEFT_CLUSTER_SECRET": "a cluster secret of the local cluster only",
            **addresses,
            **self.extra,
        }

    def start(self, **environment: str) -> float:
        """Seconds until every member was ready; servers that already run are kept."""
        began = time.monotonic()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.start(), (self.postgres, self.kafka, self.redis)))
        for member in self.members:
            if member.process is None or member.process.poll() is not None:
                member.launch({**self.environment, **environment})
        for member in self.members:
            member.wait()
        self._start_edge()
        return time.monotonic() - began

    def _start_edge(self) -> None:
        if self.edge is not None and self.edge.poll() is None:
            return
        config = self._write_edge()
        command = ["nginx", "-e", str(self.home / "nginx.log"), "-c", str(config)]
        self.edge = subprocess.Popen(command, start_new_session=True)

    def _write_edge(self, without: Iterable[Member] = ()) -> Path:
        upstreams = "".join(
            f"  upstream {service} {{ "
            + " ".join(
                f"server 127.0.0.1:{m.http} max_fails=1 fail_timeout=1s;"
                for m in self.of(service)
                if m not in without
            )
            + " }\n"
            for service in ("gateway", "webhook-ingress", "realtime")
        )
        config = self.home / "nginx.conf"
        config.write_text(EDGE.format(folder=self.home, port=self.port, upstreams=upstreams))
        return config

    def _turn_edge(self, without: Iterable[Member]) -> None:
        """Returns when the edge sends nothing new to these: its old workers take no more connections."""
        assert self.edge is not None
        children = Path(f"/proc/{self.edge.pid}/task/{self.edge.pid}/children")
        before = set(children.read_text().split())
        self._write_edge(without)
        self.edge.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while not _all_leaving(before) or not set(children.read_text().split()) - before:
            assert time.monotonic() < deadline, "the edge did not take its new configuration"
            time.sleep(0.02)

    def roll(self, *members: Member) -> None:
        """As an orchestrated restart does it: out of the balancer, SIGTERM, start, ready, into the balancer."""
        self._turn_edge(members)
        for member in members:
            member.signal(signal.SIGTERM)
        for member in members:
            assert member.process is not None
            assert member.process.wait(180) == 0, member.tail()
            member.launch(self.environment)
        for member in members:
            member.wait()
        self._turn_edge(())

    def pids(self) -> list[int]:
        """Roots of every process of the installation, servers and edge included."""
        services = [m.process.pid for m in self.members if m.process is not None]
        servers = [self.postgres.pid, self.kafka.pid, self.redis.pid]
        return [*services, *(pid for pid in servers if pid), *([self.edge.pid] if self.edge else [])]

    def database_client(self) -> str:
        return f"{binaries() / 'psql'} -XAtq '{self.postgres.dsn}'"

    def stop(self) -> None:
        """SIGTERM to every service, all at once; the servers stay."""
        self._end(signal.SIGTERM, 60)

    def _end(self, how: signal.Signals, seconds: float) -> None:
        running = [m for m in self.members if m.process is not None and m.process.poll() is None]
        for member in running:
            member.signal(how)
        for member in running:
            assert member.process is not None
            member.process.wait(seconds)

    def close(self) -> None:
        """Leaves nothing running."""
        self._end(signal.SIGKILL, 10)
        if self.edge is not None:
            os.killpg(self.edge.pid, signal.SIGKILL)  # its worker would outlive it
            self.edge.wait()
        for server in (self.kafka, self.redis, self.postgres):
            server.kill()


def _all_leaving(pids: set[str]) -> bool:
    """nginx's workers say in their titles that they shut down."""
    for pid in pids:
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if title and b"shutting down" not in title:
            return False
    return True


def summary(cluster: Cluster) -> Iterable[str]:
    """One line a member, for people."""
    for member in cluster.members:
        yield f"  {member.name:18} http 127.0.0.1:{member.http}  grpc 127.0.0.1:{member.rpc}  log {member.log}"

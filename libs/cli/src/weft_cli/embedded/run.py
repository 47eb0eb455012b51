"""`weft up`: all eight services in one process with in-process adapters and a PostgreSQL of one's own."""

import importlib
import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import uvloop
from weft_contracts.ids import new_id
from weft_kit.blobs.opening import blobs_of
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.database.embedded import EmbeddedPostgres
from weft_kit.database.migrate import migrate_all
from weft_kit.http import Operations, serve_http
from weft_kit.identity.secrets import ensure_secrets
from weft_kit.lifecycle import start_all, steady, stop_all, stop_signals
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra, Service
from weft_kit.settings import CoreSettings, settings_class
from weft_kit.signals.memory import MemorySignals
from weft_kit.telemetry import logs

from weft_cli.embedded.front_door import FrontDoor
from weft_cli.embedded.lock import HomeLock, open_port

log = logging.getLogger("weft")

ORDER = (
    "auth",
    "workflow-store",
    "orchestrator",
    "node-runner",
    "scheduler",
    "webhook-ingress",
    "realtime",
    "gateway",
)
"""Started in this order, stopped in the reverse one."""


def run(flags: Mapping[str, Any]) -> int:
    """Until SIGINT or SIGTERM. Raises CONFLICT where the port or the folder is taken."""
    settings = CoreSettings.load(**flags)
    logs.configure("weft", settings.log_level, settings.log_json)
    listener = open_port(settings.host, settings.port)
    with HomeLock(settings.home):
        settings = ensure_secrets(settings)
        with database_of(settings) as dsn:
            uvloop.run(_serve(settings, dsn, listener, flags))
    return 0


@contextmanager
def database_of(settings: CoreSettings) -> Iterator[str]:
    """The DSN of the database named by the settings, else of one of our own for as long as we run."""
    if settings.dsn:
        yield settings.dsn
        return
    server = EmbeddedPostgres(settings.home / "postgres")
    server.start()
    try:
        yield server.dsn()
    finally:
        server.stop()


async def _serve(settings: CoreSettings, dsn: str, listener: socket.socket, flags: Mapping[str, Any]) -> None:
    await migrate_all(dsn)
    rpc = LocalRpc()
    infra = Infra(
        instance=new_id(),
        home=settings.home,
        bus=MemoryBus(dead_letters=settings.home / "dead-letters"),
        signals=MemorySignals(),
        cache=MemoryCache(),
        blobs=blobs_of(settings),
        rpc=rpc,
        database=Database(dsn, settings.database_connections),
    )
    services = {name: build_service(name, infra, flags) for name in ORDER}
    for service in services.values():
        rpc.register(service.servicers)
    order = list(services.values())
    operations = Operations(_front_door(services), lambda: _not_ready(order))
    with stop_signals() as asked:
        await infra.bus.start()
        await infra.signals.start()
        try:
            await start_all(order)
            steady()
            server = await serve_http(operations, sock=listener, grace=3)
            _announce(settings)
            await asked.wait()
            operations.leaving = True
            await stop_all(order)
            await server.stop()
        finally:
            await infra.bus.stop()
            await infra.signals.stop()
            await infra.cache.close()
            await infra.database.close()


def _front_door(services: Mapping[str, Service]) -> FrontDoor:
    ingress, realtime, gateway = (services[name].asgi for name in ("webhook-ingress", "realtime", "gateway"))
    if ingress is None or realtime is None or gateway is None:
        raise LookupError("webhook-ingress, realtime and gateway serve HTTP")
    return FrontDoor(ingress, realtime, gateway)


def _not_ready(services: Sequence[Service]) -> str:
    return "; ".join(f"{service.name}: {reason}" for service in services if (reason := service.ready()))


def build_service(name: str, infra: Infra, flags: Mapping[str, Any]) -> Service:
    """The service as its own bootstrap makes it. `exclusive`: no other process serves this installation, so what
    a process before us held is free at once."""
    bootstrap = importlib.import_module(f"weft_{name.replace('-', '_')}.bootstrap")
    settings = ensure_secrets(settings_class(name).load(**flags))
    if "exclusive" in type(settings).model_fields:
        settings = settings.model_copy(update={"exclusive": True})
    service: Service = bootstrap.build(settings, infra)
    return service


def _announce(settings: CoreSettings) -> None:
    print(f"Weft runs at {settings.public_origin}  (data: {settings.home}; Ctrl-C stops it)", flush=True)

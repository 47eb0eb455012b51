"""One service as a process of its own: the distributed form."""

import asyncio
import importlib
import logging
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import uvloop
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id

from weft_kit.blobs.opening import blobs_of
from weft_kit.database import Database
from weft_kit.database.migrate import SCHEMAS, migrate
from weft_kit.http import HttpServer, Operations, serve_http
from weft_kit.identity.secrets import ensure_secrets
from weft_kit.lifecycle import drain_all, patiently, start_all, steady, stop_all, stop_signals
from weft_kit.rpc.grpc_client import GrpcClients
from weft_kit.rpc.grpc_server import GrpcServer
from weft_kit.rpc.grpc_wire import Tls
from weft_kit.rpc.service_tokens import ServiceTokens
from weft_kit.service import Infra, Service
from weft_kit.settings import CoreSettings, settings_class
from weft_kit.telemetry import logs, tracing

log = logging.getLogger("weft.runtime")
T = TypeVar("T")

LAME_DUCK_SECONDS: Final = 1.0
"""Between "not ready" and the closing of the port, so that balancers notice and connections are given up."""


@dataclass(frozen=True)
class Running:
    """A service that takes calls."""

    service: Service
    operations: Operations
    http: HttpServer
    grpc: GrpcServer


def main(name: str) -> None:
    """Runs the service until SIGTERM or SIGINT. Exits with 0 after a clean stop, 3 where it could not
    start."""
    logs.configure(name)
    try:
        settings = ensure_secrets(settings_class(name).load())
        logs.configure(name, settings.log_level, settings.log_json)
        uvloop.run(run(name, settings))
    except WeftError as error:
        log.error("%s can't run: %s", name, error.message)
        sys.exit(3)


async def run(name: str, settings: CoreSettings) -> None:
    """Ports open once everything works; what is waited for until then is in the log."""
    instance = f"{name}-{new_id()}"
    tracing.configure(name, instance)
    tokens = ServiceTokens(settings.cluster_secret.get_secret_value(), name)
    with stop_signals() as stop:
        async with distributed_infra(settings, instance, tokens) as infra:
            running = await _unless(stop, _start(name, settings, infra, tokens))
            if running is not None:
                log.info("%s is ready", name, extra=logs.fields(instance=instance, port=running.http.port))
                await stop.wait()
                await _leave(running)
    tracing.stop()
    log.info("%s has stopped", name)


@asynccontextmanager
async def distributed_infra(
    settings: CoreSettings, instance: str, tokens: ServiceTokens
) -> AsyncIterator[Infra]:
    """Kafka, Redis, gRPC, PostgreSQL; nothing is connected yet. Closes everything in the end.
    Raises VALIDATION_ERROR where an address is not set."""
    from weft_kit.bus.kafka import KafkaBus
    from weft_kit.cache.redis import RedisCache
    from weft_kit.signals.redis import RedisSignals

    for setting in ("kafka_brokers", "redis_url", "database_url"):
        if not getattr(settings, setting):
            raise WeftError(ErrorCode.VALIDATION_ERROR, f"WEFT_{setting.upper()} is not set.")
    redis_url = settings.redis_url.get_secret_value()
    rpc = GrpcClients(settings.rpc_addresses, tokens, tls_of(settings))
    infra = Infra(
        instance=instance,
        home=settings.home,
        bus=KafkaBus(settings.kafka_brokers, instance),
        signals=RedisSignals(redis_url),
        cache=RedisCache(redis_url),
        blobs=blobs_of(settings),
        rpc=rpc,
        database=Database(settings.dsn, settings.database_connections),
    )
    try:
        yield infra
    finally:
        for close in (infra.bus.stop, infra.signals.stop, infra.cache.close, rpc.close, infra.database.close):
            try:
                async with asyncio.timeout(10):
                    await close()
            except Exception:
                log.exception("%s did not end cleanly", close.__qualname__)


def tls_of(settings: CoreSettings) -> Tls | None:
    """Raises VALIDATION_ERROR where only some of the three files are named."""
    files = (settings.rpc_tls_certificate, settings.rpc_tls_key, settings.rpc_tls_ca)
    if all(files):
        certificate, key, ca = files
        return Tls(certificate, key, ca)  # type: ignore[arg-type]
    if any(files):
        message = "WEFT_RPC_TLS_CERTIFICATE, _KEY and _CA belong together."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message)
    return None


async def _start(name: str, settings: CoreSettings, infra: Infra, tokens: ServiceTokens) -> Running:
    package, schema = f"weft_{name.replace('-', '_')}", name.replace("-", "_")
    if schema in SCHEMAS:
        await patiently("PostgreSQL", lambda: migrate(settings.dsn, package, schema))
    service: Service = importlib.import_module(f"{package}.bootstrap").build(settings, infra)
    await patiently("Kafka", infra.bus.start)
    await patiently("Redis", infra.signals.start)
    await patiently(f"what {name} needs", lambda: start_all([service]))
    steady()
    grpc = GrpcServer(service.servicers, tokens, tls_of(settings))
    await grpc.start(f"{settings.host}:{settings.rpc_port}")
    operations = Operations(service.asgi, service.ready)
    http = await serve_http(
        operations, settings.host, settings.port, trusted_proxies=settings.trusted_proxies
    )
    return Running(service, operations, http, grpc)


async def _leave(running: Running) -> None:
    """Nobody is cut off: balancers look elsewhere, requests end, work is handed over, then it is over."""
    running.operations.leaving = True
    await running.grpc.drain()
    if running.service.asgi is not None:
        await asyncio.sleep(LAME_DUCK_SECONDS)
    await running.http.stop()
    await drain_all([running.service])
    await running.grpc.stop()
    await stop_all([running.service], drain=False)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives, or None where it was to stop before."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return None

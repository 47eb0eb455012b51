"""What a service is to whoever runs it, and what it is given."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from weft_kit.blobs import BlobStore
from weft_kit.bus import EventBus
from weft_kit.cache import Cache
from weft_kit.signals import Signals

if TYPE_CHECKING:
    from weft_kit.database import Database
    from weft_kit.rpc import RpcClients

Scope = MutableMapping[str, Any]
AsgiReceive = Callable[[], Awaitable[MutableMapping[str, Any]]]
AsgiSend = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, AsgiReceive, AsgiSend], Awaitable[None]]


@dataclass(frozen=True)
class Infra:
    """The outside world, as ports. `bootstrap.build(settings, infra)` of a service gets nothing else."""

    instance: str
    """Unique per process start; names owners of leases and reply channels."""
    home: Path
    bus: EventBus
    signals: Signals
    cache: Cache
    blobs: BlobStore
    rpc: "RpcClients"
    database: "Database"


class Service(Protocol):
    """One of the eight. `start` returns when it works; `drain` stops taking new work and returns when what it has
    is handed over or done; `stop` ends it. A service may be stopped without having been drained."""

    @property
    def name(self) -> str: ...

    @property
    def servicers(self) -> Mapping[type, object]:
        """gRPC interface (weft_contracts.rpc.…) to what implements it."""

    @property
    def asgi(self) -> AsgiApp | None:
        """What it serves over HTTP, besides health and metrics."""

    async def start(self) -> None: ...

    async def drain(self) -> None: ...

    async def stop(self) -> None: ...

    def ready(self) -> str:
        """Empty when it can do its duty, else why not."""

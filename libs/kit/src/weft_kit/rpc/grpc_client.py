"""Calls to other processes, by gRPC."""

import asyncio
import importlib
import json
import pkgutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from time import monotonic
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from weft_contracts import pb
from weft_contracts.errors import WeftError
from weft_contracts.rpc_descriptors import answer_class, describe, request_class

from weft_kit.rpc import current, deadline_of_calls
from weft_kit.rpc.failures import unanswered, unexpected
from weft_kit.rpc.grpc_wire import CALLER, LIMITS, STOP_GRACE, TRACEPARENT, Tls, read_error, write_caller
from weft_kit.rpc.service_tokens import ServiceTokens
from weft_kit.telemetry.tracing import traceparent

T = TypeVar("T")

_READS: Final = ("Get", "List", "Resolve", "Verify", "Authorize", "Decrypt", "Replay", "Evaluate")
"""Names of calls that change nothing begin so; only these are tried again after a lost connection."""
_PAUSE: Final = 0.05
"""Seconds between tries of a call that no server took; some turn calls away until their grace is over."""
_UNANSWERED: Final = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
}
"""Where no error of a servicer's came along. Its bugs send one, too; so a server died over what has the last two."""


class GrpcClients:
    """Implements RpcClients. One channel per service, spread over all its addresses.

    `addresses`: service name (`workflow_store`) to `host:port`, or several with commas between. A host's
    every DNS record is used.
    """

    def __init__(self, addresses: Mapping[str, str], tokens: ServiceTokens, tls: Tls | None = None) -> None:
        self._addresses = addresses
        self._tokens = tokens
        self._tls = tls
        self._channels: dict[str, Any] = {}

    def client(self, interface: type[T]) -> T:
        described = describe(interface)  # type: ignore[arg-type] # functools.cache: mypy sees no hash on type[T]
        service = described.full_name.split(".")[1]
        methods = {method.name: staticmethod(self._method(service, method)) for method in described.methods}
        return cast("T", type(interface.__name__, (), methods)())

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()

    def _channel(self, service: str) -> Any:
        """Opened at the first call, because a channel belongs to the running loop."""
        channel = self._channels.get(service)
        if channel is None:
            address = self._addresses.get(service, "")
            if not address:
                raise unanswered(service, f"no address is set in WEFT_RPC_{service.upper()}")
            options = (
                *LIMITS,
                ("grpc.service_config", _service_config(service)),
                ("grpc.default_authority", address.split(",")[0]),
            )
            if self._tls:
                channel = grpc.aio.secure_channel(_target(address), self._tls.client(), options)
            else:
                channel = grpc.aio.insecure_channel(_target(address), options)
            self._channels[service] = channel
        return channel

    def _metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        who, parent = current.get(), traceparent.get()
        metadata: list[tuple[str, str | bytes]] = [("authorization", f"Bearer {self._tokens.mint()}")]
        if who is not None:
            metadata.append((CALLER, write_caller(who)))
        if parent:
            metadata.append((TRACEPARENT, parent))
        return tuple(metadata)

    def _method(self, service: str, method: MethodDescriptor) -> Callable[[Any], Any]:
        owner = method.containing_service
        name, path = f"{owner.name}.{method.name}", f"/{owner.full_name}/{method.name}"
        coders = (request_class(method).SerializeToString, answer_class(method).FromString)
        opened: list[Any] = []

        def call() -> Any:
            if not opened:
                channel = self._channel(service)
                make = channel.unary_stream if method.server_streaming else channel.unary_unary
                opened.append(make(path, *coders))
            return opened[0]

        async def unary(request: Any) -> Any:
            ends = monotonic() + deadline_of_calls.get()
            while True:  # until DEADLINE_EXCEEDED
                asked = monotonic()
                try:
                    return await call()(
                        request, timeout=ends - asked, metadata=self._metadata(), wait_for_ready=True
                    )
                except grpc.aio.AioRpcError as error:
                    if not _came_too_late(error, monotonic() - asked):
                        raise _failure(name, error) from None
                await asyncio.sleep(_PAUSE)

        async def stream(request: Any) -> AsyncIterator[Any]:
            answers = call()(request, metadata=self._metadata())
            try:
                async for answer in answers:
                    yield answer
            except grpc.aio.AioRpcError as error:
                raise _failure(name, error) from None
            finally:
                answers.cancel()

        return stream if method.server_streaming else unary


def _came_too_late(error: Any, seconds: float) -> bool:
    """Whether a server that was stopping turned the call away. It cancels what reaches it then, at once and unread;
    what it has begun it cancels only when the grace is over."""
    return error.code() is grpc.StatusCode.CANCELLED and seconds < STOP_GRACE / 2


def _failure(method: str, error: Any) -> WeftError:
    """What the servicer raised, else what became of the call."""
    raised = read_error(error.trailing_metadata() or ())
    if raised is not None:
        return raised
    if error.code() in _UNANSWERED:
        return unanswered(method, error.details() or "no answer in time")
    return unexpected(method, error)


def _target(address: str) -> str:
    """gRPC resolves one DNS name with all its records; of a list each is resolved here."""
    if "," not in address:
        return f"dns:///{address}"
    found: list[str] = []
    for each in address.split(","):
        host, _, port = each.strip().rpartition(":")
        found += [
            f"{info[4][0]}:{port}"
            for info in socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
        ]
    return "ipv4:" + ",".join(found)


def _service_config(service: str) -> str:
    reads = [
        {"service": s.full_name, "method": m.name}
        for s in _services(service)
        for m in s.methods
        if _is_read(m)
    ]
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.05s",
        "maxBackoff": "1s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE", "UNKNOWN"],
    }
    methods = [{"name": reads, "retryPolicy": retry}] if reads else []
    return json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "methodConfig": methods})


def _services(service: str) -> list[ServiceDescriptor]:
    """Of all files of the package `weft.<service>.v1`."""
    names = (each.name for each in pkgutil.iter_modules(pb.__path__) if each.name.endswith("_pb2"))
    files = [importlib.import_module(f"{pb.__name__}.{name}").DESCRIPTOR for name in names]
    held = [file for file in files if file.package.split(".")[1] == service]
    return [each for file in held for each in file.services_by_name.values()]


def _is_read(method: MethodDescriptor) -> bool:
    return method.name.startswith(_READS) and not method.server_streaming

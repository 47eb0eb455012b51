"""Servicers behind gRPC: generic handlers from descriptors, service tokens, health, reflection."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.rpc_descriptors import answer_class, describe, request_class

from weft_kit.rpc import current
from weft_kit.rpc.failures import unexpected
from weft_kit.rpc.grpc_wire import (
    CALLER,
    ERROR,
    LIMITS,
    STATUS,
    STOP_GRACE,
    TRACEPARENT,
    Tls,
    read_caller,
    write_error,
)
from weft_kit.rpc.service_tokens import ServiceTokens
from weft_kit.telemetry.tracing import traceparent


class GrpcServer:
    """Serves `servicers` (interface to implementation). Health and reflection need no token."""

    def __init__(
        self, servicers: Mapping[type, object], tokens: ServiceTokens, tls: Tls | None = None
    ) -> None:
        self._servicers = servicers
        self._tokens = tokens
        self._tls = tls
        self._health = health.aio.HealthServicer()
        self._server: Any = None

    async def start(self, address: str) -> int:
        """Listens on `host:port` (port 0: a free one) and returns the port. Raises CONFLICT where it is
        taken."""
        self._server = grpc.aio.server(options=(*LIMITS, ("grpc.so_reuseport", 0)))
        names = [health.SERVICE_NAME, reflection.SERVICE_NAME]
        for interface, servicer in self._servicers.items():
            service = describe(interface)
            handlers = {method.name: self._handler(servicer, method) for method in service.methods}
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service.full_name, handlers),)
            )
            names.append(service.full_name)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(names, self._server)
        try:
            if self._tls:
                port = self._server.add_secure_port(address, self._tls.server())
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise WeftError(ErrorCode.CONFLICT, f"gRPC can't listen on {address}: {error}") from None
        await self._server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return int(port)

    async def drain(self) -> None:
        """Tells balancers to look elsewhere; calls are still served."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float = STOP_GRACE) -> None:
        """Refuses new calls; those under way have `grace` seconds."""
        if self._server is not None:
            await self._server.stop(grace)

    def _handler(self, servicer: object, method: MethodDescriptor) -> Any:
        behaviour = getattr(servicer, method.name)
        name = f"{method.containing_service.name}.{method.name}"
        coders = {
            "request_deserializer": request_class(method).FromString,
            "response_serializer": answer_class(method).SerializeToString,
        }
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream(name, behaviour), **coders)
        return grpc.unary_unary_rpc_method_handler(self._unary(name, behaviour), **coders)

    def _unary(
        self, name: str, behaviour: Callable[[Any], Awaitable[Any]]
    ) -> Callable[[Any, Any], Awaitable[Any]]:
        async def handle(request: Any, context: Any) -> Any:
            try:
                self._admit(context)
                return await behaviour(request)
            except WeftError as error:
                await _abort(context, error)
            except Exception as error:  # noqa: BLE001 - the border of the service
                await _abort(context, unexpected(name, error))

        return handle

    def _stream(
        self, name: str, behaviour: Callable[[Any], AsyncIterator[Any]]
    ) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def handle(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                self._admit(context)
                async for answer in behaviour(request):
                    yield answer
            except WeftError as error:
                await _abort(context, error)
            except Exception as error:  # noqa: BLE001 - the border of the service
                await _abort(context, unexpected(name, error))

        return handle

    def _admit(self, context: Any) -> None:
        """Each call runs in a task, hence a context, of its own. Raises UNAUTHENTICATED."""
        metadata = dict(context.invocation_metadata() or ())
        self._tokens.verify(str(metadata.get("authorization", "")).removeprefix("Bearer "))
        current.set(read_caller(metadata[CALLER]) if CALLER in metadata else None)
        traceparent.set(metadata.get(TRACEPARENT, ""))


async def _abort(context: Any, error: WeftError) -> NoReturn:
    await context.abort(STATUS[error.code], error.message, ((ERROR, write_error(error)),))
    raise AssertionError("abort returned")

"""Calls inside one process: the client's method is the servicer's method."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import MethodDescriptor
from weft_contracts.errors import WeftError
from weft_contracts.rpc_descriptors import describe

from weft_kit.rpc import deadline_of_calls
from weft_kit.rpc.failures import unanswered, unexpected

T = TypeVar("T")


class LocalRpc:
    """Implements RpcClients. Services register in any order; a client looks its servicer up when it is
    called."""

    def __init__(self) -> None:
        self._servicers: dict[type, Any] = {}

    def register(self, servicers: Mapping[type, object]) -> None:
        self._servicers.update(servicers)

    def client(self, interface: type[T]) -> T:
        described = describe(interface)  # type: ignore[arg-type] # functools.cache: mypy sees no hash on type[T]
        methods = {method.name: staticmethod(self._method(interface, method)) for method in described.methods}
        return cast("T", type(interface.__name__, (), methods)())

    def _method(self, interface: type, method: MethodDescriptor) -> Callable[[Any], Any]:
        name = f"{interface.__name__}.{method.name}"

        def servicer_method() -> Any:
            servicer = self._servicers.get(interface)
            if servicer is None:
                raise unanswered(name, "no service offers it")
            return getattr(servicer, method.name)

        async def unary(request: Any) -> Any:
            seconds = deadline_of_calls.get()
            try:
                async with asyncio.timeout(seconds) as limit:
                    return await servicer_method()(request)
            except WeftError:
                raise
            except Exception as error:
                if limit.expired():
                    raise unanswered(name, f"no answer within {seconds:g} s") from None
                raise unexpected(name, error) from error

        async def stream(request: Any) -> AsyncIterator[Any]:
            try:
                async with aclosing(servicer_method()(request)) as answers:
                    async for answer in answers:
                        yield answer
            except WeftError:
                raise
            except Exception as error:
                raise unexpected(name, error) from error

        return stream if method.server_streaming else unary

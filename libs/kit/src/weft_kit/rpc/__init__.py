"""Calls between services: one client port, bound straight to the other service or to gRPC.

Interfaces are the generated Protocols in `weft_contracts.rpc`; requests and answers are protobuf messages
both ways, so that one process and eight cannot differ. The caller's identity travels in a context variable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from weft_contracts.errors import ErrorCode, WeftError

T = TypeVar("T")


@dataclass(frozen=True)
class Caller:
    """On whose behalf a call is made."""

    user_id: str
    scopes: tuple[str, ...] = ()
    """Of the API key; empty: everything the user may."""
    address: str = ""
    request_id: str = ""


current: ContextVar[Caller | None] = ContextVar("weft_caller", default=None)


def caller() -> Caller:
    """Raises UNAUTHENTICATED where the call was made for nobody (internal calls)."""
    value = current.get()
    if value is None:
        raise WeftError(ErrorCode.UNAUTHENTICATED, "This call needs a signed-in user.")
    return value


DEADLINE: Final = 10.0
"""Seconds that a call may take unless its caller says otherwise. Streams have none."""

deadline_of_calls: ContextVar[float] = ContextVar("weft_deadline", default=DEADLINE)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Calls made inside may take this long."""
    token = deadline_of_calls.set(seconds)
    try:
        yield
    finally:
        deadline_of_calls.reset(token)


class RpcClients(Protocol):
    def client(self, interface: type[T]) -> T:
        """A client of the service interface. Calls raise WeftError, UNAVAILABLE where nobody answers in
        time."""

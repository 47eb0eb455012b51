"""A connection to a server that speaks AMQP 1.0, by Qpid Proton. The library waits by itself, so it has a thread."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.network.ports import UNREACHABLE, port_of

_CONNECT_SECONDS: Final = 10.0
_SEND_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 1.0
Result = TypeVar("Result")


def _library() -> Any:
    """Raises NodeRunError where it is not there: it has to be built, which not every machine can."""
    try:
        import proton.reactor
        import proton.utils
    except ImportError:
        raise NodeRunError(
            "The library for AMQP 1.0 is not installed",
            description="Install weft-nodes[amqp] where the runners are; it needs a C compiler.",
            code="NOT_INSTALLED",
        ) from None
    return proton


def _domain(library: Any) -> Any:
    """TLS that checks the server by the machine's authorities."""
    domain = library.SSLDomain(library.SSLDomain.MODE_CLIENT)
    paths = ssl.get_default_verify_paths()
    if trusted := paths.cafile or paths.capath:
        domain.set_trusted_ca_db(trusted)
    domain.set_peer_authentication(library.SSLDomain.VERIFY_PEER_NAME)
    return domain


def _blocking(library: Any) -> Any:
    """The library's connection waits for an answer though the server has ended the session to say no."""

    class Connection(library.utils.BlockingConnection):  # type: ignore[misc]
        def on_session_remote_close(self, event: Any) -> None:
            if not self.closing:
                condition = event.session.remote_condition
                said = condition and (condition.description or condition.name)
                raise library.SessionException(said or "the server ended the session")

    return Connection


class Sender:
    """Sends over one connection, which is opened when it is needed; `again`: how often a lost one is opened again."""

    def __init__(
        self, ctx: Outbound, secret: Mapping[str, Any], *, container: str = "", again: int = 0
    ) -> None:
        self._ctx = ctx
        self._secret = secret
        self._container = container
        self._again = again
        self._library = _library()
        self._thread = ThreadPoolExecutor(1, "amqp")
        self._connection: Any = None
        self._senders: dict[str, Any] = {}

    async def _in_thread(self, work: Callable[..., Result], *given: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def _open(self, host: str, address: str, port: int) -> None:
        library, secret = self._library, self._secret
        user = str(secret.get("username") or "")
        secured = str(secret.get("transportType") or "").lower() in {"tls", "ssl", "amqps"}
        container = library.reactor.Container()
        if self._container:
            container.container_id = self._container
        shown = f"[{address}]" if ":" in address else address
        self._connection = _blocking(library)(
            f"{'amqps' if secured else 'amqp'}://{shown}:{port}",
            timeout=_CONNECT_SECONDS,
            container=container,
            ssl_domain=_domain(library) if secured else None,
            # what the certificate is checked against, whatever the address
            virtual_host=host,
            sni=host,
            user=user or None,
            password=str(secret.get("password") or "") if user else None,
            allowed_mechs="PLAIN" if user else "ANONYMOUS",
        )

    async def connect(self) -> None:
        """Raises NodeRunError."""
        host, port = str(self._secret.get("hostname") or ""), port_of(self._secret.get("port"), 5672)
        address = await self._ctx.connect_address(host, port)
        try:
            await self._in_thread(self._open, host, address, port)
        except (self._library.ProtonException, OSError) as error:
            raise NodeRunError(
                f"AMQP: no connection to {host}:{port}: {error}",
                description=UNREACHABLE,
                code="MESSAGING_ERROR",
            ) from None

    def _send(self, sink: str, message: Any) -> None:
        if sink not in self._senders:
            self._senders[sink] = self._connection.create_sender(sink)
        self._senders[sink].send(message, timeout=_SEND_SECONDS)

    async def send(self, sink: str, body: Any, properties: Mapping[str, Any]) -> None:
        """Returns when the server has taken the message over. Raises NodeRunError."""
        if self._connection is None:
            if self._again < 0:
                raise NodeRunError("AMQP: the connection was lost", code="MESSAGING_ERROR")
            await self.connect()
        message = self._library.Message(body=body, properties=dict(properties) or None, durable=True)
        try:
            await self._in_thread(self._send, sink, message)
        except (self._library.ProtonException, OSError) as error:
            await self._failed(error)
            raise NodeRunError(f"AMQP: '{sink}': {error}", code="MESSAGING_ERROR") from None

    async def _failed(self, error: Exception) -> None:
        """What comes next needs a new connection, but where the server only did not want the message."""
        library = self._library
        if isinstance(error, library.utils.SendException):
            return
        if isinstance(error, library.ConnectionException | library.Timeout | OSError):
            self._again -= 1
        await self._in_thread(self._close)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        self._senders.clear()
        if connection is not None:
            connection.timeout = _CLOSE_SECONDS
            # a lost one can't be closed in good order
            with suppress(self._library.ProtonException, OSError):
                connection.close()

    async def close(self) -> None:
        try:
            await self._in_thread(self._close)
        finally:
            self._thread.shutdown(wait=False)


@asynccontextmanager
async def sending(ctx: Outbound, secret: Mapping[str, Any], **settings: Any) -> AsyncIterator[Sender]:
    sender = Sender(ctx, secret, **settings)
    try:
        yield sender
    finally:
        await sender.close()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with sending(ctx, secret) as sender:
        await sender.connect()

"""HTTP: the server, and what every process answers besides its service: health, readiness, metrics."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
import uvicorn
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.service import AsgiApp, AsgiReceive, AsgiSend, Scope
from weft_kit.telemetry.tracing import traceparent

OPERATIONS: Final = ("/healthz", "/readyz", "/metrics")
DISCARDED_BYTES: Final = 64 * 1024 * 1024
"""Of a body that is refused, so many are still read and dropped: a socket that is closed with unread bytes is reset,
and the caller never sees why."""
_JSON = b"application/json"


class Operations:
    """ASGI application in front of a service's: `/healthz` (the loop turns), `/readyz` (it can do its duty,
    503 with the reason where not), `/metrics`. Puts the traceparent header into its context variable."""

    def __init__(self, app: AsgiApp | None, ready: Callable[[], str]) -> None:
        self._app = app
        self._ready = ready
        self.leaving = False
        """Set when the process is to end: not ready, and every answer ends its connection, so that balancers
        and clients move on before the port closes."""

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        if scope["type"] == "http":
            if scope["path"] in OPERATIONS:
                await self._operate(scope["path"], send)
                return
            if self.leaving:
                send = _closing(send)
        if self._app is None:
            await _refuse(scope, send)
            return
        for name, value in scope["headers"]:
            if name == b"traceparent":
                traceparent.set(value.decode("latin-1"))
                break
        await self._app(scope, receive, send)

    async def _operate(self, path: str, send: AsgiSend) -> None:
        if path == "/metrics":
            from weft_kit.telemetry import metrics

            await _answer(send, 200, metrics.render(), metrics.CONTENT_TYPE.encode())
        elif path == "/healthz":
            await _answer(send, 200, b'{"status":"ok"}')
        else:
            reason = "leaving" if self.leaving else self._ready()
            body = {"status": "not ready", "reason": reason} if reason else {"status": "ok"}
            await _answer(send, 503 if reason else 200, orjson.dumps(body))


async def _answer(send: AsgiSend, status: int, body: bytes, kind: bytes = _JSON) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(scope: Scope, send: AsgiSend) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    else:
        await _answer(send, 404, b'{"error":"This service has no such address."}')


def _closing(send: AsgiSend) -> AsgiSend:
    async def answer(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return answer


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CONFLICT where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"can't be opened: {error.strerror}"
        raise WeftError(ErrorCode.CONFLICT, f"Port {port} of {host} {reason}.", port=port) from None
    opened.listen(2048)
    opened.setblocking(False)
    return opened


class HttpServer:
    """A running server; made by `serve_http`."""

    def __init__(self, server: "_Server", running: asyncio.Task[None], port: int) -> None:
        self._server = server
        self._running = running
        self.port = port

    async def stop(self) -> None:
        """Closes the port; requests under way have the grace that `serve_http` was given."""
        self._server.should_exit = True
        await self._running


async def serve_http(
    app: AsgiApp,
    host: str = "127.0.0.1",
    port: int = 0,
    sock: socket.socket | None = None,
    *,
    grace: float = 10.0,
    trusted_proxies: Sequence[str] = (),
) -> HttpServer:
    """Serves `app` on the socket, or on host and port (0: a free one), when it returns. Raises CONFLICT
    where the port is taken. `trusted_proxies`: addresses whose X-Forwarded-For and -Proto are believed."""
    opened = sock or listen(host, port)
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_keep_alive=75,
        timeout_graceful_shutdown=round(grace),
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve([opened]))
    await server.listening.wait()
    return HttpServer(server, running, opened.getsockname()[1])


class _Server(uvicorn.Server):
    """Signals are the process's business, not the server's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

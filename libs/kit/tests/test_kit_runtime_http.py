import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.http import HttpServer, Operations, listen, serve_http
from weft_kit.telemetry.tracing import traceparent


class Application:
    """Answers with the trace; `/slow` when it is let."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.entered = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            self.entered.set()
            await self.go_on.wait()
        body = f"{traceparent.get()} {scope['client'][0]}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


class Served:
    def __init__(self) -> None:
        self.reason = ""
        self.application = Application()
        self.operations = Operations(self.application, lambda: self.reason)
        self.server: HttpServer

    async def start(self) -> None:
        self.server = await serve_http(self.operations, trusted_proxies=("127.0.0.1",), grace=5)
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.server.port}")


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    await made.start()
    yield made
    await made.client.aclose()
    await made.server.stop()


async def test_health_readiness_and_metrics(served: Served) -> None:
    assert (await served.client.get("/healthz")).json() == {"status": "ok"}
    assert (await served.client.get("/readyz")).status_code == 200
    served.reason = "no database"
    answer = await served.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "reason": "no database"})
    assert (await served.client.get("/healthz")).status_code == 200
    assert "process_resident_memory_bytes" in (await served.client.get("/metrics")).text


async def test_passes_everything_else_on_with_trace_and_address(served: Served) -> None:
    answer = await served.client.get(
        "/x", headers={"traceparent": "00-a-b-01", "x-forwarded-for": "10.1.2.3"}
    )
    assert answer.text == "00-a-b-01 10.1.2.3"
    assert (await served.client.get("/x")).text == " 127.0.0.1"


async def test_leaving_ends_connections_but_answers(served: Served) -> None:
    assert "connection" not in (await served.client.get("/x")).headers
    served.operations.leaving = True
    answer = await served.client.get("/x")
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert (await served.client.get("/readyz")).json()["reason"] == "leaving"


async def test_stop_lets_requests_finish() -> None:
    served = Served()
    await served.start()
    slow = asyncio.create_task(served.client.get("/slow"))
    await served.application.entered.wait()
    stopping = asyncio.create_task(served.server.stop())
    async with asyncio.timeout(5):
        while True:
            try:
                await asyncio.open_connection("127.0.0.1", served.server.port)
            except OSError:
                break
    served.application.go_on.set()
    assert (await slow).status_code == 200
    await stopping
    await served.client.aclose()


async def test_a_process_without_http_answers_operations_only() -> None:
    server = await serve_http(Operations(None, lambda: ""))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/api/v1/x")).status_code == 404
    await server.stop()


async def test_a_busy_port_is_a_conflict() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WeftError, match=str(port)) as caught:
            await serve_http(Operations(None, lambda: ""), port=port)
    assert caught.value.code is ErrorCode.CONFLICT


async def test_serves_on_a_socket_that_is_open_already() -> None:
    opened: socket.socket = listen("127.0.0.1", 0)
    server = await serve_http(Operations(None, lambda: ""), sock=opened)
    assert server.port == opened.getsockname()[1]
    await server.stop()

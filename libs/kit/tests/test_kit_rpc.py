"""One suite for both ways to call another service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import auth_pb2, orchestrator_pb2
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.orchestrator import Executions
from weft_kit import rpc
from weft_kit.rpc.grpc_client import GrpcClients
from weft_kit.rpc.grpc_server import GrpcServer
from weft_kit.rpc.local import LocalRpc
from weft_kit.rpc.service_tokens import ServiceTokens
from weft_kit.telemetry.tracing import traceparent

SECRET = "s" * 32


class AccessServicer:
    """Does what the user's id says."""

    def __init__(self) -> None:
        self.calls = 0

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        who = rpc.caller()
        project = f"{who.user_id} {','.join(who.scopes)} {who.address} {who.request_id} {traceparent.get()}"
        return auth_pb2.ListProjectsResponse(default_project_id=project)

    async def Authorize(self, request: auth_pb2.AuthorizeRequest) -> auth_pb2.AuthorizeResponse:
        self.calls += 1
        match request.user_id:
            case "stranger":
                raise WeftError(ErrorCode.NOT_FOUND, "Kein Projekt für dich.", project_id="p", tries=[1, 2])
            case "verbose":
                raise WeftError(ErrorCode.FORBIDDEN, "No.", long="x" * 100_000)
            case "buggy":
                raise KeyError("a secret")
            case "impatient":
                raise TimeoutError
            case "slow":
                await asyncio.Event().wait()
            case "third try" if self.calls < 3:
                raise WeftError(ErrorCode.UNAVAILABLE, "not yet")
        return auth_pb2.AuthorizeResponse(role="owner")


class ExecutionsServicer:
    def __init__(self) -> None:
        self.watchers = 0

    async def Watch(
        self, request: orchestrator_pb2.WatchRequest
    ) -> AsyncIterator[orchestrator_pb2.WatchResponse]:
        self.watchers += 1
        try:
            for _ in range(3):
                yield orchestrator_pb2.WatchResponse()
            if request.execution_id == "endless":
                await asyncio.Event().wait()
            raise WeftError(ErrorCode.NOT_FOUND, "It is gone.")
        finally:
            self.watchers -= 1

    def __getattr__(self, name: str) -> Callable[[Any], Awaitable[Any]]:
        """The other methods are not called here, but gRPC wants them all."""

        async def refuse(request: Any) -> Any:
            raise WeftError(ErrorCode.BAD_REQUEST, name)

        return refuse


class World:
    def __init__(self, clients: rpc.RpcClients) -> None:
        self.clients = clients
        self.access = clients.client(Access)
        self.executions = clients.client(Executions)
        self.access_servicer = AccessServicer()
        self.executions_servicer = ExecutionsServicer()
        self.servicers = {Access: self.access_servicer, Executions: self.executions_servicer}


@pytest.fixture(params=["local", "grpc"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "local":
        local = LocalRpc()
        made = World(local)
        local.register(made.servicers)
        yield made
        return
    addresses: dict[str, str] = {}
    clients = GrpcClients(addresses, ServiceTokens(SECRET, "gateway"))
    made = World(clients)
    server = GrpcServer(made.servicers, ServiceTokens(SECRET, "auth"))
    port = await server.start("127.0.0.1:0")
    addresses |= {"auth": f"127.0.0.1:{port},localhost:{port}", "orchestrator": f"localhost:{port}"}
    yield made
    await clients.close()
    await server.stop(0)


async def authorize(world: World, user: str) -> auth_pb2.AuthorizeResponse:
    return await world.access.Authorize(auth_pb2.AuthorizeRequest(user_id=user))


async def test_answers(world: World) -> None:
    assert (await authorize(world, "ada")).role == "owner"


async def test_carries_caller_and_trace(world: World) -> None:
    who = rpc.current.set(rpc.Caller("ada", ("a", "b"), "::1", "r1"))
    trace = traceparent.set("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    try:
        answer = await world.access.ListProjects(auth_pb2.ListProjectsRequest())
    finally:
        rpc.current.reset(who)
        traceparent.reset(trace)
    expected = "ada a,b ::1 r1 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert answer.default_project_id == expected


async def test_a_call_for_nobody_has_no_caller(world: World) -> None:
    with pytest.raises(WeftError) as caught:
        await world.access.ListProjects(auth_pb2.ListProjectsRequest())
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_errors_arrive_as_they_were_raised(world: World) -> None:
    with pytest.raises(WeftError) as caught:
        await authorize(world, "stranger")
    error = caught.value
    assert (error.code, error.message) == (ErrorCode.NOT_FOUND, "Kein Projekt für dich.")
    assert error.details == {"project_id": "p", "tries": [1, 2]}


async def test_an_error_with_too_many_details_keeps_its_code(world: World) -> None:
    with pytest.raises(WeftError) as caught:
        await authorize(world, "verbose")
    assert (caught.value.code, caught.value.message) == (ErrorCode.FORBIDDEN, "No.")


@pytest.mark.parametrize("user", ["buggy", "impatient"])
async def test_a_bug_is_internal_and_says_nothing(world: World, user: str) -> None:
    with pytest.raises(WeftError) as caught:
        await authorize(world, user)
    assert caught.value.code is ErrorCode.INTERNAL
    assert "secret" not in caught.value.message


async def test_a_late_answer_is_unavailable(world: World) -> None:
    await authorize(world, "ada")  # connected
    with pytest.raises(WeftError) as caught, rpc.deadline(0.05):
        await authorize(world, "slow")
    assert caught.value.code is ErrorCode.UNAVAILABLE


async def test_streams_until_the_error(world: World) -> None:
    answers = world.executions.Watch(orchestrator_pb2.WatchRequest(execution_id="e"))
    for _ in range(3):
        await anext(answers)
    with pytest.raises(WeftError) as caught:
        await anext(answers)
    assert caught.value.code is ErrorCode.NOT_FOUND


async def test_a_closed_stream_ends_the_servicer(world: World) -> None:
    answers = world.executions.Watch(orchestrator_pb2.WatchRequest(execution_id="endless"))
    await anext(answers)
    assert world.executions_servicer.watchers == 1
    await answers.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(5):
        while world.executions_servicer.watchers:
            await asyncio.sleep(0)


async def test_nobody_offers_the_service() -> None:
    empty: list[rpc.RpcClients] = [LocalRpc(), GrpcClients({}, ServiceTokens(SECRET, "gateway"))]
    for clients in empty:
        with pytest.raises(WeftError) as caught:
            await clients.client(Access).Authorize(auth_pb2.AuthorizeRequest())
        assert caught.value.code is ErrorCode.UNAVAILABLE

"""What only gRPC has: tokens, retries, connections, health, reflection, TLS."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import auth_pb2, node_options_pb2
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.node_options import NodeOptions
from weft_kit import rpc
from weft_kit.rpc import service_tokens
from weft_kit.rpc.grpc_client import GrpcClients
from weft_kit.rpc.grpc_server import GrpcServer
from weft_kit.rpc.grpc_wire import Tls
from weft_kit.rpc.service_tokens import ServiceTokens

SECRET = "s" * 32


class Counting:
    """Fails with UNAVAILABLE until the third call."""

    def __init__(self) -> None:
        self.calls = 0

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        return auth_pb2.ListProjectsResponse(default_project_id="p")

    async def Authorize(self, request: auth_pb2.AuthorizeRequest) -> auth_pb2.AuthorizeResponse:
        self.calls += 1
        if self.calls < 3:
            raise WeftError(ErrorCode.UNAVAILABLE, "not yet")
        return auth_pb2.AuthorizeResponse(role="owner")


@asynccontextmanager
async def serving(
    servicer: object, address: str = "127.0.0.1:0", tls: Tls | None = None
) -> AsyncIterator[tuple[GrpcServer, str]]:
    server = GrpcServer({Access: servicer}, ServiceTokens(SECRET, "auth"), tls)
    port = await server.start(address)
    try:
        yield server, f"localhost:{port}"
    finally:
        await server.stop(0)


async def projects(clients: GrpcClients) -> str:
    answer = await clients.client(Access).ListProjects(auth_pb2.ListProjectsRequest())
    return answer.default_project_id


async def test_reads_are_tried_again_while_unavailable() -> None:
    servicer = Counting()
    async with serving(servicer) as (_, address):
        clients = GrpcClients({"auth": address}, ServiceTokens(SECRET, "gateway"))
        answer = await clients.client(Access).Authorize(auth_pb2.AuthorizeRequest())
        assert (answer.role, servicer.calls) == ("owner", 3)
        await clients.close()


async def test_a_restarted_server_is_found_again() -> None:
    async with serving(Counting()) as (_, address):
        clients = GrpcClients({"auth": address}, ServiceTokens(SECRET, "gateway"))
        assert await projects(clients) == "p"
    call = asyncio.create_task(projects(clients))  # waits for the server, does not fail
    async with serving(Counting(), f"127.0.0.1:{address.rpartition(':')[2]}"):
        assert await call == "p"
    await clients.close()


async def test_a_rolling_restart_fails_no_call() -> None:
    """A server that stops cancels the calls that reach it then; they are meant for the others."""
    tokens, over = ServiceTokens(SECRET, "auth"), asyncio.Event()
    servers = [GrpcServer({Access: Counting()}, tokens) for _ in range(2)]
    ports = [await server.start("127.0.0.1:0") for server in servers]
    clients = GrpcClients({"auth": ",".join(f"localhost:{port}" for port in ports)}, tokens)

    async def caller() -> int:
        done = 0
        while not over.is_set():
            assert await projects(clients) == "p"
            done += 1
        return done

    callers = [asyncio.create_task(caller()) for _ in range(10)]
    for turn in range(6):
        await servers[turn % 2].stop(0.5)
        servers[turn % 2] = GrpcServer({Access: Counting()}, tokens)
        await servers[turn % 2].start(f"127.0.0.1:{ports[turn % 2]}")
        await projects(clients)
    over.set()
    assert all(await asyncio.gather(*callers))
    await clients.close()
    for server in servers:
        await server.stop(0)


class Options:
    """Fails with UNAVAILABLE at the first call."""

    def __init__(self) -> None:
        self.calls = 0

    async def List(
        self, request: node_options_pb2.ListOptionsRequest
    ) -> node_options_pb2.ListOptionsResponse:
        self.calls += 1
        if self.calls == 1:
            raise WeftError(ErrorCode.UNAVAILABLE, "not yet")
        return node_options_pb2.ListOptionsResponse(next_cursor="n")


async def test_interfaces_of_several_files_are_one_service() -> None:
    """`node_options.proto` is in the package of the node-runner: its address and its retries count."""
    server = GrpcServer({NodeOptions: Options()}, ServiceTokens(SECRET, "node-runner"))
    port = await server.start("127.0.0.1:0")
    clients = GrpcClients({"node_runner": f"localhost:{port}"}, ServiceTokens(SECRET, "gateway"))
    answer = await clients.client(NodeOptions).List(node_options_pb2.ListOptionsRequest())
    assert answer.next_cursor == "n"
    await clients.close()
    await server.stop(0)


async def test_nobody_listens() -> None:
    clients = GrpcClients({"auth": "localhost:1"}, ServiceTokens(SECRET, "gateway"))
    with pytest.raises(WeftError) as caught, rpc.deadline(0.3):
        await projects(clients)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    await clients.close()


async def test_a_busy_port_is_a_conflict() -> None:
    async with serving(Counting()) as (_, address):
        with pytest.raises(WeftError) as caught:
            await GrpcServer({}, ServiceTokens(SECRET, "auth")).start(
                f"127.0.0.1:{address.rpartition(':')[2]}"
            )
        assert caught.value.code is ErrorCode.CONFLICT


async def test_a_token_of_another_cluster_is_refused() -> None:
    async with serving(Counting()) as (_, address):
        clients = GrpcClients({"auth": address}, ServiceTokens("other" * 8, "gateway"))
        with pytest.raises(WeftError) as caught:
            await projects(clients)
        assert caught.value.code is ErrorCode.UNAUTHENTICATED
        await clients.close()


def test_service_tokens_expire_and_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    mint, verify = ServiceTokens(SECRET, "gateway"), ServiceTokens(SECRET, "auth")
    token = mint.mint()
    assert mint.mint() is token
    assert verify.verify(token) == "gateway"
    assert verify.verify(token) == "gateway"
    now = service_tokens.time.time()
    monkeypatch.setattr(service_tokens.time, "time", lambda: now + service_tokens.LIFETIME + 60)
    assert mint.mint() != token
    for bad in (token, "", "a.b.c", token[:-3] + "abc"):
        with pytest.raises(WeftError):
            verify.verify(bad)


async def test_health_and_reflection_need_no_token() -> None:
    async with serving(Counting()) as (server, address), grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        assert (await check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        async for answer in stub.ServerReflectionInfo(iter([question])):
            names = {service.name for service in answer.list_services_response.service}
            assert "weft.auth.v1.Access" in names
        await server.drain()
        assert (
            await check(health_pb2.HealthCheckRequest())
        ).status == health_pb2.HealthCheckResponse.NOT_SERVING


def certificates(folder: Path) -> Tls:
    """A certificate of `localhost` that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "tls.crt").write_bytes(certificate.public_bytes(pem))
    (folder / "tls.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(folder / "tls.crt", folder / "tls.key", folder / "tls.crt")


async def test_mutual_tls(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    tls, other = certificates(tmp_path), certificates(tmp_path / "other")
    tokens = ServiceTokens(SECRET, "gateway")
    async with serving(Counting(), tls=tls) as (_, address):
        clients = GrpcClients({"auth": address}, tokens, tls)
        assert await projects(clients) == "p"
        await clients.close()
        for untrusted in (None, other):
            stranger = GrpcClients({"auth": address}, tokens, untrusted)
            with pytest.raises(WeftError), rpc.deadline(1):
                await projects(stranger)
            await stranger.close()

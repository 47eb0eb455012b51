"""Databases behind OpenSSH's server: PostgreSQL by Postgres nodes, and what is said where the way is shut."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from weft_kit.testing.remote import SshServer
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.my_sql.connection import check as check_my_sql
from weft_nodes.ssh_.tunnel import reached

from libs.nodes.tests.test_postgres import database, secret

__all__ = ["database", "secret"]
CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration


@pytest.fixture
def tunnel(ssh_server: SshServer) -> dict[str, Any]:
    return {
        "sshTunnel": True,
        "sshHost": "127.0.0.1",
        "sshPort": ssh_server.port,
        "sshUser": ssh_server.user,
        "sshAuthenticateWith": "privateKey",
        "privateKey": ssh_server.key,
    }


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def asking(secret: dict[str, Any], text: str, **more: Any) -> FakeContext:
    parameters = {"operation": "executeQuery", "query": text}
    return FakeContext(
        CATALOGUE.fill_defaults("postgres", 2.6, parameters),
        [[{"json": {}}]],
        version=2.6,
        type="postgres",
        credentials={"postgres": secret},
        **more,
    )


async def test_a_database_is_reached(tunnel: dict[str, Any], secret: dict[str, Any]) -> None:
    ctx = asking({**secret, **tunnel}, "SELECT repeat('x', 3000000) AS big, name FROM people WHERE id = 1")
    (items,) = await CATALOGUE.implementation("postgres")(ctx)
    assert (len(items[0]["json"]["big"]), items[0]["json"]["name"]) == (3_000_000, "Ada")
    # the guard has seen the way in; the rest is the server's
    assert ctx.connected == [("127.0.0.1", tunnel["sshPort"])]


async def test_faults_of_a_query_are_the_database_s(tunnel: dict[str, Any], secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match="does not exist"):
        await CATALOGUE.implementation("postgres")(asking({**secret, **tunnel}, "SELECT * FROM nothing"))


async def test_a_way_that_is_shut_is_named(tunnel: dict[str, Any], secret: dict[str, Any]) -> None:
    run = CATALOGUE.implementation("postgres")
    with pytest.raises(NodeRunError, match="SSH server does not accept the credential"):
        await run(asking({**secret, **tunnel, "sshUser": "nobody-of-that-name"}, "SELECT 1"))
    with pytest.raises(NodeRunError, match="SSH:") as caught:
        await run(asking({**secret, **tunnel, "port": 1}, "SELECT 1"))
    assert "Connection refused" in caught.value.description
    with pytest.raises(NodeRunError, match="SSH:"):
        await check_my_sql(asking(secret, ""), {"host": "127.0.0.1", "port": 1, **tunnel})
    with pytest.raises(NodeRunError, match="private network"):
        await run(
            asking({**secret, **tunnel, "sshHost": "inside"}, "SELECT 1", refused_hosts=frozenset({"inside"}))
        )


async def test_one_connection_at_a_time_is_carried(tunnel: dict[str, Any], secret: dict[str, Any]) -> None:
    async with reached(asking(secret, ""), tunnel, "127.0.0.1", secret["port"]) as (host, port):
        _, first = await asyncio.open_connection(host, port)
        with suppress(ConnectionError):
            reader, second = await asyncio.open_connection(host, port)
            assert await reader.read() == b""
            second.close()
        first.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(host, port)


async def test_without_a_tunnel_the_way_is_straight(secret: dict[str, Any]) -> None:
    ctx = asking(secret, "")
    async with reached(ctx, {"sshTunnel": False}, "db.example", 5432) as place:
        assert place == ("db.example", 5432)
    assert ctx.connected == [("db.example", 5432)]


async def test_a_second_try_is_carried(tunnel: dict[str, Any]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        behind = server.sockets[0].getsockname()[1]
        async with reached(FakeContext({}, [[]]), tunnel, "127.0.0.1", behind) as (host, port):
            for word in (b"first\n", b"again\n"):
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(word)
                assert await reader.readline() == word
                writer.write_eof()
                assert await reader.read() == b""
                writer.close()

"""Microsoft SQL, driver and all, against a server that speaks the protocol and writes down what it is asked."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from weft_kit.testing.certificates import self_signed
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.microsoft_sql import connection
from weft_nodes.microsoft_sql.connection import check

from libs.nodes.tests.fake_tds import FakeTds

CATALOGUE = Catalogue.load()
ROWS = [{"id": 1, "name": "Ada é"}, {"id": 2**60, "name": None}]


def answer(text: str, _: list[Any]) -> Any:
    if "broken" in text:
        return ValueError("Invalid object name 'broken'.")
    return ROWS if text.upper().startswith(("SELECT", "DECLARE")) else None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture
def server() -> Iterator[FakeTds]:
    made = FakeTds(answer)
    yield made
    made.close()


def secret(server: FakeTds, **more: Any) -> dict[str, Any]:
    return {
        "server": "127.0.0.1",
        "port": server.port,
        "database": "db",
        "user": "sa",
        "password": "hunter2 é",
        "tls": False,
        **more,
    }


async def ran(
    server: FakeTds, parameters: dict[str, Any], given: Any = ({},), on_error: str = "stopWorkflow"
) -> list[Any]:
    ctx = FakeContext(
        CATALOGUE.fill_defaults("microsoftSql", 1.2, parameters),
        [[{"json": each} for each in given]],
        version=1.2,
        type="microsoftSql",
        credentials={"microsoftSql": secret(server)},
        on_error=on_error,
    )
    (items,) = await CATALOGUE.implementation("microsoftSql")(ctx)
    assert ctx.connected == [("127.0.0.1", server.port)]
    return [item["json"] for item in items]


def asking(text: str, *values: Any) -> dict[str, Any]:
    more = {"options": {"queryReplacement": list(values)}} if values else {}
    return {"operation": "executeQuery", "query": text, **more}


async def test_a_query_s_rows(server: FakeTds) -> None:
    text = "DECLARE @a int = 1; SELECT '100%' -- all of it"
    assert await ran(server, asking(text)) == [
        {"id": 1, "name": "Ada é"},
        {"id": str(2**60), "name": None},
    ]
    assert server.logins == [("sa", "hunter2 é", "db", False)]
    assert (text, []) in server.asked


async def test_values_are_bound(server: FakeTds) -> None:
    text = "SELECT $1; SELECT '$1 100%', [$1], $2 % 3, $3:name, $4 -- $1"
    await ran(server, asking(text, "a'b", 5, "x]y%", [True, 1.5, None, {"k": 1}]))
    sent, values = server.asked[-1]
    assert values == ["a'b", 5, True, 1.5, '{"k":1}']
    assert "'$1 100%', [$1]," in sent
    assert "% 3, [x]]y%]," in sent
    assert "NULL" in sent
    assert "a'b" not in sent


async def test_a_statement_without_rows(server: FakeTds) -> None:
    assert await ran(server, asking("CREATE TABLE t (a int)")) == [{"success": True}]


async def test_rows_are_inserted_together(server: FakeTds) -> None:
    parameters = {"operation": "insert", "table": "dbo.[my t]", "columns": "id, odd]name"}
    given = [{"id": number, "odd]name": f"n{number}"} for number in range(1500)]
    found = await ran(server, parameters, given)
    assert found == given
    texts = [(sent, values) for sent, values in server.asked if "INSERT" in sent]
    assert [len(values) for _, values in texts] == [2000, 1000]
    assert texts[0][0].startswith("INSERT INTO [dbo].[my t] ([id], [odd]]name]) VALUES (")
    assert texts[0][1][:4] == [0, "n0", 1, "n1"]


async def test_rows_are_updated_and_deleted(server: FakeTds) -> None:
    update = {"operation": "update", "table": "t", "columns": "name,id", "updateKey": "id"}
    assert await ran(server, update, [{"id": 7, "name": "x"}]) == [{"success": True, "affectedRows": 1}]
    sent, values = server.asked[-1]
    assert (sent.startswith("UPDATE [t] SET [name] = "), values) == (True, ["x", 7])
    delete = {"operation": "delete", "table": "t", "deleteKey": "id"}
    found = await ran(server, delete, [{"id": 7}, {"no": 1}], "continueRegularOutput")
    assert found[0] == {"success": True, "affectedRows": 1}
    assert "no 'id' to find its row by" in found[1]["error"]
    sent, values = server.asked[-1]
    assert (sent.startswith("DELETE FROM [t] WHERE [id] = "), values) == (True, [7])


async def test_faults_are_the_server_s_words(server: FakeTds) -> None:
    with pytest.raises(NodeRunError, match="Invalid object name 'broken'"):
        await ran(server, asking("SELECT * FROM broken"))


async def test_tls_is_checked(certificate: tuple[Path, Path]) -> None:
    server = FakeTds(answer, certificate)
    ctx = FakeContext({})
    with pytest.raises(NodeRunError, match="certificate verify failed"):
        await check(ctx, secret(server, tls=True))
    assert server.logins == []
    await check(ctx, secret(server, tls=True, allowUnauthorizedCerts=True))
    assert server.logins == [("sa", "hunter2 é", "db", True)]
    with pytest.raises(NodeRunError, match="turn on TLS"):
        await check(ctx, secret(server))
    server.close()


async def test_encryption_is_not_given_up(server: FakeTds) -> None:
    with pytest.raises(NodeRunError, match="not supported by server"):
        await check(FakeContext({}), secret(server, tls=True, allowUnauthorizedCerts=True))
    assert server.logins == []


async def test_a_server_can_t_send_it_elsewhere(server: FakeTds) -> None:
    other = FakeTds(answer, route=("127.0.0.1", server.port))
    with pytest.raises(NodeRunError, match="sends its clients on"):
        await check(FakeContext({}), secret(other))
    assert server.logins == []
    other.close()


async def test_where_nobody_listens(server: FakeTds) -> None:
    with pytest.raises(NodeRunError, match="can't be used") as caught:
        await check(FakeContext({}), secret(server, port=1, connectTimeout=2000))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(NodeRunError, match="Windows users"):
        await check(FakeContext({}), secret(server, domain="CORP"))


async def test_who_is_cancelled_while_it_connects_leaves_nothing_open(server: FakeTds) -> None:
    """A server that is silent: its connection ends with the time that connecting may take."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        given = secret(server, port=silent.getsockname()[1], connectTimeout=1500)
        trying = asyncio.create_task(check(FakeContext({}), given))
        peer, _ = await asyncio.to_thread(silent.accept)
        with peer:
            peer.settimeout(60)
            trying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trying
            while await asyncio.to_thread(peer.recv, 4096):
                pass  # what it said before


async def test_a_connection_that_comes_too_late_is_closed(
    server: FakeTds, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, closed, began = threading.Event(), threading.Event(), threading.Event()

    class Driver:
        def close(self) -> None:
            closed.set()

    def late(*_: Any) -> Driver:
        began.set()
        assert opened.wait(60)
        return Driver()

    monkeypatch.setattr(connection, "_open", late)
    trying = asyncio.create_task(check(FakeContext({}), secret(server)))
    assert await asyncio.to_thread(began.wait, 60)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    opened.set()
    assert await asyncio.to_thread(closed.wait, 60)

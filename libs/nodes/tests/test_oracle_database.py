"""Oracle Database: against a fake in the driver's place, and the driver itself where no database is needed."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Self

import oracledb
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.databases import running
from weft_nodes.databases.choices import STANDARD, page_of
from weft_nodes.oracle_database import connection
from weft_nodes.oracle_database.connection import _GuardedLoop, check, target_of

CATALOGUE = Catalogue.load()
SECRET = {"user": "ada", "password": "hunter2", "connectionString": "db.example.org:1522/orcl"}
TABLE = {
    "schema": {"__rl": True, "mode": "list", "value": "HR"},
    "table": {"__rl": True, "mode": "name", "value": "People"},
}


class Variable:
    def __init__(self, kind: Any, size: int) -> None:
        self.kind, self.size, self.held = kind, size, None

    def setvalue(self, _: int, held: Any) -> None:
        self.held = held

    def getvalue(self) -> Any:
        return self.held


class FakeDriver:
    """Stands where a connection does; `answer` gives column names and rows for a text, or raises."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Any]] = []
        self.ended: list[str] = []
        self.autocommit = False
        self.opened: dict[str, Any] = {}

    def cursor(self) -> "FakeCursor":
        return FakeCursor(self)

    async def commit(self) -> None:
        self.ended.append("commit")

    async def rollback(self) -> None:
        self.ended.append("rollback")

    async def close(self) -> None:
        self.ended.append("close")


class FakeCursor:
    def __init__(self, driver: FakeDriver) -> None:
        self.driver = driver
        self.arraysize = self.prefetchrows = 0
        self.outputtypehandler: Any = None
        self.description: list[tuple[str]] | None = None
        self.rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def var(self, kind: Any, size: int) -> Variable:
        return Variable(kind, size)

    async def execute(self, text: str, binds: Any) -> None:
        assert threading.current_thread().name == "oracle"
        self.driver.asked.append((text, binds))
        found = self.driver.answer(text, binds)
        if found is not None:
            self.description, self.rows = [(name,) for name in found[0]], list(found[1])

    async def fetchmany(self) -> list[tuple[Any, ...]]:
        part, self.rows = self.rows[: self.arraysize], self.rows[self.arraysize :]
        return part


def answer(text: str, binds: Any) -> Any:
    if "broken" in text:
        raise oracledb.DatabaseError("ORA-00942: table or view does not exist\nHelp: https://docs.oracle.com")
    if isinstance(binds, dict) and isinstance(binds.get("total"), Variable):
        binds["total"].held = 7.5
    if text.startswith("SELECT"):
        return ["ID", "NAME", "AT"], [
            (Decimal(12345678901234567890), "Ada", datetime(2026, 1, 2, tzinfo=UTC))
        ]
    return None


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDriver]:
    made = FakeDriver(answer)

    async def connect(**given: Any) -> FakeDriver:
        made.opened = given
        return made

    monkeypatch.setattr(oracledb, "connect_async", connect)
    return made


async def ran(
    parameters: dict[str, Any], given: Any = ({},), secret: Any = SECRET, on_error: str = "stopWorkflow"
) -> Any:
    ctx = FakeContext(
        CATALOGUE.fill_defaults("oracleDatabase", 1.1, parameters),
        [[{"json": each} for each in given]],
        version=1.1,
        type="oracleDatabase",
        credentials={"oracleDBApi": secret},
        on_error=on_error,
    )
    (items,) = await CATALOGUE.implementation("oracleDatabase")(ctx)
    assert ctx.connected == [("db.example.org", 1522)]
    return [item["json"] for item in items]


def columns(match: tuple[str, ...] = (), **held: Any) -> dict[str, Any]:
    return {"columns": {"mappingMode": "defineBelow", "value": held, "matchingColumns": list(match)}}


async def test_rows_are_selected(driver: FakeDriver) -> None:
    where = [
        {"column": "NAME", "condition": "LIKE", "value": "A%"},
        {"column": "AT", "condition": "IS NOT NULL"},
    ]
    parameters = {
        **TABLE,
        "operation": "select",
        "limit": 5,
        "where": {"values": where},
        "sort": {"values": [{"column": "ID", "direction": "DESC"}]},
        "options": {"outputColumns": ["ID", "NAME", "AT"], "largeNumbersOutputAsString": True},
    }
    rows = await ran(parameters)
    assert rows == [{"ID": "12345678901234567890", "NAME": "Ada", "AT": "2026-01-02T00:00:00.000Z"}]
    assert driver.asked == [
        (
            (
                'SELECT "ID", "NAME", "AT" FROM "HR"."People" WHERE "NAME" LIKE :1 AND "AT" IS NOT NULL '
                'ORDER BY "ID" DESC FETCH FIRST 5 ROWS ONLY'
            ),
            ["A%"],
        )
    ]
    assert driver.ended == ["close"]
    assert (driver.opened["host"], driver.opened["port"], driver.opened["service_name"]) == (
        "db.example.org",
        1522,
        "orcl",
    )


@pytest.mark.parametrize(
    ("parameters", "text", "values"),
    [
        (
            {"operation": "insert", **columns(A=1, B={"c": True}, C=False)},
            'INSERT INTO "HR"."People" ("A", "B", "C") VALUES (:1, :2, :3)',
            [1, '{"c":true}', 0],
        ),
        (
            {"operation": "update", **columns(("A",), A=1, B="x")},
            'UPDATE "HR"."People" SET "B" = :1 WHERE "A" = :2',
            ["x", 1],
        ),
        (
            {"operation": "upsert", **columns(("A",), A=1, B="x")},
            (
                'MERGE INTO "HR"."People" t USING (SELECT :1 AS "A", :2 AS "B" FROM dual) s ON (t."A" = s."A") '
                'WHEN MATCHED THEN UPDATE SET t."B" = s."B" WHEN NOT MATCHED THEN INSERT ("A", "B") '
                'VALUES (s."A", s."B")'
            ),
            [1, "x"],
        ),
        ({"operation": "deleteTable"}, 'TRUNCATE TABLE "HR"."People"', []),
        ({"operation": "deleteTable", "deleteCommand": "drop"}, 'DROP TABLE "HR"."People"', []),
    ],
)
async def test_rows_are_written(driver: FakeDriver, parameters: Any, text: str, values: Any) -> None:
    assert await ran({**TABLE, **parameters}) == [{"success": True}]
    assert driver.asked == [(text, values)]
    assert driver.autocommit is True


async def test_several_items_are_written_together_or_not_at_all(driver: FakeDriver) -> None:
    given = columns(A=1)
    assert await ran({**TABLE, "operation": "insert", **given}, ({}, {})) == [{"success": True}]
    assert driver.ended == ["commit", "close"]
    broken = {**TABLE, "table": {"__rl": True, "mode": "name", "value": "broken"}, **given}
    with pytest.raises(NodeRunError, match=r"^ORA-00942: table or view does not exist$"):
        await ran({**broken, "operation": "insert", "options": {"stmtBatching": "transaction"}}, ({}, {}))
    assert driver.ended[2:] == ["rollback", "close"]


async def test_names_are_no_way_in(driver: FakeDriver) -> None:
    for name in ('a" FROM dual --', ""):
        with pytest.raises(NodeRunError):
            await ran({**TABLE, "operation": "insert", **columns(**{name: 1})})
    assert driver.asked == []


async def test_queries_have_bind_variables(driver: FakeDriver) -> None:
    def bind(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "bindDirection": "in", "datatype": "string", **more}

    binds = [
        bind("a", valueString="x"),
        bind("n", datatype="number", valueNumber=3),
        bind("ids", valueString="1, 2", parseInStatement=True),
        bind("total", bindDirection="out", datatype="number"),
    ]
    query = "BEGIN f(:a, :n, ':ids', :total); x := y IN (:ids); z := :ids2; END;"
    parameters = {"operation": "execute", "query": query, "options": {"params": {"values": binds}}}
    assert await ran(parameters) == [{"total": 7.5}]
    text, held = driver.asked[0]
    assert text == "BEGIN f(:a, :n, ':ids', :total); x := y IN (:ids_w0, :ids_w1); z := :ids2; END;"
    assert isinstance(held.pop("total"), Variable)
    assert held == {"a": "x", "n": 3, "ids_w0": "1", "ids_w1": "2"}
    for wrong in (bind("a b"), bind("v", datatype="vector")):
        with pytest.raises(NodeRunError):
            await ran({**parameters, "options": {"params": {"values": [wrong]}}})


async def test_a_failure_is_the_item_s_own(driver: FakeDriver) -> None:
    parameters = {"operation": "execute", "query": "=SELECT * FROM {{ $json.t }}"}
    ctx_rows = await ran({**parameters, "query": "SELECT 1 FROM broken"}, on_error="continueRegularOutput")
    assert "ORA-00942" in str(ctx_rows[0]["error"])


async def test_no_more_rows_than_the_memory_takes(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_ROWS", 250)
    driver.answer = lambda *_: (["A"], [(number,) for number in range(1000)])
    with pytest.raises(NodeRunError, match="more than") as caught:
        await ran({"operation": "execute", "query": "SELECT a FROM t"})
    assert caught.value.code == "TOO_LARGE"
    assert running.MOST_ROWS > 250


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("localhost/orcl", ("localhost", 1521, "orcl", None)),
        ("//db:1600/a.b", ("db", 1600, "a.b", None)),
        ("tcp://db", ("db", 1521, None, None)),
        ("[::1]:1521/x", ("::1", 1521, "x", None)),
        (
            "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1))(CONNECT_DATA=(SERVICE_NAME=s)))",
            ("h", 1, "s", None),
        ),
        ("(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1))(CONNECT_DATA=(SID=s)))", ("h", 1, None, "s")),
    ],
)
def test_connection_strings(text: str, target: Any) -> None:
    assert target_of(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "config-file:///etc/passwd",
        "tcps://db/orcl",
        "ldap://db/orcl",
        "a,b/orcl",
        "db:99999/x",
        "db/x?wallet_location=/etc",
        "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=h)(PORT=1))(CONNECT_DATA=(SID=s)))",
        (
            "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=a)(PORT=1))(ADDRESS=(PROTOCOL=TCP)(HOST=b)(PORT=1))"
            "(CONNECT_DATA=(SID=s)))"
        ),
        "(",
    ],
)
def test_connection_strings_that_lead_elsewhere(text: str) -> None:
    with pytest.raises(NodeRunError):
        target_of(text)


async def test_what_is_not_there_says_so(driver: FakeDriver) -> None:
    for setting in ("useSSL", "useThickMode"):
        with pytest.raises(NodeRunError, match=setting):
            await check(FakeContext({}), {**SECRET, setting: True})
    with pytest.raises(NodeRunError, match="not given yet"):
        await ran({**TABLE, "operation": "insert", **columns(A=1), "options": {"outputColumns": ["A"]}})
    assert driver.asked == []


async def test_the_driver_itself_says_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    given = {**SECRET, "connectionString": f"127.0.0.1:{port}/x", "transportConnectTimeout": 5}
    with pytest.raises(NodeRunError) as caught:
        await check(FakeContext({}), given)
    assert caught.value.code == "DATABASE_ERROR"
    assert "hunter2" not in str(caught.value)


async def test_the_driver_connects_to_the_checked_address_alone() -> None:
    """It asks its event loop for connections: that one makes no other."""
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("127.0.0.1", 0)) as other:
        loop = _GuardedLoop("127.0.0.1", own.getsockname()[1])

        async def opened(port: int) -> None:
            await oracledb.connect_async(user="u", password="p", host="127.0.0.1", port=port)

        def opens(port: int) -> None:
            loop.run_until_complete(opened(port))

        with pytest.raises(oracledb.OperationalError):
            await asyncio.to_thread(opens, other.getsockname()[1])
        assert loop.refused.endswith(str(other.getsockname()[1]))
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
        loop.close()


async def test_a_listener_can_t_send_the_driver_elsewhere() -> None:
    """The driver itself, at a listener that redirects it (a packet of type 5, its data in one of type 6)."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as other:
        elsewhere = other.getsockname()[1]
        data = (
            f"(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT={elsewhere}))\0(DESCRIPTION=(CONNECT_DATA=(SID=x)))"
        ).encode()

        def redirect() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(8192)
                sock.sendall(struct.pack(">HHBBHH", 10, 0, 5, 0, 0, len(data)))
                sock.sendall(struct.pack(">HHBBHH", len(data) + 10, 0, 6, 0, 0, 0) + data)
                sock.recv(1)

        served = asyncio.create_task(asyncio.to_thread(redirect))
        given = {**SECRET, "connectionString": f"127.0.0.1:{listener.getsockname()[1]}/x"}
        with pytest.raises(NodeRunError, match=f"on to 127.0.0.1:{elsewhere}"):
            await check(FakeContext({}), given)
        await served
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_a_page_of_choices_is_asked_for_as_oracle_says_it() -> None:
    ctx: Any = SimpleNamespace(search="a_b%", cursor="100")
    made = page_of(ctx, "SELECT x", "owner", page=STANDARD)
    assert (made.text, list(made.values)) == (
        "SELECT x OFFSET 100 ROWS FETCH NEXT 101 ROWS ONLY",
        [r"%a\_b\%%", "owner"],
    )

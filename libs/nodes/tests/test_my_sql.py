"""MySQL against a real MariaDB."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from weft_kit.testing.certificates import self_signed
from weft_kit.testing.databases import MariaDb
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.my_sql.options import LOADERS

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
VERSIONS = [2, 2.1, 2.2, 2.3, 2.4, 2.5]
TABLE = """
CREATE OR REPLACE TABLE people (id int PRIMARY KEY AUTO_INCREMENT, name varchar(20), born date, score decimal(6,2),
    data longtext, ok tinyint(1) DEFAULT 7);
INSERT INTO people VALUES (1, 'Ada', '1815-12-10', 1.5, '{"x": 1}', 1);
INSERT INTO people (id, name) VALUES (2, 'Bob');
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tls: tuple[Path, Path]) -> Iterator[MariaDb]:
    server = MariaDb(tmp_path_factory.mktemp("mariadb"), tls)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def secret(server: MariaDb) -> dict[str, Any]:
    secret = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "weft",
        "password": "secret",
        "database": "weft",
    }
    await run(secret, query(TABLE))
    return secret


async def items(
    secret: dict[str, Any], parameters: dict[str, Any], given: Any = ({},), version: float = 2.5, **more: Any
) -> Any:
    ctx = FakeContext(
        CATALOGUE.fill_defaults("mySql", version, parameters),
        [[{"json": each} for each in given]],
        version=version,
        type="mySql",
        credentials={"mySql": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        **more,
    )
    outputs = await CATALOGUE.implementation("mySql")(ctx)
    assert isinstance(outputs, list)
    assert ctx.connected == [(secret["host"], secret["port"])]
    return outputs[0]


async def run(*arguments: Any, **more: Any) -> Any:
    return [item["json"] for item in await items(*arguments, **more)]


def query(text: str, **options: Any) -> dict[str, Any]:
    return {"operation": "executeQuery", "query": text, "options": options}


def header(affected: int, **more: Any) -> dict[str, Any]:
    """What a server says of a statement without rows."""
    told = {"fieldCount": 0, "affectedRows": affected, "insertId": 0, "info": "", "serverStatus": 2}
    return {**told, "warningStatus": 0, "changedRows": 0, **more}


VALUES = """SELECT 1 a, 9007199254740993 b, 1.50 c, 0.5e0 d, true f, NULL g, DATE'2024-01-02' h,
    TIMESTAMP'2024-01-02 03:04:05.678' i, TIME'-30:04:05' k, X'0102' n, b'101' o, POINT(1, 2.5) r, 'é' t,
    ST_GeomFromText('LINESTRING(0 0,1 1)') l, ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))') p,
    ST_GeomFromText('MULTIPOINT(0 0,1 1)') m, 5000000000 u, 1e300 w"""


@pytest.mark.parametrize("version", [1, *VERSIONS])
async def test_values_are_what_the_field_knows(secret: dict[str, Any], version: float) -> None:
    (row,) = await run(secret, query(VALUES), [{}], version)
    old = version < 2.1
    corner = {"x": 0, "y": 0}
    assert row == {
        "a": 1,
        "b": 9007199254740993 if version == 1 else "9007199254740993",
        "c": "1.50",
        "d": 0.5,
        "f": 1,
        "g": None,
        "h": "2024-01-02T00:00:00.000Z" if old else "2024-01-02",
        "i": "2024-01-02T03:04:05.678Z" if old else "2024-01-02 03:04:05.678",
        "k": "-30:04:05",
        "n": {"type": "Buffer", "data": [1, 2]},
        "o": {"type": "Buffer", "data": [5]},
        "r": {"x": 1, "y": 2.5},
        "t": "é",
        "l": [corner, {"x": 1, "y": 1}],
        "p": [[corner, {"x": 1, "y": 0}, {"x": 1, "y": 1}, corner]],
        "m": [corner, {"x": 1, "y": 1}],
        "u": 5000000000,
        "w": 1e300,
    }


async def test_numbers_by_the_options(secret: dict[str, Any]) -> None:
    text = "SELECT COUNT(*) a, 9007199254740993 b, 1.50 c FROM people"
    assert await run(secret, query(text, largeNumbersOutput="text")) == [
        {"a": "2", "b": "9007199254740993", "c": "1.50"}
    ]
    assert await run(secret, query(text, largeNumbersOutput="numbers", decimalNumbers=True)) == [
        {"a": 2, "b": "9007199254740993", "c": 1.5}
    ]


async def test_parameters_are_bound(secret: dict[str, Any]) -> None:
    evil = "x'; DROP TABLE people; -- \\' %s \n"
    text = (
        "SELECT $1 a, $2 + 1 b, '$1 % \\' $1' c, name LIKE 'A%' d FROM $3:name WHERE id IN ($4) ORDER BY id"
    )
    rows = await run(
        secret,
        query(text, queryReplacement="={{ $json.p }}"),
        [{"p": [evil, 41, "weft.people", [1, 2]]}],
    )
    assert rows == [{"a": evil, "b": 42, "c": "$1 % ' $1", "d": like} for like in (1, 0)]
    pairs = query("SELECT name FROM people WHERE (id, name) IN ($1)", queryReplacement="={{ $json.p }}")
    assert await run(secret, pairs, [{"p": [[[1, "Ada"], [2, "no"]]]}]) == [{"name": "Ada"}]
    few = query("SELECT $1 a, $3 b", queryReplacement="={{ $json.p }}")
    assert await run(secret, few, [{"p": ["x"]}]) == [{"a": "x", "b": None}]


@pytest.mark.parametrize("secured", [False, True])
async def test_json_of_mariadb_is_read(secret: dict[str, Any], tls: tuple[Path, Path], secured: bool) -> None:
    secret = {**secret, "ssl": secured, "caCertificate": tls[0].read_text()}
    table = "CREATE OR REPLACE TABLE notes (held json, plain longtext)"
    rows = [{"held": {"a": [1, None], "b": "ß" * 300}, "plain": '{"a": 1}'}, {"held": [], "plain": None}]
    await run(secret, query(table))
    await run(secret, {"operation": "insert", "table": "notes", "dataMode": "autoMapInputData"}, rows)
    assert await run(secret, query("SELECT * FROM notes")) == rows
    assert await run(secret, query("SELECT JSON_ARRAY(1, 'x') AS a, NULL AS b")) == [
        {"a": [1, "x"], "b": None}
    ]
    await run(secret, query("DROP TABLE notes"))


@pytest.mark.parametrize("version", [1, *VERSIONS])
async def test_texts_that_are_numbers(secret: dict[str, Any], version: float) -> None:
    asked = query("SELECT $1 a, $2 b, $3 c, $4 d", queryReplacement="1, 01, 1.50, x")
    (row,) = await run(secret, asked, [{}], version)
    assert row == {"a": 1 if version >= 2.3 else "1", "b": "01", "c": "1.50", "d": "x"}


async def test_empty_texts_and_limits_as_parameters(secret: dict[str, Any]) -> None:
    asked = query("SELECT $1 a FROM people LIMIT $2", queryReplacement=",1", replaceEmptyStrings=True)
    assert await run(secret, asked) == [{"a": None}]


async def test_several_statements(secret: dict[str, Any]) -> None:
    text = "SELECT id FROM people; # a; b\nSELECT 'it\\'s; x' a -- c; d\n; DELETE FROM people WHERE id > 1; -- end"
    assert await run(secret, query(text)) == [{"id": 1}, {"id": 2}, {"a": "it's; x"}]
    nothing = query("SELECT id FROM people WHERE id = 9")
    assert await run(secret, nothing) == await run(secret, nothing, [{}], 2.2) == []
    assert await run(secret, nothing, [{}], 2.1) == [{"success": True}]
    assert await run(secret, query("SELECT id FROM people WHERE id = 9; DELETE FROM people")) == [
        {"success": True}
    ]
    assert await run(secret, query("SET @a = 5; SELECT @a x", queryBatching="independently")) == [{"x": 5}]


async def test_a_procedure_and_its_results(secret: dict[str, Any]) -> None:
    body = "CREATE OR REPLACE PROCEDURE two() BEGIN SELECT 1 AS a; SELECT 2 AS b; END"
    assert await run(secret, query(f"-- made anew\n{body}")) == [{"success": True}]
    assert await run(secret, query("CALL two()")) == [{"a": 1}, {"b": 2}]


async def test_details(secret: dict[str, Any]) -> None:
    text = """SELECT id FROM people WHERE name = $1; UPDATE people SET name = 'B' WHERE id > 0;
        INSERT INTO people (name) VALUES ('c')"""
    assert await run(secret, query(text, queryReplacement="Ada", detailedOutput=True)) == [
        {"sql": "SELECT id FROM people WHERE name = 'Ada'", "data": [{"id": 1}]},
        {
            "sql": "UPDATE people SET name = 'B' WHERE id > 0",
            "data": header(2, info="Rows matched: 2  Changed: 2  Warnings: 0", changedRows=2),
        },
        {"sql": "INSERT INTO people (name) VALUES ('c')", "data": header(1, insertId=3)},
    ]


@pytest.mark.parametrize("batching", ["single", "independently", "transaction"])
async def test_where_items_come_from(secret: dict[str, Any], batching: str) -> None:
    asked = query("SELECT $1 a", queryBatching=batching, queryReplacement="={{ $json.a }}")
    found = await items(secret, asked, [{"a": "x"}, {"a": "y"}])
    assert found == [
        {"json": {"a": "x"}, "pairedItem": {"item": 0}},
        {"json": {"a": "y"}, "pairedItem": {"item": 1}},
    ]
    found = await items(secret, query("DELETE FROM people", queryBatching=batching), [{}, {}])
    each = [{"json": {"success": True}, "pairedItem": {"item": index}} for index in range(2)]
    both = [{"json": {"success": True}, "pairedItem": [{"item": 0}, {"item": 1}]}]
    assert found == (both if batching == "single" else each)


INSERT = {"operation": "insert", "table": {"mode": "name", "value": "people"}}


@pytest.mark.parametrize(
    ("batching", "kept", "outputs"),
    [("single", [1, 2], 1), ("independently", [1, 2, 3, 4], 3), ("transaction", [1, 2], 1)],
)
async def test_a_failure_in_the_middle(
    secret: dict[str, Any], batching: str, kept: list[int], outputs: int
) -> None:
    asked = {**INSERT, "options": {"queryBatching": batching}}
    rows = [{"id": 3}, {"id": 1}, {"id": 4}]
    found = await items(secret, asked, rows, on_error="continueRegularOutput")
    assert len(found) == outputs
    (failed,) = [item for item in found if "error" in item]
    told = failed["json"]["error"]
    assert (told["message"] if batching == "single" else told) == "Duplicate entry '1' for key 'PRIMARY'"
    ids = await run(secret, query("SELECT id FROM people ORDER BY id"))
    assert [row["id"] for row in ids] == kept
    with pytest.raises(NodeRunError, match="Duplicate entry") as caught:
        await run(secret, {**INSERT, "options": {"queryBatching": "independently"}}, [{"id": 9}, {"id": 1}])
    assert caught.value.item_index == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_rows_are_written(secret: dict[str, Any], version: float) -> None:
    rows = [{"id": 3, "name": "C%", "data": {"k": [1]}}, {"id": 4, "name": ""}]
    options = {"options": {"replaceEmptyStrings": True, "priority": "HIGH_PRIORITY"}}
    assert await run(secret, {**INSERT, **options}, rows, version) == [{"success": True}]
    given = {"dataMode": "defineBelow", "valuesToSend": {"values": [{"column": "name", "value": "N"}]}}
    assert await run(secret, {**INSERT, **given}, [{}], version) == [{"success": True}]
    match = {"columnToMatchOn": "id"}
    update = {**INSERT, **match, "operation": "update"}
    assert await run(secret, update, [{"id": 1, "name": "A2"}, {"id": 99, "name": "?"}], version) == [
        {"success": True}
    ]
    upsert = {**INSERT, **match, **given, "operation": "upsert", "valueToMatchOn": "={{ $json.key }}"}
    assert await run(secret, upsert, [{"key": 2}, {"key": 6}], version) == [{"success": True}]
    assert await run(secret, query("SELECT id, name, data, ok FROM people ORDER BY id")) == [
        {"id": 1, "name": "A2", "data": '{"x": 1}', "ok": 1},
        {"id": 2, "name": "N", "data": None, "ok": 7},
        {"id": 3, "name": "C%", "data": '{"k":[1]}', "ok": 7},
        {"id": 4, "name": None, "data": None, "ok": 7},
        {"id": 5, "name": "N", "data": None, "ok": 7},
        {"id": 6, "name": "N", "data": None, "ok": 7},
    ]


async def test_conflicts_are_skipped(secret: dict[str, Any]) -> None:
    options = {"options": {"skipOnConflict": True, "detailedOutput": True}}
    ((row),) = await run(secret, {**INSERT, **options}, [{"id": 1, "name": "x"}, {"id": 3, "name": "y"}])
    assert row["sql"] == "INSERT IGNORE INTO `people` (`id`, `name`) VALUES (1, 'x'), (3, 'y')"
    assert (row["data"]["affectedRows"], row["data"]["info"]) == (1, "Records: 2  Duplicates: 1  Warnings: 1")


async def test_ten_thousand_rows(secret: dict[str, Any]) -> None:
    assert await run(secret, INSERT, [{"name": f"n{n}"} for n in range(10_000)]) == [{"success": True}]
    assert await run(secret, query("SELECT COUNT(*) n FROM people")) == [{"n": 10_002}]


async def test_rows_are_selected_and_deleted(secret: dict[str, Any]) -> None:
    select = {"table": {"__rl": True, "mode": "list", "value": "weft.people"}, "operation": "select"}
    ids = {"options": {"outputColumns": ["id"]}}
    down = {"sort": {"values": [{"column": "id", "direction": "DESC"}]}}
    one = {"column": "name", "condition": "LIKE", "value": "A%"}
    none = {"column": "born", "condition": "IS NULL"}
    assert await run(secret, {**select, **ids, **down}) == [{"id": 2}, {"id": 1}]
    assert await run(secret, {**select, **ids, **down, "limit": 1}) == [{"id": 2}]
    assert await run(secret, {**select, **ids, "where": {"values": [one]}, "returnAll": True}) == [{"id": 1}]
    assert await run(secret, {**select, **ids, "where": {"values": [one, none]}}) == []
    either = {**select, **ids, "where": {"values": [one, none]}, "combineConditions": "OR"}
    assert len(await run(secret, either)) == 2
    await run(secret, query("UPDATE people SET ok = 1"))
    distinct = {"options": {"outputColumns": ["ok"], "selectDistinct": True}}
    assert await run(secret, {**select, **distinct}) == [{"ok": 1}]
    delete = {**select, "operation": "deleteTable"}
    where = {"where": {"values": [{"column": "id", "condition": "equal", "value": "2"}]}}
    assert await run(secret, {**delete, "deleteCommand": "delete", **where}) == [{"success": True}]
    assert len(await run(secret, select)) == 1
    assert await run(secret, delete) == [{"success": True}]
    assert await run(secret, select) == []
    assert await run(secret, {**delete, "deleteCommand": "drop"}) == [{"success": True}]
    with pytest.raises(NodeRunError, match=r"Table 'weft\.people' doesn't exist"):
        await run(secret, select)


async def test_version_1(secret: dict[str, Any]) -> None:
    insert = {"operation": "insert", "table": "people", "columns": "id, name"}
    rows = [{"id": 3, "name": "C", "x": 1}, {"id": 4}]
    assert await items(secret, insert, rows, 1) == [
        {
            "json": header(2, insertId=4, info="Records: 2  Duplicates: 0  Warnings: 0"),
            "pairedItem": {"item": 0},
        }
    ]
    again = {**insert, "options": {"ignore": True}}
    ((told),) = await run(secret, again, rows, 1)
    assert told["affectedRows"] == 0
    with pytest.raises(NodeRunError, match="Duplicate entry"):
        await run(secret, insert, rows, 1)
    update = {"operation": "update", "table": "people", "columns": "name", "updateKey": "id"}
    found = await items(secret, update, [{"id": 3, "name": "D"}, {"id": 4, "name": None}], 1)
    assert [(item["json"]["changedRows"], item["pairedItem"]) for item in found] == [
        (1, {"item": 0}),
        (0, {"item": 1}),
    ]
    asked = {"operation": "executeQuery", "query": "SELECT id FROM people WHERE id > 2 ORDER BY id"}
    assert await run(secret, asked, [{}, {}], 1) == [{"id": 3}, {"id": 4}] * 2
    assert await run(secret, {**asked, "query": "DELETE FROM people WHERE id = 3"}, [{}], 1) == [header(1)]


async def test_what_is_missing_is_said(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match="A table must be chosen"):
        await run(secret, {"operation": "select"})
    with pytest.raises(NodeRunError, match="The query is empty"):
        await run(secret, query(" "))
    with pytest.raises(NodeRunError, match="nothing to write") as caught:
        await run(secret, INSERT, [{"id": 8}, {}])
    assert caught.value.item_index == 1
    with pytest.raises(NodeRunError, match="nothing to update"):
        await run(secret, {**INSERT, "operation": "update", "columnToMatchOn": "id"}, [{"id": 1}])
    with pytest.raises(NodeRunError, match="SQL syntax") as caught:
        await run(secret, query("SELECT 'open $1", queryReplacement="' , 1 -- "))
    assert caught.value.code == "DATABASE_ERROR"


async def test_a_server_that_is_not_there_or_not_allowed(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError) as caught:
        await run({**secret, "host": "inside"}, query("SELECT 1"), refused_hosts=frozenset({"inside"}))
    assert caught.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match="Access denied") as caught:
        await run({**secret, "password": "hunter2"}, query("SELECT 1"))
    check = CATALOGUE.credential_check("mySql")
    assert check is not None
    await check(FakeContext({}), secret)
    with pytest.raises(NodeRunError, match="Access denied"):
        await check(FakeContext({}), {**secret, "user": "nobody"})
    assert "hunter2" not in f"{caught.value.message}{caught.value.description}"
    with pytest.raises(NodeRunError, match=r"can't be used|Can't connect"):
        await run({**secret, "port": 1}, query("SELECT 1"))


async def test_tls(secret: dict[str, Any], tls: tuple[Path, Path]) -> None:
    asked = query("SHOW STATUS LIKE 'Ssl_cipher'")
    ((plain),) = await run(secret, asked)
    assert plain["Value"] == ""
    ((secured),) = await run({**secret, "ssl": True, "caCertificate": tls[0].read_text()}, asked)
    assert secured["Value"].startswith("TLS_")
    with pytest.raises(NodeRunError, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"):
        await run({**secret, "ssl": True}, asked)
    with pytest.raises(NodeRunError, match="can't be used"):
        await run({**secret, "ssl": True, "caCertificate": "none"}, asked)


GREETING = b"\x0a5.7.0\0" + b"\1\0\0\0" + b"a" * 8 + b"\0" + b"\xff\xf7" + b"\x21" + b"\2\0" + b"\xff\x81\x15"
GREETING += b"\0" * 10 + b"b" * 12 + b"\0mysql_native_password\0"


@asynccontextmanager
async def evil(received: list[bytes]) -> AsyncIterator[int]:
    """A server that knows no TLS (bit 11 of its capabilities) and asks for the password in plain text."""

    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, packet in ((0, GREETING), (2, b"\xfemysql_clear_password\0")):
            writer.write(len(packet).to_bytes(3, "little") + bytes([number]) + packet)
            received.append(await reader.read(65536))
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.wait_for(ended.wait(), 10)


@pytest.mark.parametrize("secured", [False, True])
async def test_a_server_gets_no_password_in_plain_text(secured: bool) -> None:
    received: list[bytes] = []
    async with evil(received) as port:
        secret = {"host": "127.0.0.1", "port": port, "user": "u", "password": "hunter2", "database": "d"}
        with pytest.raises(NodeRunError, match=r"can't be used|Lost connection|Can't connect"):
            await run({**secret, "ssl": secured}, query("SELECT 1"))
    assert received
    assert b"hunter2" not in b"".join(received)


@dataclass
class Asked:
    """What a loader is given."""

    secret: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    search: str = ""
    version: float = 2.5
    cursor: str = ""

    async def credential(self, kind: str) -> dict[str, Any]:
        assert kind == "mySql"
        return self.secret

    async def connect_address(self, host: str, _: int) -> str:
        return host


async def test_tables_and_columns_are_listed(secret: dict[str, Any]) -> None:
    await run(secret, query("CREATE OR REPLACE TABLE per_cent (`a%` int UNIQUE, b json)"))
    tables = await LOADERS["table"](Asked(secret))
    assert [choice.value for choice in tables.options] == ["people", "per_cent"]
    found = await LOADERS["table"](Asked(secret, search="r_c"))
    assert [choice.value for choice in found.options] == ["per_cent"]
    columns = await LOADERS["column"](Asked(secret, {"table": {"mode": "list", "value": "weft.people"}}))
    assert [(choice.name, choice.type, choice.match) for choice in columns.options] == [
        ("id", "number", True),
        ("name", "string", False),
        ("born", "dateTime", False),
        ("score", "number", False),
        ("data", "string", False),
        ("ok", "number", False),
    ]
    returned = await LOADERS["outputColumns"](Asked(secret, {"table": "per_cent"}))
    assert [choice.value for choice in returned.options] == ["*", "a%", "b"]
    assert not (await LOADERS["column"](Asked(secret))).options

"""Postgres against a real server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest
from weft_kit.testing.servers import Postgres
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.databases.sql_text import MYSQL, POSTGRES, Syntax, statements

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
TABLE = """
DROP TABLE IF EXISTS people, t;
CREATE TABLE people (id int PRIMARY KEY, name text, born date, score numeric, tags text[], data jsonb, ok bool);
INSERT INTO people VALUES (1, 'Ada', '1815-12-10', 1.5, '{a,b}', '{"x": 1}', true);
INSERT INTO people (id, name) VALUES (2, 'Bob');
"""


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


@pytest.fixture(scope="module")
def database(pg_server: Postgres) -> str:
    return pg_server.create_database(f"nodes_{uuid4().hex}")


@pytest.fixture
async def secret(database: str) -> AsyncIterator[dict[str, Any]]:
    """A credential for the fixture's database, whose socket is given a port."""
    parts = urlsplit(database)
    folder = parse_qs(parts.query).get("host", [""])[0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    await connection.close()
    yield {
        "host": "127.0.0.1",
        "port": server.sockets[0].getsockname()[1],
        "user": parts.username or "postgres",
        "password": "",
        "database": parts.path.lstrip("/"),
    }
    server.close()


def node(
    secret: dict[str, Any], parameters: dict[str, Any], items: list[Any], version: float, **more: Any
) -> FakeContext:
    return FakeContext(
        CATALOGUE.fill_defaults("postgres", version, parameters),
        [[{"json": each} for each in items]],
        version=version,
        type="postgres",
        credentials={"postgres": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        **more,
    )


async def run(
    secret: dict[str, Any], parameters: dict[str, Any], items: Any = ({},), version: float = 2.6, **more: Any
) -> Any:
    ctx = node(secret, parameters, list(items), version, **more)
    outputs = await CATALOGUE.implementation("postgres")(ctx)
    assert not hasattr(outputs, "kind")
    assert ctx.connected == [(secret["host"], secret["port"])]
    return [item["json"] for item in outputs[0]]


def query(text: str, **options: Any) -> dict[str, Any]:
    return {"operation": "executeQuery", "query": text, "options": options}


async def test_values_are_what_the_field_knows(secret: dict[str, Any]) -> None:
    text = """SELECT 1::int2 a, 9007199254740993 b, 1.50::numeric c, 0.5::float8 d, 'NaN'::float8 e, true f, NULL g,
        '2024-01-02'::date h, '2024-01-02 03:04:05.678'::timestamp i, '2024-01-02 03:04:05+02'::timestamptz j,
        '03:04:05'::time k, '1 day 2 hours 3.5 seconds'::interval l, '{"z":[1]}'::jsonb m, '\\x0102'::bytea n,
        '{1,2}'::int[] o, 'a'::char(3) p, 'c0ffee00-0000-4000-8000-000000000000'::uuid q, '(1,2.5)'::point r,
        '{"a,b",NULL}'::text[] s, 'é'::varchar t"""
    (row,) = await run(secret, query(text))
    assert row == {
        "a": 1,
        "b": "9007199254740993",
        "c": "1.50",
        "d": 0.5,
        "e": None,
        "f": True,
        "g": None,
        "h": "2024-01-02T00:00:00.000Z",
        "i": "2024-01-02T03:04:05.678Z",
        "j": "2024-01-02T01:04:05.000Z",
        "k": "03:04:05",
        "l": {"days": 1, "hours": 2, "seconds": 3, "milliseconds": 500},
        "m": {"z": [1]},
        "n": {"type": "Buffer", "data": [1, 2]},
        "o": [1, 2],
        "p": "a  ",
        "q": "c0ffee00-0000-4000-8000-000000000000",
        "r": {"x": 1, "y": 2.5},
        "s": ["a,b", None],
        "t": "é",
    }
    (row,) = await run(secret, query("SELECT 5::int8 a, 1.5::numeric b", largeNumbersOutput="numbers"))
    assert row == {"a": 5, "b": 1.5}


async def test_ranges_and_rows_are_texts(secret: dict[str, Any]) -> None:
    text = "SELECT '[1,5)'::int4range a, ROW(1, 'x') b, $1::int c, 1.50::numeric d, people e FROM people WHERE id = 2"
    for _ in range(2):  # what reads other types is there again
        (row,) = await run(secret, query(text, queryReplacement="7"))
        assert row == {"a": "[1,5)", "b": "(1,x)", "c": 7, "d": "1.50", "e": "(2,Bob,,,,,)"}
    (row,) = await run(secret, query("UPDATE people SET ok = true WHERE id = 2 RETURNING people"))
    assert row == {"people": "(2,Bob,,,,,t)"}


@pytest.mark.parametrize(("version", "day"), [(2.6, "2024-02-29T00:00:00.000Z"), (2.7, "2024-02-29")])
async def test_days_are_days_since_2_7(secret: dict[str, Any], version: float, day: str) -> None:
    text = "SELECT '2024-02-29'::date a, '2024-02-29'::timestamp b"
    assert await run(secret, query(text), version=version) == [{"a": day, "b": "2024-02-29T00:00:00.000Z"}]


async def test_numbers_and_booleans_keep_their_type(secret: dict[str, Any]) -> None:
    asked = query("SELECT $1 a, $2 b, 3 -$3 c, $4 d", queryReplacement="={{ $json.p }}")
    assert await run(secret, asked, [{"p": [1.5, True, -2, "x"]}]) == [
        {"a": "1.5", "b": True, "c": 5, "d": "x"}
    ]


async def test_parameters_are_bound(secret: dict[str, Any]) -> None:
    evil = "x'; DROP TABLE people; --"
    rows = await run(
        secret,
        query(
            "SELECT $1 AS a, $2::int + 1 AS b, '$1' AS c, name FROM $3:name WHERE id IN ($4:csv) ORDER BY id",
            queryReplacement="={{ $json.p }}",
        ),
        [{"p": [evil, 41, "people", [1, 2]]}],
    )
    assert rows == [{"a": evil, "b": 42, "c": "$1", "name": name} for name in ("Ada", "Bob")]
    rows = await run(
        secret, query("SELECT name FROM people WHERE id = $1 AND name = $2", queryReplacement="1, Ada")
    )
    assert rows == [{"name": "Ada"}]
    with pytest.raises(NodeRunError, match="asks for \\$3, but there are 1"):
        await run(secret, query("SELECT $3", queryReplacement="1"))


async def test_expressions_inside_of_a_query(secret: dict[str, Any]) -> None:
    ctx = node(
        secret,
        query("SELECT {{ 1 + 1 }} AS a"),
        [{}],
        2.6,
        evaluate_templates=lambda texts, *_: [text.replace("{{ 1 + 1 }}", "2") for text in texts],
    )
    outputs = await CATALOGUE.implementation("postgres")(ctx)
    assert isinstance(outputs, list)
    assert outputs[0] == [{"json": {"a": 2}, "pairedItem": {"item": 0}}]


async def test_several_statements_and_none_with_rows(secret: dict[str, Any]) -> None:
    text = "CREATE TABLE t (a text); INSERT INTO t VALUES ('x;y'), ($$z;$$); -- a; comment\nSELECT a FROM t ORDER BY a;"
    assert await run(secret, query(text)) == [{"a": "x;y"}, {"a": "z;"}]
    assert await run(secret, query("DELETE FROM t")) == [{"success": True}]


@pytest.mark.parametrize("version", [2, 2.1])
async def test_rows_are_written_below_2_2(secret: dict[str, Any], version: float) -> None:
    base = {"schema": {"mode": "list", "value": "public"}, "table": {"mode": "name", "value": "people"}}
    row = {
        "id": 3,
        "name": "Cy",
        "born": "2000-01-02",
        "score": 2.5,
        "tags": ["q"],
        "data": {"k": [1]},
        "ok": False,
    }
    (made,) = await run(secret, {**base, "operation": "insert"}, [row], version)
    assert made == {**row, "born": "2000-01-02T00:00:00.000Z", "score": "2.5"}
    values = {"values": [{"column": "name", "value": "New"}]}
    more = {"dataMode": "defineBelow", "columnToMatchOn": "id", "valueToMatchOn": "3", "valuesToSend": values}
    (made,) = await run(secret, {**base, "operation": "update", **more}, [{}], version)
    assert (made["id"], made["name"]) == (3, "New")
    more["valueToMatchOn"] = "4"
    (made,) = await run(secret, {**base, "operation": "upsert", **more}, [{}], version)
    assert (made["id"], made["name"]) == (4, "New")


@pytest.mark.parametrize("version", [2.2, 2.3, 2.4, 2.5, 2.6, 2.7])
async def test_rows_are_written_from_2_2_on(secret: dict[str, Any], version: float) -> None:
    base = {"table": {"__rl": True, "mode": "list", "value": "people"}}
    columns = {
        "mappingMode": "defineBelow",
        "value": {"id": 3, "name": "={{ $json.n }}"},
        "matchingColumns": ["id"],
    }
    more = {"options": {"outputColumns": ["id", "name"]}}
    assert await run(
        secret, {**base, "operation": "insert", "columns": columns, **more}, [{"n": "Cy"}], version
    ) == [{"id": 3, "name": "Cy"}]
    for operation in ("update", "upsert"):
        found = await run(
            secret, {**base, "operation": operation, "columns": columns, **more}, [{"n": operation}], version
        )
        assert found == [{"id": 3, "name": operation}]
    mapped = {"mappingMode": "autoMapInputData", "matchingColumns": ["id"]}
    rows = [{"id": 1, "name": "One"}, {"id": 9, "name": ""}]
    options = {"options": {"replaceEmptyStrings": True, "outputColumns": ["id", "name"]}}
    found = await run(secret, {**base, "operation": "upsert", "columns": mapped, **options}, rows, version)
    assert found == [{"id": 1, "name": "One"}, {"id": 9, "name": None}]


async def test_a_conflict_is_skipped_or_said(secret: dict[str, Any]) -> None:
    base = {"operation": "insert", "table": "people", "columns": {"mappingMode": "autoMapInputData"}}
    with pytest.raises(NodeRunError, match="duplicate key") as caught:
        await run(secret, base, [{"id": 1}])
    assert caught.value.description == "Key (id)=(1) already exists."
    assert caught.value.item_index == 0
    assert await run(secret, {**base, "options": {"skipOnConflict": True}}, [{"id": 1}]) == [
        {"success": True}
    ]


@pytest.mark.parametrize(("batching", "left"), [("independently", 3), ("transaction", 2), ("single", 2)])
async def test_a_failure_in_the_middle(secret: dict[str, Any], batching: str, left: int) -> None:
    base = {"operation": "insert", "table": "people", "columns": {"mappingMode": "autoMapInputData"}}
    options = {"options": {"queryBatching": batching, "outputColumns": ["id"]}}
    found = await run(secret, {**base, **options}, [{"id": 3}, {"id": 1}], on_error="continueRegularOutput")
    assert "duplicate key" in found[-1]["error"]["message"]
    assert len(found) == left - 1
    (count,) = await run(secret, query("SELECT count(*)::int AS n FROM people"))
    assert count["n"] == left


async def test_rows_are_selected_and_deleted(secret: dict[str, Any]) -> None:
    base = {"table": {"mode": "name", "value": "people"}}
    one = {"column": "name", "condition": "LIKE", "value": "A%"}
    none = {"column": "born", "condition": "IS NULL"}
    select = {**base, "operation": "select", "options": {"outputColumns": ["id"]}}
    by_id = {"values": [{"column": "id", "direction": "DESC"}]}
    assert await run(secret, {**select, "sort": by_id}) == [{"id": 2}, {"id": 1}]
    assert await run(secret, {**select, "sort": by_id, "limit": 1}) == [{"id": 2}]
    assert await run(secret, {**select, "where": {"values": [one]}, "returnAll": True}) == [{"id": 1}]
    assert await run(secret, {**select, "where": {"values": [one, none]}}) == []
    either = {**select, "where": {"values": [one, none]}, "combineConditions": "OR", "sort": by_id}
    assert len(await run(secret, either)) == 2
    delete = {**base, "operation": "deleteTable"}
    where = {"where": {"values": [{"column": "id", "condition": "equal", "value": "2"}]}}
    assert await run(secret, {**delete, "deleteCommand": "delete", **where}) == [{"success": True}]
    assert len(await run(secret, select)) == 1
    assert await run(secret, {**delete, "restartSequences": True}) == [{"success": True}]
    assert await run(secret, {**delete, "deleteCommand": "drop", "options": {"cascade": True}}) == [
        {"success": True}
    ]
    with pytest.raises(NodeRunError, match=r"people\" does not exist"):
        await run(secret, select)


@pytest.mark.parametrize("version", [1, 2, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7])
async def test_nothing_found(secret: dict[str, Any], version: float) -> None:
    """As seen of the peer."""
    success = [{"success": True}]
    nothing = query("SELECT id FROM people WHERE id = 99")
    assert await run(secret, nothing, [{}], version) == (success if 2 <= version < 2.3 else [])
    gone = query("DELETE FROM people WHERE id = 99")
    assert await run(secret, gone, [{}, {}], version) == ([] if version < 2 else success)
    if version >= 2.2:
        columns = {"columns": {"mappingMode": "autoMapInputData", "matchingColumns": ["id"]}}
        update = {"operation": "update", "table": "people", **columns}
        with pytest.raises(NodeRunError, match="does not exist"):
            await run(secret, update, [{"id": 99, "name": "x"}], version)


async def test_a_single_statement_needs_no_transaction(secret: dict[str, Any]) -> None:
    assert await run(secret, query("VACUUM people")) == [{"success": True}]


async def test_version_1(secret: dict[str, Any]) -> None:
    insert = {"operation": "insert", "table": "people", "columns": "id:int, name", "returnFields": "id,name"}
    assert await run(secret, insert, [{"id": 3, "name": "C", "x": 1}], 1) == [{"id": 3, "name": "C"}]
    update = {
        "operation": "update",
        "table": "people",
        "columns": "name",
        "updateKey": "id",
        "returnFields": "name",
    }
    assert await run(secret, update, [{"id": 3, "name": "D"}], 1) == [{"name": "D"}]
    asked = {
        "operation": "executeQuery",
        "query": "SELECT $1::text AS a, $2::int AS b",
        "additionalFields": {"queryParams": "n.x, m"},
    }
    assert await run(secret, asked, [{"n": {"x": "t"}, "m": 5}], 1) == [{"a": "t", "b": 5}]


async def test_what_is_missing_is_said(secret: dict[str, Any]) -> None:
    table = {"table": "people", "columns": {"mappingMode": "defineBelow", "value": {"name": "x"}}}
    for operation, text in (("update", "No column to match on"), ("insert", "null value in column")):
        with pytest.raises(NodeRunError, match=text):
            await run(secret, {"operation": operation, **table})
    with pytest.raises(NodeRunError, match="A table must be chosen"):
        await run(secret, {"operation": "select"})
    with pytest.raises(NodeRunError, match="The query is empty"):
        await run(secret, query(" "))


async def test_a_server_that_is_not_there_or_not_allowed(secret: dict[str, Any]) -> None:
    refused = {**secret, "host": "inside"}
    with pytest.raises(NodeRunError) as caught:
        await run(refused, query("SELECT 1"), refused_hosts=frozenset({"inside"}))
    assert caught.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match='database "nope" does not exist'):
        await run({**secret, "database": "nope"}, query("SELECT 1"))
    with pytest.raises(NodeRunError, match="The database can't be used"):
        await run({**secret, "ssl": "require"}, query("SELECT 1"))


def test_text_is_taken_apart() -> None:
    found = statements(
        "SELECT '$1;', \"a;$1\", $x$;$1$x$ /* $1; */ , $2 -- $1;\n; ; SELECT $1:name",
        ['t"b', 5],
        syntax=POSTGRES,
        place=lambda number: f"%{number}",
        quote=lambda name: f"<{name}>",
    )
    assert [(each.text, each.values) for each in found] == [
        ("SELECT '$1;', \"a;$1\", $x$;$1$x$ /* $1; */ , %1 -- $1;", [5]),
        ('SELECT <t"b>', []),
    ]
    with pytest.raises(NodeRunError, match="unchecked text"):
        statements("SELECT $1:raw", ["x"], syntax=POSTGRES, place=str, quote=str)


@pytest.mark.parametrize(
    ("text", "syntax", "expected"),
    [
        (
            r"SELECT E'it\'s; $1', $1; SELECT 'x\', $1",
            POSTGRES,
            [r"SELECT E'it\'s; $1', ?", r"SELECT 'x\', ?"],
        ),
        (r"SELECT DATE'2024\', $1", POSTGRES, [r"SELECT DATE'2024\', ?"]),
        ("SELECT 'open; $1", POSTGRES, ["SELECT 'open; $1"]),
        ("SELECT $$open; $1", POSTGRES, ["SELECT $$open; $1"]),
        (
            r"""SELECT 'it\'s; $1', $1; SELECT "a\\", $1""",
            MYSQL,
            [r"SELECT 'it\'s; $1', ?", r'SELECT "a\\", ?'],
        ),
        (
            "SELECT 5--1, $1 -- a;\n; # b;\nSELECT `a;$1`",
            MYSQL,
            ["SELECT 5--1, ? -- a;", "# b;\nSELECT `a;$1`"],
        ),
        ("# only\n; /* a; */ -- b", MYSQL, []),
        ("SELECT 'open\\", MYSQL, ["SELECT 'open\\"]),
        (
            "CREATE PROCEDURE p() BEGIN SELECT 1; END; SELECT 2",
            MYSQL,
            ["CREATE PROCEDURE p() BEGIN SELECT 1; END; SELECT 2"],
        ),
    ],
)
def test_quotes_end_where_the_server_sees_it(text: str, syntax: Syntax, expected: list[str]) -> None:
    found = statements(text, ["v"], syntax=syntax, place=lambda _: "?", quote=str)
    assert [each.text for each in found] == expected

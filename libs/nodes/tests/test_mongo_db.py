"""MongoDB against a server that speaks its protocol. What that one does not know, search indexes and other members, is
shown by a server that writes down what it is asked."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bson
import pytest
from weft_kit.testing.certificates import self_signed
from weft_kit.testing.databases import MongoDb
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.mongo_db.options import LOADERS
from weft_nodes.mongo_db.values import plain

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
VERSIONS = [1, 1.1, 1.2, 1.3, 1.4, 1.5]
OID = "0123456789abcdef01234567"
PEOPLE = [
    {"_id": 1, "name": "Ada", "n": {"x": 1, "y": 2}},
    {"_id": 2, "name": "Bob"},
    {"_id": 3, "name": "Cy", "tags": ["é"]},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoDb]:
    server = MongoDb(tmp_path_factory.mktemp("mongodb"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def secret(server: MongoDb) -> dict[str, Any]:
    secret = {
        "configurationType": "values",
        "host": "127.0.0.1",
        "port": server.port,
        "database": "weft",
    }
    await run(secret, "delete", query="{}")
    for person in PEOPLE:
        await run(secret, "insert", [person], fields=",".join(person))
    return secret


async def items(
    secret: dict[str, Any], operation: str, given: Any = ({},), version: float = 1.5, **parameters: Any
) -> Any:
    more = {name: parameters.pop(name) for name in ("on_error", "refused_hosts") if name in parameters}
    parameters = {"operation": operation, "collection": "people", **parameters}
    ctx = FakeContext(
        CATALOGUE.fill_defaults("mongoDb", version, parameters),
        [[{"json": each} for each in given]],
        version=version,
        type="mongoDb",
        credentials={"mongoDb": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        **more,
    )
    outputs = await CATALOGUE.implementation("mongoDb")(ctx)
    assert isinstance(outputs, list)
    return outputs[0]


async def run(*arguments: Any, **more: Any) -> Any:
    return [item["json"] for item in await items(*arguments, **more)]


async def test_documents_are_found(secret: dict[str, Any]) -> None:
    assert await run(secret, "find", query='{"name": "Ada"}') == [PEOPLE[0]]
    options = {"sort": '{"_id": -1}', "limit": 1, "skip": 1, "projection": '{"name": 1, "_id": 0}'}
    assert await run(secret, "find", query='{"_id": {"$gt": 0}}', options=options) == [{"name": "Bob"}]
    assert await run(secret, "find", query='{"name": "Nobody"}') == []
    assert await run(secret, "find", query={"_id": 3}) == [PEOPLE[2]]
    stages = '[{"$match": {"_id": {"$gt": 1}}}, {"$sort": {"_id": -1}}, {"$project": {"name": 1}}]'
    assert await run(secret, "aggregate", query=stages) == [
        {"_id": 3, "name": "Cy"},
        {"_id": 2, "name": "Bob"},
    ]


async def test_parameters_of_queries(secret: dict[str, Any]) -> None:
    names = {"options": {"projection": '{"name": 1, "_id": 0}'}}
    asked = {"query": '{"_id": {"$in": "$1"}, "name": "$2"}', "queryParameters": "={{ $json.p }}"}
    found = await run(secret, "find", [{"p": [[1, 2], {"$ne": "Ada"}]}], **asked, **names)
    assert found == [{"name": "Bob"}]
    with pytest.raises(NodeRunError, match=r"asks for \$2, but there are 1"):
        await run(secret, "find", [{"p": [[1]]}], **asked)
    order = {
        "sort": '{"_id": "$1"}',
        "sortParameters": [-1],
        "projection": '{"_id": "$1"}',
        "projectionParameters": [1],
    }
    assert await run(secret, "find", query="{}", options=order) == [{"_id": 3}, {"_id": 2}, {"_id": 1}]


async def test_identifiers(secret: dict[str, Any]) -> None:
    (made,) = await run(secret, "insert", [{"name": "D"}], fields="name")
    identity = made["_id"]
    assert made == {"name": "D", "_id": identity, "id": identity}
    assert len(identity) == 24
    assert await run(secret, "find", query=f'{{"_id": "{identity}"}}') == [{"_id": identity, "name": "D"}]
    extended = f'{{"_id": {{"$in": [{{"$oid": "{identity}"}}]}}}}'
    assert len(await run(secret, "find", query=extended)) == 1
    changed = await run(secret, "update", [{"_id": identity, "name": "E"}], fields="name", updateKey="_id")
    assert changed == [{"name": "E"}]
    assert await run(secret, "delete", query=extended) == [{"deletedCount": 1}]


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_items_come_from(secret: dict[str, Any], version: float) -> None:
    both = [{"item": 0}, {"item": 1}]
    given = [{"a": 1, "p": [1]}, {"a": 2, "p": [2]}]
    asked = {"query": '{"_id": "$1"}', "queryParameters": "={{ $json.p }}"}
    found = await items(secret, "find", given, version, **asked)
    told = [(item["json"]["_id"], item["pairedItem"]) for item in found]
    assert told == ([(1, both)] if version < 1.1 else [(1, {"item": 0}), (2, {"item": 1})])
    found = await items(secret, "insert", given, version, fields="a")
    told = [(item["json"]["a"], item["pairedItem"]) for item in found]
    assert told == ([(1, both), (2, both)] if version < 1.3 else [(1, {"item": 0}), (2, {"item": 1})])
    found = await items(
        secret,
        "update",
        [{"a": 1, "b": 3}, {"b": 4}],
        version,
        fields="b",
        updateKey="a",
        on_error="continueRegularOutput",
    )
    assert found[0]["json"] == {"b": 3, "a": 1}
    assert len(found) == (1 if version < 1.3 else 2)
    if version >= 1.3:
        assert found[1]["json"] == {"error": "The item has no field 'a' to find its document by"}


async def test_a_failure_while_inserting(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match="duplicate key"):
        await run(secret, "insert", [{"_id": 1}], fields="_id")
    for version, count in ((1.2, 1), (1.3, 2)):
        found = await items(
            secret,
            "insert",
            [{"_id": 1}, {"_id": 9}],
            version,
            fields="_id",
            on_error="continueRegularOutput",
        )
        assert [item["json"]["error"][:6] for item in found] == ["E11000"] * count


async def test_fields_dates_and_paths(secret: dict[str, Any]) -> None:
    item = {"k": 1, "n": {"y": 1, "z": 2}, "d": "2024-01-02T03:04:05.678Z", "bad": "x", "ms": 5, "n.y": 7}
    stored = {
        "k": 1,
        "n.y": 7,
        "d": "2024-01-02T03:04:05.678Z",
        "bad": None,
        "ms": "1970-01-01T00:00:00.005Z",
        "gone": None,
    }
    written = {"fields": "k, n.y, d, bad, ms, gone", "options": {"dateFields": "d, bad, ms"}}
    (made,) = await run(secret, "insert", [item], **written)
    assert {name: made[name] for name in stored} == stored
    # a date in the database: it is found by one
    dated = '{"d": {"$lt": {"$date": "2024-01-03T00:00:00Z"}}}'
    assert len(await run(secret, "find", query=dated)) == 1
    del item["n.y"]
    paths = {"fields": "k,n.y", "options": {"useDotNotation": True}}
    (made,) = await run(secret, "insert", [{**item, "k": 2}], **paths)
    assert made["n"] == {"y": 1}
    item["n"]["y"] = 5
    (changed,) = await run(secret, "update", [{**item, "k": 2}], updateKey="k", **paths)
    assert changed == {"k": 2, "n.y": 5}
    shown = {"query": '{"k": 2}', "options": {"projection": '{"_id": 0}'}}
    assert await run(secret, "find", **shown) == [{"k": 2, "n": {"y": 5}}]
    await run(secret, "update", [{"k": 2, "n": {"z": 6}}], updateKey="k", **{**paths, "fields": "n.z"})
    assert await run(secret, "find", **shown) == [{"k": 2, "n": {"y": 5, "z": 6}}]
    await run(secret, "update", [{**item, "k": 2}], 1.1, updateKey="k", **paths)
    assert await run(secret, "find", **shown) == [{"k": 2, "n": {"y": 5}}]


@pytest.mark.parametrize("operation", ["update", "findOneAndUpdate", "findOneAndReplace"])
async def test_one_document_is_written(secret: dict[str, Any], operation: str) -> None:
    written = {"fields": "name", "updateKey": "k"}
    await run(secret, "insert", [{"k": 1, "kept": True}], fields="k,kept")
    assert await run(secret, operation, [{"k": 1, "name": "N"}], **written) == [{"name": "N", "k": 1}]
    kept = {} if operation == "findOneAndReplace" else {"kept": True}
    shown = {"options": {"projection": '{"_id": 0}'}}
    assert await run(secret, "find", query='{"k": 1}', **shown) == [{"k": 1, **kept, "name": "N"}]
    await run(secret, operation, [{"k": 2, "name": "M"}], **written)
    assert await run(secret, "find", query='{"k": 2}') == []
    await run(secret, operation, [{"k": 2, "name": "M"}], upsert=True, **written)
    assert await run(secret, "find", query='{"k": 2}', **shown) == [{"k": 2, "name": "M"}]
    with pytest.raises(NodeRunError, match="no field 'zip'"):
        await run(secret, operation, [{"k": 2}], fields="name", updateKey="zip")


async def test_ten_thousand_documents(secret: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(await run(secret, "insert", [{"big": n} for n in range(10_000)], fields="big")) == 10_000
    counted = '[{"$match": {"big": {"$gte": 0}}}, {"$count": "n"}]'
    assert await run(secret, "aggregate", query=counted) == [{"n": 10_000}]
    assert len(await run(secret, "find", query='{"big": {"$gte": 5000}}')) == 5000
    monkeypatch.setattr("weft_nodes.mongo_db.node.MOST_ROWS", 4999)
    with pytest.raises(NodeRunError, match="more than"):
        await run(secret, "find", query='{"big": {"$gte": 5000}}')


def test_documents_as_json() -> None:
    document = {
        "id": bson.ObjectId(OID),
        "decimal": bson.Decimal128("1.50"),
        "long": bson.Int64(5),
        "bytes": b"\x01\x02",
        "nan": float("nan"),
        "time": bson.Timestamp(1, 2),
        "pattern": bson.Regex("a", "i"),
        "list": [bson.MinKey()],
    }
    assert plain(bson.decode(bson.encode(document))) == {
        "id": OID,
        "decimal": {"$numberDecimal": "1.50"},
        "long": 5,
        "bytes": "AQI=",
        "nan": None,
        "time": {"$timestamp": {"t": 1, "i": 2}},
        "pattern": {"$regularExpression": {"pattern": "a", "options": "i"}},
        "list": [{"$minKey": 1}],
    }


@pytest.mark.parametrize(
    ("operation", "parameters", "text"),
    [
        ("find", {"query": '{"a":'}, "The query is not valid JSON"),
        ("find", {"query": "[]"}, "The query must be an object"),
        ("aggregate", {"query": "{}"}, "An aggregation is a list of stages"),
        ("aggregate", {"query": '[{"$nope": 1}]'}, r"\$nope"),
        ("find", {"query": "{}", "options": {"limit": "x"}}, "The option 'limit': 'x' is a string"),
        ("find", {"query": "{}", "collection": ""}, "A collection must be chosen"),
        ("find", {"query": "{}", "collection": "a..b"}, "collection names"),
        ("insert", {"fields": "big"}, "8-byte ints"),
        ("update", {"fields": "x", "updateKey": ""}, "No field to find documents by"),
    ],
)
async def test_what_is_wrong_is_said(
    secret: dict[str, Any], operation: str, parameters: dict[str, Any], text: str
) -> None:
    with pytest.raises(NodeRunError, match=text):
        await run(secret, operation, [{"big": 2**70}], **parameters)


async def test_a_connection_string(secret: dict[str, Any]) -> None:
    text = f"mongodb://127.0.0.1:{secret['port']}/weft?retryWrites=true&w=majority&tlsCAFile=/etc/passwd"
    given = {"configurationType": "connectionString", "connectionString": text}
    assert len(await run(given, "find", query="{}")) == 3
    for text, said in (
        ("mongodb://u:hunter2@/x@y", "can't be read"),
        ("mongodb://h/?authMechanism=MONGODB-AWS", "'MONGODB-AWS' is not available"),
        ("http://h", "can't be read"),
    ):
        with pytest.raises(NodeRunError, match=said) as caught:
            await run({**given, "connectionString": text}, "find", query="{}")
        assert "hunter2" not in f"{caught.value.message}{caught.value.description}"
    with pytest.raises(NodeRunError, match="names no database"):
        await run({**secret, "database": ""}, "find", query="{}")


async def test_tls(tmp_path: Path) -> None:
    tls = self_signed(tmp_path, "127.0.0.1")
    server = MongoDb(tmp_path / "mongodb", tls)
    server.start()
    secret = {"host": "127.0.0.1", "port": server.port, "database": "weft", "tls": True}
    assert await run({**secret, "ca": tls[0].read_text()}, "find", query="{}") == []
    check = CATALOGUE.credential_check("mongoDb")
    assert check is not None
    await check(FakeContext({}), {**secret, "ca": tls[0].read_text()})
    loose = {"configurationType": "connectionString", "database": "weft"}
    loose["connectionString"] = f"mongodb://127.0.0.1:{server.port}/?tls=true&tlsInsecure=true"
    assert await run(loose, "find", query="{}") == []
    with pytest.raises(NodeRunError, match=r"certificate verify failed|SSL handshake failed"):
        await run(secret, "find", query="{}")
    server.kill()


Answers = Mapping[str, dict[str, Any]]
HELLO = {
    "ok": 1,
    "ismaster": True,
    "maxWireVersion": 21,
    "minWireVersion": 0,
    "maxBsonObjectSize": 16777216,
}


@asynccontextmanager
async def recording(answers: Answers) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """(the port of a server, the commands that it was sent). It answers by the command's name, else with no more than
    that all is well."""
    asked: list[dict[str, Any]] = []
    connections: set[asyncio.Task[Any] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        while True:
            try:
                head = await reader.readexactly(16)
            except asyncio.IncompleteReadError:
                break
            size, number, _, kind = struct.unpack("<iiii", head)
            body = await reader.readexactly(size - 16)
            # OP_MSG: flags, then a section of kind 0; OP_QUERY, of the first greeting: flags, name, two numbers
            document = body[5:] if kind == 2013 else body[body.index(b"\0", 4) + 9 :]
            command: dict[str, Any] = bson.decode(document[: struct.unpack_from("<i", document)[0]])
            asked.append(command)
            name = next(iter(command))
            greeting = name.lower() in {"hello", "ismaster"}
            answer = bson.encode(answers.get("hello", HELLO) if greeting else answers.get(name, {"ok": 1}))
            code, header = (
                (2013, struct.pack("<iB", 0, 0)) if kind == 2013 else (1, struct.pack("<iqii", 0, 0, 0, 1))
            )
            writer.write(struct.pack("<iiii", 16 + len(header + answer), 0, number, code) + header + answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], asked
    server.close()
    await asyncio.wait_for(asyncio.gather(*(task for task in connections if task)), 10)


async def test_search_indexes() -> None:
    listed = {
        "ok": 1,
        "cursor": {"id": 0, "ns": "weft.people", "firstBatch": [{"name": "i", "queryable": True}]},
    }
    created = {"ok": 1, "indexesCreated": [{"id": "1", "name": "i"}]}
    async with recording({"aggregate": listed, "createSearchIndexes": created}) as (port, asked):
        secret = {"host": "127.0.0.1", "port": port, "database": "weft"}

        async def perform(operation: str, **parameters: Any) -> Any:
            return await run(secret, operation, resource="searchIndexes", **parameters)

        definition = {"indexDefinition": '{"fields": "$1"}', "indexDefinitionParameters": [[{"path": "p"}]]}
        assert await perform(
            "createSearchIndex", indexNameRequired="i", indexType="search", **definition
        ) == [{"indexName": "i"}]
        assert await perform("updateSearchIndex", indexNameRequired="i", **definition) == [{"indexName": "i"}]
        assert await perform("dropSearchIndex", indexNameRequired="i") == [{"indexName": "i"}]
        assert await perform("listSearchIndexes", indexName="i") == [{"name": "i", "queryable": True}]
        assert await perform("listSearchIndexes") == [{"name": "i", "queryable": True}]
        with pytest.raises(NodeRunError, match="An index needs a name"):
            await perform("dropSearchIndex", indexNameRequired="")
    sent = [
        {name: command[name] for name in command if name[0] != "$" and name != "lsid"} for command in asked
    ]
    fields = {"fields": [{"path": "p"}]}
    indexes = [{"name": "i", "type": "search", "definition": fields}]
    assert {"createSearchIndexes": "people", "indexes": indexes} in sent
    assert {"updateSearchIndex": "people", "name": "i", "definition": fields} in sent
    assert {"dropSearchIndex": "people", "name": "i"} in sent
    pipelines = [command["pipeline"] for command in sent if "pipeline" in command]
    assert pipelines == [[{"$listSearchIndexes": {"name": "i"}}], [{"$listSearchIndexes": {}}]]


async def test_the_member_that_takes_writes(secret: dict[str, Any]) -> None:
    def secondary(primary: str) -> Answers:
        return {
            "hello": {
                **HELLO,
                "ismaster": False,
                "secondary": True,
                "setName": "s",
                "primary": primary,
            }
        }

    async with recording(secondary(f"127.0.0.1:{secret['port']}")) as (port, _):
        assert len(await run({**secret, "port": port}, "find", query="{}")) == 3
    async with recording(secondary("inside:27017")) as (port, _):
        with pytest.raises(NodeRunError) as caught:
            await run({**secret, "port": port}, "find", query="{}", refused_hosts=frozenset({"inside"}))
    assert caught.value.code == "ADDRESS_REFUSED"
    async with recording(secondary("")) as (port, _):
        with pytest.raises(NodeRunError, match="takes no writes"):
            await run({**secret, "port": port}, "find", query="{}")
        both = f"mongodb://127.0.0.1:{port},127.0.0.1:{secret['port']}/weft?replicaSet=s"
        given = {"configurationType": "connectionString", "connectionString": both}
        assert len(await run(given, "find", query="{}")) == 3


async def test_collections_are_listed(secret: dict[str, Any]) -> None:
    ctx: Any = FakeContext({}, credentials={"mongoDb": secret})
    ctx.search, ctx.cursor = "peo", ""
    assert [each.value for each in (await LOADERS["collection"](ctx)).options] == ["people"]

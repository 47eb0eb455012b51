"""MongoDB: documents of a collection, by what speaks its protocol."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo import MongoClient
from weft_kit.testing.databases import MongoDb

from tests.compat.cases.build import Case
from tests.compat.servers.served import HOST, Served, asked, chain

OID = "0123456789abcdef01234567"
_AT = datetime(2024, 2, 29, 13, 45, 10, 123000, tzinfo=UTC)
_PEOPLE = [
    {
        "_id": 1,
        "name": "Ada",
        "age": 36,
        "tags": ["x", "y"],
        "in": {"a": 1, "b": [1, {"c": None}]},
        "at": _AT,
    },
    {"_id": 2, "name": "Bob", "age": 20, "real": 1.5},
    {
        "_id": ObjectId(OID),
        "name": "Zoë",
        "age": None,
        "ref": ObjectId("f" * 24),
        "big": 2**40,
        "raw": b"\x00\x01",
    },
]
VERSIONS, NEW = (1, 1.1, 1.2, 1.5), (1.2,)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = MongoDb(folder / "mongodb")
    server.start()
    address = f"mongodb://{HOST}:{server.port}/"
    client: MongoClient[dict[str, Any]] = MongoClient(address)

    def reset() -> None:
        client.weft.people.drop()
        client.weft.fresh.drop()
        client.weft.people.insert_many([dict(each) for each in _PEOPLE])

    secret = {"configurationType": "connectionString", "connectionString": address, "database": "weft"}
    try:
        # ids that the database or a driver makes
        yield Served({"mongoDb": secret}, reset, masks=[(r'"(?!0123456789|f{10})[0-9a-f]{24}"', '"<id>"')])
    finally:
        client.close()
        server.kill()


def _node(
    operation: str, parameters: Mapping[str, Any], version: float, name: str = "Node", **extra: Any
) -> dict[str, Any]:
    given = {"operation": operation, "collection": "people", **parameters}
    return asked("mongoDb", "mongoDb", version, given, name, **extra)


def _seen(collection: str = "people") -> dict[str, Any]:
    given = {"collection": collection, "query": "{}", "options": {"sort": '{"name": 1}'}}
    return _node("find", given, 1.2, "Seen", executeOnce=True, alwaysOutputData=True)


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    queries: dict[str, dict[str, Any]] = {
        "all": {"query": "{}"},
        "one": {"query": '{"name": "Ada"}'},
        "nothing": {"query": '{"name": "No"}'},
        "greater": {"query": '{"age": {"$gt": 20}}'},
        "nested": {"query": '{"in.a": 1}'},
        "expression": {"query": '={"name": "{{ $json.name }}"}'},
        "object": {"query": "={{ { name: $json.name } }}"},
        "by id": {"query": f'{{"_id": "{OID}"}}'},
        "by oid": {"query": f'{{"_id": {{"$oid": "{OID}"}}}}'},
        "date": {"query": '{"at": {"$gte": {"$date": "2024-01-01T00:00:00Z"}}}'},
        "regex": {"query": '{"name": {"$regex": "^a", "$options": "i"}}'},
        "limit and sort": {"query": "{}", "options": {"limit": 2, "sort": '{"name": -1}'}},
        "skip": {"query": "{}", "options": {"skip": 1, "sort": '{"name": 1}'}},
        "projection": {
            "query": "{}",
            "options": {"projection": '{"name": 1, "_id": 0}', "sort": '{"name": 1}'},
        },
        "wrong": {"query": "{name: "},
        "wrong operator": {"query": '{"name": {"$nope": 1}}'},
    }
    row = [{"name": "Bob"}]
    for name, parameters in queries.items():
        for version in VERSIONS if name in {"all", "expression", "nothing"} else NEW:
            on = "continueRegularOutput" if name.startswith("wrong") else "stopWorkflow"
            node = _node("find", parameters, version, alwaysOutputData=True, onError=on)
            found[f"find {name} v{version:g}"] = chain(node, rows=row)
    for version in VERSIONS:
        node = _node("find", queries["expression"], version)
        found[f"find for two items v{version:g}"] = chain(node, rows=[{"name": "Bob"}, {"name": "Ada"}])
    for name, query in {
        "match": '[{"$match": {"age": {"$gt": 1}}}, {"$sort": {"name": 1}}]',
        "group": '[{"$group": {"_id": null, "n": {"$sum": 1}, "most": {"$max": "$age"}}}]',
        "expression": '=[{"$match": {"name": "{{ $json.name }}"}}]',
    }.items():
        for version in (1.2, 1.5):
            found[f"aggregate {name} v{version:g}"] = chain(
                _node("aggregate", {"query": query}, version), rows=row
            )
    inserts: dict[str, dict[str, Any]] = {
        "fields": {"fields": "name, age"},
        "missing": {"fields": "name,nope"},
        "nested": {"fields": "name,in"},
        "dates": {"fields": "name,when", "options": {"dateFields": "when"}},
        "dots": {"fields": "name,in.a", "options": {"useDotNotation": True}},
        "dots as names": {"fields": "name,in.a"},
        "none": {"fields": ""},
        "with id": {"fields": "_id,name"},
    }
    rows = [{"_id": 7, "name": "Cy", "age": 3, "when": "2024-02-29T10:00:00Z", "in": {"a": 5, "b": [1]}, "in.a": 6}, {"_id": 8, "name": "Di", "age": None, "when": "no"}]  # fmt: skip
    for name, parameters in inserts.items():
        for version in VERSIONS if name in {"fields", "dates"} else NEW:
            node = _node(
                "insert", {"collection": "fresh", **parameters}, version, onError="continueRegularOutput"
            )
            found[f"insert {name} v{version:g}"] = chain(node, _seen("fresh"), rows=rows)
    for on_error in ("continueRegularOutput", "stopWorkflow"):
        node = _node("insert", {"fields": "_id,name"}, 1.2, onError=on_error)
        found[f"insert conflict {on_error} v1.2"] = chain(
            node, _seen(), rows=[{"_id": 9, "name": "a"}, {"_id": 1, "name": "b"}]
        )
    changes: dict[str, dict[str, Any]] = {
        "name": {"updateKey": "name", "fields": "name,age"},
        "key apart": {"updateKey": "name", "fields": "age"},
        "not there": {"updateKey": "age", "fields": "name"},
        "upsert": {"updateKey": "age", "fields": "name", "upsert": True},
        "nested": {"updateKey": "name", "fields": "in"},
        "dots": {"updateKey": "name", "fields": "in.b", "options": {"useDotNotation": True}},
        "dates": {"updateKey": "name", "fields": "when", "options": {"dateFields": "when"}},
        "missing key": {"updateKey": "nope", "fields": "name"},
        "id": {"updateKey": "_id", "fields": "name,age"},
    }
    given = [{"_id": OID, "name": "Ada", "age": 99, "in": {"b": 2}, "when": "2024-02-29T10:00:00Z"}]
    for operation in ("update", "findOneAndUpdate", "findOneAndReplace"):
        for name, parameters in changes.items():
            for version in (1.2, 1.5) if name in {"nested", "upsert", "missing key", "name"} else NEW:
                node = _node(
                    operation, parameters, version, onError="continueRegularOutput", alwaysOutputData=True
                )
                found[f"{operation} {name} v{version:g}"] = chain(node, _seen(), rows=given)
    for name, query in {
        "one": '{"name": "Ada"}',
        "all": "{}",
        "none": '{"name": "No"}',
        "expression": '={"name": "{{ $json.name }}"}',
    }.items():
        for version in (1.2, 1.5):
            found[f"delete {name} v{version:g}"] = chain(
                _node("delete", {"query": query}, version), _seen(), rows=row
            )
    return found

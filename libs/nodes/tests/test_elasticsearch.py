"""Elasticsearch: the requests that its documentation asks for, and what becomes of the answers."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext, Request

CATALOGUE = Catalogue.load()
BASE = "https://search:9200"
SECRET = {"username": "u", "password": "hunter2", "baseUrl": f"{BASE}/"}
HIT = {"_index": "ix", "_id": "7", "_source": {"f": 1}}
Answers = Mapping[str, Any]


async def items(
    parameters: dict[str, Any],
    answers: Answers,
    given: Any = ({},),
    on_error: str = "stopWorkflow",
    **secret: Any,
) -> tuple[Any, list[Request]]:
    """(the items, the requests). `answers`: by `METHOD path`, an answer, or several one after the other;
    `(status, answer)` where it is no success."""
    waiting = {place: list(held) if isinstance(held, list) else [held] for place, held in answers.items()}

    def serve(request: Request) -> HttpAnswer:
        held = waiting[f"{request.method} {request.url.removeprefix(BASE)}"].pop(0)
        status, body = held if isinstance(held, tuple) else (200, held)
        return HttpAnswer(status, "", [("content-type", "application/json")], orjson.dumps(body))

    ctx = FakeContext(
        CATALOGUE.fill_defaults("elasticsearch", 1, parameters),
        [[{"json": each} for each in given]],
        type="elasticsearch",
        credentials={"elasticsearchApi": {**SECRET, **secret}},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        on_error=on_error,
        serve=serve,
    )
    outputs = await CATALOGUE.implementation("elasticsearch")(ctx)
    assert isinstance(outputs, list)
    return outputs[0], ctx.server.requests


async def asked(
    parameters: dict[str, Any], place: str, answer: Any, given: Any = ({},)
) -> tuple[Any, list[tuple[str, str]], Any]:
    """(the items' fields, the query, the body) of a run that makes one request per item, of which the last counts."""
    found, requests = await items(parameters, {place: [answer] * len(given)}, given)
    request = requests[-1]
    return (
        [item["json"] for item in found],
        list(request.query),
        orjson.loads(request.body) if request.body else None,
    )


def document(operation: str, **more: Any) -> dict[str, Any]:
    return {"resource": "document", "operation": operation, "indexId": "ix", **more}


def index(operation: str, **more: Any) -> dict[str, Any]:
    return {"resource": "index", "operation": operation, "indexId": "ix", **more}


async def test_a_document_is_read() -> None:
    found = await asked(document("get", documentId="a/b ü"), "GET /ix/_doc/a%2Fb%20%C3%BC", HIT)
    assert found == ([{"_id": "7", "f": 1}], [], None)
    options = {"options": {"_source_includes": "f", "stored_fields": False}, "simple": False}
    assert await asked(document("get", documentId="7", **options), "GET /ix/_doc/7", HIT) == (
        [HIT],
        [("_source_includes", "f"), ("stored_fields", "false"), ("_source", "true")],
        None,
    )


async def test_documents_are_searched() -> None:
    page = {"hits": {"hits": [HIT, HIT]}}
    assert await asked(document("getAll", limit=2), "POST /ix/_search", page) == (
        [{"_id": "7", "f": 1}] * 2,
        [("size", "2")],
        None,
    )
    query = {
        "query": '{"query": {"term": {"f": "$1"}}}',
        "queryParameters": "={{ $json.p }}",
        "sort": "f:asc",
    }
    several = {**document("getAll", options=query), "indexId": "ix,iy*"}
    found = await asked(several, "POST /ix,iy*/_search", page, [{"p": [5]}])
    assert found[1:] == ([("sort", "f:asc"), ("size", "50")], {"query": {"term": {"f": 5}}})


async def test_a_long_search_goes_on_from_where_it_was() -> None:
    full = {"_scroll_id": "s1", "hits": {"hits": [HIT] * 10_000}}
    rest = {"_scroll_id": "s2", "hits": {"hits": [HIT] * 3}}
    answers = {"POST /ix/_search": full, "POST /_search/scroll": rest, "DELETE /_search/scroll": {}}
    parameters = document("getAll", returnAll=True, options={"request_cache": True})
    found, requests = await items(parameters, answers)
    assert len(found) == 10_003
    assert requests[0].query == [("size", "10000"), ("scroll", "1m")]
    assert [orjson.loads(request.body or b"") for request in requests[1:]] == [
        {"scroll": "1m", "scroll_id": "s1"},
        {"scroll_id": "s2"},
    ]


async def test_a_document_is_written() -> None:
    answer = {"_id": "n", "result": "created"}
    fields = {"fieldsUi": {"fieldValues": [{"fieldId": "a", "fieldValue": "1"}]}}
    assert await asked(document("create", **fields), "POST /ix/_doc", answer) == ([answer], [], {"a": "1"})
    more = {
        "dataToSend": "autoMapInputData",
        "inputsToIgnore": "y, z",
        "additionalFields": {"documentId": "my id", "routing": "r"},
        "options": {"refresh": "wait_for"},
    }
    found = await asked(
        document("create", **more), "PUT /ix/_doc/my%20id", answer, [{"x": {"k": [1]}, "y": 2, "z": 3}]
    )
    assert found == ([answer], [("routing", "r"), ("refresh", "wait_for")], {"x": {"k": [1]}})
    changed = {"documentId": "={{ $json.id }}", "dataToSend": "autoMapInputData", "inputsToIgnore": "id"}
    found = await asked(document("update", **changed), "POST /ix/_update/7", answer, [{"id": "7", "x": 1}])
    assert found == ([answer], [], {"doc": {"x": 1}})
    assert await asked(document("delete", documentId="7"), "DELETE /ix/_doc/7", answer) == (
        [answer],
        [],
        None,
    )


BULK = {"dataToSend": "autoMapInputData", "inputsToIgnore": "id"}


async def test_changes_in_bulk() -> None:
    refused = {"index": {"_id": "2", "status": 409, "error": {"type": "conflict", "reason": "is there"}}}
    answer = {"errors": True, "items": [{"index": {"_id": "1", "status": 201}}, refused]}
    options = {"options": {"bulkOperation": True, "refresh": "true", "pipeline": "p"}}
    parameters = document("create", **BULK, **options, additionalFields={"documentId": "={{ $json.id }}"})
    given = [{"id": "1", "x": 1}, {"id": "2", "x": 2}]
    found, (request,) = await items(parameters, {"POST /_bulk": answer}, given, "continueRegularOutput")
    assert [item["json"] for item in found] == [
        {"_id": "1", "status": 201},
        {"error": "Elasticsearch: is there"},
    ]
    assert [item["pairedItem"] for item in found] == [{"item": 0}, {"item": 1}]
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.query == [("refresh", "true")]
    assert [orjson.loads(line) for line in (request.body or b"").splitlines()] == [
        {"index": {"_index": "ix", "_id": "1", "pipeline": "p"}},
        {"x": 1},
        {"index": {"_index": "ix", "_id": "2", "pipeline": "p"}},
        {"x": 2},
    ]
    with pytest.raises(NodeRunError, match="is there") as caught:
        await items(parameters, {"POST /_bulk": answer}, given)
    assert caught.value.item_index == 1


async def test_other_changes_in_bulk_and_their_size() -> None:
    bulk = {"options": {"bulkOperation": True}, "documentId": "={{ $json.id }}"}
    told = {"items": [{"delete": {"_id": "7"}}]}
    _, (request,) = await items(document("delete", **bulk), {"POST /_bulk": told}, [{"id": "7"}])
    assert request.body == b'{"delete":{"_index":"ix","_id":"7"}}\n'
    large = [{"id": str(n), "x": "x" * 3_000_000} for n in range(3)]
    answers = {
        "POST /_bulk": [
            {"items": [{"update": {"n": 0}}, {"update": {"n": 1}}]},
            {"items": [{"update": {"n": 2}}]},
        ]
    }
    found, requests = await items(document("update", **BULK, **bulk), answers, large)
    assert [item["json"]["n"] for item in found] == [0, 1, 2]
    assert [(request.body or b"").count(b'{"doc":') for request in requests] == [2, 1]
    answers = {"POST /_bulk": (413, {"error": "too large"})}
    found, _ = await items(
        document("delete", **bulk), answers, [{"id": "7"}, {"id": ""}], "continueRegularOutput"
    )
    assert [item["json"]["error"] for item in found] == [
        "Elasticsearch: too large",
        "The document's id must be given",
    ]


async def test_indices() -> None:
    more = {"aliases": '{"a": {}}', "settings": {"number_of_shards": 1}, "timeout": "1m"}
    assert await asked(index("create", additionalFields=more), "PUT /ix", {"acknowledged": True}) == (
        [{"id": "ix", "acknowledged": True}],
        [("timeout", "1m")],
        {"aliases": {"a": {}}, "settings": {"number_of_shards": 1}},
    )
    found = await asked(index("get", additionalFields={"local": True}), "GET /ix", {"ix": {"mappings": {}}})
    assert found == ([{"id": "ix", "mappings": {}}], [("local", "true")], None)
    names: dict[str, Any] = {"iy": {}, "ix": {}}
    assert (await asked(index("getAll", limit=1), "GET /_aliases", names))[0] == [{"indexId": "ix"}]
    assert len((await asked(index("getAll", returnAll=True), "GET /_aliases", names))[0]) == 2
    assert (await asked(index("delete"), "DELETE /ix", {}))[0] == [{"success": True}]


async def test_who_asks() -> None:
    names: dict[str, Any] = {"GET /_aliases": {}}
    _, (request,) = await items(index("getAll"), names)
    assert request.headers["authorization"] == f"Basic {b64encode(b'u:hunter2').decode()}"
    assert request.options["verify"] is True
    _, (request,) = await items(
        index("getAll"), names, ({},), "stopWorkflow", username="", ignoreSSLIssues=True
    )
    assert "authorization" not in request.headers
    assert request.options["verify"] is False
    with pytest.raises(NodeRunError, match="its base URL is empty"):
        await items(index("getAll"), names, ({},), "stopWorkflow", baseUrl="")


@pytest.mark.parametrize(
    ("parameters", "answers", "text"),
    [
        (
            document("get", documentId="9"),
            {"GET /ix/_doc/9": (404, {"_id": "9", "found": False})},
            "'9' is not there",
        ),
        (
            document("get", documentId="9"),
            {"GET /ix/_doc/9": (401, {"error": {"type": "sec", "reason": "no"}})},
            "no",
        ),
        (document("get", documentId="9"), {"GET /ix/_doc/9": (502, "")}, "status 502"),
        (document("get", documentId=""), {}, "The document's id must be given"),
        (document("getAll", options={"query": "{"}), {}, "The query is not valid JSON"),
        (document("getAll", limit=-1), {}, "The limit -1 is no number"),
        ({**document("getAll"), "indexId": ""}, {}, "The index must be given"),
    ],
)
async def test_what_is_wrong_is_said(parameters: dict[str, Any], answers: Answers, text: str) -> None:
    with pytest.raises(NodeRunError, match=text):
        await items(parameters, answers)
    found, _ = await items(parameters, answers, ({},), "continueRegularOutput")
    assert text in found[0]["json"]["error"]

"""BigQuery: the requests that its REST reference asks for, against a server of this test's own, and its answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.credentials import TOKENS, Authentication
from weft_node_sdk.testing.fake import FakeContext, Request
from weft_nodes.google_big_query.options import LOADERS

CATALOGUE = Catalogue.load()
BASE = "https://bigquery.googleapis.com/bigquery/v2"
JOB = {"jobReference": {"projectId": "p", "jobId": "j", "location": "EU"}}
PROJECT = {"projectId": {"__rl": True, "mode": "id", "value": "p"}}
TABLE = {
    **PROJECT,
    "datasetId": {"__rl": True, "mode": "id", "value": "d"},
    "tableId": {"__rl": True, "mode": "id", "value": "t"},
}
SCHEMA = {
    "fields": [
        {"name": "i", "type": "INTEGER"},
        {"name": "f", "type": "FLOAT"},
        {"name": "b", "type": "BOOLEAN"},
        {"name": "at", "type": "TIMESTAMP"},
        {"name": "many", "type": "STRING", "mode": "REPEATED"},
        {"name": "r", "type": "RECORD", "fields": [{"name": "x", "type": "INTEGER"}]},
    ]
}
ROW = {
    "f": [
        {"v": "9007199254740993"},
        {"v": "1.5"},
        {"v": "true"},
        {"v": "1.408452095E9"},
        {"v": [{"v": "a"}, {"v": "b"}]},
        {"v": {"f": [{"v": "7"}]}},
    ]
}
SHOWN = {
    "i": "9007199254740993",
    "f": "1.5",
    "b": True,
    "at": "2014-08-19T12:41:35.000Z",
    "many": ["a", "b"],
    "r": {"x": "7"},
}
Answers = Mapping[str, Any]


class Context(FakeContext):
    """A sign-in that gives a second token."""

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        token = "second" if stale else "first"
        return Authentication([("authorization", f"Bearer {token}")], access_token=token, sign_in="oauth2")


def context(parameters: dict[str, Any], answers: Answers, given: Any = ({},), **more: Any) -> FakeContext:
    """`answers`: by `METHOD path`, one after the other; `(status, answer)` where it is no success."""
    waiting = {place: list(held) if isinstance(held, list) else [held] for place, held in answers.items()}

    def serve(request: Request) -> HttpAnswer:
        held = waiting[f"{request.method} {request.url.removeprefix(BASE)}"].pop(0)
        status, body = held if isinstance(held, tuple) else (200, held)
        return HttpAnswer(status, "", [], orjson.dumps(body))

    version = more.pop("version", 2.1)
    credentials = more.pop("credentials", {"googleBigQueryOAuth2Api": {TOKENS: {"access_token": "first"}}})
    return Context(
        CATALOGUE.fill_defaults("googleBigQuery", version, parameters),
        [[{"json": each} for each in given]],
        version=version,
        type="googleBigQuery",
        credentials=credentials,
        serve=serve,
        **more,
    )


async def ran(ctx: FakeContext) -> list[Any]:
    (items,) = await CATALOGUE.implementation("googleBigQuery")(ctx)
    return list(items)


async def test_a_query_waits_pages_and_reads_types() -> None:
    page = {"jobComplete": True, "schema": SCHEMA, "rows": [ROW], "pageToken": "next"}
    answers = {
        "POST /projects/p/jobs": JOB,
        "GET /projects/p/queries/j": [{"jobComplete": False}, page, {"rows": [ROW]}],
    }
    named = {"namedParameters": [{"name": "@who", "value": 5}]}
    options = {
        "location": "EU",
        "defaultDataset": "d",
        "maximumBytesBilled": "1000",
        "maxResults": 7,
        "timeoutMs": 20,
        "queryParameters": named,
    }
    ctx = context({**PROJECT, "sqlQuery": "SELECT @who", "options": options}, answers)
    assert [item["json"] for item in await ran(ctx)] == [SHOWN, SHOWN]
    first, *polls = ctx.server.requests
    assert orjson.loads(first.body or b"") == {
        "configuration": {
            "query": {
                "query": "SELECT @who",
                "useLegacySql": False,
                "defaultDataset": {"projectId": "p", "datasetId": "d"},
                "maximumBytesBilled": "1000",
                "parameterMode": "NAMED",
                "queryParameters": [
                    {
                        "name": "who",
                        "parameterType": {"type": "STRING"},
                        "parameterValue": {"value": "5"},
                    }
                ],
            }
        },
        "jobReference": {"projectId": "p", "location": "EU"},
    }
    asked = [("location", "EU"), ("maxResults", "7"), ("timeoutMs", "20")]
    assert [request.query for request in polls] == [asked, asked, [*asked, ("pageToken", "next")]]
    assert first.headers["authorization"] == "Bearer first"


async def test_numbers_and_the_schema_on_request() -> None:
    answers = {
        "POST /projects/p/jobs": JOB,
        "GET /projects/p/queries/j": {"jobComplete": True, "schema": SCHEMA, "rows": [ROW]},
    }
    options = {"returnAsNumbers": True, "includeSchema": True}
    (item,) = await ran(context({**PROJECT, "sqlQuery": "SELECT 1", "options": options}, answers))
    assert (item["json"]["f"], item["json"]["r"]) == (1.5, {"x": 7})
    assert item["json"]["_schema"] == SCHEMA["fields"]


@pytest.mark.parametrize(
    ("option", "page", "expected"),
    [
        ("rawOutput", {"jobComplete": True, "rows": []}, [{"jobComplete": True, "rows": []}]),
        ("dryRun", {}, [{**JOB, "statistics": {"totalBytesProcessed": "5"}}]),
        ("useLegacySql", {"jobComplete": True}, [{"success": True}]),
    ],
)
async def test_other_outputs(option: str, page: Any, expected: list[Any]) -> None:
    job = {**JOB, "statistics": {"totalBytesProcessed": "5"}}
    answers = {"POST /projects/p/jobs": job, "GET /projects/p/queries/j": page}
    ctx = context({**PROJECT, "sqlQuery": "SELECT 1", "options": {option: True}}, answers)
    assert [item["json"] for item in await ran(ctx)] == expected


async def test_a_token_that_has_run_out_is_renewed_once() -> None:
    refused = (401, {"error": {"message": "Invalid Credentials"}})
    answers = {
        "POST /projects/p/jobs": [refused, JOB],
        "GET /projects/p/queries/j": {"jobComplete": True, "schema": SCHEMA, "rows": []},
    }
    ctx = context({**PROJECT, "sqlQuery": "SELECT 1"}, answers)
    assert await ran(ctx) == []
    assert [request.headers["authorization"] for request in ctx.server.requests] == [
        "Bearer first",
        "Bearer second",
        "Bearer second",
    ]
    with pytest.raises(NodeRunError, match="Invalid Credentials"):
        await ran(context({**PROJECT, "sqlQuery": "SELECT 1"}, {"POST /projects/p/jobs": [refused] * 2}))


async def test_rows_are_inserted_in_batches() -> None:
    place = "POST /projects/p/datasets/d/tables/t/insertAll"
    refusal = {
        "insertErrors": [{"index": 1, "errors": [{"reason": "invalid", "message": "no such field: b"}]}]
    }
    parameters = {
        "operation": "insert",
        **TABLE,
        "options": {"batchSize": 2, "skipInvalidRows": True, "traceId": "x"},
    }
    given = [{"a": 1}, {"b": 2}, {"a": 3}]
    ctx = context(parameters, {place: [refusal, {}]}, given, on_error="continueRegularOutput")
    assert [item["json"] for item in await ran(ctx)] == [
        {"success": True},
        {"error": "BigQuery: no such field: b"},
        {"success": True},
    ]
    assert [orjson.loads(request.body or b"") for request in ctx.server.requests] == [
        {"rows": [{"json": {"a": 1}}, {"json": {"b": 2}}], "skipInvalidRows": True, "traceId": "x"},
        {"rows": [{"json": {"a": 3}}], "skipInvalidRows": True, "traceId": "x"},
    ]
    with pytest.raises(NodeRunError) as caught:
        await ran(context(parameters, {place: [refusal]}, given))
    assert caught.value.item_index == 1


async def test_fields_are_given_by_hand() -> None:
    fields = {"values": [{"fieldId": "a", "fieldValue": 1}]}
    parameters = {"operation": "insert", **TABLE, "dataMode": "define", "fieldsUi": fields}
    ctx = context(parameters, {"POST /projects/p/datasets/d/tables/t/insertAll": {}}, [{"z": 1}])
    await ran(ctx)
    assert orjson.loads(ctx.server.requests[0].body or b"") == {"rows": [{"json": {"a": 1}}]}


async def test_the_first_version() -> None:
    table = {"projectId": "p", "datasetId": "d", "tableId": "t"}
    place = "/projects/p/datasets/d/tables/t"
    ctx = context(
        {**table, "columns": "a, b"}, {f"POST {place}/insertAll": {}}, [{"a": 1, "c": 2}], version=1
    )
    await ran(ctx)
    assert orjson.loads(ctx.server.requests[0].body or b"") == {"rows": [{"json": {"a": 1, "b": None}}]}
    answers = {
        f"GET {place}/data": [{"rows": [ROW], "pageToken": "n"}, {"rows": [ROW]}],
        f"GET {place}": {"schema": SCHEMA},
    }
    ctx = context({"operation": "getAll", **table, "returnAll": True}, answers, version=1)
    assert [item["json"] for item in await ran(ctx)] == [SHOWN, SHOWN]
    answers = {f"GET {place}/data": {"rows": [ROW, ROW]}}
    ctx = context({"operation": "getAll", **table, "limit": 1, "simple": False}, answers, version=1)
    assert [item["json"] for item in await ran(ctx)] == [ROW]


async def test_a_service_account_signs_a_claim() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    secret = {
        "email": "a@p.iam.gserviceaccount.com",
        "privateKey": pem.replace("\n", "\\n"),
        "inpersonate": True,
        "delegatedEmail": "u@example.org",
    }
    place = "POST https://oauth2.googleapis.com/token"
    answers = {
        place: {"access_token": "made"},
        "POST /projects/p/jobs": JOB,
        "GET /projects/p/queries/j": {"jobComplete": True, "schema": SCHEMA},
    }
    parameters = {"authentication": "serviceAccount", **PROJECT, "sqlQuery": "SELECT 1"}
    ctx = context(parameters, answers, credentials={"googleApi": secret})
    await ran(ctx)
    asked, job, *_ = ctx.server.requests
    form = parse_qs((asked.body or b"").decode())
    claim = jwt.decode(
        form["assertion"][0], key.public_key(), ["RS256"], audience="https://oauth2.googleapis.com/token"
    )
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert (claim["iss"], claim["sub"]) == (secret["email"], "u@example.org")
    assert claim["scope"] == "https://www.googleapis.com/auth/bigquery"
    assert claim["exp"] - claim["iat"] == 3600
    assert job.headers["authorization"] == "Bearer made"

    refused = {place: (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})}
    with pytest.raises(NodeRunError, match="Invalid JWT Signature") as caught:
        await ran(context(parameters, refused, credentials={"googleApi": secret}))
    assert "PRIVATE KEY" not in str(caught.value)
    with pytest.raises(NodeRunError, match="can't be read"):
        await ran(context(parameters, {}, credentials={"googleApi": {**secret, "privateKey": "x"}}))


@pytest.mark.parametrize(
    ("loader", "answers", "names"),
    [
        ("projects", {"GET /projects": {"projects": [{"id": "p", "friendlyName": "P"}]}}, [("P", "p")]),
        (
            "datasets",
            {"GET /projects/p/datasets": {"datasets": [{"datasetReference": {"datasetId": "d"}}]}},
            [("d", "d")],
        ),
        (
            "tables",
            {"GET /projects/p/datasets/d/tables": {"tables": [{"tableReference": {"tableId": "t"}}]}},
            [("t", "t")],
        ),
        (
            "fields",
            {"GET /projects/p/datasets/d/tables/t": {"schema": SCHEMA}},
            [(name, name) for name in ("i", "f", "b", "at", "many", "r")],
        ),
    ],
)
async def test_choices(loader: str, answers: Answers, names: list[tuple[str, str]]) -> None:
    ctx: Any = context(TABLE, answers)
    ctx.parameters, ctx.search, ctx.cursor = ctx.given, "", ""
    found = await LOADERS[loader](ctx)
    assert [(each.name, each.value) for each in found.options] == names

"""Snowflake: the requests that its SQL API's documentation asks for, against a server of this test's own, and its
answers."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.testing.fake import Cancelled, FakeContext, Request
from weft_nodes.snowflake.connection import check
from weft_nodes.snowflake.values import row

CATALOGUE = Catalogue.load()
BASE = "https://org-acc.snowflakecomputing.com/api/v2/statements"
SECRET = {
    "account": "org-acc",
    "username": "ada",
    "authentication": "password",
    "password": "hunter2",
    "database": "D",
    "schema": "S",
    "warehouse": "W",
    "role": "R",
}


def result(*rows: list[Any], handle: str = "h", partitions: int = 1) -> dict[str, Any]:
    about = {
        "rowType": [{"name": "ID", "type": "fixed"}, {"name": "N", "type": "text"}],
        "partitionInfo": [{"rowCount": 1}] * partitions,
    }
    return {"statementHandle": handle, "resultSetMetaData": about, "data": list(rows)}


class SignedIn(FakeContext):
    """A sign-in that gives a second token."""

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        token = "second" if stale else "first"
        headers = [("authorization", f"Bearer {token}")]
        return Authentication(headers, secret=SECRET, access_token=token, sign_in="oauth2")


def context(
    parameters: dict[str, Any], answers: Mapping[str, Any], given: Any = ({},), **more: Any
) -> FakeContext:
    """`answers`: by `METHOD path`, one after the other; `(status, answer)` where it is not 200."""
    waiting = {place: list(held) if isinstance(held, list) else [held] for place, held in answers.items()}

    def serve(request: Request) -> HttpAnswer:
        held = waiting[f"{request.method} {request.url.removeprefix(BASE)}"].pop(0)
        status, body = held if isinstance(held, tuple) else (200, held)
        return HttpAnswer(status, "", [], orjson.dumps(body))

    made = SignedIn if parameters.get("authentication") == "oAuth2" else FakeContext
    return made(
        CATALOGUE.fill_defaults("snowflake", 1.1, parameters),
        [[{"json": each} for each in given]],
        version=1.1,
        type="snowflake",
        credentials={"snowflake": {**SECRET, **more.pop("secret", {})}},
        serve=serve,
        **more,
    )


async def ran(ctx: FakeContext) -> list[Any]:
    (items,) = await CATALOGUE.implementation("snowflake")(ctx)
    return [item["json"] for item in items]


def asking(text: str, *values: Any) -> dict[str, Any]:
    more = {"options": {"queryReplacement": list(values)}} if values else {}
    return {"operation": "executeQuery", "query": text, **more}


def body(request: Request) -> Any:
    return orjson.loads(request.body or b"null")


async def test_a_query_is_waited_for_and_read_in_parts() -> None:
    running = {"statementHandle": "h", "code": "333334"}
    answers = {
        "POST ": (202, running),
        "GET /h": [(202, running), result(["1", "a"], partitions=2), result(["2", "b"])],
    }
    ctx = context(asking("SELECT 1"), answers)
    assert await ran(ctx) == [{"ID": 1, "N": "a"}, {"ID": 2, "N": "b"}]
    first, *_, last = ctx.server.requests
    assert body(first) == {
        "statement": "SELECT 1",
        "database": "D",
        "schema": "S",
        "warehouse": "W",
        "role": "R",
        "parameters": {"MULTI_STATEMENT_COUNT": "0"},
    }
    assert first.headers["authorization"] == "Bearer hunter2"
    assert first.headers["X-Snowflake-Authorization-Token-Type"] == "PROGRAMMATIC_ACCESS_TOKEN"
    assert list(last.query) == [("partition", "1")]


async def test_several_statements_share_a_session() -> None:
    answers = {
        "POST ": {"statementHandle": "all", "statementHandles": ["a", "b"]},
        "GET /a": result(["1", "x"]),
        "GET /b": result(["2", "y"]),
    }
    found = await ran(context(asking("USE SCHEMA x; SELECT 2"), answers))
    assert [each["ID"] for each in found] == [1, 2]


async def test_values_are_bound() -> None:
    text = "SELECT $1, $2:name, '$1', $$ $1 $$, $3 -- $1\nFROM t WHERE a IN ($4) // $1"
    ctx = context(asking(text, 5, "col umn", None, [1.5, True]), {"POST ": result()})
    assert await ran(ctx) == []
    sent = body(ctx.server.requests[0])
    assert sent["statement"] == (
        "SELECT ?, \"col umn\", '$1', $$ $1 $$, ? -- $1\nFROM t WHERE a IN (?, ?) // $1"
    )
    assert sent["bindings"] == {
        "1": {"type": "FIXED", "value": "5"},
        "2": {"type": "TEXT", "value": None},
        "3": {"type": "REAL", "value": "1.5"},
        "4": {"type": "BOOLEAN", "value": "true"},
    }
    assert "parameters" not in sent


async def test_rows_are_inserted_together() -> None:
    parameters = {"operation": "insert", "table": 'db.s."my t"', "columns": "id, Odd name"}
    given = [{"id": 1, "Odd name": "a"}, {"id": 2, "more": 1}]
    ctx = context(parameters, {"POST ": result(["2", ""])}, given)
    assert await ran(ctx) == [{"id": 1, "Odd name": "a"}, {"id": 2, "Odd name": None}]
    sent = body(ctx.server.requests[0])
    assert sent["statement"] == 'INSERT INTO db.s."my t" (id, "Odd name") VALUES (?, ?), (?, ?)'
    assert [each["value"] for each in sent["bindings"].values()] == ["1", "a", "2", None]


async def test_rows_are_updated() -> None:
    parameters = {"operation": "update", "table": "t", "columns": "a, id", "updateKey": "id"}
    ctx = context(
        parameters, {"POST ": [result(["1", ""])]}, [{"id": 1, "a": {"x": 1}}, {"a": 2}],
        on_error="continueRegularOutput",
    )  # fmt: skip
    found = await ran(ctx)
    assert found[0] == {"ID": 1, "N": ""}
    assert "to find its row by" in found[1]["error"]
    assert body(ctx.server.requests[0])["statement"] == "UPDATE t SET a = ? WHERE id = ?"


@pytest.mark.parametrize(
    ("table", "name"),
    [('t"; DROP TABLE x; --', '"t""; DROP TABLE x; --"'), ('".x', '"""".x'), ('"a"b', '"a".b')],
)
async def test_names_can_hold_no_statement(table: str, name: str) -> None:
    parameters = {"operation": "insert", "table": table, "columns": 'a"); DROP'}
    ctx = context(parameters, {"POST ": result()})
    await ran(ctx)
    assert body(ctx.server.requests[0])["statement"] == f'INSERT INTO {name} ("a""); DROP") VALUES (?)'


async def test_a_key_pair_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    locked = form.BestAvailableEncryption(b"phrase")
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked).decode()
    secret = {"authentication": "keyPair", "privateKey": pem, "passphrase": "phrase", "host": "sf.example"}
    ctx = context(asking("SELECT 1"), {"POST https://sf.example/api/v2/statements": result()}, secret=secret)
    await check(ctx, {**SECRET, **secret})
    headers = ctx.server.requests[0].headers
    assert headers["X-Snowflake-Authorization-Token-Type"] == "KEYPAIR_JWT"
    long = {"POST https://sf.example/api/v2/statements": [(401, {"code": "390144"}), result(["1", "a"])]}
    assert await ran(context(asking("SELECT 1"), long, secret=secret)) == [{"ID": 1, "N": "a"}]
    claim = jwt.decode(headers["authorization"].removeprefix("Bearer "), key.public_key(), ["RS256"])
    public = key.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    fingerprint = base64.b64encode(hashlib.sha256(public).digest()).decode()
    assert (claim["sub"], claim["iss"]) == ("ORG-ACC.ADA", f"ORG-ACC.ADA.SHA256:{fingerprint}")
    for wrong in ({"passphrase": "other"}, {"privateKey": "no key"}):
        with pytest.raises(NodeRunError, match="can't be read") as caught:
            await check(ctx, {**SECRET, **secret, **wrong})
        assert "PRIVATE" not in str(caught.value)
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    with pytest.raises(NodeRunError, match="RSA keys only"):
        await check(ctx, {**SECRET, **secret, "privateKey": other.decode(), "passphrase": ""})


async def test_a_sign_in_is_renewed() -> None:
    parameters = {"authentication": "oAuth2", **asking("SELECT 1")}
    refused = (401, {"code": "390318", "message": "OAuth access token expired."})
    ctx = context(parameters, {"POST ": [refused, result(["1", "a"])]})
    assert await ran(ctx) == [{"ID": 1, "N": "a"}]
    assert [request.headers["authorization"] for request in ctx.server.requests] == [
        "Bearer first",
        "Bearer second",
    ]
    assert ctx.server.requests[1].headers["X-Snowflake-Authorization-Token-Type"] == "OAUTH"


async def test_a_statement_s_fault_is_said() -> None:
    fault = (422, {"code": "000904", "message": "SQL compilation error: invalid identifier 'X'"})
    with pytest.raises(NodeRunError, match="invalid identifier 'X'") as caught:
        await ran(context(asking("SELECT X"), {"POST ": fault}))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, (500, {"message": "busy"})])
async def test_a_cancelled_run_cancels_the_statement(answer: Any) -> None:
    running = (202, {"statementHandle": "h"})
    ctx = context(asking("SELECT 1"), {"POST ": running, "POST /h/cancel": answer}, cancel_after=2)
    with pytest.raises(Cancelled):
        await ran(ctx)
    assert ctx.server.requests[-1].url == f"{BASE}/h/cancel"


def test_values_are_read_by_their_types() -> None:
    given = {
        "fixed": ("12.5", 12.5),
        "real": ("1e3", 1000),
        "boolean": ("true", True),
        "date": ("18262", "2020-01-01"),
        "time": ("3661.5", "01:01:01.500000"),
        "timestamp_ntz": ("1611871777.123456789", "2021-01-28T22:09:37.123456Z"),
        "timestamp_tz": ("1611871777.000000000 1920", "2021-01-28T22:09:37.000Z"),
        "variant": ('{"a":[1]}', {"a": [1]}),
        "text": ("x", "x"),
        "binary": ("00FF", "00FF"),
        "array": (None, None),
    }
    columns = [{"name": kind, "type": kind} for kind in given]
    assert row(columns, [text for text, _ in given.values()]) == {
        kind: expected for kind, (_, expected) in given.items()
    }

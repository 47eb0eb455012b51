"""ClickHouse: the requests that the documentation of its HTTP interface asks for, and its answers."""

from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.fake import FakeContext, Request
from weft_nodes.click_house.options import LOADERS

CATALOGUE = Catalogue.load()
SECRET = {"url": "https://ch.example:8443/", "username": "u", "password": "hunter2", "database": "db"}
FAULT = (
    "Code: 60. DB::Exception: Unknown table expression identifier 'x'. (UNKNOWN_TABLE) (version 26.9.1.1)\n"
)


def context(parameters: dict[str, Any], *answers: Any, given: Any = ({},), **more: Any) -> FakeContext:
    """`answers`: JSON, a text, or (status, text)."""
    waiting = list(answers)

    def serve(_: Request) -> HttpAnswer:
        held = waiting.pop(0)
        status, body = held if isinstance(held, tuple) else (200, held)
        return HttpAnswer(status, "", [], body.encode() if isinstance(body, str) else orjson.dumps(body))

    return FakeContext(
        CATALOGUE.fill_defaults("clickHouse", 1, parameters),
        [[{"json": each} for each in given]],
        type="clickHouse",
        credentials={"clickHouseApi": SECRET},
        serve=serve,
        **more,
    )


async def ran(ctx: FakeContext) -> list[Any]:
    (items,) = await CATALOGUE.implementation("clickHouse")(ctx)
    return [item["json"] for item in items]


async def test_a_query_with_parameters() -> None:
    values = [{"name": "a", "value": "x\ty\\"}, {"name": "b", "value": 5}, {"name": "c", "value": None}]
    options = {"queryParameters": {"values": values}, "timeout": 7}
    parameters = {"query": "SELECT {a:String}, {b:Int64}, {c:Nullable(String)}", "options": options}
    ctx = context(parameters, {"meta": [], "data": [{"n": "9007199254740993"}], "rows": 1})
    assert await ran(ctx) == [{"n": "9007199254740993"}]
    (request,) = ctx.server.requests
    assert (request.method, request.url) == ("POST", "https://ch.example:8443/")
    assert request.body == parameters["query"].encode()
    assert dict(request.query) == {
        "wait_end_of_query": "1",
        "default_format": "JSON",
        "output_format_json_quote_64bit_integers": "1",
        "param_a": "x\\ty\\\\",
        "param_b": "5",
        "param_c": "\\N",
    }
    assert request.headers["X-ClickHouse-User"] == "u"
    assert request.headers["X-ClickHouse-Key"] == "hunter2"
    assert request.headers["X-ClickHouse-Database"] == "db"
    assert request.options["timeout"] == 7


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", [{"success": True}]),
        ("1\t2\n", [{"data": "1\t2\n"}]),
        ({"data": []}, []),
    ],
)
async def test_other_answers(answer: Any, expected: list[Any]) -> None:
    assert await ran(context({"query": "SELECT 1"}, answer)) == expected


async def test_rows_are_inserted_together() -> None:
    table = {"__rl": True, "mode": "id", "value": "db.odd`name"}
    options = {"skipUnknownFields": True, "asynchronous": True}
    parameters = {"operation": "insert", "table": table, "options": options}
    given = [{"id": number} for number in range(10_001)]
    ctx = context(parameters, "", "", given=given)
    assert await ran(ctx) == given
    first, second = ctx.server.requests
    query = dict(first.query)
    assert query["query"] == "INSERT INTO `db`.`odd\\`name` FORMAT JSONEachRow"
    assert (query["input_format_skip_unknown_fields"], query["async_insert"]) == ("1", "1")
    assert (first.body or b"").count(b"\n") == 9_999
    assert second.body == b'{"id":10000}'


async def test_columns_are_named() -> None:
    parameters = {"operation": "insert", "table": "t", "columns": "a,b"}
    ctx = context(parameters, "", given=[{"a": 1, "z": 2}])
    assert await ran(ctx) == [{"a": 1, "b": None}]
    (request,) = ctx.server.requests
    assert dict(request.query)["query"] == "INSERT INTO `t` (`a`, `b`) FORMAT JSONEachRow"
    assert request.body == b'{"a":1,"b":null}'


async def test_faults_are_the_server_s_words() -> None:
    with pytest.raises(NodeRunError, match="ClickHouse: Unknown table expression identifier 'x'") as caught:
        await ran(context({"query": "SELECT * FROM x"}, (404, FAULT)))
    assert "version" not in caught.value.message
    parameters = {"operation": "insert", "table": "t"}
    ctx = context(parameters, (404, FAULT), given=[{"a": 1}, {"a": 2}], on_error="continueRegularOutput")
    assert [bool(each["error"]) for each in await ran(ctx)] == [True, True]


async def test_tables_are_listed() -> None:
    ctx: Any = context({}, {"data": [{"name": "t"}]})
    ctx.search, ctx.cursor = "T", ""
    assert [each.value for each in (await LOADERS["table"](ctx)).options] == ["t"]
    assert dict(ctx.server.requests[0].query)["param_search"] == "T"

"""What a Code node's script asks for is requested out here, and what came of a script becomes the node's."""

# ruff: noqa: E501 - tables of options

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from weft_expressions.code import HelpRefused
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_node_runner.adapters.code import JailedCode
from weft_node_runner.adapters.code_calls import CodeCalls
from weft_node_runner.adapters.code_requests import CodeRequests
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.fake import FakeContext, FakeHttp, Request

JSON = [("Content-Type", "application/json")]


def answering(status: int = 200, body: bytes = b'{"a": 1}', headers: Any = JSON) -> FakeHttp:
    return FakeHttp(lambda _: HttpAnswer(status, "Said", list(headers), body))


async def sent(options: dict[str, Any], kind: str = "httpRequest") -> Request:
    http = answering()
    await CodeRequests(http).send(kind, options)
    return http.requests[0]


@pytest.mark.parametrize(
    ("options", "kind", "method", "url", "query", "headers", "body"),
    [
        ({"url": "http://x"}, "httpRequest", "GET", "http://x", [], {}, None),
        ({"url": "/a", "baseURL": "http://x/", "method": "post"}, "httpRequest", "POST", "http://x/a", [], {}, None),
        ({"url": "http://y", "baseURL": "http://x"}, "httpRequest", "GET", "http://y", [], {}, None),
        ({"baseURL": "http://x"}, "httpRequest", "GET", "http://x", [], {}, None),
        ({"url": "u", "qs": {"a": 1, "b": [True, "c"], "n": None, "o": {"x": 1}}}, "httpRequest", "GET", "u",
         [("a", "1"), ("b[0]", "true"), ("b[1]", "c"), ("n", ""), ("o[x]", "1")], {}, None),
        ({"url": "u", "qs": {"a": [1, 2]}, "arrayFormat": "repeat"}, "httpRequest", "GET", "u", [("a", "1"), ("a", "2")], {}, None),
        ({"url": "u", "qs": {"a": [1, 2]}, "arrayFormat": "brackets"}, "httpRequest", "GET", "u", [("a[]", "1"), ("a[]", "2")], {}, None),
        ({"url": "u", "qs": {"a": [1, 2]}, "arrayFormat": "comma"}, "httpRequest", "GET", "u", [("a", "1,2")], {}, None),
        ({"url": "u", "body": {"a": [1, 2]}, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, "httpRequest",
         "GET", "u", [], {"Content-Type": "application/x-www-form-urlencoded"}, b"a%5B%5D=1&a%5B%5D=2"),
        ({"url": "u", "body": {"a": 1}}, "httpRequest", "GET", "u", [], {"Content-Type": "application/json"}, b'{"a":1}'),
        ({"url": "u", "body": [1], "headers": {"content-type": "application/x", "n": None, "x": 5}}, "httpRequest", "GET",
         "u", [], {"content-type": "application/x", "x": "5"}, b"[1]"),
        ({"url": "u", "body": "text"}, "httpRequest", "GET", "u", [], {"Content-Type": "application/x-www-form-urlencoded"}, b"text"),
        ({"url": "u", "body": ""}, "httpRequest", "GET", "u", [], {}, None),
        ({"url": "u", "body": {"type": "Buffer", "data": [104, 105]}}, "httpRequest", "GET", "u", [], {}, b"hi"),
        ({"url": "u", "body": {"a": "b c"}, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, "httpRequest",
         "GET", "u", [], {"Content-Type": "application/x-www-form-urlencoded"}, b"a=b+c"),
        ({"uri": "u", "form": {"a": 1}}, "request", "GET", "u", [],
         {"Content-Type": "application/x-www-form-urlencoded"}, b"a=1"),
        ({"url": "u", "auth": {"username": "ada", "password": "pw"}, "json": True}, "httpRequest", "GET", "u", [],
         {"Authorization": "Basic YWRhOnB3", "Accept": "application/json"}, None),
    ],
)  # fmt: skip
async def test_options_become_a_request(
    options: Any, kind: str, method: str, url: str, query: Any, headers: Any, body: Any
) -> None:
    made = await sent(options, kind)
    found = (made.method, made.url, list(made.query), dict(made.headers), made.body)
    assert found == (method, url, query, headers, body)


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        ({"host": "p", "port": 8080}, "http://p:8080"),
        (
            {"protocol": "https:", "host": "p", "auth": {"username": "a", "password": "b@c"}},
            "https://a:b%40c@p",
        ),
        ("http://p:1", "http://p:1"),
        ({}, ""),
        (None, ""),
    ],
)
async def test_a_proxy(proxy: Any, url: str) -> None:
    assert (await sent({"url": "u", "proxy": proxy})).options["proxy"] == url


async def test_limits_of_a_request() -> None:
    made = await sent(
        {"url": "u", "timeout": 1500, "disableFollowRedirect": True, "skipSslCertificateValidation": True}
    )
    assert (made.options["timeout"], made.options["follow_redirects"], made.options["verify"]) == (
        1.5,
        False,
        False,
    )
    made = await sent({"url": "u", "timeout": "never"})
    assert (made.options["timeout"], made.options["follow_redirects"], made.options["verify"]) == (
        300.0,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("http", "options", "value"),
    [
        (answering(), {}, {"a": 1}),
        (answering(headers=[]), {}, '{"a": 1}'),
        (answering(headers=[]), {"json": True}, {"a": 1}),
        (answering(body=b"<no json>"), {}, "<no json>"),
        (answering(body=b"hi", headers=[]), {"encoding": "arraybuffer"}, {"type": "Buffer", "data": [104, 105]}),
        (answering(404), {"ignoreHttpStatusErrors": True}, {"a": 1}),
        (answering(404), {"simple": False}, {"a": 1}),
        (answering(201), {"returnFullResponse": True},
         {"body": {"a": 1}, "headers": {"content-type": "application/json"}, "statusCode": 201, "statusMessage": "Said"}),
    ],
)  # fmt: skip
async def test_what_the_script_gets(http: FakeHttp, options: Any, value: Any) -> None:
    assert await CodeRequests(http).send("httpRequest", {"url": "u", **options}) == value


async def test_refusals_carry_what_is_known() -> None:
    with pytest.raises(HelpRefused, match="status code 503") as caught:
        await CodeRequests(answering(503)).send("httpRequest", {"url": "u"})
    assert caught.value.fields["httpCode"] == "503"
    assert caught.value.fields["response"] == {"status": 503, "body": {"a": 1}}
    guarded = FakeHttp(
        lambda _: NodeRunError("private network", description="allow it", code="ADDRESS_REFUSED")
    )
    with pytest.raises(HelpRefused, match="private network") as caught:
        await CodeRequests(guarded).send("httpRequest", {"url": "http://10.0.0.1"})
    assert caught.value.fields == {"description": "allow it", "code": "ADDRESS_REFUSED"}


@pytest.fixture
async def pool() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, "code")
    await made.start()
    yield made
    await made.stop()


async def test_scripts_of_both_languages(pool: EvaluatorPool) -> None:
    logs: list[str] = []
    code = JailedCode(pool, "p", Scope(items=[{"json": {"n": 2}}]), logs.append, CodeCalls(answering()))
    source = "console.log('one'); return [{ json: await this.helpers.httpRequest({ url: 'http://x' }) }]"
    assert (await code.javascript(source, each_item=False))[0][0]["json"] == {"a": 1}
    source = "print('two')\nreturn {'n': _item.json.n * 2}"
    assert (await code.python(source, each_item=True))[0][0]["json"] == {"n": 4}
    assert logs == ["one", "two"]


async def test_only_a_node_that_is_not_safe_makes_requests(pool: EvaluatorPool) -> None:
    code = JailedCode(pool, "p", Scope(items=[{"json": {}}]), print, CodeCalls(None))
    hidden = "return [{ json: await this['hel' + 'pers']['http' + 'Request']({ url: 'http://x' }) }]"
    with pytest.raises(NodeRunError, match="Only code that names its request"):
        await code.javascript(hidden, each_item=False)


async def test_files_of_items(pool: EvaluatorPool) -> None:
    binary = {"data": {"data": base64.b64encode(bytes(range(256))).decode(), "mimeType": "image/x"}}
    held = FakeContext({}, [[{"json": {}, "binary": binary}]])
    code = JailedCode(pool, "p", Scope(items=held.items), print, CodeCalls(None, held))
    source = """
        const data = await this.helpers.getBinaryDataBuffer(0, 'data');
        const turned = await this.helpers.prepareBinaryData(Buffer.from(data).reverse(), 'a.png');
        const text = await this.helpers.prepareBinaryData(Buffer.from('hi'));
        return [{ json: { size: data.length, sum: data.reduce((a, b) => a + b) }, binary: { turned, text } }];
    """
    ((item,),) = await code.javascript(source, each_item=False)
    assert item["json"] == {"size": 256, "sum": 32640}
    assert [(each["mimeType"], each["bytes"]) for each in item["binary"].values()] == [
        ("image/png", 256),
        ("text/plain", 2),
    ]
    assert held.stored[item["binary"]["turned"]["id"]] == bytes(reversed(range(256)))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("getBinaryDataBuffer(0, 'none')", "no file 'none'"),
        ("getBinaryDataBuffer(-1, 'data')", "asked for by item and name"),
        ("getBinaryDataBuffer(0, {})", "asked for by item and name"),
        ("prepareBinaryData(undefined)", "undefined"),
        ("prepareBinaryData(Buffer.alloc(16 * 1024 * 1024 + 1))", "code makes up to"),
    ],
)
async def test_files_that_cannot_be_had(pool: EvaluatorPool, call: str, told: str) -> None:
    held = FakeContext({}, [[{"json": {}}]])
    code = JailedCode(pool, "p", Scope(items=held.items), print, CodeCalls(None, held))
    with pytest.raises(NodeRunError, match=told):
        await code.javascript(f"await this.helpers.{call}; return []", each_item=False)


async def test_an_items_failure_is_what_the_node_makes_of_it(pool: EvaluatorPool) -> None:
    code = JailedCode(pool, "p", Scope(items=[{"json": {"n": n}} for n in range(3)]), print, CodeCalls(None))
    made = await code.javascript(
        "if ($json.n === 1) throw new Error('boom'); return $json",
        each_item=True,
        on_failure=lambda error: {"json": {"failed": error.message, "at": error.item_index}},
    )
    assert [item["json"] for item in made[0]] == [{"n": 0}, {"failed": "boom [line 1]", "at": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("kind", "parameter", "source", "trait"),
    [
        ("code", "jsCode", "return $input.all()", "safe"),
        ("code", "jsCode", "// a request of the sales team\nreturn []", "safe"),
        (
            "code",
            "jsCode",
            "return [{ json: await this.helpers.httpRequest({ url: 'http://x' }) }]",
            "unsafe",
        ),
        ("code", "jsCode", "const { httpRequest } = $helpers;\nreturn []", "unsafe"),
        (
            "code",
            "jsCode",
            "return [{ json: { a: 1 }, binary: { b: await this.helpers.prepareBinaryData(x) } }]",
            "safe",
        ),
        (
            "function",
            "functionCode",
            "await this.helpers['request']({ uri: 'http://x' });\nreturn items",
            "unsafe",
        ),
        ("functionItem", "functionCode", "return item", "safe"),
        ("aiTransform", "jsCode", "helpers.request('http://x')", "unsafe"),
    ],
)
def test_code_that_makes_requests_is_not_safe(kind: str, parameter: str, source: str, trait: str) -> None:
    node = {
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": 2 if kind == "code" else 1,
        "parameters": {parameter: source},
    }
    assert Catalogue.load().traits(node).idempotency == trait


async def test_failures_of_scripts_are_the_nodes(pool: EvaluatorPool) -> None:
    logs: list[str] = []
    code = JailedCode(pool, "p", Scope(items=[{"json": {}}]), logs.append, CodeCalls(answering()))
    with pytest.raises(NodeRunError) as caught:
        await code.javascript("console.log('before');\nthrow new Error('boom')", each_item=False)
    assert (caught.value.message, caught.value.code, logs) == ("boom [line 2]", "CODE_ERROR", ["before"])
    await pool.stop()
    with pytest.raises(NodeRunError) as caught:
        await code.python("return []", each_item=False)
    assert caught.value.code == "EVALUATOR_UNAVAILABLE"

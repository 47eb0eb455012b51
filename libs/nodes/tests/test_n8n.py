"""The requests of n8n's public API, as a running n8n was seen to make them; and what becomes of the answers."""

from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.fake import FakeContext, Request

CATALOGUE = Catalogue.load()
BASE = "https://weft.example/api/v1"
SECRET = {"baseUrl": f"{BASE}/", "apiKey": "hunter2"}
WORKFLOW = {"workflowId": {"__rl": True, "mode": "id", "value": "W1"}}
DOCUMENT = {
    "id": "9",
    "name": "N",
    "active": True,
    "nodes": [{"name": "a"}],
    "connections": {},
    "settings": {"executionOrder": "v1"},
    "pinData": {},
    "staticData": None,
}


def serve(request: Request) -> HttpAnswer:
    listed = request.method == "GET" and request.url in {f"{BASE}/workflows", f"{BASE}/executions"}
    more = None if dict(request.query).get("cursor") else "CUR1"
    answer = {"data": [{"id": "a"}, {"id": "b"}], "nextCursor": more} if listed else {"id": "x"}
    return HttpAnswer(200, "", [], orjson.dumps(answer))


async def ran(parameters: dict[str, Any], answer: Any = serve, count: int = 1, **more: Any) -> FakeContext:
    ctx = FakeContext(
        CATALOGUE.fill_defaults("n8n", 1, parameters),
        [[{"json": {}}] * count],
        type="n8n",
        credentials={"n8nApi": SECRET},
        serve=answer,
        **more,
    )
    (ctx.inputs[0],) = await CATALOGUE.implementation("n8n")(ctx)
    return ctx


CALLS: list[tuple[dict[str, Any], str, list[tuple[str, str]], Any]] = [
    ({"resource": "audit"}, "POST /audit", [], {"additionalOptions": {}}),
    (
        {"resource": "audit", "additionalOptions": {"categories": ["nodes"], "daysAbandonedWorkflow": 3}},
        "POST /audit",
        [],
        {"additionalOptions": {"categories": ["nodes"], "daysAbandonedWorkflow": 3}},
    ),
    (
        {"resource": "credential", "name": "N", "credentialTypeName": "githubApi", "data": '{"a": 1}'},
        "POST /credentials",
        [],
        {"name": "N", "type": "githubApi", "data": {"a": 1}},
    ),
    (
        {"resource": "credential", "operation": "delete", "credentialId": "7/7"},
        "DELETE /credentials/7%2F7",
        [],
        None,
    ),
    (
        {"resource": "credential", "operation": "getSchema", "credentialTypeName": "githubApi"},
        "GET /credentials/schema/githubApi",
        [],
        None,
    ),
    ({"resource": "execution", "operation": "get", "executionId": "5"}, "GET /executions/5", [], None),
    (
        {
            "resource": "execution",
            "operation": "get",
            "executionId": "5",
            "options": {"activeWorkflows": True},
        },
        "GET /executions/5",
        [("includeData", "true")],
        None,
    ),
    ({"resource": "execution"}, "GET /executions", [("limit", "100")], None),
    ({"resource": "execution", "operation": "delete", "executionId": "5"}, "DELETE /executions/5", [], None),
    ({"operation": "activate", **WORKFLOW}, "POST /workflows/W1/activate", [], None),
    (
        {
            "operation": "activate",
            **WORKFLOW,
            "additionalFields": {"versionId": "v", "name": "", "description": "d"},
        },
        "POST /workflows/W1/activate",
        [],
        {"versionId": "v", "description": "d"},
    ),
    ({"operation": "deactivate", **WORKFLOW}, "POST /workflows/W1/deactivate", [], None),
    (
        {"operation": "create", "workflowObject": orjson.dumps(DOCUMENT).decode()},
        "POST /workflows",
        [],
        {name: DOCUMENT[name] for name in ("name", "nodes", "settings", "connections", "staticData")},
    ),
    (
        {"operation": "create", "workflowObject": '{"name": "x"}'},
        "POST /workflows",
        [],
        {"name": "x", "nodes": [], "settings": {}, "connections": {}, "staticData": None},
    ),
    (
        {"operation": "update", **WORKFLOW, "workflowObject": DOCUMENT},
        "PUT /workflows/W1",
        [],
        {name: DOCUMENT[name] for name in ("name", "nodes", "settings", "connections")},
    ),
    ({"operation": "delete", **WORKFLOW}, "DELETE /workflows/W1", [], None),
    ({"operation": "get", **WORKFLOW}, "GET /workflows/W1", [], None),
    (
        {
            "operation": "get",
            "workflowId": {"__rl": True, "mode": "url", "value": "https://h/workflow/AbC/executions/3"},
        },
        "GET /workflows/AbC",
        [],
        None,
    ),
    ({"operation": "getVersion", **WORKFLOW, "versionId": "v9"}, "GET /workflows/W1/v9", [], None),
    (
        {
            "operation": "getAll",
            "returnAll": False,
            "limit": 1,
            "filters": {
                "activeWorkflows": False,
                "tags": "a, b",
                "name": "x",
                "projectId": "p",
                "excludePinnedData": True,
            },
        },
        "GET /workflows",
        [
            ("limit", "1"),
            ("active", "false"),
            ("tags", "a, b"),
            ("name", "x"),
            ("projectId", "p"),
            ("excludePinnedData", "true"),
        ],
        None,
    ),
]


@pytest.mark.parametrize(("parameters", "place", "query", "body"), CALLS, ids=lambda each: str(each)[:60])
async def test_a_call(
    parameters: dict[str, Any], place: str, query: list[tuple[str, str]], body: Any
) -> None:
    ctx = await ran(parameters)
    (request,) = ctx.server.requests
    assert f"{request.method} {request.url.removeprefix(BASE)}" == place
    assert request.query == query
    assert (orjson.loads(request.body) if request.body else None) == body
    assert request.headers["X-N8N-API-KEY"] == "hunter2"
    assert [item["pairedItem"] for item in ctx.items] == [{"item": 0}] * len(ctx.items)


async def test_all_pages_are_asked_for() -> None:
    filters = {"workflowId": {"__rl": True, "mode": "id", "value": "W1"}, "status": "error"}
    ctx = await ran({"resource": "execution", "returnAll": True, "filters": filters})
    first = [("workflowId", "W1"), ("status", "error")]
    assert [request.query for request in ctx.server.requests] == [first, [*first, ("cursor", "CUR1")]]
    assert [item["json"]["id"] for item in ctx.items] == ["a", "b", "a", "b"]


async def test_a_list_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft_nodes.network.rest._PAGES", 3)
    answer = HttpAnswer(200, "", [], b'{"data":[],"nextCursor":"again"}')
    with pytest.raises(NodeRunError, match="does not end"):
        await ran({"operation": "getAll"}, lambda _: answer)


async def test_what_the_api_refuses_is_said() -> None:
    answer = HttpAnswer(404, "Not Found", [], b'{"message":"Not Found"}')
    with pytest.raises(NodeRunError, match="The API: Not Found") as caught:
        await ran({"operation": "get", **WORKFLOW}, lambda _: answer)
    assert caught.value.http_status == 404
    ctx = await ran(
        {"operation": "get", **WORKFLOW}, lambda _: answer, count=2, on_error="continueRegularOutput"
    )
    assert [item["json"] for item in ctx.items] == [{"error": "The API: Not Found"}] * 2
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"operation": "get"}, "A workflow must be chosen"),
        ({"operation": "create", "workflowObject": "[1]"}, "must be a JSON object"),
        ({"operation": "create", "workflowObject": "{"}, "not valid JSON"),
        ({"operation": "nothing"}, "'nothing' is not known"),
        ({"operation": "getAll", "returnAll": False, "limit": 0}, "from 1 on"),
        ({"resource": "execution", "operation": "get"}, "id must be given"),
    ],
)
async def test_what_is_missing_is_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(NodeRunError, match=message):
        await ran(parameters)


async def test_the_key_is_sent_to_its_instance_alone() -> None:
    options = {"allowUnauthorizedCerts": True, "proxy": "http://p:1", "timeout": 2500}
    ctx = await ran({"operation": "get", **WORKFLOW, "requestOptions": options})
    assert ctx.server.requests[0].options == {
        "secret_headers": ["X-N8N-API-KEY"],
        "verify": False,
        "proxy": "http://p:1",
        "timeout": 2.5,
    }


async def test_batches_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr("weft_nodes.network.pause.asyncio.sleep", sleep)
    batching = {"requestOptions": {"batching": {"batch": {"batchSize": 2, "batchInterval": 250}}}}
    ctx = await ran({"operation": "get", **WORKFLOW, **batching}, count=5)
    assert paused == [0.25, 0.25]
    assert len(ctx.server.requests) == 5

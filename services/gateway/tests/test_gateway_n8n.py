"""n8n's public API, as its clients call it: the shapes are those that a running n8n gave."""

from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from weft_gateway.entrypoints.n8n import executions
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer
from weft_node_sdk.testing.fake import FakeContext

from services.gateway.tests.gateway_world import Client, World, document

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
LINK = {"main": [[{"node": "End", "type": "main", "index": 0}]]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def script(owner: Client, world: World) -> Client:
    made = await owner.data("POST", "/api-keys", json={"name": "script"})
    client = world.client()
    client.headers["X-N8N-API-KEY"] = made["key"]
    return client


async def told(client: Client, method: str, path: str, status: int = 200, **options: Any) -> Any:
    answer = await client.request(method, path, **options)
    assert answer.status_code == status, answer.text
    return answer.json()


def given(name: str, **more: Any) -> dict[str, Any]:
    return document(name, f"n8n/{uuid4()}", **more)


async def test_a_workflow_lives(script: Client) -> None:
    made = await told(script, "POST", "/workflows", json=given("One"))
    assert made["name"] == "One"
    assert made["active"] is False
    assert made["connections"]["Start"] == LINK
    path = f"/workflows/{made['id']}"
    assert await told(script, "GET", path) == made
    version = await told(script, "GET", f"{path}/{made['versionId']}")
    assert (version["workflowId"], version["nodes"]) == (made["id"], made["nodes"])

    active = await told(script, "POST", f"{path}/activate")
    assert active["active"] is True
    published = active["activeVersionId"]
    assert (await told(script, "GET", f"{path}/{published}"))["versionId"] == published
    renamed = await told(script, "PUT", path, json=given("Two"))
    assert (renamed["name"], renamed["active"]) == ("Two", True)
    assert renamed["activeVersionId"] != published
    again = await told(script, "POST", f"{path}/activate", json={"versionId": published})
    assert again["activeVersionId"] == published
    assert (await told(script, "POST", f"{path}/deactivate"))["active"] is False
    assert (await told(script, "DELETE", path))["id"] == made["id"]
    assert "message" in await told(script, "GET", path, 404)


async def test_documents_must_be_whole(script: Client) -> None:
    body = given("Part")
    del body["settings"]
    refused = await told(script, "POST", "/workflows", 400, json=body)
    assert refused == {"message": "request/body must have required property 'settings'"}
    refused = await told(script, "POST", "/workflows", 400, json=given("Id", id="x"))
    assert refused["message"].startswith("request/body/id is read-only")


async def test_lists_have_cursors_and_filters(script: Client) -> None:
    for number in range(3):
        pins = {"Start": [{"json": {"n": number}}]}
        made = await told(script, "POST", "/workflows", json=given(f"Listed {number}", pinData=pins))
        names = [{"id": "all"}, *([{"id": "odd"}] if number == 1 else [])]
        await told(script, "PUT", f"/workflows/{made['id']}/tags", json=names)
    await told(script, "POST", f"/workflows/{made['id']}/activate")
    first = await told(script, "GET", "/workflows?name=listed&limit=2")
    assert [row["name"] for row in first["data"]] == ["Listed 0", "Listed 1"]
    assert first["data"][1]["pinData"] == {"Start": [{"json": {"n": 1}}]}
    second = await told(script, "GET", f"/workflows?name=listed&cursor={first['nextCursor']}")
    assert ([row["name"] for row in second["data"]], second["nextCursor"]) == (["Listed 2"], None)

    async def names(query: str) -> list[str]:
        return [row["name"] for row in (await told(script, "GET", f"/workflows?name=listed&{query}"))["data"]]

    assert await names("active=true") == ["Listed 2"]
    assert await names("tags=all, odd") == ["Listed 1"]
    bare = await told(script, "GET", "/workflows?name=listed&excludePinnedData=true")
    assert all("pinData" not in row for row in bare["data"])
    tags = await told(script, "GET", "/tags")
    assert {"id": "odd", "name": "odd"} in tags["data"]
    assert "message" in await told(script, "GET", "/workflows?cursor=nonsense", 400)


async def test_executions_are_read(owner: Client, script: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = await told(script, "POST", "/workflows", json=given("Run"))
    ids = []
    for number in range(3):
        run = {"trigger_data": [{"json": {"n": number}}]}
        done = await owner.data("POST", f"/workflows/{workflow['id']}/execute?wait=30", json=run)
        ids.append(done["id"])
    query = f"workflowId={workflow['id']}&status=success"
    first = await told(script, "GET", f"/executions?{query}&limit=2")
    assert [row["id"] for row in first["data"]] == ids[:0:-1]
    rest = await told(script, "GET", f"/executions?{query}&cursor={first['nextCursor']}&includeData=true")
    (row,) = rest["data"]
    assert (row["id"], row["finished"], row["status"], row["mode"]) == (ids[0], True, "success", "manual")
    runs = row["data"]["resultData"]["runData"]
    assert runs["End"][0]["data"]["main"][0][0]["json"] == {"n": 0}
    assert runs["End"][0]["source"] == [
        {"previousNode": "Start", "previousNodeOutput": 0, "previousNodeRun": 0}
    ]
    monkeypatch.setattr(executions, "MOST_BYTES", 1000)
    data = f"/executions?{query}&includeData=true"
    assert "fewer" in (await told(script, "GET", data, 413))["message"]
    assert len((await told(script, "GET", f"{data}&limit=1"))["data"]) == 1
    assert "data" not in await told(script, "GET", f"/executions/{ids[0]}")
    assert (await told(script, "DELETE", f"/executions/{ids[0]}"))["id"] == ids[0]
    await told(script, "GET", f"/executions/{ids[0]}", 404)
    await told(script, "GET", "/executions?status=bogus", 400)


async def test_credentials_are_stored_and_their_kinds_described(script: Client) -> None:
    body = {"name": "N", "type": "httpBasicAuth", "data": {"user": "a", "password": "hunter2"}}
    made = await told(script, "POST", "/credentials", json=body)
    assert (made["name"], made["type"]) == ("N", "httpBasicAuth")
    listed = await script.get("/credentials")
    assert made["id"] in {row["id"] for row in listed.json()["data"]}
    assert "hunter2" not in listed.text
    assert (await told(script, "DELETE", f"/credentials/{made['id']}"))["id"] == made["id"]
    await told(script, "DELETE", f"/credentials/{made['id']}", 404)
    schema = await told(script, "GET", "/credentials/schema/httpBasicAuth")
    assert schema["properties"].keys() >= {"user", "password"}
    await told(script, "GET", "/credentials/schema/nope", 404)
    refused = await told(script, "POST", "/credentials", 400, json={**body, "type": "nope"})
    assert refused == {"message": "req.body.type is not a known type"}


async def test_others_see_nothing(script: Client, stranger: Client, world: World) -> None:
    made = await told(script, "POST", "/workflows", json=given("Mine"))
    key = (await stranger.data("POST", "/api-keys", json={"name": "other"}))["key"]
    other = world.client()
    other.headers["X-N8N-API-KEY"] = key
    assert "Mine" not in {row["name"] for row in (await told(other, "GET", "/workflows"))["data"]}
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/activate"),
        ("GET", f"/{made['versionId']}"),
    ):
        await told(other, method, f"/workflows/{made['id']}{path}", 404)
    other.headers["X-N8N-API-KEY"] = "wrong"
    await told(other, "GET", "/workflows", 401)
    assert await told(script, "GET", "/nope", 404) == {"message": "not found"}


async def test_the_node_works_with_it(script: Client) -> None:
    """The n8n node of ours, whose credential leads here."""
    catalogue = Catalogue.load()

    class Http:
        async def request(self, method: str, url: str, **options: Any) -> HttpAnswer:
            answer = await script.request(
                method, url, params=options["query"], headers=options["headers"], content=options["body"]
            )
            return HttpAnswer(answer.status_code, "", list(answer.headers.items()), answer.content)

    async def ran(**parameters: Any) -> list[dict[str, Any]]:
        ctx = FakeContext(
            catalogue.fill_defaults("n8n", 1, parameters),
            [[{"json": {}}]],
            type="n8n",
            credentials={
                "n8nApi": {
                    "baseUrl": "http://weft.test/api/v1",
                    "apiKey": script.headers["X-N8N-API-KEY"],
                }
            },
        )
        ctx.http = Http()  # type: ignore[assignment]
        (items,) = await catalogue.implementation("n8n")(ctx)
        return [item["json"] for item in items]

    body = {**given("By the node"), "id": "left out", "active": True}
    (made,) = await ran(operation="create", workflowObject=body)
    chosen = {"__rl": True, "mode": "id", "value": made["id"]}
    (active,) = await ran(operation="activate", workflowId=chosen)
    assert active["active"] is True
    (updated,) = await ran(operation="update", workflowId=chosen, workflowObject=given("Renamed"))
    assert updated["name"] == "Renamed"
    assert {"Renamed"} < {each["name"] for each in await ran(operation="getAll")}
    options = {"categories": ["nodes"], "daysAbandonedWorkflow": 7}
    (report,) = await ran(resource="audit", operation="generate", additionalOptions=options)
    assert set(report) <= {"Nodes Risk Report"}
    (gone,) = await ran(operation="delete", workflowId=chosen)
    assert gone["id"] == made["id"]


def sections(report: Any, category: str) -> dict[str, list[str]]:
    """Title to the names of what was found there."""
    assert report["risk"] == category
    return {
        each["title"]: [
            place["nodeName"] if place["kind"] == "node" else place["name"] for place in each["location"]
        ]
        for each in report["sections"]
    }


async def test_an_audit_names_what_deserves_a_second_look(owner: Client, script: Client) -> None:
    keep = {"type": "postgres", "data": {"host": "db.example.org", "password": "p"}}
    used, spare = [
        (await owner.data("POST", "/credentials", json={**keep, "name": name}))["id"]
        for name in ("Used", "Spare")
    ]

    def node(name: str, kind: str, **more: Any) -> dict[str, Any]:
        whole = {
            "id": name,
            "name": name,
            "type": kind,
            "typeVersion": 2,
            "position": [0, 0],
            "parameters": {},
        }
        return {**whole, **more}

    query = {"operation": "executeQuery", "query": "=SELECT * FROM t WHERE a = {{ $json.a }} AND b = $1"}
    held = {"postgres": {"id": used, "name": "Used"}}
    nodes = [
        node("Open", "n8n-nodes-base.webhook", parameters={"path": f"audit-{uuid4()}"}),
        node("Query", "n8n-nodes-base.postgres", parameters=query, credentials=held),
        node("Run", "n8n-nodes-base.code"),
        node("File", "n8n-nodes-base.readWriteFile", typeVersion=1),
        node("Other", "n8n-nodes-community.thing", typeVersion=1),
    ]
    body = {"name": "Audited", "nodes": nodes, "connections": {}, "settings": {}}
    made = await told(script, "POST", "/workflows", json=body)
    found = await told(script, "POST", "/audit")
    assert set(found) >= {
        f"{name} Risk Report" for name in ("Credentials", "Database", "Filesystem", "Nodes")
    }
    database = sections(found["Database Risk Report"], "database")
    assert "Query" in database['Expressions in "Execute Query" fields in SQL nodes']
    assert "Query" in database['Unused "Query Parameters" fields in SQL nodes']
    assert (
        "File"
        in sections(found["Filesystem Risk Report"], "filesystem")["Nodes that interact with the file system"]
    )
    of_nodes = sections(found["Nodes Risk Report"], "nodes")
    assert "Run" in of_nodes["Official risky nodes"]
    assert "Other" in of_nodes["Community nodes"]
    credentials = sections(found["Credentials Risk Report"], "credentials")
    assert "Spare" in credentials["Credentials not used in any workflow"]
    assert "Used" not in credentials["Credentials not used in any workflow"]
    assert "Used" in credentials["Credentials not used in any active workflow"]
    place = next(
        each
        for each in found["Nodes Risk Report"]["sections"][0]["location"]
        if each["workflowId"] == made["id"]
    )
    assert place == {
        "kind": "node",
        "workflowId": made["id"],
        "workflowName": "Audited",
        "nodeId": "Run",
        "nodeName": "Run",
        "nodeType": "n8n-nodes-base.code",
    }
    for each in (used, spare):
        assert await told(script, "DELETE", f"/credentials/{each}")
    await told(script, "DELETE", f"/workflows/{made['id']}")


async def test_an_audit_takes_options(script: Client) -> None:
    hook = {"path": f"audit-{uuid4()}"}
    start = {
        "id": "h",
        "name": "Hook",
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
    }
    body = {"name": "Hooked", "nodes": [{**start, "parameters": hook}], "connections": {}, "settings": {}}
    made = await told(script, "POST", "/workflows", json=body)
    only = {"additionalOptions": {"categories": ["instance"], "daysAbandonedWorkflow": 7}}
    before = (await told(script, "POST", "/audit", json=only)).get("Instance Risk Report", {"sections": []})
    await told(script, "POST", f"/workflows/{made['id']}/activate")
    found = await told(script, "POST", "/audit", json=only)
    assert set(found) == {"Instance Risk Report"}
    title = "Unprotected webhooks in instance"
    assert made["id"] not in str(before)
    assert "Hook" in sections(found["Instance Risk Report"], "instance")[title]
    await told(script, "POST", f"/workflows/{made['id']}/deactivate")
    await told(script, "DELETE", f"/workflows/{made['id']}")
    wrong = {"additionalOptions": {"categories": ["secrets"]}}
    assert "message" in await told(script, "POST", "/audit", 400, json=wrong)


async def test_a_stranger_gets_no_audit(stranger: Client, world: World) -> None:
    key = (await stranger.data("POST", "/api-keys", json={"name": "audit"}))["key"]
    client = world.client()
    client.headers["X-N8N-API-KEY"] = key
    assert await told(client, "POST", "/audit", 403) == {"message": "Forbidden"}

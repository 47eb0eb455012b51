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
    (gone,) = await ran(operation="delete", workflowId=chosen)
    assert gone["id"] == made["id"]

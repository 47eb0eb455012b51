"""Workflows as the editor handles them: drafts, versions, differences, copies, tags, test webhooks."""

import json
from typing import Any

import pytest

from services.gateway.tests.gateway_world import Client, World, document, node

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def made(client: Client, **more: Any) -> dict[str, Any]:
    workflow: dict[str, Any] = await client.data("POST", "/workflows", json=document(**more))
    return workflow


async def test_a_document_comes_back_as_it_is_spelled(owner: Client) -> None:
    text = '{"nodes":[],"connections":{},"unknown":{"a": 1.0, "big":12345678901234567890123},"name":"Odd"}'
    created = await owner.data("POST", "/workflows", content=text)
    answer = await owner.get(f"/workflows/{created['id']}")
    assert '"unknown":{"a": 1.0, "big":12345678901234567890123}' in answer.text
    exported = await owner.get(f"/workflows/{created['id']}/export")
    assert exported.text == text


async def test_a_file_that_begins_with_a_byte_order_mark_is_taken(owner: Client) -> None:
    text = '{"nodes":[],"connections":{},"name":"Marked"}'
    created = await owner.data("POST", "/workflows", content=b"\xef\xbb\xbf" + text.encode())
    assert (await owner.get(f"/workflows/{created['id']}/export")).text == text
    json_type = {"content-type": "application/json"}
    tag = await owner.data("POST", "/tags", content=b'\xef\xbb\xbf{"name": "marked"}', headers=json_type)
    assert tag["name"] == "marked"
    await owner.data("DELETE", "/tags/marked")


async def test_what_get_gave_may_come_back_changed(owner: Client) -> None:
    created = await made(owner, id="from-elsewhere")
    seen = await owner.data("GET", f"/workflows/{created['id']}")
    seen["nodes"][0]["position"] = [10, 20]
    saved = await owner.data("PUT", f"/workflows/{created['id']}", json=seen)
    assert saved["version_id"] != seen["version_id"]
    stored = json.loads((await owner.get(f"/workflows/{created['id']}/export")).content)
    assert stored["nodes"][0]["position"] == [10, 20]
    assert stored["id"] == "from-elsewhere"
    assert not {"version_id", "project_id", "issues", "created_at"} & stored.keys()

    stale = await owner.put(f"/workflows/{created['id']}", json=seen)
    assert stale.status_code == 409
    assert stale.json()["error"]["details"] == {
        "your_version_id": seen["version_id"],
        "current_version_id": saved["version_id"],
    }


async def test_updates_are_refused_where_the_draft_has_moved_on(owner: Client) -> None:
    created = await made(owner)
    path = f"/workflows/{created['id']}"
    first = await owner.get(path)
    tag = first.headers["etag"]
    moved = await owner.patch(path, json={"name": "Other"}, headers={"If-Match": tag})
    assert moved.json()["data"]["name"] == "Other"
    assert moved.headers["etag"] == f'"{moved.json()["data"]["version_id"]}"' != tag
    for method, body in (("PATCH", {"name": "Mine"}), ("PUT", document())):
        refused = await owner.refusal(method, path, json=body, headers={"If-Match": tag})
        assert refused == (409, "CONFLICT")
        old = tag.strip('"')
        assert await owner.refusal(method, f"{path}?version_id={old}", json=body) == (409, "CONFLICT")
    old = {"name": "Mine", "version_id": tag.strip('"')}
    assert await owner.refusal("PATCH", path, json=old) == (409, "CONFLICT")
    assert (await owner.data("PATCH", path, json={"settings": {"timezone": "UTC"}}))["name"] == "Other"


@pytest.mark.parametrize("body", ["", "[", "[1]", '"x"', "{}", '{"nodes":{}}', '{"nodes":[{}]}'])
async def test_bodies_that_are_no_documents_are_refused(owner: Client, body: str) -> None:
    created = await made(owner)
    assert await owner.refusal("POST", "/workflows", content=body) == (400, "VALIDATION_ERROR")
    path = f"/workflows/{created['id']}"
    assert await owner.refusal("PUT", path, content=body) == (400, "VALIDATION_ERROR")


async def test_versions_are_listed_compared_and_restored(owner: Client) -> None:
    created = await made(owner, path="versions")
    path = f"/workflows/{created['id']}"
    await owner.data("POST", f"{path}/activate")
    changed = document(name="Renamed", path="versions", settings={"timezone": "Europe/Paris"})
    changed["nodes"][1] = node("End", "limit", id="end", parameters={"maxItems": 3})
    changed["nodes"].append(node("More", "noOp"))
    del changed["connections"]["Start"]
    await owner.data("PUT", path, json=changed)

    draft = await owner.data("GET", f"{path}/diff?from=1")
    assert draft["nodes"]["added"] == ["More"]
    assert draft["nodes"]["removed"] == []
    assert draft["nodes"]["changed"] == [{"name": "End", "fields": ["parameters.maxItems", "type"]}]
    assert draft["connections"]["removed"] == [
        {"from": "Start", "type": "main", "output": 0, "to": "End", "input": 0}
    ]
    assert draft["settings"] == ["timezone"]
    assert draft["name"] == {"before": "A workflow", "after": "Renamed"}

    await owner.data("POST", f"{path}/activate")
    assert (await owner.data("GET", f"{path}/diff?from=1&to=2"))["nodes"] == draft["nodes"]
    listed = await owner.data("GET", f"{path}/versions")
    assert [(version["version"], version["document"]) for version in listed] == [(2, None), (1, None)]
    first = await owner.data("GET", f"{path}/versions/1")
    assert first["document"]["name"] == "A workflow"
    restored = await owner.data("POST", f"{path}/versions/1/restore")
    assert restored["name"] == "A workflow"
    assert restored["published_version"] == 2
    assert await owner.refusal("GET", f"{path}/versions/9") == (404, "NOT_FOUND")
    assert await owner.refusal("GET", f"{path}/diff?from=1&to=9") == (404, "NOT_FOUND")
    stale = {"If-Match": f'"{created["version_id"]}"'}
    assert await owner.refusal("POST", f"{path}/versions/1/restore", headers=stale) == (409, "CONFLICT")


async def test_a_draft_is_kept_as_a_version_before_another_takes_its_place(owner: Client) -> None:
    created = await made(owner, path="kept")
    path = f"/workflows/{created['id']}"
    kept = await owner.data("POST", f"{path}/versions")
    assert (kept["version"], kept["id"]) == (1, created["version_id"])
    assert (await owner.data("POST", f"{path}/versions"))["version"] == 1
    await owner.data("PUT", path, json=document(name="Another", path="kept"))
    assert (await owner.data("GET", f"{path}/versions/1"))["document"]["name"] == "A workflow"
    assert (await owner.data("POST", f"{path}/versions"))["version"] == 2


async def test_a_copy_has_its_own_name_and_is_not_published(owner: Client) -> None:
    created = await made(owner, path="copied")
    await owner.data("POST", f"/workflows/{created['id']}/activate")
    copy = await owner.data("POST", f"/workflows/{created['id']}/duplicate")
    assert (copy["name"], copy["is_active"]) == ("A workflow copy", False)
    named = await owner.data("POST", f"/workflows/{created['id']}/duplicate", json={"name": "Second"})
    assert named["name"] == "Second"
    assert await owner.refusal("POST", f"/workflows/{copy['id']}/activate") == (409, "CONFLICT")
    off = await owner.data("POST", f"/workflows/{created['id']}/deactivate")
    assert off["is_active"] is False
    assert (await owner.data("POST", f"/workflows/{copy['id']}/activate"))["is_active"] is True


async def test_tags_are_made_worn_renamed_and_dropped(owner: Client) -> None:
    created = await made(owner, tags=[{"id": "7", "name": "old"}], name="Tagged")
    path = f"/workflows/{created['id']}"
    assert created["tags"] == ["old"]
    await owner.data("POST", "/tags", json={"name": "spare"})
    assert await owner.refusal("POST", "/tags", json={"name": "old"}) == (409, "CONFLICT")
    assert (await owner.data("PUT", f"{path}/tags", json={"tags": ["old", "a/b", "old"]}))["tags"] == [
        "old",
        "a/b",
    ]
    counts = {tag["name"]: tag["workflow_count"] for tag in await owner.data("GET", "/tags")}
    assert counts == {"a/b": 1, "old": 1, "spare": 0}
    renamed = await owner.data("PUT", "/tags/a/b", json={"name": "new"})
    assert (renamed["name"], renamed["workflow_count"]) == ("new", 1)
    assert await owner.refusal("PUT", "/tags/new", json={"name": "spare"}) == (409, "CONFLICT")
    await owner.data("DELETE", "/tags/old")
    assert (await owner.data("GET", path))["tags"] == ["new"]
    assert [row["id"] for row in await owner.data("GET", "/workflows?tag=new")] == [created["id"]]
    assert await owner.data("GET", "/workflows?tag=old") == []
    assert await owner.refusal("DELETE", "/tags/old") == (404, "NOT_FOUND")
    assert await owner.refusal("POST", "/tags", json={"name": "  "}) == (400, "VALIDATION_ERROR")


async def test_deleted_workflows_can_be_brought_back(owner: Client) -> None:
    created = await made(owner)
    path = f"/workflows/{created['id']}"
    await owner.data("DELETE", path)
    assert await owner.refusal("GET", path) == (404, "NOT_FOUND")
    assert (await owner.data("POST", f"{path}/restore"))["id"] == created["id"]
    assert (await owner.data("GET", path))["is_active"] is False


async def test_lists_are_searched_sorted_and_paged(owner: Client) -> None:
    for name in ("zebra one", "Zebra two", "zebra_three"):
        await made(owner, name=name)
    answer = (await owner.get("/workflows?search=zebra&sort=name&limit=2")).json()
    assert [row["name"] for row in answer["data"]] == ["zebra one", "Zebra two"]
    assert answer["pagination"] == {"page": 1, "limit": 2, "total": 3, "total_pages": 2}
    last = (await owner.get("/workflows?search=zebra&sort=name&limit=2&page=2")).json()
    assert [row["name"] for row in last["data"]] == ["zebra_three"]
    assert [row["name"] for row in await owner.data("GET", "/workflows?search=a_t")] == ["zebra_three"]
    assert await owner.data("GET", "/workflows?search=zebra&active=true") == []


async def test_a_repeated_creation_makes_one_workflow(owner: Client) -> None:
    body = {"json": document(name="Once"), "headers": {"Idempotency-Key": "k1"}}
    first = await owner.data("POST", "/workflows", **body)
    assert (await owner.data("POST", "/workflows", **body))["id"] == first["id"]


async def test_the_draft_listens_for_a_test_call(owner: Client, stranger: Client) -> None:
    created = await made(owner, path="listen-here")
    path = f"/workflows/{created['id']}/test-webhook"
    listening = await owner.data("POST", path, json={"seconds": 60})
    assert [(hook["method"], hook["path"]) for hook in listening["webhooks"]] == [("POST", "listen-here")]
    assert listening["webhooks"][0]["url"].endswith("/webhook-test/listen-here")
    assert await stranger.refusal("DELETE", path) == (404, "NOT_FOUND")
    await owner.data("DELETE", path)
    silent = await made(owner)
    refused = await owner.refusal("POST", f"/workflows/{silent['id']}/test-webhook")
    assert refused == (400, "VALIDATION_ERROR")


async def test_runs_are_listed_and_handled_by_the_dozen(owner: Client, world: World) -> None:
    created = await made(owner)
    path = f"/workflows/{created['id']}"
    ids = []
    for _ in range(3):
        done = await owner.data("POST", f"{path}/execute?wait=60", json={})
        assert done["status"] == "success", done
        assert done["node_data"]["End"][0]["outputs"][0][0]["json"] == {}
        ids.append(done["id"])
    listed = (await owner.get(f"{path}/executions?limit=2")).json()
    assert [row["id"] for row in listed["data"]] == ids[:0:-1]
    assert listed["pagination"]["total"] == 3
    rest = (await owner.get(f"/executions?workflow_id={created['id']}&limit=2")).json()
    cursor = rest["pagination"]["next_cursor"]
    query = f"workflow_id={created['id']}&cursor={cursor}"
    assert [row["id"] for row in await owner.data("GET", f"/executions?{query}")] == ids[:1]
    for filters, count in (("status=error", 0), ("status=success,error", 3), ("mode=manual", 3)):
        rows = await owner.data("GET", f"/executions?workflow_id={created['id']}&{filters}")
        assert len(rows) == count, filters

    stopped = await owner.data("POST", "/executions/stop", json={"ids": ids[:1]})
    assert [(each["id"], each["code"]) for each in stopped["failed"]] == [(ids[0], "CONFLICT")]
    gone = await owner.data("POST", "/executions/delete", json={"ids": [*ids[:2], "no-id", ids[0]]})
    assert gone["done"] == ids[:2]
    assert [(each["id"], each["code"]) for each in gone["failed"]] == [("no-id", "NOT_FOUND")]
    assert await owner.refusal("GET", f"/executions/{ids[0]}") == (404, "NOT_FOUND")
    await owner.data("DELETE", f"/executions/{ids[2]}")
    assert await owner.data("GET", f"{path}/executions") == []


async def test_a_failed_run_is_retried(owner: Client) -> None:
    body = document(name="Fails")
    body["nodes"][1] = node("End", "stopAndError", parameters={"errorMessage": "no"})
    created = await owner.data("POST", "/workflows", json=body)
    failed = await owner.data("POST", f"/workflows/{created['id']}/execute?wait=60", json={})
    assert failed["status"] == "error"
    assert failed["error"]["message"] == "no"
    retried = await owner.post(f"/executions/{failed['id']}/retry", json={"from_start": True})
    assert retried.status_code == 202
    assert retried.json()["data"]["retry_of"] == failed["id"]
    missing = await owner.refusal("POST", f"/workflows/{created['id']}/execute?version=published")
    assert missing == (409, "CONFLICT")

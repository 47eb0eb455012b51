"""`/executions/counts` against the list of executions."""

from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.tests.gateway_world import Client, document

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_counts_are_those_of_the_list(owner: Client, stranger: Client) -> None:
    good = await owner.data("POST", "/workflows", json=document("Good"))
    broken = document("Broken")
    broken["nodes"][1]["type"] = "n8n-nodes-base.noSuchThing"
    bad = await owner.data("POST", "/workflows", json=broken)
    for workflow in (good, good, bad):
        await owner.data("POST", f"/workflows/{workflow['id']}/execute?wait=30")
    found = await owner.data("GET", "/executions/counts")
    assert (found["totals"]["success"], found["totals"]["error"], found["totals"]["running"]) == (2, 1, 0)
    assert [(each["workflow_id"], each["counts"]) for each in found["workflows"]] == [
        (good["id"], {"success": 2}),
        (bad["id"], {"error": 1}),
    ]
    assert sum(sum(each["counts"].values()) for each in found["buckets"]) == 3
    one = await owner.data("GET", f"/executions/counts?workflow_id={bad['id']}&step=900")
    assert (one["totals"]["success"], one["totals"]["error"]) == (0, 1)
    assert one["buckets"][0]["start"] <= datetime.now(UTC).isoformat()
    assert (await stranger.data("GET", "/executions/counts"))["totals"]["success"] == 0
    foreign = f"/executions/counts?project_id={owner.project}"
    assert (await stranger.data("GET", foreign))["workflows"] == []
    past = (datetime.now(UTC) - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    assert (await owner.data("GET", f"/executions/counts?before={past}"))["buckets"] == []


async def test_what_makes_no_sense_is_refused(owner: Client) -> None:
    for query in (
        "step=901",
        "step=0",
        "utc_offset=7",
        "after=2026-01-02T00:00:00Z&before=2026-01-01T00:00:00Z",
    ):
        assert await owner.refusal("GET", f"/executions/counts?{query}") == (400, "VALIDATION_ERROR")
    long_ago = "after=2020-01-01T00:00:00Z&step=900"
    assert await owner.refusal("GET", f"/executions/counts?{long_ago}") == (400, "VALIDATION_ERROR")

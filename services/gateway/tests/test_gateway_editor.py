"""What the editor asks: node types, icons, previews."""

import pytest

from services.gateway.tests.gateway_world import Client

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_the_catalogue_says_what_the_palette_shows(owner: Client) -> None:
    entries = {entry["type"]: entry for entry in await owner.data("GET", "/nodes")}
    switch = entries["if"]
    assert switch["aliases"] == ["n8n-nodes-base.if"]
    assert switch["display_name"] == "If"
    assert (switch["inputs"], switch["outputs"]) == ([""], ["true", "false"])
    assert switch["icon_url"] == "/api/v1/nodes/if/icon"
    assert switch["default_version"] in switch["versions"]
    assert switch["categories"]
    assert switch["keywords"]
    assert entries["webhook"]["trigger"] == "webhook"
    assert entries["webhook"]["inputs"] == []
    assert entries["stickyNote"]["executable"] is False


async def test_a_definition_is_found_under_every_name(owner: Client) -> None:
    by_name = await owner.data("GET", "/nodes/set")
    assert by_name["versions"][0]["properties"]
    assert await owner.data("GET", "/nodes/any?type=n8n-nodes-base.set") == by_name
    one = await owner.data("GET", "/nodes/set?version=3.4")
    assert [group for group in by_name["versions"] if 3.4 in group["versions"]] == one["versions"]
    assert await owner.refusal("GET", "/nodes/set?version=99") == (404, "NOT_FOUND")
    assert await owner.refusal("GET", "/nodes/nothing") == (404, "NOT_FOUND")


async def test_icons_are_images_without_a_sign_in(owner: Client) -> None:
    for path in ("/nodes/set/icon", "/nodes/x/icon?type=n8n-nodes-base.set"):
        answer = await owner.get(path, headers={"Authorization": ""})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.text.startswith("<svg")
    again = await owner.get("/nodes/set/icon", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert await owner.refusal("GET", "/nodes/nothing/icon") == (404, "NOT_FOUND")


async def test_credential_types_list_their_fields(owner: Client) -> None:
    kinds = {kind["type"]: kind for kind in await owner.data("GET", "/credential-types")}
    fields = {field["name"]: field for field in kinds["httpBasicAuth"]["fields"]}
    assert fields["password"]["secret"] is True
    assert await owner.data("GET", "/credential-types/httpBasicAuth") == kinds["httpBasicAuth"]
    assert await owner.refusal("GET", "/credential-types/none") == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("expression", "value", "kind"),
    [
        ("={{ $json.name.toUpperCase() }}", "BEA", "string"),
        ("{{ $json.n + 1 }}", 3, "number"),
        ("={{ $json.n > 1 }}", True, "boolean"),
        ("={{ [$json.n] }}", [2], "array"),
        ("={{ ({n: $json.n}) }}", {"n": 2}, "object"),
        ("={{ null }}", None, "null"),
        ("=Dear {{ $json.name }}", "Dear Bea", "string"),
        ("={{ $('Before').all().length }}", 2, "number"),
        ("={{ $('Before').first().json.was }}", "first", "string"),
        ("={{ $parameter.url }}", "http://x", "string"),
        ("={{ $items().length }}", 2, "number"),
    ],
)
async def test_expressions_are_previewed(owner: Client, expression: str, value: object, kind: str) -> None:
    body = {
        "expression": expression,
        "items": [{"json": {"name": "Ada", "n": 1}}, {"json": {"name": "Bea", "n": 2}}],
        "item_index": 1,
        "run_data": {"Before": [[[{"json": {"was": "first"}}, {"json": {"was": "second"}}]]]},
        "parameters": {"url": "http://x"},
    }
    assert await owner.data("POST", "/expressions/evaluate", json=body) == {"value": value, "type": kind}


async def test_a_faulty_expression_is_explained_not_refused(owner: Client) -> None:
    for text in ("={{ $json.a.b.c }}", "={{ $('Nobody').first() }}", "={{ ( }}"):
        found = await owner.data("POST", "/expressions/evaluate", json={"expression": text})
        assert found["value"] is None
        assert found["error"]


async def test_previews_refuse_what_makes_no_sense(owner: Client, stranger: Client) -> None:
    call = ("POST", "/expressions/evaluate")
    one = {"expression": "={{ 1 }}"}
    assert await owner.refusal(*call, json={**one, "item_index": -1}) == (400, "VALIDATION_ERROR")
    assert await owner.refusal(*call, json={**one, "item_index": 5}) == (400, "VALIDATION_ERROR")
    assert await owner.refusal(*call, json={**one, "run_data": {"X": "y"}}) == (400, "VALIDATION_ERROR")
    foreign = {**one, "project_id": owner.project}
    assert await stranger.refusal(*call, json=foreign) == (404, "NOT_FOUND")


async def test_previews_find_the_item_that_an_item_came_from(owner: Client) -> None:
    body = {
        "expression": "={{ $('First').item.json.n + $prevNode.name }}",
        "items": [{"json": {}, "pairedItem": {"item": 1}}, {"json": {}, "pairedItem": {"item": 0}}],
        "item_index": 1,
        "run_data": {
            "First": [[[{"json": {"n": "a"}}, {"json": {"n": "b"}}]]],
            "Second": [[[{"json": {}, "pairedItem": 1}, {"json": {}, "pairedItem": 0}]]],
        },
        "source": [["Second", 0, 0]],
        "sources": {"First": [[]], "Second": [[["First", 0, 0]]]},
    }
    call = ("POST", "/expressions/evaluate")
    assert (await owner.data(*call, json=body))["value"] == "aSecond"
    for key, value in (("source", [None]), ("sources", {})):
        found = await owner.data(*call, json={**body, key: value})
        assert found["value"] is None
        assert found["error"]
    assert await owner.refusal(*call, json={**body, "source": [[1]]}) == (400, "VALIDATION_ERROR")


async def test_numbers_that_no_machine_word_holds_are_taken_as_javascript_takes_them(owner: Client) -> None:
    big = {"expression": "={{ $json.n }}", "items": [{"json": {"n": 2**70}}]}
    assert await owner.data("POST", "/expressions/evaluate", json=big) == {"value": 2.0**70, "type": "number"}
    far = {"expression": "={{ 1 }}", "source": [["A", 2**70]]}
    assert await owner.refusal("POST", "/expressions/evaluate", json=far) == (400, "VALIDATION_ERROR")
    kept = {"name": "n", "type": "t", "data": {"n": 2**70}}
    assert (await owner.data("POST", "/credentials", json=kept))["name"] == "n"

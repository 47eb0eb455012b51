"""Documents as they come from elsewhere: small workflows of our own with what public templates hold."""

import json
from typing import Any

import pytest
from weft_contracts.errors import WeftError
from weft_node_sdk.catalogue import Catalogue
from weft_workflow_store.domain.document import Document, mended
from weft_workflow_store.domain.inspection import inspect

CATALOGUE = Catalogue.load()
LIMIT = 1 << 20


def node(name: str, kind: str, version: Any = 1, parameters: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters or {},
        **more,
    }


def workflow(*nodes: dict[str, Any], **connections: list[str]) -> bytes:
    wires = {
        name: {"main": [[{"node": target, "type": "main", "index": 0} for target in targets]]}
        for name, targets in connections.items()
    }
    more = {
        "meta": {"instanceId": "x", "templateCredsSetupCompleted": True},
        "pinData": {},
        "versionId": "1",
        "tags": [],
    }
    return json.dumps({"name": "w", "nodes": nodes, "connections": wires, "settings": {}, **more}).encode()


def imported(text: bytes) -> Document:
    (document,) = Document.parse_all(text, LIMIT)
    return document


def codes(text: bytes) -> list[str]:
    return [issue.code for issue in inspect(imported(text), CATALOGUE)]


def schedule(**rule: Any) -> dict[str, Any]:
    return node("Schedule", "scheduleTrigger", 1.2, {"rule": {"interval": [rule]}})


def test_nodes_without_a_name_get_one() -> None:
    first, second = node("", "stickyNote"), node("x", "stickyNote")
    del second["name"]
    text = workflow(first, node("Sticky Note", "stickyNote"), second, node("Start", "manualTrigger"))
    names = [each["name"] for each in imported(text).nodes]
    assert names == ["Sticky Note1", "Sticky Note", "Sticky Note2", "Start"]
    assert codes(text) == []


def test_a_version_that_is_a_text_is_a_number() -> None:
    text = workflow(node("Set", "set", "3.4", {"assignments": {"assignments": []}, "options": {}}))
    assert imported(text).nodes[0]["typeVersion"] == 3.4
    assert codes(text) == []


def test_credentials_that_were_blotted_out_are_left_out() -> None:
    text = workflow(
        node("Call", "httpRequest", 4.2, {"url": "https://example.com"}, credentials="[REDACTED]")
    )
    assert "credentials" not in imported(text).nodes[0]


def test_everything_else_keeps_its_spelling() -> None:
    text = workflow(node("Start", "manualTrigger")).replace(b'"name": "w"', b'"name" :  "w", "big": 1.0e3')
    assert mended(text) == text
    broken = text.replace(b'"typeVersion": 1', b'"typeVersion": "1"')
    assert b'"big":1.0e3' in mended(broken)


@pytest.mark.parametrize("text", [b"", b"{", b"[]x", b'{"nodes": 1}', b'{"nodes": [{"name": 5}]}', b"\xff"])
def test_what_is_no_workflow_stays_none(text: bytes) -> None:
    assert mended(text) == text
    with pytest.raises(WeftError):
        Document.parse_all(text, LIMIT)


@pytest.mark.parametrize(
    ("rule", "cron"),
    [
        ({"field": "=days", "triggerAtHour": "={{ 12 }}"}, "0 12 * * *"),
        ({"triggerAtHour": "=7", "triggerAtMinute": "={{ '30' }}"}, "30 7 * * *"),
        ({"field": "cronExpression", "expression": "=0 9 * * 1-5"}, "0 9 * * 1-5"),
    ],
)
def test_schedules_of_constant_expressions(rule: dict[str, Any], cron: str) -> None:
    text = workflow(schedule(**rule))
    assert codes(text) == []
    assert [each.cron for each in CATALOGUE.schedules(imported(text).json)] == [cron]


def test_a_schedule_of_data_is_named() -> None:
    assert codes(workflow(schedule(triggerAtHour="={{ $json.hour }}"))) == ["INVALID_SCHEDULE"]


def test_what_templates_hold_is_known() -> None:
    """The commonest forms of templates of core nodes, with connections that lead nowhere told and kept."""
    rows = [
        {"id": "1", "name": "total", "type": "number", "value": "={{ $json.items.map(i => i.price).sum() }}"}
    ]
    condition = {
        "id": "1",
        "leftValue": "={{ $json.total }}",
        "rightValue": 10,
        "operator": {"type": "number", "operation": "gt"},
    }
    options = {"caseSensitive": True, "leftValue": "", "typeValidation": "strict", "version": 2}
    conditions = {"options": options, "combinator": "and", "conditions": [condition]}
    text = workflow(
        node("When clicking ‘Execute workflow’", "manualTrigger"),
        node(
            "Fetch",
            "httpRequest",
            4.2,
            {"url": "=https://example.com/{{ $now.toFormat('yyyy') }}", "options": {}},
        ),
        node("Total", "set", 3.4, {"assignments": {"assignments": rows}, "options": {}}),
        node("Large?", "if", 2.2, {"conditions": conditions, "options": {}}),
        node("Loop", "splitInBatches", 3, {"options": {}}),
        node("Old", "function", 1, {"functionCode": "return items;"}),
        node("Join", "merge", 3, {"mode": "combine", "combineBy": "combineByPosition", "options": {}}),
        node("Note", "stickyNote", 1, {"content": "## Hi", "height": 200, "width": 300, "color": 4}),
        **{"Fetch": ["Total"], "Total": ["Large?", "Gone"], "Large?": ["Loop"], "Loop": ["Join"]},
    )
    assert codes(text) == ["DANGLING_CONNECTION"]


@pytest.mark.parametrize(
    "wrapped",
    [
        b'{"workflow":%s}',
        b'{"id":1,"name":"Shown","workflow":{"id":1,"name":"Shown","workflow":%s}}',
        b'{"workflows":[%s]}',
        b'{"data":[%s],"nextCursor":null}',
        b"\xef\xbb\xbf%s",
    ],
)
def test_what_an_answer_of_an_api_holds_is_imported_as_it_is_spelled(wrapped: bytes) -> None:
    text = workflow(node("A", "noOp", parameters={"big": 1.0}))
    (document,) = Document.parse_all(wrapped % text, LIMIT)
    assert document.json == json.loads(text)


def test_a_wrapped_document_without_a_name_takes_the_wrappers() -> None:
    (document,) = Document.parse_all(b'{"name":"Shown","workflow":{"nodes":[],"connections":{}}}', LIMIT)
    assert document.json["name"] == "Shown"


def test_a_wrapper_that_holds_no_workflow_says_so() -> None:
    for text in (b'{"data":{"data":{"data":{"data":{}}}}}', b'{"workflow":null}', b'{"workflows":[1]}'):
        with pytest.raises(WeftError, match="workflow"):
            Document.parse_all(text, LIMIT)

"""What is no workflow, no JSON or no token is refused with its place and a code, and changes nothing; what can be
stored runs up to its faulty part."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import OKPKey
from weft_kit.identity.tokens import ALGORITHM

from tests.harness.flows import chain, code, edit, flow, manual, node, webhook
from tests.harness.user import User, items

pytestmark = pytest.mark.e2e

MALFORMED: dict[str, tuple[bytes, int, int]] = {
    "malformed": (b'{"nodes": [],\n "connections": }', 2, 17),
    "truncated": (b'{"nodes": [{"name": "A"', 1, 24),
    "not-utf-8": (b'{"nodes": [], "name": "\xff"}', 1, 24),
    "nan": (b'{"nodes": [NaN]}', 1, 12),
    "infinity": (b'{"nodes": [], "a": -Infinity}', 1, 21),
    "deep": (b'{"nodes": [], "a": ' + b"[" * 250 + b"]" * 250 + b"}", 1, 219),
    "very-deep": (b'{"nodes": [], "a": ' + b"[" * 100_000, 1, 219),
}
SHAPES: dict[str, tuple[Any, str]] = {
    "no-nodes": ({"name": "x"}, "nodes"),
    "nodes-object": ({"nodes": {}}, "nodes"),
    "node-text": ({"nodes": ["A"]}, "nodes[0]"),
    "node-without-type": ({"nodes": [manual(), {"name": "A"}]}, "nodes[1].type"),
    "node-name-number": ({"nodes": [{"name": 1, "type": "t"}]}, "nodes[0].name"),
    "parameters-list": ({"nodes": [{"name": "A", "type": "t", "parameters": [1]}]}, "nodes[0].parameters"),
    "connections-list": ({"nodes": [], "connections": [1]}, "connections"),
    "long-name": ({"nodes": [], "name": "x" * 300}, "name"),
    "null": (None, ""),
    "empty-list": ([], ""),
}


def nested(depth: int) -> bytes:
    """A JSON object that holds `depth` containers within each other, itself among them."""
    return b'{"a":' * depth + b"1" + b"}" * depth


def stored(user: User) -> int:
    answer = user.call("GET", "/workflows", params={"limit": 1})
    total: int = answer.json()["pagination"]["total"]
    return total


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] is False
    error: dict[str, Any] = body["error"]
    assert error["message"]
    return error


@pytest.fixture
def unchanged(owner: User) -> Iterator[User]:
    """The owner, who must have as many workflows after the test as before."""
    before = stored(owner)
    yield owner
    assert stored(owner) == before


@pytest.mark.parametrize("case", MALFORMED)
def test_import_of_what_is_no_json_names_the_place(unchanged: User, case: str) -> None:
    body, *place = MALFORMED[case]
    error = refused(unchanged.call("POST", "/workflows/import", content=body), 400)
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["reason"] == "MALFORMED_JSON"
    assert (error["details"]["line"], error["details"]["column"]) == tuple(place)


@pytest.mark.parametrize("case", SHAPES)
def test_import_of_what_is_no_workflow_names_the_member(unchanged: User, case: str) -> None:
    document, path = SHAPES[case]
    error = refused(unchanged.call("POST", "/workflows/import", content=json.dumps(document)), 400)
    assert (error["code"], error["details"]["reason"]) == ("VALIDATION_ERROR", "WRONG_SHAPE")
    assert error["details"]["path"] == path


def test_import_of_too_many_nodes(unchanged: User) -> None:
    nodes = [{"name": f"N{i}", "type": "n8n-nodes-base.noOp"} for i in range(5_001)]
    error = refused(unchanged.call("POST", "/workflows/import", json={"nodes": nodes}), 400)
    assert error["details"] == {"path": "nodes", "reason": "TOO_MANY_NODES", "limit": 5_000}


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_import_over_the_size_limit(unchanged: User, chunked: bool) -> None:
    body = json.dumps({"nodes": [], "x": "y" * 9_000_000}).encode()
    pieces = (body[i : i + 65_536] for i in range(0, len(body), 65_536))
    answer = unchanged.call("POST", "/workflows/import", content=pieces if chunked else body)
    assert refused(answer, 413)["code"] == "TOO_LARGE"


def test_a_list_is_imported_as_a_whole_or_not_at_all(unchanged: User) -> None:
    documents = [chain("good", manual()), {"nodes": 1}]
    error = refused(unchanged.call("POST", "/workflows/import", json=documents), 400)
    assert error["details"]["path"] == "nodes"
    assert error["details"]["document"] == 1


def test_a_bad_update_leaves_the_draft(owner: User) -> None:
    workflow = owner.import_workflow(chain("kept", manual(), edit("Set", {"a": 1})), publish=False)
    before = owner.data("GET", f"/workflows/{workflow}")
    for body in (b'{"nodes": [', b'{"nodes": 1}', b'"text"', b""):
        for method in ("PUT", "PATCH"):
            refused(owner.call(method, f"/workflows/{workflow}", content=body), 400)
    assert owner.data("GET", f"/workflows/{workflow}") == before


def test_bodies_of_other_endpoints_name_the_field(owner: User) -> None:
    error = refused(owner.call("POST", "/auth/register", json={"email": 1}), 400)
    assert {"email", "password"} <= {each["field"] for each in error["details"]["fields"]}
    error = refused(owner.call("GET", "/workflows", params={"limit": "many"}), 400)
    assert error["details"]["fields"][0]["field"] == "limit"


def test_a_token_of_another_installation_opens_nothing(owner: User) -> None:
    header = jws.extract_compact(owner.token.encode()).headers()
    stolen = json.loads(jws.extract_compact(owner.token.encode()).payload or b"{}")
    other = OKPKey.generate_key("Ed25519")
    tokens = {
        "same key id, other key": jwt.encode(header, stolen, other, algorithms=[ALGORITHM]),
        "other key id": jwt.encode({**header, "kid": "other"}, stolen, other, algorithms=[ALGORITHM]),
        "cut": owner.token[:-4],
        "none": "e30." + owner.token.split(".")[1] + ".",
        "no token": "abc",
    }
    for name, token in tokens.items():
        answer = httpx.get(
            f"{owner.base}/api/v1/workflows", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        assert refused(answer, 401)["code"] == "UNAUTHENTICATED", name


JSON = {"content-type": "application/json"}
BODIES = {
    "malformed": (b'{"a": }', "line 1, column 7"),
    "not-utf-8": (b'{"a": "\xff"}', "line 1, column 8"),
    "nan": (b'{"a": NaN}', "line 1, column 7"),
    "deep": (nested(201), "nested over 200 levels"),
    "very-deep": (b"[" * 200_000, "nested over 200 levels"),
}


def test_webhook_bodies_that_are_no_json_start_nothing(owner: User) -> None:
    workflow = owner.import_workflow(chain("bodies", webhook("bodies"), edit("Set", {"ok": True})))
    assert owner.ready_hook("bodies", json={}).status_code == 200
    for name, (body, words) in BODIES.items():
        answer = owner.hook("bodies", content=body, headers=JSON)
        assert answer.status_code == 422, name
        assert words in answer.json()["message"], name
    assert owner.hook("bodies", content=nested(190)[:-1] + b', "b": 1}', headers=JSON).status_code == 200
    assert len(owner.finished(workflow, 2)) == 2


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_webhook_bodies_over_the_limit_start_nothing(owner: User, chunked: bool) -> None:
    path = f"oversize-{chunked}"
    workflow = owner.import_workflow(chain(path, webhook(path, "onReceived")))
    assert owner.ready_hook(path, json={}).status_code == 200
    pieces = (b"x" * 65_536 for _ in range(300))
    try:
        answer = owner.hook(path, content=pieces if chunked else b"x" * 19_660_800)
        assert answer.status_code == 413
        assert "16777216 bytes" in answer.json()["message"]
    except httpx.WriteError:
        assert chunked  # the server hangs up once it knows; whoever still sends may not see the answer
    assert len(owner.finished(workflow)) == 1


@pytest.mark.parametrize("depth", [230, 2_000])
def test_code_that_returns_deep_items_fails(owner: User, depth: int) -> None:
    source = f"let a = 1; for (let i = 0; i < {depth}; i++) a = {{ a }}; return [{{ json: {{ a }} }}]"
    done = owner.run(owner.import_workflow(chain("deep", manual(), code("Deep", source)), publish=False))
    assert done["status"] == "error"
    assert done["error"]["node"] == "Deep"
    assert "nested over 200 levels" in done["error"]["message"]


def imported(user: User, document: dict[str, Any]) -> tuple[str, list[str]]:
    """The workflow's id and the codes of its issues."""
    workflow = user.data("POST", "/workflows/import", json=document)
    return workflow["id"], [issue["code"] for issue in workflow["issues"]]


def test_dangling_connections_lead_nowhere(owner: User) -> None:
    document = chain("dangling", manual(), edit("Set", {"a": 1}))
    document["connections"]["Set"] = {"main": [[{"node": "Nobody", "type": "main", "index": 0}]]}
    document["connections"]["Ghost"] = {"main": [[{"node": "Set", "type": "main", "index": 0}]]}
    document["connections"]["Start"]["main"][0].append({"node": "Set", "type": "main", "index": 7})
    workflow, codes = imported(owner, document)
    assert codes.count("DANGLING_CONNECTION") == 3
    done = owner.run(workflow)
    assert done["status"] == "success", done["error"]
    assert items(done, "Set") == [{"a": 1}]


def test_duplicate_names_are_told(owner: User) -> None:
    document = chain("twice", manual(), edit("Set", {"a": 1}))
    document["nodes"].append(edit("Set", {"a": 2}))
    workflow, codes = imported(owner, document)
    assert "DUPLICATE_NAME" in codes
    assert items(owner.run(workflow), "Set") == [{"a": 1}]


def test_expressions_that_do_not_parse_fail_their_node_only(owner: User) -> None:
    document = chain(
        "unparsed",
        manual(),
        edit("Good", {"a": 1}),
        edit("Bad", {"b": "={{ foo(1 }}"}),
        edit("Never", {"c": 1}),
    )
    made = owner.data("POST", "/workflows/import", json=document)
    issue = next(each for each in made["issues"] if each["code"] == "INVALID_EXPRESSION")
    assert (issue["node"], issue["parameter"]) == ("Bad", "assignments.assignments[0].value")
    done = owner.run(made["id"])
    assert done["status"] == "error"
    assert done["error"]["node"] == "Bad"
    assert items(done, "Good") == [{"a": 1}]
    assert "Never" not in done["node_data"]


def test_a_cycle_runs_until_its_condition_ends_it(owner: User) -> None:
    condition = {
        "conditions": {
            "options": {"caseSensitive": True, "typeValidation": "loose", "version": 2},
            "combinator": "and",
            "conditions": [
                {
                    "id": "1",
                    "leftValue": "={{ $json.n }}",
                    "rightValue": 3,
                    "operator": {"type": "number", "operation": "lt"},
                }
            ],
        },
        "options": {},
    }
    document = flow(
        "cycle",
        [manual(), edit("Count", {"n": "={{ ($json.n ?? 0) + 1 }}"}, "number"), node("Again", "if", condition, 2.2)],
        ("Start", "Count"), ("Count", "Again"), ("Again", 0, "Count"),
    )  # fmt: skip
    done = owner.run(owner.import_workflow(document, publish=False))
    assert done["status"] == "success", done["error"]
    assert items(done, "Count", run=2) == [{"n": 3}]
    assert len(done["node_data"]["Count"]) == 3


def test_a_cycle_without_an_end_can_be_stopped(owner: User) -> None:
    document = flow("endless", [manual(), edit("A", {"a": 1}), edit("B", {"b": 1})],
                    ("Start", "A"), ("A", "B"), ("B", "A"))  # fmt: skip
    workflow = owner.import_workflow(document, publish=False)
    started = owner.data("POST", f"/workflows/{workflow}/execute")
    deadline = time.monotonic() + 30
    while not owner.execution(started["id"])["node_data"].get("B"):
        assert time.monotonic() < deadline
    owner.data("POST", f"/executions/{started['id']}/stop")
    assert owner.finished(workflow)[0]["status"] == "cancelled"

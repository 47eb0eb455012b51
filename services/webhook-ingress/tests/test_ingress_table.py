"""Which route answers."""

import json
from typing import Any

import msgspec
from weft_contracts.messages import Route
from weft_webhook_ingress.domain.hook import Hook, Owner, compile_hook
from weft_webhook_ingress.domain.table import RouteTable


def hook(path: str, method: str = "GET", workflow: str = "w", **parameters: Any) -> Hook:
    raw = msgspec.Raw(json.dumps(parameters).encode())
    pattern = ":" in path
    return compile_hook(
        Route(method, path, "N", "webhook", 2, raw, pattern=pattern), Owner(workflow, "p", "v"), "http://x"
    )


def table(*hooks: Hook) -> RouteTable:
    made = RouteTable()
    made.replace("w", 1, hooks)
    return made


def path_of(found: Any) -> Any:
    return None if found is None else (found[0].path, found[1])


def test_paths_as_they_stand_come_before_patterns_and_fixed_segments_before_names() -> None:
    routes = table(hook(":any/b"), hook("a/:x"), hook("a/b"), hook(":u/:v"))
    assert path_of(routes.find("GET", "a/b")) == ("a/b", {})
    assert path_of(routes.find("GET", "a/c")) == ("a/:x", {"x": "c"})
    assert path_of(routes.find("GET", "z/b")) == (":any/b", {"any": "z"})
    assert path_of(routes.find("GET", "y/z")) == (":u/:v", {"u": "y", "v": "z"})
    assert routes.find("GET", "a") is None
    assert routes.find("GET", "a/b/c") is None
    assert routes.find("POST", "a/b") is None


def test_methods_of_a_path_are_those_of_its_patterns_too() -> None:
    routes = table(hook("a", "GET"), hook("a", "POST"), hook(":x", "PUT"))
    assert routes.methods("a") == ["GET", "POST", "PUT"]
    assert routes.methods("b") == ["PUT"]
    assert routes.methods("a/b") == []


def test_only_newer_news_replace_a_workflows_routes() -> None:
    routes = table(hook("old"), hook("old/:x"))
    assert not routes.replace("w", 1, [hook("same")])
    assert not routes.replace("w", 0, [])
    assert routes.replace("w", 2, [hook("new")])
    assert routes.find("GET", "old") is None
    assert routes.find("GET", "old/1") is None
    assert path_of(routes.find("GET", "new")) == ("new", {})
    assert [each.path for each in routes] == ["new"]


def test_a_path_that_moved_to_another_workflow_stays_there_when_the_first_one_ends() -> None:
    routes = table(hook("a", workflow="w"))
    routes.replace("w2", 1, [hook("a", workflow="w2")])
    routes.replace("w", 2, [])
    found = routes.find("GET", "a")
    assert found is not None
    assert found[0].owner.workflow_id == "w2"


def test_a_single_route_is_added_unless_newer_news_have_come() -> None:
    routes = RouteTable()
    routes.add(hook("a"), 3)
    assert routes.find("GET", "a") is not None
    routes.replace("w", 4, [])
    routes.add(hook("a"), 4)
    assert routes.find("GET", "a") is None


def test_a_snapshot_drops_what_it_does_not_list_unless_it_changed_meanwhile() -> None:
    routes = table(hook("a"))
    routes.replace("gone", 1, [hook("b", workflow="gone")])
    routes.replace("busy", 1, [hook("c", workflow="busy")])
    before = routes.known()
    routes.replace("busy", 2, [hook("d", workflow="busy")])
    routes.retain(before, ["w"])
    assert sorted(each.path for each in routes) == ["a", "d"]
    assert routes.find("GET", "b") is None


def test_several_methods_have_an_output_each() -> None:
    made = hook("a", "POST", multipleMethods=True, httpMethod=["GET", "POST", "PUT"])
    assert made.counts == (0, 1, 0)
    text = made.before + b'{},"params":{},"query":{},"body":{}' + made.after + made.end
    outputs = json.loads(text)
    assert [len(output) for output in outputs] == [0, 1, 0]
    assert outputs[1][0]["json"]["executionMode"] == "production"


def test_parameters_that_make_no_sense_take_their_defaults() -> None:
    made = hook("a", options=[1], responseMode=7, authentication=None, responseData={}, responseCode="x")
    assert (made.response, made.authentication, made.open, made.shape.status) == (
        "accepted",
        "none",
        True,
        200,
    )
    assert hook("a", options={"ipWhitelist": "nonsense"}).networks != ()
    evil = {
        "responseHeaders": {
            "entries": [{"name": "a", "value": "b\r\nset-cookie: c"}, {"name": "X", "value": "y"}]
        }
    }
    assert hook("a", options=evil).shape.headers == ((b"x", b"y"),)

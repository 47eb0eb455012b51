"""Workflows run end to end, the same in both ways to run."""

import json
from typing import Any

import pytest

from tests.harness.flows import chain, code, edit, flow, manual, node, pause, webhook
from tests.harness.user import SCENARIOS, User, items, scenario, until

pytestmark = pytest.mark.e2e

MANIFEST = {each["key"]: each for each in json.loads((SCENARIOS.parent / "manifest.json").read_text())}


def test_welcome_workflow_answers_from_the_first_start(owner: User) -> None:
    answer = owner.ready_hook("welcome", "GET", params={"name": "Ada"})
    assert answer.status_code == 200
    assert "Ada" in answer.text


@pytest.mark.parametrize("key", ["peer-b", "peer-c", "peer-d", "peer-f", "peer-g"])
def test_scenario_gives_what_the_peer_gives(owner: User, key: str) -> None:
    expected = MANIFEST[key]
    workflow = owner.import_workflow(scenario(key))
    answer = owner.ready_hook(expected["path"], json=expected["body"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if expected.get("expect"):
        assert expected["expect"].items() <= body.items()
    if expected.get("expect_len"):
        assert len(body) == expected["expect_len"]
    if expected.get("expect_len_of"):
        field, length = expected["expect_len_of"]
        assert len(body[field]) == length
    assert owner.finished(workflow)[0]["status"] == "success"


def test_respond_at_once_then_run(owner: User) -> None:
    workflow = owner.import_workflow(scenario("peer-a"))
    answer = owner.ready_hook("peer-a", json={"a": 1})
    assert answer.json() == {"message": "Workflow was started"}
    (row,) = owner.finished(workflow)
    assert items(owner.execution(row["id"]), "Mark")[0]["seen"] is True


def test_http_request_node_calls_and_answers(owner: User, stub: str) -> None:
    document = scenario("peer-e")
    document["nodes"][1]["parameters"]["url"] = f"{stub}/delay?ms=20"
    owner.import_workflow(document)
    assert owner.ready_hook("peer-e", json={}).json() == {"ok": True}


def test_private_addresses_are_refused_unless_allowed(owner: User) -> None:
    from tests.harness.flows import request

    workflow = owner.import_workflow(
        chain("ssrf", manual(), request("Call", "http://127.0.0.1:1/")), publish=False
    )
    done = owner.run(workflow)
    assert done["status"] == "error"
    assert "WEFT_NET_ALLOW" in json.dumps(done["error"])


def test_respond_node_answers_before_the_end(owner: User) -> None:
    respond = node(
        "Respond",
        "respondToWebhook",
        {
            "respondWith": "json",
            "responseBody": '={{ { "hi": $json.body.name } }}',
            "options": {"responseCode": 201},
        },
        1.1,
    )
    workflow = owner.import_workflow(
        chain("respond", webhook("respond", "responseNode"), respond, pause("Later", 1))
    )
    answer = owner.ready_hook("respond", json={"name": "Ada"})
    assert (answer.status_code, answer.json()) == (201, {"hi": "Ada"})
    assert owner.finished(workflow)[0]["status"] == "success"


def test_failing_node_ends_the_run_as_error_and_the_caller_hears_it(owner: User) -> None:
    stop = node("Stop", "stopAndError", {"errorMessage": "no more"})
    workflow = owner.import_workflow(chain("fails", webhook("fails"), stop))
    assert owner.ready_hook("fails", json={}).status_code == 500
    (row,) = owner.finished(workflow)
    assert row["status"] == "error"
    assert row["error"]["message"] == "no more"
    assert row["error"]["node"] == "Stop"


def test_error_output_takes_the_failed_items(owner: User) -> None:
    broken = code("Broken", "throw new Error('boom')", onError="continueErrorOutput")
    document = flow(
        "errors", [manual(), broken, edit("Good", {"ok": True}), edit("Bad", {"handled": True})],
        ("Start", "Broken"), ("Broken", 0, "Good"), ("Broken", 1, "Bad"),
    )  # fmt: skip
    done = owner.run(owner.import_workflow(document, publish=False))
    assert done["status"] == "success"
    assert "Good" not in done["node_data"]
    assert items(done, "Bad")[0]["handled"] is True


def test_retry_on_fail_tries_again_without_holding_a_slot(owner: User) -> None:
    broken = code("Broken", "throw new Error('again')", retryOnFail=True, maxTries=3, waitBetweenTries=50)
    done = owner.run(owner.import_workflow(chain("tries", manual(), broken), publish=False))
    assert done["status"] == "error"
    (run,) = done["node_data"]["Broken"]
    assert len(run["tries"]) == 2


def test_loop_over_items_runs_each_batch(owner: User) -> None:
    source = code("Source", "return Array.from({length: 5}, (_, n) => ({ json: { n } }))")
    loop = node("Loop", "splitInBatches", {"batchSize": 2, "options": {}}, 3)
    document = flow(
        "loop", [manual(), source, loop, edit("Body", {"twice": "={{ $json.n * 2 }}"}), edit("Done", {"done": True})],
        ("Start", "Source"), ("Source", "Loop"), ("Loop", 0, "Done"), ("Loop", 1, "Body"), ("Body", "Loop"),
    )  # fmt: skip
    done = owner.run(owner.import_workflow(document, publish=False))
    assert done["status"] == "success", done["error"]
    assert len(done["node_data"]["Body"]) == 3
    assert [item["n"] for item in items(done, "Done")] == [0, 1, 2, 3, 4]


def test_wait_wakes_by_itself(owner: User) -> None:
    workflow = owner.import_workflow(
        chain("wait", manual(), pause("Pause", 1), edit("After", {"woke": True})), publish=False
    )
    done = owner.run(workflow)
    assert items(done, "After") == [{"woke": True}]


def test_wait_for_webhook_is_woken_once_by_its_url(owner: User) -> None:
    show = edit("Show", {"url": "={{ $execution.resumeUrl }}"})
    wait = node("Hold", "wait", {"resume": "webhook", "options": {}}, 1.1, webhookId="hold")
    workflow = owner.import_workflow(
        chain("hold", manual(), show, wait, edit("After", {"woke": True})), publish=False
    )
    started = owner.data("POST", f"/workflows/{workflow}/execute")

    def waiting() -> bool:
        return owner.execution(started["id"])["status"] == "waiting"

    until(waiting, 10, "the wait")
    url = items(owner.execution(started["id"]), "Show")[0]["url"]
    path = url[url.index("/webhook-waiting") :]
    assert owner.http.get(path.replace("signature=", "signature=x")).status_code in {401, 403, 404}
    assert owner.http.get(path).is_success
    owner.finished(workflow)
    assert owner.execution(started["id"])["status"] == "success"
    assert owner.http.get(path).status_code in {404, 409, 410}


def test_sub_workflow_gives_its_items_to_the_parent(owner: User) -> None:
    child = chain(
        "child",
        node("In", "executeWorkflowTrigger", {"inputSource": "passthrough"}, 1.1),
        edit("Add", {"child": True}),
    )
    child_id = owner.import_workflow(child)
    call = node(
        "Call",
        "executeWorkflow",
        {"workflowId": {"__rl": True, "mode": "id", "value": child_id}, "options": {}},
        1.2,
    )
    document = chain("parent", manual(), edit("Set", {"n": 1}), call, edit("After", {"after": True}))
    done = owner.run(owner.import_workflow(document, publish=False))
    assert done["status"] == "success", done["error"]
    assert items(done, "After") == [{"n": 1, "child": True, "after": True}]
    (child_run,) = owner.finished(child_id)
    assert child_run["parent_id"] == done["id"]
    assert child_run["mode"] == "sub_workflow"


def test_items_of_a_sub_workflow_are_followed_to_those_it_was_called_with(owner: User) -> None:
    twice = "return items.flatMap((item, i) => [0, 1].map(k => ({json: {k}, pairedItem: {item: i}})))"
    child = chain(
        "doubling child",
        node("In", "executeWorkflowTrigger", {"inputSource": "passthrough"}, 1.1),
        code("Twice", twice),
        edit("Edit", {"child": True}),
    )
    where = {"__rl": True, "mode": "id", "value": owner.import_workflow(child)}
    call = node("Call", "executeWorkflow", {"workflowId": where, "options": {}}, 1.2)
    rows = code("Rows", "return [1, 2].map(n => ({json: {n}}))")
    after = edit("After", {"n": "={{ $('Rows').item.json.n }}"})
    document = chain("parent of doubles", manual(), rows, call, after)
    done = owner.run(owner.import_workflow(document, publish=False))
    assert done["status"] == "success", done["error"]
    assert [each["n"] for each in items(done, "After")] == ["1", "1", "2", "2"]


def test_each_try_calls_the_sub_workflow(owner: User) -> None:
    child = chain(
        "failing child",
        node("In", "executeWorkflowTrigger", {"inputSource": "passthrough"}, 1.1),
        node("Stop", "stopAndError", {"errorMessage": "no"}),
    )
    child_id = owner.import_workflow(child)
    call = node(
        "Call",
        "executeWorkflow",
        {"workflowId": {"__rl": True, "mode": "id", "value": child_id}, "options": {}},
        1.2,
        retryOnFail=True,
        maxTries=2,
        waitBetweenTries=0,
    )
    done = owner.run(owner.import_workflow(chain("trying parent", manual(), call), publish=False))
    assert done["status"] == "error"
    assert [run["status"] for run in owner.finished(child_id, 2)] == ["error", "error"]


def test_sub_workflow_given_as_json_gets_the_inputs_that_it_states(owner: User) -> None:
    stated = {"workflowInputs": {"values": [{"name": "n", "type": "number"}, {"name": "s"}]}}
    child = chain("child", node("In", "executeWorkflowTrigger", stated, 1.1), edit("Add", {"child": True}))
    inline = {"source": "parameter", "workflowJson": json.dumps(child), "options": {}}
    call = node("Call", "executeWorkflow", inline, 1.1)
    document = chain("parent of JSON", manual(), edit("Set", {"n": 1, "more": 2}), call)
    done = owner.run(owner.import_workflow(document, publish=False))
    assert done["status"] == "success", done["error"]
    assert items(done, "Call") == [{"n": 1, "s": None, "child": True}]


def test_error_workflow_hears_of_the_failure(owner: User) -> None:
    catcher = owner.import_workflow(
        chain("catcher", node("On error", "errorTrigger"), edit("Note", {"seen": True}))
    )
    stop = node("Stop", "stopAndError", {"errorMessage": "call for help"})
    owner.import_workflow(chain("helpless", webhook("helpless"), stop, errorWorkflow=catcher))
    owner.ready_hook("helpless", json={})
    rows = owner.finished(catcher)
    seen: dict[str, Any] = items(owner.execution(rows[0]["id"]), "On error")[0]
    assert seen["execution"]["error"]["message"] == "call for help"


def test_stop_ends_a_waiting_run(owner: User) -> None:
    workflow = owner.import_workflow(chain("long", manual(), pause("Pause", 3600)), publish=False)
    started = owner.data("POST", f"/workflows/{workflow}/execute")
    owner.data("POST", f"/executions/{started['id']}/stop")
    assert owner.finished(workflow)[0]["status"] == "cancelled"


def test_retry_runs_from_the_failed_node_with_the_data_of_the_first_run(owner: User) -> None:
    flaky = code("Flaky", "throw new Error('down')")
    workflow = owner.import_workflow(chain("again", manual(), edit("Set", {"kept": 7}), flaky), publish=False)
    failed = owner.run(workflow)
    assert failed["status"] == "error"
    retried = owner.data("POST", f"/executions/{failed['id']}/retry")
    assert retried["retry_of"] == failed["id"]
    owner.finished(workflow, 2)
    second = owner.execution(retried["id"])
    assert second["mode"] == "retry"
    assert items(second, "Set") == [{"kept": 7}]
    assert second["node_data"]["Set"][0]["started_at"] == failed["node_data"]["Set"][0]["started_at"]


def test_ten_thousand_items_pass_five_nodes(owner: User) -> None:
    source = code(
        "Source", "return Array.from({length: 10000}, (_, n) => ({ json: { n, text: 'x'.repeat(1000) } }))"
    )
    steps = [edit(f"Step {i}", {f"f{i}": "={{ $json.n }}"}, "number") for i in range(4)]
    done = owner.run(owner.import_workflow(chain("large", manual(), source, *steps), publish=False))
    assert done["status"] == "success", done["error"]
    assert done["node_data"]["Step 3"][0]["counts"] == [10000]
    assert items(done, "Step 3")[9999]["f3"] == 9999


def test_static_data_is_remembered_from_run_to_run(owner: User) -> None:
    count = code(
        "Count",
        "const memory = $getWorkflowStaticData('global'); memory.n = (memory.n ?? 0) + 1;"
        "$getWorkflowStaticData('node').last = memory.n; return [{ json: { n: memory.n } }];",
    )
    again = code(
        "Again",
        "return [{ json: { n: $getWorkflowStaticData('global').n, own: $getWorkflowStaticData('node') } }]",
    )
    workflow = owner.import_workflow(
        chain("remember", webhook("remember"), count, pause("Pause", 0.1), again)
    )
    assert owner.ready_hook("remember", json={}).json() == {"n": 1, "own": {}}
    owner.finished(workflow)

    def second() -> bool:
        answer = owner.hook("remember", json={}).json()
        return bool(answer["n"] >= 2)

    until(second, 10, "the first run's memory")


def test_what_is_no_javascript_and_no_python_is_an_issue(owner: User) -> None:
    fields = {"ok": "={{ $json.list.map(x => x + 1) }}", "bad": "={{ $json.list.map(x => ) }}"}
    good, bad = (
        code("Good", "return await Promise.all([])"),
        code("Bad", "const a = 1;\nreturn [{ json: { a } ]"),
    )
    python = node("Snake", "code", {"language": "pythonNative", "pythonCode": "for x in _items\n    pass"}, 2)
    document = chain("syntax", manual(), edit("Fields", fields, "array"), good, bad, python)
    made = owner.data("POST", "/workflows/import", json=document)
    assert sorted((issue["code"], issue["node"], issue["parameter"]) for issue in made["issues"]) == [
        ("INVALID_CODE", "Bad", "jsCode"),
        ("INVALID_CODE", "Snake", "pythonCode"),
        ("INVALID_EXPRESSION", "Fields", "assignments.assignments[1].value"),
    ]


def test_manual_runs_remember_what_they_have_seen(owner: User) -> None:
    operation = {"operation": "removeItemsSeenInPreviousExecutions", "dedupeValue": "={{ $json.n }}"}
    made = code("Made", "$getWorkflowStaticData('global').n = 1; return [1, 2].map((n) => ({ json: { n } }))")
    seen = node("New", "removeDuplicates", operation, 2)
    after = code("After", "return [{ json: $getWorkflowStaticData('global') }]")
    workflow = owner.import_workflow(chain("seen", manual(), after, made, seen), publish=False)
    first = owner.run(workflow)
    assert items(first, "New") == [{"n": 1}, {"n": 2}]

    def again() -> bool:
        done = owner.run(workflow)
        assert items(done, "After") == [{}]  # static data of a manual run is not kept
        return items(done, "New") == [] and len(items(done, "New", output=1)) == 2

    until(again, 10, "the first run's history")


def test_custom_data_is_returned_and_found(owner: User) -> None:
    first = code("First", "$execution.customData.set('customer', $json.body.name); return $input.all()")
    second = node(
        "Second", "executionData", {"dataToSave": {"values": [{"key": "n", "value": "={{ 1 + 1 }}"}]}}
    )
    third = edit("Third", {"seen": "={{ $execution.customData.getAll() }}"}, "object")
    workflow = owner.import_workflow(
        chain("noted", webhook("noted"), first, pause("Pause", 0.1), second, third), publish=True
    )
    answer = owner.ready_hook("noted", json={"name": "Ada & Söhne"}).json()
    assert answer["seen"] == {"customer": "Ada & Söhne", "n": "2"}
    owner.hook("noted", json={"name": "Bob"})
    found = owner.executions(workflow, custom_data=["customer:Ada & Söhne", "n:2"])
    assert [each["custom_data"] for each in found] == [{"customer": "Ada & Söhne", "n": "2"}]
    assert owner.data("GET", f"/executions/{found[0]['id']}")["custom_data"] == found[0]["custom_data"]
    assert owner.data("GET", "/executions", params={"custom_data": "customer:nobody"}) == []
    assert owner.call("GET", "/executions", params={"custom_data": "nonsense"}).status_code in (400, 422)


def test_a_workflow_starts_when_it_is_published(owner: User) -> None:
    trigger = node("Told", "n8nTrigger", {"events": ["activate", "update"]})
    workflow = owner.import_workflow(flow("told", [trigger, edit("Set", {"a": 1})], ("Told", "Set")))
    owner.finished(workflow)
    owner.data("POST", f"/workflows/{workflow}/activate")
    rows = owner.finished(workflow, 2)
    told = [items(owner.execution(row["id"]), "Told")[0] for row in rows]
    assert {each["event"] for each in told} == {"Workflow published", "Workflow updated"}
    assert {each["workflow_id"] for each in told} == {workflow}
    assert {row["mode"] for row in rows} == {"trigger"}


def test_unknown_nodes_fail_only_when_reached(owner: User) -> None:
    unknown = node("Odd", "notAThing", {"a": 1})
    document = flow("odd", [manual(), edit("Set", {"a": 1}), unknown], ("Start", "Set"), ("Set", "Odd"))
    imported = owner.data("POST", "/workflows/import", json=document)
    assert "UNKNOWN_NODE_TYPE" in [issue["code"] for issue in imported["issues"]]
    done = owner.run(imported["id"])
    assert done["status"] == "error"
    assert done["error"]["node"] == "Odd"
    assert items(done, "Set") == [{"a": 1}]


def test_workflow_of_a_thousand_nodes_runs(owner: User) -> None:
    steps = [edit(f"N{i}", {"n": "={{ ($json.n ?? 0) + 1 }}"}, "number") for i in range(999)]
    done = owner.run(owner.import_workflow(chain("thousand", manual(), *steps), publish=False))
    assert done["status"] == "success", done["error"]
    assert items(done, "N998") == [{"n": 999}]

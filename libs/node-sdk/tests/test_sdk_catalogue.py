"""The catalogue over the installed nodes: names, traits, ports, defaults, issues, routes, schedules."""

from typing import Any

import msgspec
import pytest
from weft_contracts.messages import ScheduleRule
from weft_contracts.traits import UNKNOWN
from weft_node_sdk.catalogue import Catalogue

CATALOGUE = Catalogue.load()


def node(kind: str, version: float, /, **parameters: Any) -> dict[str, Any]:
    return {
        "name": "N",
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "parameters": parameters,
    }


def test_types_are_known_by_all_their_names() -> None:
    assert CATALOGUE.resolve("set") == CATALOGUE.resolve("n8n-nodes-base.set") == "n8n-nodes-base.set"
    assert CATALOGUE.short_name("n8n-nodes-base.set") == "set"
    assert CATALOGUE.resolve("n8n-nodes-base.nothing") is None
    assert CATALOGUE.versions("set") == (1, 2, 3, 3.1, 3.2, 3.3, 3.4, 3.5)
    assert CATALOGUE.versions("nothing") == ()
    with pytest.raises(KeyError):
        CATALOGUE.definition("nothing")


def test_what_decorates_the_canvas_does_not_run() -> None:
    assert not CATALOGUE.executable("stickyNote")
    with pytest.raises(KeyError):
        CATALOGUE.implementation("stickyNote")


IDEMPOTENCY_KEY = {"parameters": [{"name": "X"}, {"name": "idempotency-key", "value": "1"}]}


@pytest.mark.parametrize(
    ("version", "parameters", "expected"),
    [
        (4.2, {}, "safe"),
        (4.2, {"method": "HEAD"}, "safe"),
        (4.2, {"method": "PUT"}, "safe"),
        (4.2, {"method": "DELETE"}, "safe"),
        (4.2, {"method": "POST"}, "unsafe"),
        (4.2, {"method": "PATCH"}, "unsafe"),
        (4.2, {"method": "={{ $json.method }}"}, "unsafe"),
        (4.2, {"method": "POST", "sendHeaders": True, "headerParameters": IDEMPOTENCY_KEY}, "keyed"),
        (4.2, {"method": "POST", "headerParameters": IDEMPOTENCY_KEY}, "unsafe"),
        (
            4.2,
            {
                "method": "POST",
                "sendHeaders": True,
                "specifyHeaders": "json",
                "jsonHeaders": '{"Idempotency-Key": "1"}',
            },
            "keyed",
        ),
        (1, {"requestMethod": "POST"}, "unsafe"),
        (1, {"requestMethod": "GET"}, "safe"),
        (2, {}, "safe"),
        (1, {"requestMethod": "POST", "method": "GET"}, "unsafe"),
    ],
)
def test_idempotency_of_http_request(version: float, parameters: dict[str, Any], expected: str) -> None:
    assert CATALOGUE.traits(node("httpRequest", version, **parameters)).idempotency == expected


def test_traits_of_what_the_engine_treats_apart() -> None:
    assert CATALOGUE.traits(node("wait", 1.1)).suspends
    assert CATALOGUE.traits(node("executeWorkflow", 1.2)).suspends
    assert CATALOGUE.traits(node("splitInBatches", 3)).loops
    assert CATALOGUE.traits(node("respondToWebhook", 1.1)).responds
    assert CATALOGUE.traits(node("code", 2)).pool == "code"
    assert CATALOGUE.traits(node("code", 2)).idempotency == "safe"
    assert CATALOGUE.traits(node("webhook", 2)).trigger
    assert CATALOGUE.traits(node("merge", 3, mode="chooseBranch")).waits_for_all
    assert not CATALOGUE.traits(node("merge", 3)).waits_for_all
    assert CATALOGUE.traits(node("nothing", 1)) == UNKNOWN
    assert CATALOGUE.traits(node("set", 99)) == UNKNOWN
    assert CATALOGUE.traits({**node("set", 1), "typeVersion": "3.4"}) == UNKNOWN


@pytest.mark.parametrize(
    ("given", "inputs", "outputs"),
    [
        (node("merge", 3), 2, 1),
        (node("merge", 3.2, numberInputs=5), 5, 1),
        (node("merge", 3.2, numberInputs="={{ 5 }}"), 2, 1),
        (node("merge", 3.2, mode="combine", numberInputs=5), 2, 1),
        (node("merge", 3.2, mode="combine", combineBy="combineByPosition", numberInputs=3), 3, 1),
        (node("switch", 3.2), 1, 1),
        (node("switch", 3.2, mode="expression"), 1, 4),
        (node("switch", 3.2, mode="expression", numberOutputs=7), 1, 7),
        (node("switch", 1), 1, 4),
        (node("if", 2.2), 1, 2),
        (node("webhook", 2), 0, 1),
        (node("webhook", 2.1, multipleMethods=True), 0, 2),
        (node("webhook", 2.1, multipleMethods=True, httpMethod=["GET", "PUT", "POST"]), 0, 3),
        (node("respondToWebhook", 1.4, enableResponseOutput=True), 1, 2),
        (node("respondToWebhook", 1.1, enableResponseOutput=True), 1, 1),
        (node("splitInBatches", 3), 1, 2),
        (node("splitInBatches", 1), 1, 1),
        (node("stopAndError", 1), 1, 0),
    ],
)
def test_ports_follow_the_parameters(given: dict[str, Any], inputs: int, outputs: int) -> None:
    traits = CATALOGUE.traits(given)
    assert (traits.inputs, traits.outputs) == (inputs, outputs)


def test_outputs_of_switch_have_labels() -> None:
    rules = {"values": [{}, {"renameOutput": True, "outputKey": "Paid"}]}
    given = node("switch", 3.2, rules=rules, options={"fallbackOutput": "extra"})
    assert CATALOGUE.ports(given) == ([""], ["0", "Paid", "Fallback"])
    given["parameters"]["options"]["renameFallbackOutput"] = "Rest"
    assert CATALOGUE.ports(given)[1][-1] == "Rest"


def test_defaults_depend_on_version_and_on_each_other() -> None:
    assert CATALOGUE.defaults("wait", 1) == {"resume": "timeInterval", "amount": 1, "unit": "hours"}
    assert CATALOGUE.defaults("wait", 1.1) == {"resume": "timeInterval", "amount": 5, "unit": "seconds"}
    filled = CATALOGUE.fill_defaults("set", 3.4, {"includeOtherFields": True})
    assert filled["include"] == "all"
    assert "include" not in CATALOGUE.fill_defaults("set", 3.4, {})
    filled = CATALOGUE.fill_defaults("set", 3.4, {"includeOtherFields": "={{ true }}", "own": 1})
    assert filled["include"] == "all"
    assert filled["own"] == 1


def test_collections_are_filled_inside_only_where_they_are() -> None:
    given: dict[str, Any] = {"options": {"response": {"response": {"responseFormat": "text"}}}}
    filled = CATALOGUE.fill_defaults("httpRequest", 4.2, given)
    assert filled["options"] == {
        "response": {
            "response": {
                "responseFormat": "text",
                "fullResponse": False,
                "neverError": False,
                "outputPropertyName": "data",
            }
        }
    }
    assert given["options"] == {"response": {"response": {"responseFormat": "text"}}}
    redirect: dict[str, Any] = {"options": {"redirect": {"redirect": {}}}}
    old = CATALOGUE.fill_defaults("httpRequest", 3, redirect)["options"]["redirect"]["redirect"]
    new = CATALOGUE.fill_defaults("httpRequest", 4, redirect)["options"]["redirect"]["redirect"]
    assert (old["followRedirects"], new["followRedirects"]) == (False, True)


def test_issues_name_the_place() -> None:
    document = {
        "nodes": [
            {"name": "A", "type": "n8n-nodes-base.nothing", "typeVersion": 1},
            {"name": "B", "type": "n8n-nodes-base.set", "typeVersion": 7},
            {
                "name": "C",
                "type": "n8n-nodes-base.set",
                "typeVersion": 3.4,
                "parameters": {"options": {"dotNotations": 1, "hint": ""}, "infoMessage": "", "": ""},
            },
            {
                "name": "D",
                "type": "n8n-nodes-base.webhook",
                "typeVersion": 2,
                "parameters": {"authentication": "basicAuth"},
            },
            {"name": "E", "type": "n8n-nodes-base.nothing", "disabled": True},
            {
                "name": "F",
                "type": "n8n-nodes-base.scheduleTrigger",
                "typeVersion": 1.2,
                "parameters": {"rule": {"interval": [{"field": "cronExpression", "expression": "no"}]}},
            },
            {
                "name": "G",
                "type": "n8n-nodes-base.switch",
                "typeVersion": 3.2,
                "parameters": {"rules": {"values": [{"condition": {}}]}},
            },
        ]
    }
    issues = [(issue.code, issue.node, issue.parameter) for issue in CATALOGUE.check(document)]
    assert issues == [
        ("UNKNOWN_NODE_TYPE", "A", ""),
        ("UNKNOWN_VERSION", "B", ""),
        ("UNKNOWN_PARAMETER", "C", "options.dotNotations"),
        ("MISSING_CREDENTIAL", "D", ""),
        ("INVALID_SCHEDULE", "F", "rule"),
        ("UNKNOWN_PARAMETER", "G", "rules.values.condition"),
    ]


def test_check_survives_any_document() -> None:
    for nodes in (None, [None, 1, {}], [{"name": 1, "type": None, "parameters": []}]):
        CATALOGUE.check({"nodes": nodes})
        assert CATALOGUE.routes({"nodes": nodes}) == ()
        assert CATALOGUE.schedules({"nodes": nodes}) == ()


def test_routes() -> None:
    hook = {**node("webhook", 2, path="/orders/", httpMethod="POST"), "webhookId": "id-1"}
    hook["credentials"] = {"httpBasicAuth": {"id": "c1", "name": "x"}}
    (route,) = CATALOGUE.routes({"nodes": [hook, {**hook, "disabled": True}]})
    assert (route.method, route.path, route.pattern, route.webhook_id) == ("POST", "orders", False, "id-1")
    assert route.credentials == {"httpBasicAuth": "c1"}
    parameters = msgspec.json.decode(route.parameters)
    assert parameters["responseMode"] == "onReceived"
    bare = {**node("webhook", 2), "webhookId": "id-2"}
    assert [(route.method, route.path) for route in CATALOGUE.routes({"nodes": [bare]})] == [("GET", "id-2")]
    assert CATALOGUE.routes({"nodes": [node("webhook", 2)]}) == ()
    pattern = {**node("webhook", 2.1, path="a/:id", multipleMethods=True, httpMethod=["GET", "PUT"])}
    found = CATALOGUE.routes({"nodes": [{**pattern, "webhookId": "w"}]})
    assert {(route.method, route.path, route.pattern) for route in found} == {
        ("GET", "a/:id", True),
        ("GET", "w/a/:id", True),
        ("PUT", "a/:id", True),
        ("PUT", "w/a/:id", True),
    }


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ({}, [("0 0 * * *", 0, 0)]),
        ({"field": "seconds"}, [("", 30, 0)]),
        ({"field": "minutes", "minutesInterval": 10}, [("", 600, 0)]),
        ({"field": "hours", "triggerAtMinute": 5}, [("5 * * * *", 0, 0)]),
        ({"field": "hours", "hoursInterval": 6, "triggerAtMinute": 5}, [("", 21600, 300)]),
        ({"field": "days", "triggerAtHour": 9, "triggerAtMinute": 30}, [("30 9 * * *", 0, 0)]),
        ({"field": "days", "daysInterval": 3, "triggerAtHour": 9}, [("", 259200, 32400)]),
        ({"field": "weeks", "triggerAtDay": [1, 5], "triggerAtHour": 8}, [("0 8 * * 1,5", 0, 0)]),
        (
            {"field": "weeks", "weeksInterval": 2, "triggerAtDay": [0, 4]},
            [("", 1209600, 3 * 86400), ("", 1209600, 7 * 86400)],
        ),
        ({"field": "months", "triggerAtDayOfMonth": 15}, [("0 0 15 * *", 0, 0)]),
        ({"field": "months", "monthsInterval": 3}, [("0 0 1 */3 *", 0, 0)]),
        ({"field": "cronExpression", "expression": " */5  * * * * "}, [("*/5 * * * *", 0, 0)]),
        ({"field": "cronExpression", "expression": "=0 */5 * * * *"}, [("0 */5 * * * *", 0, 0)]),
        ({"field": "cronExpression", "expression": "={{ 1 }}"}, []),
        ({"field": "seconds", "secondsInterval": 0}, []),
        ({"field": "moons"}, []),
    ],
)
def test_schedules(interval: dict[str, Any], expected: list[tuple[str, int, int]]) -> None:
    rules = CATALOGUE.schedules({"nodes": [node("scheduleTrigger", 1.2, rule={"interval": [interval]})]})
    assert [(rule.cron, rule.interval_seconds, rule.offset_seconds) for rule in rules] == expected
    assert [rule.rule for rule in rules] == list(range(len(expected)))


@pytest.mark.parametrize(
    ("time", "cron"),
    [
        ({"mode": "everyMinute"}, "* * * * *"),
        ({"mode": "everyHour", "minute": 5}, "5 * * * *"),
        ({}, "0 14 * * *"),
        ({"mode": "everyWeek", "hour": 9, "weekday": "0"}, "0 9 * * 0"),
        ({"mode": "everyMonth", "hour": 9, "minute": 30, "dayOfMonth": 31}, "30 9 31 * *"),
        ({"mode": "everyX", "value": 10, "unit": "minutes"}, "*/10 * * * *"),
        ({"mode": "everyX"}, "0 */2 * * *"),
        ({"mode": "custom", "cronExpression": "0 15 10 * * 1-5"}, "0 15 10 * * 1-5"),
    ],
)
def test_times_of_cron(time: dict[str, Any], cron: str) -> None:
    times = {"item": [time, {"mode": "everyMinute"}]}
    rules = CATALOGUE.schedules({"nodes": [node("cron", 1, triggerTimes=times)]})
    assert [(rule.cron, rule.rule) for rule in rules] == [(cron, 0), ("* * * * *", 1)]


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, 1), ({"interval": 5, "unit": "minutes"}, 300), ({"unit": "hours"}, 3600)]
)
def test_intervals(given: dict[str, Any], seconds: int) -> None:
    rules = CATALOGUE.schedules({"nodes": [node("interval", 1, **given)]})
    assert [rule.interval_seconds for rule in rules] == [seconds]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("interval", {"interval": 0}),
        ("interval", {"unit": "years"}),
        ("cron", {"triggerTimes": {"item": [{"mode": "everyX", "value": 60, "unit": "minutes"}]}}),
        ("cron", {"triggerTimes": {"item": [{"mode": "never"}]}}),
        ("cron", {"triggerTimes": {"item": [{"mode": "custom", "cronExpression": "x"}]}}),
    ],
)
def test_older_schedules_that_make_no_sense(kind: str, given: dict[str, Any]) -> None:
    document = {"nodes": [node(kind, 1, **given)]}
    assert CATALOGUE.schedules(document) == ()
    assert [issue.code for issue in CATALOGUE.check(document)] == ["INVALID_SCHEDULE"]


@pytest.mark.parametrize("events", [["init"], ["activate", "init"], ["update"], []])
def test_an_n8n_trigger_waits_for_the_start_where_it_is_asked_to(events: list[str]) -> None:
    document = {"nodes": [node("n8nTrigger", 1, events=events)]}
    expected = [ScheduleRule("N", 0, at_start=True)] if "init" in events else []
    assert list(CATALOGUE.schedules(document)) == expected


def test_a_schedule_of_two_weeks_falls_on_its_weekday() -> None:
    from datetime import UTC, datetime

    rules = CATALOGUE.schedules(
        {
            "nodes": [
                node(
                    "scheduleTrigger",
                    1.2,
                    rule={"interval": [{"field": "weeks", "weeksInterval": 2, "triggerAtDay": [1]}]},
                )
            ]
        }
    )
    moment = datetime.fromtimestamp(rules[0].interval_seconds * 1000 + rules[0].offset_seconds, UTC)
    assert (moment.isoweekday(), moment.hour) == (1, 0)


def test_credentials() -> None:
    kinds = {entry["type"] for entry in CATALOGUE.credential_types()}
    assert {
        "httpBasicAuth",
        "httpHeaderAuth",
        "httpQueryAuth",
        "httpBearerAuth",
        "jwtAuth",
        "oAuth2Api",
    } <= kinds
    basic = CATALOGUE.credential_type("httpBasicAuth")
    assert basic is not None
    assert [field["name"] for field in basic["fields"] if field.get("secret")] == ["password"]
    assert CATALOGUE.credential_type("nothing") is None

"""What starts a workflow, and who hears of it, the same in both ways to run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.harness.cluster import Cluster
from tests.harness.embedded import Embedded
from tests.harness.flows import chain, edit, manual, node, pause, webhook
from tests.harness.user import User, items, until

pytestmark = pytest.mark.e2e


@contextmanager
def listening(owner: User, workflow: str) -> Iterator[ClientConnection]:
    """A browser that has subscribed to the workflow; frames come from then on."""
    with connect(owner.base.replace("http", "ws") + "/api/v1/ws") as socket:
        for frame in (
            {"type": "auth", "token": owner.token},
            {"type": "subscribe", "workflow_id": workflow},
            {"type": "ping"},
        ):
            socket.send(json.dumps(frame))
        frames_until(socket, "pong")
        yield socket


def frames_until(socket: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """All frames up to the first of the kind."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != kind:
        found.append(json.loads(socket.recv(timeout=20)))
        assert found[-1]["type"] != "error", found[-1]
    return found


def test_a_schedule_ticks_every_second_until_it_is_switched_off(owner: User) -> None:
    rule = {"rule": {"interval": [{"field": "seconds", "secondsInterval": 1}]}}
    workflow = owner.import_workflow(
        chain("ticks", node("Clock", "scheduleTrigger", rule, 1.2), edit("Mark", {"a": 1}))
    )
    until(lambda: len(owner.executions(workflow)) >= 3, 30, "three ticks")
    owner.data("POST", f"/workflows/{workflow}/deactivate")
    rows = owner.finished(workflow, 3)
    assert {(row["status"], row["mode"]) for row in rows} == {("success", "schedule")}
    moments = sorted(int(row["id"].replace("-", "")[:12], 16) for row in rows)
    assert {later - earlier for earlier, later in pairwise(moments)} == {1000}
    tick = items(owner.execution(rows[0]["id"]), "Clock")[0]
    assert tick["Timezone"] == "UTC (UTC+00:00)"


def test_a_test_call_runs_the_draft_once_and_the_browser_hears_of_it(owner: User) -> None:
    workflow = owner.import_workflow(
        chain("tried", webhook("tried"), edit("Mark", {"seen": True})), publish=False
    )
    assert owner.http.post("/webhook-test/tried", json={}).status_code == 404
    with listening(owner, workflow) as socket:
        listener = owner.data("POST", f"/workflows/{workflow}/test-webhook")
        (address,) = listener["webhooks"]
        assert (address["node"], address["method"]) == ("Webhook", "POST")
        answer = owner.http.post(address["url"].removeprefix(owner.base), json={"n": 7})
        assert answer.is_success
        kinds = {frame["type"] for frame in frames_until(socket, "execution.completed")}
    assert {"webhook.test.received", "execution.started"} <= kinds
    assert answer.json()["seen"] is True
    (row,) = owner.finished(workflow)
    assert (row["status"], row["mode"]) == ("success", "manual")
    assert items(owner.execution(row["id"]), "Webhook")[0]["body"] == {"n": 7}
    assert owner.http.post("/webhook-test/tried", json={}).status_code == 404


def test_a_listener_that_was_taken_back_catches_nothing(owner: User) -> None:
    workflow = owner.import_workflow(
        chain("not tried", webhook("not-tried"), edit("E", {"a": 1})), publish=False
    )
    owner.data("POST", f"/workflows/{workflow}/test-webhook")
    assert owner.call("DELETE", f"/workflows/{workflow}/test-webhook").is_success
    assert owner.http.post("/webhook-test/not-tried", json={}).status_code == 404
    assert owner.executions(workflow) == []


def test_the_browser_follows_a_run_through_its_wait(owner: User) -> None:
    workflow = owner.import_workflow(
        chain("followed", manual(), pause("Pause", 0.5), edit("After", {"a": 1})), publish=False
    )
    with listening(owner, workflow) as socket:
        started = owner.data("POST", f"/workflows/{workflow}/execute")["id"]
        frames = frames_until(socket, "execution.completed")
    assert {frame["data"]["execution_id"] for frame in frames} == {started}
    kinds = [frame["type"] for frame in frames]
    assert kinds.index("execution.started") < kinds.index("execution.waiting") < len(kinds) - 1
    done = [frame["data"]["node"] for frame in frames if frame["type"] == "node.completed"]
    assert done == ["Start", "Pause", "After"]
    assert frames[-1]["data"]["status"] == "success"


def test_the_older_trigger_calls_a_publication_an_activation(owner: User) -> None:
    trigger = node("Told", "workflowTrigger", {"events": ["activate", "update"]})
    workflow = owner.import_workflow(chain("older", trigger, edit("Set", {"a": 1})))
    owner.finished(workflow)
    owner.data("POST", f"/workflows/{workflow}/activate")
    rows = owner.finished(workflow, 2)
    told = {items(owner.execution(row["id"]), "Told")[0]["event"] for row in rows}
    assert told == {"Workflow activated", "Workflow updated"}


def more_than(owner: User, workflow: str, count: int) -> bool:
    return len(owner.executions(workflow)) > count


def test_each_start_of_the_installation_is_told_once(owner: User, weft: Embedded | Cluster) -> None:
    trigger = node("Told", "n8nTrigger", {"events": ["init"]})
    waiting = owner.import_workflow(chain("started", trigger, edit("Set", {"a": 1})))
    rule = {"rule": {"interval": [{"field": "seconds", "secondsInterval": 1}]}}
    clock = owner.import_workflow(
        chain("beside it", node("Clock", "scheduleTrigger", rule, 1.2), edit("Mark", {"a": 1}))
    )
    until(lambda: owner.executions(clock), 30, "a tick")
    assert owner.executions(waiting) == []
    for starts in (1, 2):
        weft.stop()
        weft.start()
        rows = owner.finished(waiting, starts, 30)
        seen = len(owner.executions(clock))
        until(partial(more_than, owner, clock, seen + 1), 30, "ticks after the start")
        assert len(owner.executions(waiting)) == starts
    assert {(row["status"], row["mode"]) for row in rows} == {("success", "trigger")}
    told = items(owner.execution(rows[0]["id"]), "Told")[0]
    assert (told["event"], told["workflow_id"]) == ("Instance started", waiting)
    owner.data("POST", f"/workflows/{clock}/deactivate")

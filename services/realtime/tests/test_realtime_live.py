"""What connected clients see: who they are, what they may, from where on, and how much of it."""

import asyncio
import time
from typing import Any

import pytest
from weft_contracts import messages, topics
from weft_contracts.ids import derived_id, new_id
from weft_contracts.messages import (
    ExecutionChange,
    ExecutionFinished,
    ExecutionStarted,
    IdentityChanged,
    NodeError,
    NodeExecuting,
    NodeFinished,
    WorkflowDeleted,
    WorkflowPublished,
    WorkflowUnpublished,
    WorkflowUpdated,
)
from weft_realtime.entrypoints import websocket

World = Any
RESTARTS, OVERFLOWED, DENIED = 1012, 1013, 4401


def run(count: int, first: int = 1) -> list[ExecutionChange]:
    """`count` nodes, two changes each."""
    found: list[ExecutionChange] = []
    for number in range(count):
        seq = first + 2 * number
        found += [NodeExecuting(seq, 5, f"N{number}"), NodeFinished(seq + 1, 6, f"N{number}")]
    return found


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def seqs(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["seq"] for frame in frames]


@pytest.mark.parametrize(
    "frame", [{"type": "auth", "token": "abc"}, {"type": "auth"}, {"type": "ping"}, {"token": 1}, {}]
)
async def test_who_does_not_sign_in_first_is_cut_off(world: World, frame: dict[str, Any]) -> None:
    client = world.connect()
    client.say(**frame)
    assert await client.hear() == {"closed": DENIED}


async def test_an_old_token_does_not_sign_in(world: World) -> None:
    client = world.connect()
    client.say(type="auth", token=world.played.token(exp=1))
    assert await client.hear() == {"closed": DENIED}


async def test_silence_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "AUTH_SECONDS", 0.01)
    assert await world.connect().hear() == {"closed": DENIED}


async def test_other_protocols_are_told(world: World) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.disconnect"}

    await world.service.asgi({"type": "http"}, receive, send)
    assert sent[0]["status"] == 426
    await world.service.asgi({"type": "websocket"}, receive, send)
    await world.service.asgi({"type": "lifespan"}, receive, send)
    assert len(sent) == 2


async def test_who_leaves_is_forgotten(world: World) -> None:
    client = await world.sign_in()
    world.connect().leave()
    client.say(type="subscribe", workflow_id="w1")
    await client.hear_all()
    assert not world.service._hub.empty
    client.leave()
    await asyncio.gather(*[each.running for each in world.clients])
    assert world.service._hub.empty
    assert world.service._hub._topics == {}


async def test_frames_of_a_subscribed_execution(world: World) -> None:
    world.played.past["e1"] = ("p1", [])
    client = await world.sign_in()
    client.say(type="subscribe", execution_id="e1")
    assert await client.hear_all() == []
    failed = NodeFinished(3, 7, "A", status="error", error=NodeError("bad", node="A"))
    changes = [ExecutionStarted(1, 5), NodeExecuting(2, 6, "A"), failed, ExecutionFinished(4, 8, "error")]
    await world.change("e1", *changes)
    await world.change("e2", ExecutionStarted(1, 5))
    frames = await client.hear_all()
    assert kinds(frames) == ["execution.started", "node.executing", "node.completed", "execution.completed"]
    assert seqs(frames) == [1, 2, 3, 4]
    ids = {"execution_id": "e1", "workflow_id": "w1", "project_id": "p1"}
    assert frames[2]["data"] == {
        "node": "A", "status": "error", "error": {"message": "bad", "node": "A"}, **ids
    }  # fmt: skip
    assert frames[3]["data"]["status"] == "error"
    assert frames[0]["timestamp"] == "1970-01-01T00:00:00.000Z"
    client.say(type="unsubscribe", execution_id="e1")
    await client.hear_all()
    await world.change("e1", NodeExecuting(5, 9, "B"))
    assert await client.hear_all() == []


async def test_the_past_is_replayed_from_a_seq_without_gap_or_double(world: World) -> None:
    world.played.past["e1"] = ("p1", run(5))
    world.played.gate = asyncio.Event()
    client = await world.sign_in()
    client.say(type="subscribe", execution_id="e1", from_seq=4)
    async with asyncio.timeout(10):
        while not world.service._hub._topics:
            await asyncio.sleep(0)
    await world.change("e1", *run(1, first=9), *run(1, first=11))
    world.played.gate.set()
    assert seqs(await client.hear_all()) == [5, 6, 7, 8, 9, 10, 11, 12]
    await world.change("e1", *run(2, first=11))
    assert seqs(await client.hear_all()) == [13, 14]


async def test_an_execution_is_followed_from_before_it_is_stored(world: World) -> None:
    execution = new_id()
    client = await world.sign_in()
    client.say(type="subscribe", execution_id=execution)
    assert await client.hear_all() == []
    await world.change(execution, ExecutionStarted(1, 5), *run(1, first=2), ExecutionFinished(4, 8))
    assert seqs(await client.hear_all()) == [1, 2, 3, 4]


async def test_what_is_stored_while_an_unknown_execution_is_asked_for_is_told(world: World) -> None:
    execution = new_id()
    world.played.gate = asyncio.Event()
    client = await world.sign_in()
    client.say(type="subscribe", execution_id=execution)
    async with asyncio.timeout(10):
        while not world.service._hub._topics:
            await asyncio.sleep(0)
    await world.change(execution, *run(2))
    world.played.gate.set()
    assert seqs(await client.hear_all()) == [1, 2, 3, 4]
    await world.change(execution, *run(1, first=5))
    assert seqs(await client.hear_all()) == [5, 6]


async def test_a_stranger_hears_nothing_of_an_execution_that_is_not_stored_yet(world: World) -> None:
    execution = new_id()
    bob = await world.sign_in("bob")
    bob.say(type="subscribe", execution_id=execution)
    assert await bob.hear_all() == []
    await world.change(execution, *run(2))
    assert await bob.hear_all() == []
    world.played.past[execution] = ("p1", run(2))  # told no more once it is stored
    bob.say(type="subscribe", execution_id=execution)
    assert await bob.hear_all() == []


@pytest.mark.parametrize("minutes", [-2, 2])
async def test_an_unknown_execution_whose_id_is_not_of_now_is_not_found(world: World, minutes: int) -> None:
    now = time.time_ns() // 1_000_000
    client = await world.sign_in()
    client.say(type="subscribe", execution_id=derived_id(now + minutes * 60_000, "x"))
    (answer,) = await client.hear_all()
    assert (answer["type"], answer["data"]["code"]) == ("error", "NOT_FOUND")
    assert world.service._hub._topics == {}
    (connection,) = world.service._hub._connections
    assert (connection.seen, connection.held) == ({}, {})


async def test_subscribing_again_tells_what_was_missed_and_the_end(world: World) -> None:
    execution = new_id()
    client = await world.sign_in()
    client.say(type="subscribe", execution_id=execution)
    await client.hear_all()
    await world.change(execution, *run(1))
    assert seqs(await client.hear_all()) == [1, 2]
    world.played.past[execution] = ("p1", [*run(2), ExecutionFinished(5, 9)])
    client.leave()
    again = await world.sign_in()
    again.say(type="subscribe", execution_id=execution, from_seq=2)
    frames = await again.hear_all()
    assert seqs(frames) == [3, 4, 5]
    assert kinds(frames)[-1] == "execution.completed"
    again.say(type="subscribe", execution_id=execution, from_seq=5)
    await world.change(execution, ExecutionFinished(5, 9))
    assert await again.hear_all() == []


async def test_a_long_past_is_replayed_as_fast_as_the_client_reads(world: World) -> None:
    world.played.past["e1"] = ("p1", run(500))
    client = await world.sign_in()
    client.reading.clear()
    client.say(type="subscribe", execution_id="e1")
    async with asyncio.timeout(10):
        while (
            len(world.service._hub._connections) == 0
            or not next(iter(world.service._hub._connections))._waiting
        ):
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(next(iter(world.service._hub._connections))._waiting) <= 40
    client.reading.set()
    assert seqs(await client.hear_all()) == list(range(1, 1001))


async def test_only_what_is_in_the_callers_projects_is_seen(world: World) -> None:
    world.played.past["e1"] = ("p1", run(1))
    bob = await world.sign_in("bob")
    bob.say(type="subscribe", execution_id="e1")
    bob.say(type="subscribe", project_id="p1")
    bob.say(type="subscribe", workflow_id="w1")
    frames = await bob.hear_all()
    assert [(frame["type"], frame["data"]["code"]) for frame in frames] == [("error", "NOT_FOUND")] * 2
    await world.change("e1", *run(1, first=3))
    await world.tell(topics.WORKFLOW_EVENTS, WorkflowUpdated("w1", "p1", 1, "secret"))
    world.signals.publish(topics.UI_EVENTS, messages.TestCallReceived("w1", "p1", "Webhook", "e1"))
    assert await bob.hear_all() == []


async def test_who_loses_a_project_comes_again(world: World) -> None:
    ada, bob = await world.sign_in(), await world.sign_in("bob")
    ada.say(type="subscribe", workflow_id="w1")
    await ada.hear_all()
    await world.tell(topics.IDENTITY_EVENTS, IdentityChanged("ada", "updated"))
    assert await ada.hear_all() == []
    world.played.projects["ada"] = []
    await world.tell(topics.IDENTITY_EVENTS, IdentityChanged("ada", "membership", "p1"))
    assert await ada.hear() == {"closed": RESTARTS}
    assert await bob.hear_all() == []
    ada = await world.sign_in()
    ada.say(type="subscribe", workflow_id="w1")
    await ada.hear_all()
    await world.change("e1", *run(1))
    assert await ada.hear_all() == []


async def test_another_token_changes_who_it_is(world: World) -> None:
    client = await world.sign_in()
    client.say(type="auth", token=world.played.token("bob"))
    client.say(type="subscribe", project_id="p2")
    client.say(type="subscribe", project_id="p1")
    client.say(type="auth", token="no")
    assert [frame["data"]["code"] for frame in await client.hear_all()] == ["NOT_FOUND", "UNAUTHENTICATED"]
    await world.change("e9", *run(1), project="p2")
    assert len(await client.hear_all()) == 2


async def test_workflows_and_test_calls_are_told(world: World) -> None:
    client = await world.sign_in()
    client.say(type="subscribe", project_id="p1")
    client.say(type="subscribe", workflow_id="w1")
    await client.hear_all()
    for kind in (WorkflowUpdated, WorkflowPublished, WorkflowUnpublished, WorkflowDeleted):
        await world.tell(topics.WORKFLOW_EVENTS, kind("w1", "p1", 1, "name", 9))
    world.signals.publish(topics.UI_EVENTS, messages.TestCallReceived("w1", "p1", "Webhook", "e1", 9))
    frames = await client.hear_all()
    assert kinds(frames) == [
        "workflow.updated", "workflow.activated", "workflow.deactivated", "workflow.deleted",
        "webhook.test.received",
    ]  # fmt: skip
    assert frames[0]["data"] == {"workflow_id": "w1", "project_id": "p1", "name": "name"}
    assert (frames[4]["data"]["node"], frames[4]["data"]["execution_id"]) == ("Webhook", "e1")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "BAD_REQUEST"),
        ("[1]", "BAD_REQUEST"),
        ('{"type": ["a"]}', "BAD_REQUEST"),
        ('{"type": "dance"}', "BAD_REQUEST"),
        ('{"type": "subscribe"}', "BAD_REQUEST"),
        ('{"type": "subscribe", "workflow_id": 5}', "BAD_REQUEST"),
        ('{"type": "subscribe", "execution_id": "e1", "from_seq": "x"}', "BAD_REQUEST"),
        ('{"type": "subscribe", "execution_id": "e1"}', "NOT_FOUND"),
    ],
)
async def test_frames_that_make_no_sense_are_answered_and_end_nothing(
    world: World, frame: str, code: str
) -> None:
    client = await world.sign_in()
    client.say_raw(frame)
    (answer,) = await client.hear_all()
    assert (answer["type"], answer["data"]["code"]) == ("error", code)
    assert world.service._hub._topics == {}


async def test_subscriptions_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MOST_TOPICS", 3)
    client = await world.sign_in()
    for number in range(4):
        client.say(type="subscribe", workflow_id=f"w{number}")
    (answer,) = await client.hear_all()
    assert answer["data"]["code"] == "RATE_LIMITED"


async def test_progress_is_coalesced_for_a_slow_client_and_ends_are_not(world: World) -> None:
    world.played.past["e1"] = ("p1", [])
    client = await world.sign_in()
    client.say(type="subscribe", execution_id="e1")
    await client.hear_all()
    client.reading.clear()
    seq = 0
    for _ in range(200):
        await world.change("e1", NodeExecuting(seq + 1, 1, "Loop"), NodeFinished(seq + 2, 1, "Loop"))
        seq += 2
    await world.change("e1", ExecutionFinished(seq + 1, 1))
    (connection,) = world.service._hub._connections
    assert len(connection._waiting) <= 12
    client.reading.set()
    frames = await client.hear_all()
    numbers = seqs(frames)
    assert numbers == sorted(set(numbers))
    assert (frames[-2]["seq"], frames[-1]["type"]) == (seq, "execution.completed")


async def test_a_client_that_does_not_read_is_cut_off_and_others_are_not(world: World) -> None:
    slow, quick = await world.sign_in(), await world.sign_in()
    for client in (slow, quick):
        client.say(type="subscribe", project_id="p1")
        await client.hear_all()
    slow.reading.clear()
    heard = 0
    for number in range(100):
        await world.change(f"e{number}", ExecutionStarted(1, 1), ExecutionFinished(2, 2))
        heard += len(await quick.hear_all())
        assert all(len(each._waiting) <= 40 for each in world.service._hub._connections)
    assert heard == 200
    slow.reading.set()
    frames = await slow.hear_all()
    assert frames[-1] == {"closed": OVERFLOWED}


async def test_live_frames_that_wait_for_a_replay_are_bounded(world: World) -> None:
    world.played.past["e1"] = ("p1", [])
    world.played.gate = asyncio.Event()
    client = await world.sign_in()
    client.say(type="subscribe", execution_id="e1")
    async with asyncio.timeout(10):
        while not world.service._hub._topics:
            await asyncio.sleep(0)
    await world.change("e1", *run(50))
    assert await client.hear() == {"closed": OVERFLOWED}


async def test_clients_are_sent_elsewhere_when_the_process_ends(world: World) -> None:
    client = await world.sign_in()
    assert world.service.ready() == ""
    await world.service.drain()
    assert await client.hear() == {"closed": RESTARTS}

"""Who is told who has a workflow open: in one process, and by instances that share Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from weft_contracts import topics
from weft_contracts.messages import IdentityChanged, WorkflowDeleted
from weft_kit.signals.redis import RedisSignals
from weft_realtime.application import presence
from weft_realtime.entrypoints import websocket

World = Any
RESTARTS = 1012


async def open_workflow(world: World, user: str = "ada", workflow: str = "w1", node: str = "") -> Any:
    client = await world.sign_in(user)
    client.say(type="subscribe", workflow_id=workflow)
    client.say(type="presence", workflow_id=workflow, node=node)
    return client


async def people(client: Any, *wanted: tuple[str, str]) -> list[dict[str, Any]]:
    """Reads on until exactly these (name, node) are there."""
    while True:
        frame = await client.hear()
        assert frame.get("type") == "presence.changed", frame
        found: list[dict[str, Any]] = frame["data"]["people"]
        if sorted((each["name"], each["node"]) for each in found) == sorted(wanted):
            return found


async def test_who_comes_and_goes_is_told(world: World) -> None:
    world.played.projects["bob"] = ["p1"]
    ada = await open_workflow(world)
    await people(ada, ("Ada L", ""))
    bob = await open_workflow(world, "bob")
    found = await people(ada, ("Ada L", ""), ("Bob L", ""))
    assert {each["user_id"] for each in found} == {"ada", "bob"}
    await people(bob, ("Ada L", ""), ("Bob L", ""))
    bob.say(type="presence", workflow_id="w1", node="n5")
    await people(ada, ("Ada L", ""), ("Bob L", "n5"))
    bob.leave()
    await people(ada, ("Ada L", ""))
    ada.say(type="unsubscribe", workflow_id="w1")
    await ada.hear_all()
    assert world.service._presence.empty


async def test_a_client_knows_which_of_them_it_is(world: World) -> None:
    client = world.connect()
    client.say(type="auth", token=world.played.token())
    session = (await client.hear())["data"]["session"]
    client.say(type="subscribe", workflow_id="w1")
    client.say(type="presence", workflow_id="w1")
    (found,) = await people(client, ("Ada L", ""))
    assert found["session"] == session


async def test_only_those_who_may_read_the_workflow_take_part_and_are_told(world: World) -> None:
    bob = await open_workflow(world, "bob")
    (answer,) = await bob.hear_all()
    assert (answer["type"], answer["data"]["code"]) == ("error", "NOT_FOUND")
    ada = await open_workflow(world)
    await people(ada, ("Ada L", ""))
    assert await bob.hear_all() == []


async def test_who_loses_the_project_leaves_and_does_not_come_back(world: World) -> None:
    world.played.projects["bob"] = ["p1"]
    ada, bob = await open_workflow(world), await open_workflow(world, "bob")
    await people(ada, ("Ada L", ""), ("Bob L", ""))
    world.played.projects["bob"] = []
    await world.tell(topics.IDENTITY_EVENTS, IdentityChanged("bob", "membership", "p1"))
    while "closed" not in (frame := await bob.hear()):
        pass
    assert frame == {"closed": RESTARTS}
    await people(ada, ("Ada L", ""))
    bob = await open_workflow(world, "bob")
    assert [frame["data"]["code"] for frame in await bob.hear_all()] == ["NOT_FOUND"]


async def test_another_user_of_a_connection_is_not_the_one_before(world: World) -> None:
    ada, client = await open_workflow(world), await open_workflow(world)
    await people(ada, ("Ada L", ""), ("Ada L", ""))
    client.say(type="auth", token=world.played.token("bob"))
    await people(ada, ("Ada L", ""))


async def test_silence_ends_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(world.service._presence, "_clock", lambda: now)
    ada, other = await open_workflow(world), await open_workflow(world, node="n1")
    await people(ada, ("Ada L", ""), ("Ada L", "n1"))
    now = presence.PRESENT_SECONDS - 1
    ada.say(type="presence", workflow_id="w1")
    assert await ada.hear_all() == []  # nothing has changed
    now = presence.PRESENT_SECONDS + 1
    world.service._presence.sweep()
    await people(ada, ("Ada L", ""))
    other.say(type="presence", workflow_id="w1")
    await people(ada, ("Ada L", ""), ("Ada L", ""))


async def test_a_deleted_workflow_has_nobody(world: World) -> None:
    ada = await open_workflow(world)
    await people(ada, ("Ada L", ""))
    await world.tell(topics.WORKFLOW_EVENTS, WorkflowDeleted("w1", "p1", 1, "name"))
    assert world.service._presence.empty


@pytest.mark.parametrize(
    "frame",
    [{}, {"workflow_id": 5}, {"workflow_id": "w1", "node": 5}, {"workflow_id": "w1", "node": "x" * 201}],
)
async def test_frames_that_make_no_sense_are_refused(world: World, frame: dict[str, Any]) -> None:
    client = await world.sign_in()
    client.say(type="presence", **frame)
    (answer,) = await client.hear_all()
    assert answer["data"]["code"] == "BAD_REQUEST"
    assert world.service._presence.empty


async def test_open_workflows_of_a_connection_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_OPEN", 2)
    world.played.workflows |= {"w3": "p1", "w4": "p1"}
    client = await world.sign_in()
    for workflow in ("w1", "w3", "w4"):
        client.say(type="presence", workflow_id=workflow)
    (answer,) = await client.hear_all()
    assert answer["data"]["code"] == "RATE_LIMITED"


@pytest.fixture
async def two(tmp_path: Path, world: World, redis_url: str) -> AsyncIterator[tuple[World, World]]:
    """Two instances, each with its own connection to one Redis."""
    signals = [RedisSignals(redis_url), RedisSignals(redis_url)]
    for each in signals:
        await each.start()
    first = type(world)(tmp_path / "one", instance="one", signals=signals[0])
    second = type(world)(tmp_path / "two", instance="two", signals=signals[1], played=first.played)
    yield await first.start(), await second.start()
    for made in (first, second):
        await made.stop()
    for each in signals:
        await each.stop()


async def listening(*worlds: World) -> None:
    """Returns once Redis has taken every instance's subscription: each has heard of a probe by the others."""
    for world in worlds:
        probe = await open_workflow(world, workflow="probe", node=world.service._infra.instance)
        async with asyncio.timeout(10):
            while any("probe" not in each.service._presence._rooms for each in worlds):
                probe.say(type="presence", workflow_id="probe", node="again")
                probe.say(type="presence", workflow_id="probe", node="")
                await asyncio.sleep(0.01)
        probe.leave()
        async with asyncio.timeout(10):
            while any("probe" in each.service._presence._rooms for each in worlds):
                await asyncio.sleep(0.01)


async def test_instances_tell_one_another(two: tuple[World, World]) -> None:
    first, second = two
    first.played.workflows["probe"] = "p1"
    first.played.projects["bob"] = ["p1"]
    await listening(first, second)
    ada = await open_workflow(first, node="n1")
    await people(ada, ("Ada L", "n1"))
    bob = await open_workflow(second, "bob")  # the second asks who was there before
    await people(bob, ("Ada L", "n1"), ("Bob L", ""))
    await people(ada, ("Ada L", "n1"), ("Bob L", ""))
    bob.say(type="presence", workflow_id="w1", node="n2")
    await people(ada, ("Ada L", "n1"), ("Bob L", "n2"))
    bob.leave()
    await people(ada, ("Ada L", "n1"))


async def test_people_of_an_instance_that_died_are_forgotten(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    first.played.workflows["probe"] = "p1"
    await listening(first, second)
    ada = await open_workflow(first)
    await open_workflow(second, node="n2")
    await people(ada, ("Ada L", ""), ("Ada L", "n2"))
    now = first.service._presence._clock()
    monkeypatch.setattr(first.service._presence, "_clock", lambda: now)
    there: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while [each["node"] for each in there] != [""]:  # its last words may still be on their way
            now += presence.PRESENT_SECONDS / 2
            ada.say(type="presence", workflow_id="w1")
            for frame in await ada.hear_all():
                there = frame["data"]["people"]
            first.service._presence.sweep()

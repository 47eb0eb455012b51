"""Dead letters of the in-process bus outlive it, and are handled again when somebody says so."""

import asyncio
import os
from pathlib import Path

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id, shard_of
from weft_contracts.messages import CancelExecution, Envelope, StartExecution
from weft_contracts.payload import Payload
from weft_kit.bus import letters, memory
from weft_kit.bus.letters import Letter, Letters, again, find
from weft_kit.bus.memory import MemoryBus

COMMANDS = "execution.commands"
CANCEL = Envelope(new_id(), CancelExecution(new_id()), key=new_id())
START = StartExecution(
    new_id(), "p", "w", "v", "webhook", "T", Payload(0, b"[]", 2, ""), (1,), reply_to="reply.x"
)


async def test_a_letter_and_the_name_of_its_file_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(letters.os, "fsync", watched)
    kept = Letters(tmp_path / "letters")
    letter_id = kept.add(COMMANDS, CANCEL, "ValueError('half \ud800')")
    assert synced == [
        str(tmp_path),
        str(tmp_path / "letters"),
        str(tmp_path / "letters" / COMMANDS / f"{letter_id}.new"),
        str(tmp_path / "letters" / COMMANDS),
    ]
    assert {
        path.stat().st_mode & 0o777 for path in (tmp_path / "letters", tmp_path / "letters" / COMMANDS)
    } == {0o700}
    found = await find(Letters(tmp_path / "letters"), letter_id)
    assert (found.topic, found.envelope) == (COMMANDS, CANCEL)
    await kept.remove(found)
    with pytest.raises(WeftError) as caught:
        await find(kept, letter_id)
    assert caught.value.code is ErrorCode.NOT_FOUND


async def test_a_running_bus_takes_a_letter_in_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REPLAY_SECONDS", 0.01)
    bus = MemoryBus(tmp_path)
    await bus.start()
    reader = bus.reader()
    await reader.assign({(COMMANDS, number): 0 for number in range(64)})
    await bus.dead_letter(COMMANDS, CANCEL, "never")
    beside = Letters(tmp_path)  # as another process has it
    (letter,) = [each async for each in beside.all()]
    await beside.replay(letter)
    async with asyncio.timeout(20):
        (received,) = await reader.fetch()
        assert received.partition == shard_of(CANCEL.key)
        assert received.envelope == CANCEL
        reader.commit(received.topic, received.partition, received.offset + 1)
        while list(tmp_path.glob("*/*")):
            await asyncio.sleep(0.01)
    await bus.stop()


async def test_what_is_to_be_replayed_waits_for_the_next_bus(tmp_path: Path) -> None:
    beside = Letters(tmp_path)
    beside.add("audit.events", CANCEL, "never")
    (letter,) = [each async for each in beside.all()]
    await beside.replay(letter)
    assert [each async for each in beside.all()] == []
    seen: list[Envelope] = []

    async def handler(envelope: Envelope) -> None:
        seen.append(envelope)

    bus = MemoryBus(tmp_path)
    bus.subscribe("audit.events", handler, "g")
    await bus.start()
    async with asyncio.timeout(20):
        while not seen or list(tmp_path.glob("*/*")):
            await asyncio.sleep(0.01)
    assert seen == [CANCEL]
    await bus.stop()


def test_a_start_is_replayed_as_one_new_execution() -> None:
    letter = Letter(new_id(), COMMANDS, "never", Envelope(new_id(), START, START.execution_id))
    first, second = again(letter), again(letter)
    assert isinstance(first.body, StartExecution)
    assert isinstance(second.body, StartExecution)
    assert first.body.execution_id == second.body.execution_id == first.key != START.execution_id
    assert (first.body.reply_to, first.body.trigger) == ("", START.trigger)


@pytest.mark.parametrize(
    ("topic", "envelope"), [(COMMANDS, None), ("node.tasks.default", CANCEL), ("runner.control", CANCEL)]
)
def test_what_would_be_in_vain_is_not_replayed(topic: str, envelope: Envelope | None) -> None:
    with pytest.raises(WeftError) as caught:
        again(Letter(new_id(), topic, "never", envelope))
    assert caught.value.code is ErrorCode.CONFLICT


async def test_bytes_that_no_version_reads_are_a_letter_still(tmp_path: Path) -> None:
    kept = Letters(tmp_path)
    letter_id = kept.add(COMMANDS, CANCEL, "never")
    path = tmp_path / COMMANDS / letter_id
    path.write_bytes(path.read_bytes()[:12])
    assert (await find(kept, letter_id)).envelope is None


async def test_what_this_version_can_not_replay_is_a_letter_again(tmp_path: Path) -> None:
    kept = Letters(tmp_path)
    letter_id = kept.add(COMMANDS, CANCEL, "never")
    path = tmp_path / COMMANDS / letter_id
    path.with_suffix(".again").write_bytes(path.read_bytes()[:12])
    path.unlink()
    bus = MemoryBus(tmp_path)
    await bus.start()
    async with asyncio.timeout(20):
        while list(tmp_path.glob("*/*.again")):
            await asyncio.sleep(0.01)
    assert [each.id async for each in kept.all()] == [letter_id]
    await bus.stop()

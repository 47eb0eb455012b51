"""Groups whose shards change hands while they are written."""

import asyncio

from weft_contracts.ids import new_id, shard_of
from weft_contracts.messages import NodeError, StartExecution
from weft_contracts.payload import EMPTY
from weft_kit.bus.memory import MemoryBus
from weft_orchestrator.application.committer import Committer
from weft_orchestrator.application.inbox import Inbox
from weft_orchestrator.application.ports import FencedError, Group
from weft_orchestrator.domain.live import Live
from weft_orchestrator.domain.records import head_of
from weft_orchestrator.domain.shard import Shard


class Table:
    """Implements Commits, with one epoch for all shards."""

    def __init__(self) -> None:
        self.epoch = 1
        self.written: list[str] = []

    async def commit(self, group: Group) -> None:
        await asyncio.sleep(0)
        if any(epoch != self.epoch for epoch, _ in group.fences.values()):
            raise FencedError
        self.written += [entry.live.id for entry in group.entries]


class Told:
    """Implements Outcomes and the inbox's Handler."""

    def __init__(self) -> None:
        self.committed_ids: list[str] = []

    def committed(self, live: Live, seq: int) -> None:
        self.committed_ids.append(live.id)

    def foreign(self, live: Live) -> None:
        raise AssertionError

    existing = unstorable = foreign

    def handle(self, *_: object) -> None:
        raise AssertionError

    give_up = handle

    def rest(self) -> None:
        raise AssertionError


def failed_start() -> Live:
    execution_id = new_id()
    command = StartExecution(execution_id, "p", "w", "v", "webhook", "Start", EMPTY, (1,))
    return Live.stillborn(command, shard_of(execution_id), head_of(command, ""), NodeError("no"), 1)


async def test_a_shard_that_was_lost_and_claimed_again_holds_nothing_up() -> None:
    table, told, asked, bus = Table(), Told(), asyncio.Event(), MemoryBus()
    inbox = Inbox(bus, told, {}, asked)
    committer = Committer(bus, table, inbox, told, asked, delay=0, exclusive=False)
    old, new = failed_start(), failed_start()
    inbox.shards = {live.shard: Shard(live.shard, 1, (0, 0)) for live in (old, new)}
    table.epoch = 3  # another owner had it meanwhile

    async def claimed_again() -> None:
        inbox.shards = {live.shard: Shard(live.shard, 3, (0, 0)) for live in (old, new)}

    committer.on_fenced = claimed_again
    writing = asyncio.create_task(committer.write())
    async with asyncio.timeout(5):
        committer.add(old)
        await committer.flush()
        assert table.written == told.committed_ids == []
        committer.add(new)
        await committer.flush()
    assert table.written == told.committed_ids == [new.id]
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await inbox.close()

"""Group commits: what has changed is written in one transaction with the positions, and what depends on it follows."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from weft_contracts import messages as m
from weft_contracts import topics
from weft_contracts.errors import WeftError
from weft_contracts.ids import shard_of
from weft_contracts.sizes import carried
from weft_kit.bus import EventBus
from weft_kit.crash import point
from weft_kit.outbox import Row
from weft_kit.telemetry import metrics

from weft_orchestrator.application.envelopes import envelope
from weft_orchestrator.application.inbox import Inbox
from weft_orchestrator.application.ports import (
    Commits,
    Entry,
    ExistingError,
    FencedError,
    Group,
    UnstorableError,
)
from weft_orchestrator.domain.live import Live

log = logging.getLogger("weft.orchestrator")

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a group; more only where one shard alone has more."""
ROW_BYTES: Final = 2048
"""What a row takes beside its items; so a group has 16,384 rows at most."""

_commits = metrics.counter("commits", "Group commits")
_grouped = metrics.counter("committed_executions", "Executions in group commits")


class Outcomes(Protocol):
    """What is told of executions whose changes were to be written."""

    def committed(self, live: Live, seq: int) -> None:
        """Its rows up to this seq are in the database."""

    def foreign(self, live: Live) -> None:
        """Its shard was taken from us; nothing of it was written."""

    def existing(self, live: Live) -> None:
        """We took a repeat for something new; nothing of it was written."""

    def unstorable(self, live: Live) -> None:
        """The database refuses what it holds; nothing of it was written."""


class Committer:
    """`exclusive`: one fence row stands for all shards. `asked`: there is something to write. `delay`: seconds that a
    group for which nobody waits is held back for company."""

    def __init__(
        self,
        bus: EventBus,
        commits: Commits,
        inbox: Inbox,
        outcomes: Outcomes,
        asked: asyncio.Event,
        *,
        delay: float,
        exclusive: bool,
    ) -> None:
        self._bus = bus
        self._commits = commits
        self._inbox = inbox
        self._outcomes = outcomes
        self._asked = asked
        self._delay = delay
        self._exclusive = exclusive
        self._urgent = asyncio.Event()
        self._flushed: asyncio.Future[None] | None = None
        self._dirty: dict[str, Live] = {}
        self._after: list[tuple[Live, Callable[[], None]]] = []
        self._outbox: list[tuple[Live, Row]] = []
        self.on_outbox: Callable[[], None] = lambda: None
        self.on_fenced: Callable[[], Awaitable[None]] = self._all_lost
        """Finds out which shards are still ours."""

    # --- what is to be written ------------------------------------------------------------------------------

    def add(self, live: Live) -> None:
        self._dirty[live.id] = live
        self._asked.set()

    def holds(self, live: Live) -> bool:
        return live.id in self._dirty

    def drop(self, live: Live) -> None:
        self._dirty.pop(live.id, None)

    def after(self, live: Live, act: Callable[[], None]) -> None:
        """Does it once the change of the execution that is under way is committed."""
        self._after.append((live, act))

    def stage(self, live: Live, command: m.ExecutionCommand) -> None:
        """To another owner, by the outbox of the commit that has this change of the execution in it."""
        sent = envelope(command, command.execution_id, live.project_id)
        self._outbox.append((live, (topics.EXECUTION_COMMANDS, sent, shard_of(command.execution_id))))

    def urge(self) -> None:
        """Somebody waits for what is written next."""
        self._urgent.set()

    # --- writing --------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """For ever: one group after the other. A group that nobody waits for is held back a moment for company."""
        while True:
            await self._asked.wait()
            if not self._urgent.is_set() and self._flushed is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), self._delay)
            self._asked.clear()
            self._urgent.clear()
            flushed, self._flushed = self._flushed, None
            for numbers in self._parts():
                await self._write_group(numbers)
            if flushed is not None and not flushed.done():
                flushed.set_result(None)

    async def flush(self) -> None:
        """Returns when everything up to now is committed."""
        if self._flushed is None:
            self._flushed = asyncio.get_running_loop().create_future()
        flushed = self._flushed
        self._asked.set()
        self._urgent.set()
        await flushed

    def _parts(self) -> list[set[int]]:
        """The shards with something to write, as many together as a group may hold. What has changed in one shard is
        never parted, since its positions are written along."""
        weights = Counter(dict.fromkeys(self._inbox.moved(), 0))
        for live in self._dirty.values():
            weights[live.shard] += _weight(live)
        for live, (_, sent, _) in self._outbox:
            weights[live.shard] += ROW_BYTES + carried(sent.body)
        parts, size = list[set[int]](), MOST_BYTES
        for number, weight in weights.items():
            size += weight
            if size > MOST_BYTES or not parts:
                parts.append(set())
                size = weight
            parts[-1].add(number)
        return parts

    async def _write_group(self, numbers: set[int]) -> None:
        shards = self._inbox.shards
        for live in [each for each in self._dirty.values() if each.shard not in shards]:
            self._outcomes.foreign(live)  # it began while its shard was taken from us
        lives = [live for live in self._dirty.values() if live.shard in numbers]
        for live in lives:
            del self._dirty[live.id]
        after = [each for each in self._after if each[0].shard in numbers]
        staged = [each for each in self._outbox if each[0].shard in numbers]
        later = shards.keys() - numbers
        self._after = [each for each in self._after if each[0].shard in later]
        self._outbox = [each for each in self._outbox if each[0].shard in later]
        changes = [(live, tuple(live.changes)) for live in lives if live.changes]
        group = Group(entries=[_entry(live) for live in lives])
        progress = self._inbox.progress(numbers)
        self._fence(group, {number for _, number in progress.positions})
        point("commit.before")
        await self._commit(group, staged)
        point("commit.after")
        self._inbox.commit(progress)
        _commits.inc()
        _grouped.inc(len(group.entries))
        kept = {id(entry.live) for entry in group.entries}
        for live, act in after:
            if id(live) in kept:
                act()
        self._publish([each for each in changes if id(each[0]) in kept])
        if group.outbox:
            self.on_outbox()
        for entry in group.entries:
            self._outcomes.committed(entry.live, entry.seq)

    def _fence(self, group: Group, numbers: set[int]) -> None:
        shards = self._inbox.shards
        if self._exclusive:
            group.fences[0] = (shards[0].epoch, (0, 0))
            return
        for number in numbers | {entry.live.shard for entry in group.entries}:
            group.fences[number] = (shards[number].epoch, shards[number].positions)

    async def _commit(self, group: Group, staged: list[tuple[Live, Row]]) -> None:
        """Until it is written, or nothing of it is ours any more. A shard that was lost and claimed again has another
        owner's changes, and another epoch: what we had for it before is not ours either."""
        pause, before = 0.05, self._inbox.shards
        while group.entries or group.fences:
            kept = {id(entry.live) for entry in group.entries}
            group.outbox = [row for live, row in staged if id(live) in kept]
            try:
                await self._commits.commit(group)
                break
            except ExistingError as error:
                for live in _taken_out(group, error.execution_ids):
                    self._outcomes.existing(live)
            except UnstorableError as error:
                for live in _taken_out(group, error.execution_ids):
                    self._outcomes.unstorable(live)
            except FencedError:
                log.warning("another orchestrator has taken shards over")
                await self.on_fenced()
                ours = {n for n, shard in self._inbox.shards.items() if before.get(n) is shard}
                group.entries = [each for each in group.entries if each.live.shard in ours]
                group.fences = {n: fence for n, fence in group.fences.items() if n in ours}
            except WeftError as error:
                log.warning("a commit has to wait: %s", error.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def _all_lost(self) -> None:
        self._inbox.shards = {}

    def _publish(self, changes: list[tuple[Live, tuple[m.ExecutionChange, ...]]]) -> None:
        for live, steps in changes:
            body = m.ExecutionChanged(live.id, live.project_id, live.workflow_id, steps)
            self._bus.send(topics.EXECUTION_EVENTS, envelope(body, live.id, live.project_id), live.shard)
        if changes:
            point("publish.after")


def _entry(live: Live) -> Entry:
    """Takes what has changed out of the execution."""
    rows, wakes = list(live.dirty.values()), live.new_wakes
    live.dirty, live.changes, live.new_wakes = {}, [], []
    return Entry(live, not live.stored, live.seq, live.state.status, live.due(), rows, wakes)


def _weight(live: Live) -> int:
    """Bytes that its changes take in a group, roughly."""
    outputs = sum(len(row.output.data) for row in live.dirty.values() if row.output is not None)
    wakes = sum(len(wake.data.data) for _, wake in live.new_wakes if wake.data is not None)
    return ROW_BYTES * (1 + len(live.dirty) + len(live.new_wakes)) + outputs + wakes


def _taken_out(group: Group, execution_ids: frozenset[str]) -> list[Live]:
    out = [entry for entry in group.entries if entry.live.id in execution_ids]
    group.entries = [entry for entry in group.entries if entry.live.id not in execution_ids]
    return [entry.live for entry in out]

"""Runners, what they hold, and what waits for one of them. Seconds are monotonic and given by the caller."""

from collections import Counter, deque
from typing import Final

from weft_contracts.messages import Heartbeat

from weft_orchestrator.domain.live import Key, Live

CREDIT: Final = 2
"""Tasks in flight per slot."""
SPARE: Final = 0.25
"""Share of a runner's credits beyond its own, for projects that have nothing in flight: who floods the queue with slow
work holds up nobody else."""
UNSEEN_SECONDS: Final = 30.0
"""A task that its runner does not list for so long, though it is alive, never arrived."""


class Dispatch:
    """One task with one runner. `begun`: the runner has listed it or said something of it."""

    __slots__ = ("begun", "entry", "id", "live", "missed", "nodes", "pool", "runner", "sent")

    def __init__(
        self,
        dispatch_id: str,
        live: Live,
        entry: Key,
        nodes: frozenset[str],
        runner: str,
        pool: str,
        now: float,
    ) -> None:
        self.id = dispatch_id
        self.live = live
        self.entry = entry
        self.nodes = nodes
        self.runner = runner
        self.pool = pool
        self.sent = now
        self.begun = False
        self.missed: float | None = None
        """Since when its runner's heartbeats do not list it, though they did."""


class Runner:
    __slots__ = ("held", "leaving", "name", "partition", "seen", "slots")

    def __init__(self, name: str, partition: int) -> None:
        self.name = name
        self.partition = partition
        self.slots: dict[str, int] = {}
        self.held: dict[str, int] = {}
        """Pool to how many of our tasks are in flight there."""
        self.seen = 0.0
        self.leaving = False

    def room(self, pool: str, owners: int) -> float:
        """Share of our credits in the pool that is free; 0 or less: none, but spare room down to -1."""
        share = self.slots.get(pool, 0) * CREDIT / owners
        return -1.0 if share <= 0 else (max(share, 1.0) - self.held.get(pool, 0)) / max(share, 1.0)


class Queue:
    """What is ready in one pool: each project in its turn, whatever the others have queued."""

    __slots__ = ("_projects", "length")

    def __init__(self) -> None:
        self._projects: dict[str, deque[tuple[Live, Key, float]]] = {}
        self.length = 0

    def put(self, live: Live, key: Key, now: float) -> None:
        self._projects.setdefault(live.project_id, deque()).append((live, key, now))
        self.length += 1

    def holds(self, project_id: str) -> bool:
        return project_id in self._projects

    def take(self) -> tuple[Live, Key] | None:
        """The next that still wants to run."""
        while self._projects:
            project, waiting = next(iter(self._projects.items()))
            del self._projects[project]
            live, key, _ = waiting.popleft()
            self.length -= 1
            if waiting:
                self._projects[project] = waiting
            if key in live.ready:
                return live, key
        return None

    def oldest(self) -> float | None:
        """When what has waited longest came; None where nothing waits."""
        for project, waiting in list(self._projects.items()):
            while waiting and waiting[0][1] not in waiting[0][0].ready:
                waiting.popleft()
                self.length -= 1
            if not waiting:
                del self._projects[project]
        return min((waiting[0][2] for waiting in self._projects.values()), default=None)


class Fleet:
    """`owners`: how many orchestrators share the runners."""

    def __init__(self, lease: float) -> None:
        self.lease = lease
        self.owners = 1
        self.runners: dict[str, Runner] = {}
        self.dispatches: dict[str, Dispatch] = {}
        self.queues: dict[str, Queue] = {}
        self._busy: Counter[tuple[str, str]] = Counter()
        """How many dispatches each pool has of each project."""

    def heard(self, beat: Heartbeat, now: float) -> None:
        runner = self.runners.get(beat.runner)
        if runner is None or runner.partition != beat.partition:
            runner = self.runners[beat.runner] = Runner(beat.runner, beat.partition)
        runner.seen, runner.slots, runner.leaving = now, beat.slots, beat.leaving
        listed = set(beat.dispatches)
        for dispatch in self.dispatches.values():
            if dispatch.id in listed:
                dispatch.begun, dispatch.missed, dispatch.runner = True, None, beat.runner
            elif dispatch.runner == beat.runner and dispatch.begun and dispatch.missed is None:
                dispatch.missed = now

    def choose(self, pool: str, project_id: str = "") -> Runner | None:
        """The runner with the most room; for a project without a dispatch there, spare room as well."""
        best, room = None, 0.0
        if project_id and not self._busy[pool, project_id]:
            room = -SPARE
        for runner in self.runners.values():
            if not runner.leaving and (found := runner.room(pool, self.owners)) > room:
                best, room = runner, found
        return best

    def queue(self, pool: str) -> Queue:
        found = self.queues.get(pool)
        if found is None:
            found = self.queues[pool] = Queue()
        return found

    def add(self, dispatch: Dispatch) -> None:
        self.dispatches[dispatch.id] = dispatch
        self._busy[dispatch.pool, dispatch.live.project_id] += 1
        runner = self.runners.get(dispatch.runner)
        if runner is not None:
            runner.held[dispatch.pool] = runner.held.get(dispatch.pool, 0) + 1

    def close(self, dispatch: Dispatch) -> None:
        if self.dispatches.pop(dispatch.id, None) is None:
            return
        project = dispatch.pool, dispatch.live.project_id
        self._busy[project] -= 1
        if self._busy[project] <= 0:
            del self._busy[project]
        runner = self.runners.get(dispatch.runner)
        if runner is not None and runner.held.get(dispatch.pool, 0) > 0:
            runner.held[dispatch.pool] -= 1

    def lost(self, now: float) -> list[Dispatch]:
        """Dispatches whose lease has run out; runners that are gone are forgotten."""
        gone = {name for name, runner in self.runners.items() if now - runner.seen > self.lease}
        for name in gone:
            del self.runners[name]
        return [
            dispatch
            for dispatch in self.dispatches.values()
            if (dispatch.runner not in self.runners and now - dispatch.sent > self.lease)
            or (dispatch.missed is not None and now - dispatch.missed > self.lease)
            or (not dispatch.begun and now - dispatch.sent > UNSEEN_SECONDS)
        ]

    def forgive(self, seconds: float) -> None:
        """We were away ourselves for so long; nobody else is to blame."""
        for runner in self.runners.values():
            runner.seen += seconds
        for dispatch in self.dispatches.values():
            dispatch.sent += seconds
            if dispatch.missed is not None:
                dispatch.missed += seconds

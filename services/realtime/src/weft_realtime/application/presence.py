"""Who has which workflow open: the connections of this instance, and what other instances tell of theirs.

Nothing of it is kept: an instance that comes asks, one that goes is forgotten when its connections' time is over.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from weft_contracts import topics
from weft_contracts.messages import Envelope, PresenceAsked, PresenceTold, Signal, WorkflowDeleted
from weft_kit.signals import Signals

PRESENT_SECONDS: Final = 90.0
"""For how long a connection counts after its last word. Browsers wake hidden tabs once in a minute."""
SWEEP_SECONDS: Final = 5.0
TELL_SECONDS: Final = 0.1
"""Changes within this time are told as one."""
MOST_TOLD: Final = 100
"""People of one workflow that a frame names."""

Tell = Callable[[str, str, list[dict[str, Any]]], None]
"""Takes a workflow, its project, and who is there."""


class Presence:
    def __init__(
        self, instance: str, signals: Signals, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._instance = instance
        self._signals = signals
        self._tell = tell
        self._clock = clock
        self._rooms: dict[str, dict[str, tuple[float, PresenceTold]]] = {}
        """Workflow to session to when it ends and who it is."""
        self._changed: dict[str, str] = {}
        """Workflow to project, where the room has changed since it was told."""
        self._unsaid: dict[str, PresenceTold] = {}
        """Session with workflow to what the other instances were not told yet."""
        self._timer: asyncio.TimerHandle | None = None

    def enter(
        self, workflow_id: str, project_id: str, session: str, user_id: str, name: str, node: str
    ) -> None:
        """A connection of this instance joins, chooses another node, or says that it is still there."""
        told = PresenceTold(self._instance, workflow_id, project_id, session, user_id, name, node)
        if not any(each.instance == self._instance for _, each in self._rooms.get(workflow_id, {}).values()):
            self._signals.publish(topics.UI_EVENTS, PresenceAsked(self._instance, workflow_id))
        self._unsaid[f"{workflow_id} {session}"] = told
        self._put(told)
        self._soon()

    def leave(self, workflow_id: str, session: str) -> None:
        known = self._rooms.get(workflow_id, {}).get(session)
        if known is None or known[1].instance != self._instance:
            return
        _, told = known
        self._unsaid.pop(f"{workflow_id} {session}", None)
        gone = PresenceTold(told.instance, workflow_id, told.project_id, session, told.user_id, left=True)
        self._signals.publish(topics.UI_EVENTS, gone)
        self._drop(told)

    def hear(self, signal: Signal) -> None:
        """What another instance says; our own words come back too."""
        if not isinstance(signal, PresenceTold | PresenceAsked) or signal.instance == self._instance:
            return
        if isinstance(signal, PresenceTold):
            self._drop(signal) if signal.left else self._put(signal)
            return
        for _, told in self._rooms.get(signal.workflow_id, {}).values():
            if told.instance == self._instance:
                self._signals.publish(topics.UI_EVENTS, told)

    async def workflow_event(self, envelope: Envelope) -> None:
        """A deleted workflow has nobody."""
        if isinstance(envelope.body, WorkflowDeleted):
            self._rooms.pop(envelope.body.workflow_id, None)
            self._changed.pop(envelope.body.workflow_id, None)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()

    def sweep(self) -> None:
        """Those who have been silent for too long are gone."""
        now = self._clock()
        silent = [told for room in self._rooms.values() for until, told in room.values() if until < now]
        for told in silent:
            self._drop(told)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @property
    def empty(self) -> bool:
        return not self._rooms

    def _put(self, told: PresenceTold) -> None:
        room = self._rooms.setdefault(told.workflow_id, {})
        before = room.get(told.session)
        room[told.session] = (self._clock() + PRESENT_SECONDS, told)
        if before is None or before[1] != told:
            self._changed[told.workflow_id] = told.project_id
            self._soon()

    def _drop(self, told: PresenceTold) -> None:
        room = self._rooms.get(told.workflow_id, {})
        if room.pop(told.session, None) is None:
            return
        if not room:
            del self._rooms[told.workflow_id]
        self._changed[told.workflow_id] = told.project_id
        self._soon()

    def _soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        unsaid, self._unsaid = self._unsaid, {}
        for told in unsaid.values():
            self._signals.publish(topics.UI_EVENTS, told)
        changed, self._changed = self._changed, {}
        for workflow_id, project_id in changed.items():
            self._tell(
                workflow_id,
                project_id,
                _people(told for _, told in self._rooms.get(workflow_id, {}).values()),
            )


def _people(room: Iterable[PresenceTold]) -> list[dict[str, Any]]:
    found = [
        {"session": told.session, "user_id": told.user_id, "name": told.name, "node": told.node}
        for told in room
    ]
    return found[:MOST_TOLD]

"""What the owner of executions asks of the outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from weft_contracts.messages import Envelope, RetryExecution, StartExecution
from weft_engine.graph import Graph

from weft_orchestrator.domain.live import Key, Live
from weft_orchestrator.domain.records import NodeRow, Wake
from weft_orchestrator.domain.shard import Positions


class FencedError(Exception):
    """A shard of the group has another owner now. Nothing was written."""


class ExistingError(Exception):
    """An execution of the group that we took for new exists already. Nothing was written."""

    def __init__(self, execution_ids: frozenset[str]) -> None:
        super().__init__(f"{len(execution_ids)} executions exist already")
        self.execution_ids = execution_ids


class UnstorableError(Exception):
    """The database refuses what these executions hold, whenever it is asked. Nothing was written."""

    def __init__(self, execution_ids: frozenset[str]) -> None:
        super().__init__(f"{len(execution_ids)} executions can't be stored")
        self.execution_ids = execution_ids


@dataclass(slots=True)
class Entry:
    """What one execution adds to a group: its row as it is now and the node runs that changed."""

    live: Live
    new: bool
    seq: int
    status: str
    due_at: int | None
    rows: list[NodeRow]
    wakes: list[tuple[Key, Wake]]


@dataclass(slots=True)
class Group:
    """One commit. `fences`: shard to (epoch, positions)."""

    fences: dict[int, tuple[int, Positions]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    outbox: list[tuple[str, Envelope, int | None]] = field(default_factory=list)


class Commits(Protocol):
    async def commit(self, group: Group) -> None:
        """All of it or nothing. Raises FencedError, ExistingError, UnstorableError, UNAVAILABLE (and then it may have
        been written; the same group may be given again)."""


class Executions(Protocol):
    async def load(self, execution_id: str, versions: "Versions") -> Live | None:
        """The execution as it is stored; None where there is none or it is over. Raises UNAVAILABLE, and whatever
        shows that what is stored does not fit together."""

    async def bare(self, execution_id: str) -> Live | None:
        """The same without its workflow and its state: good only to be stopped."""

    async def unfinished(self, shards: Sequence[int]) -> list[str]:
        """Ids of executions that are queued or running."""

    async def retry(self, command: RetryExecution) -> StartExecution:
        """The start that repeats an ended execution. Raises NOT_FOUND, CONFLICT where it has not ended."""

    async def due(self, shards: Sequence[int], until: int) -> list[tuple[int, str]]:
        """When, and which executions are to be looked at, by then."""

    async def to_follow_up(self, shards: Sequence[int]) -> list[str]: ...

    async def reply(self, execution_id: str) -> bytes | None:
        """The stored or derived answer for a waiting caller (wire form), None while there is none."""


class Shards(Protocol):
    async def claim_all(self, instance: str) -> Mapping[int, tuple[int, Positions]]:
        """Every shard, whoever held it: shard to epoch and positions."""

    async def renew(self, instance: str, seconds: float) -> int:
        """Renews our membership and leases; how many members there are. Raises UNAVAILABLE."""

    async def claim(
        self, instance: str, count: int, seconds: float
    ) -> Mapping[int, tuple[int, Positions]]: ...

    async def held(self, instance: str) -> set[int]: ...

    async def release(self, instance: str, shards: Sequence[int]) -> None: ...

    async def leave(self, instance: str) -> None: ...

    async def prepare(self) -> None:
        """Makes the partitions of the days to come."""


class Versions(Protocol):
    def cached(self, version_id: str) -> Graph | None: ...

    async def graph(self, version_id: str) -> Graph:
        """Raises NOT_FOUND, UNAVAILABLE."""

"""What servers of files have in common, whatever they speak."""

import stat
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from weft_node_sdk.context import NodeRunError

from weft_nodes.ssh_ import remote_paths

MAX_ENTRIES: Final = 100_000


@dataclass(frozen=True)
class Entry:
    """Of a folder. `kind`: as in a long listing, `-`, `d`, `l`. `about`: what a list's item says of it."""

    name: str
    kind: str
    about: dict[str, Any]


class Remote(remote_paths.Writable, Protocol):
    """A connection. All raise NodeRunError; one of `remote_paths.UNHARMED` where the next call may still work."""

    async def entries(self, path: str) -> list[Entry]:
        """Of a folder, without itself and its parent."""

    def read(self, path: str) -> AsyncGenerator[bytes, None]: ...

    async def write(self, path: str, chunks: AsyncIterable[bytes]) -> None: ...

    async def rename(self, old: str, new: str) -> None: ...

    async def remove(self, path: str) -> None: ...

    async def remove_folder(self, path: str) -> None: ...

    async def make_folder(self, path: str) -> None: ...


def rights(mode: int) -> dict[str, str]:
    """Of user, group and others: the letters of a long listing."""
    letters = stat.filemode(mode)[1:]
    return {
        who: letters[at : at + 3].replace("-", "") for who, at in (("user", 0), ("group", 3), ("other", 6))
    }


def moment(seconds: float) -> str:
    """As JSON has it, from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def listed(remote: Remote, folder: str, *, recursive: bool) -> list[tuple[str, Entry]]:
    """Entries with their paths, each folder's together, the upper ones first. Links are not followed. Raises
    NodeRunError for more than MAX_ENTRIES."""
    found: list[tuple[str, Entry]] = []
    folders = deque([folder])
    while folders:
        current = folders.popleft()
        for entry in await remote.entries(current):
            if "/" in entry.name or entry.name in {"", ".", ".."}:
                raise NodeRunError(f"The server lists a name that is none: '{entry.name}'", code="FILE_ERROR")
            path = f"{current.rstrip('/')}/{entry.name}"
            found.append((path, entry))
            if recursive and entry.kind == "d":
                folders.append(path)
        if len(found) > MAX_ENTRIES:
            raise too_many(folder)
    return found


def too_many(folder: str) -> NodeRunError:
    return NodeRunError(f"'{folder}' holds more than {MAX_ENTRIES} entries", code="TOO_LARGE")


async def remove_tree(remote: Remote, folder: str) -> None:
    """A folder with all that is in it."""
    for path, entry in reversed(await listed(remote, folder, recursive=True)):
        await (remote.remove_folder(path) if entry.kind == "d" else remote.remove(path))
    await remote.remove_folder(folder)

"""Paths of another machine."""

from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Final, Protocol

from weft_node_sdk.context import NodeRunError

UNHARMED: Final = frozenset({"FILE_NOT_FOUND", "FILE_ERROR", "FILE_REFUSED"})
"""Codes of errors after which a connection is as good as before."""


class Folders(Protocol):
    async def make_folder(self, path: str) -> None: ...


class Writable(Folders, Protocol):
    async def write(self, path: str, chunks: AsyncIterable[bytes]) -> None: ...


def checked(path: str) -> str:
    """Raises NodeRunError for a path that can't be one."""
    if not path.strip() or any(sign in path for sign in "\0\r\n"):
        raise NodeRunError("A remote path is missing or holds a line break", code="FILE_REFUSED")
    return path


def from_home(path: str) -> str:
    """A path that may begin with `~`: SFTP begins in the user's home by itself."""
    path = checked(path)
    if path == "~":
        return "."
    return path[2:].lstrip("/") or "." if path.startswith("~/") else path


def name_of(path: str) -> str:
    """The last step of a path, of any system; empty where that is no name."""
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "" if name in {".", ".."} else name


def joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{checked(name)}" if folder not in {"", "."} else checked(name)


async def write(remote: Writable, path: str, chunks: Callable[[], AsyncIterable[bytes]]) -> None:
    """Writes a file, and makes its folders where it can't be written at once. `chunks`: its bytes from the start."""
    try:
        await remote.write(path, chunks())
    except NodeRunError as error:
        if error.code not in UNHARMED:
            raise
        await make_parents(remote, path)
        await remote.write(path, chunks())


async def make_parents(remote: Folders, path: str) -> None:
    """Makes the folders that a path needs. What fails here (they are there) shows when the path is used."""
    parents = [str(each) for each in PurePosixPath(path).parents][:-1]
    for parent in reversed(parents):
        with suppress(NodeRunError):
            await remote.make_folder(parent)

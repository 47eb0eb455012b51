"""Large payloads and files, by reference (claim check).

A key is `group/name`. The group is the execution that the blob belongs to: it is removed as a whole.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import IO, Any, Final, NamedTuple, Protocol

CLAIM_CHECK_BYTES = 256 * 1024
"""A payload with more encoded bytes than this travels as a reference."""
FILES: Final = "/files/"
"""Between the group and the name of a file of an item. Only such keys are read for whoever shows one: their
names can't be guessed, so that who knows one was given it."""


def is_file(key: str) -> bool:
    """Whether it is the key of an item's file, and not of a payload."""
    group, found, name = key.partition(FILES)
    return bool(found and group and name) and "/" not in group + name


class Rewrapped(NamedTuple):
    """How many blobs have their key under today's master key now, and how many can't have it."""

    changed: int
    left: int

    def __add__(self, other: Any) -> "Rewrapped":
        return Rewrapped(self.changed + other.changed, self.left + other.left)


class BlobWriter(Protocol):
    """A blob that is being written. One of the two methods ends it; what a crash leaves goes with its group."""

    @property
    def file(self) -> IO[bytes]:
        """Seekable; it blocks, so use it in a thread."""

    async def commit(self) -> None:
        """Returns when the blob is on disk; a row may name it from then on."""

    async def discard(self) -> None:
        """Also after `commit`, where it does nothing."""


class BlobStore(Protocol):
    async def put(self, key: str, data: bytes) -> None:
        """Returns when the blob is on disk (fsync); a row may name it from then on."""

    async def get(self, key: str) -> bytes:
        """Raises WeftError NOT_FOUND."""

    def open(self, key: str) -> AbstractAsyncContextManager[IO[bytes]]:
        """A blob as a seekable file, which blocks. Raises WeftError NOT_FOUND."""

    async def create(self, key: str) -> BlobWriter: ...

    async def delete(self, key: str) -> None: ...

    async def delete_group(self, group: str) -> None:
        """All blobs whose keys begin with `group/`."""

    async def rewrap(self) -> "Rewrapped":
        """Seals the key of each blob that is under another master key with the one of today. Whoever reads, writes or
        removes meanwhile is not hindered. Raises INTERNAL where a blob is under a key that nobody gave."""

    async def retain_files(self, group: str, keys: Collection[str]) -> None:
        """Removes the group's files that are not among these, and what was never completed. Nobody may be writing."""

    def groups(self, before: float, since: float = 0.0) -> AsyncIterator[Sequence[str]]:
        """Groups named by an id to which something was last added between these times (Unix seconds), some of them at a
        time."""

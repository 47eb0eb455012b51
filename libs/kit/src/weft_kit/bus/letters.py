"""Dead letters: messages that could not be handled, kept until somebody replays or removes them.

Of the in-process bus each is a file, so that it outlives the process: `<folder>/<topic>/<id>` holds the error's length
(4 bytes, big-endian), the error, the envelope on the wire. `<id>.again` is one that the running bus, or the next, is to
take in again.
"""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import derived_id, id_milliseconds, new_id, shard_of
from weft_contracts.messages import Envelope, StartExecution
from weft_contracts.wire import decode, encode

from weft_kit.folders import make_private, sync

_LENGTH = struct.Struct(">I")
_AGAIN: Final = ".again"
_NEW: Final = ".new"


@dataclass(frozen=True)
class Letter:
    """`topic`: where the message came from. `envelope` None: its bytes can't be read."""

    id: str
    topic: str
    error: str
    envelope: Envelope | None


class DeadLetters(Protocol):
    """What a person does with them."""

    def all(self) -> AsyncIterator[Letter]:
        """Oldest first within a topic."""

    async def replay(self, letter: Letter) -> Envelope:
        """Has its message handled once more, at least once, and forgets the letter; the message that is sent. Raises
        CONFLICT where that would be in vain."""

    async def remove(self, letter: Letter) -> None: ...


async def find(letters: DeadLetters, letter_id: str) -> Letter:
    """Raises NOT_FOUND."""
    async for letter in letters.all():
        if letter.id == letter_id:
            return letter
    raise WeftError(ErrorCode.NOT_FOUND, f"There is no dead letter {letter_id}.")


def again(letter: Letter) -> Envelope:
    """What a replay sends. The execution of a start has ended with the letter, so it starts another one, the same
    however often it is asked for. Raises CONFLICT."""
    if letter.envelope is None:
        message = f"The letter {letter.id} can't be read by this version, and so not be replayed."
        raise WeftError(ErrorCode.CONFLICT, message)
    if letter.topic in _FLEETING:
        message = (
            f"The letter {letter.id} was for one runner, and was sent again without it; it can be removed."
        )
        raise WeftError(ErrorCode.CONFLICT, message)
    body = letter.envelope.body
    if not isinstance(body, StartExecution):
        return letter.envelope
    execution_id = derived_id(id_milliseconds(letter.id), "replay", letter.id)
    body = msgspec.structs.replace(body, execution_id=execution_id, reply_to="")
    return msgspec.structs.replace(letter.envelope, id=new_id(), body=body, key=execution_id)


def partition_of(topic: str, envelope: Envelope) -> int | None:
    return shard_of(envelope.key) if topic in topics.SHARDED else None


_FLEETING: Final = {topics.RUNNER_CONTROL, *(topics.node_tasks(pool) for pool in topics.POOLS)}


class Letters:
    """Implements DeadLetters. `folder` None: in memory only."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._memory: dict[str, Letter] = {}

    def add(self, topic: str, envelope: Envelope, error: str) -> str:
        """Returns the letter's id once it is on disk."""
        letter = Letter(new_id(), topic, error, envelope)
        if self.folder is None:
            self._memory[letter.id] = letter
        else:
            path = self.folder / topic / letter.id
            make_private(path.parent)
            _write(path, envelope, error)
        return letter.id

    async def all(self) -> AsyncIterator[Letter]:
        if self.folder is None:
            for letter in list(self._memory.values()):
                yield letter
            return
        for path in await asyncio.to_thread(self._paths, ""):
            found = await asyncio.to_thread(_read, path)
            if found is not None:
                yield found

    async def replay(self, letter: Letter) -> Envelope:
        """By the bus that runs on the folder, or the next one."""
        if self.folder is None:
            raise WeftError(ErrorCode.CONFLICT, "Letters in memory can't be replayed.")
        envelope = again(letter)
        path = (self.folder / letter.topic / letter.id).with_suffix(_AGAIN)
        await asyncio.to_thread(_write, path, envelope, letter.error)
        await self.remove(letter)
        return envelope

    async def remove(self, letter: Letter) -> None:
        if self.folder is None:
            self._memory.pop(letter.id, None)
        else:
            await asyncio.to_thread((self.folder / letter.topic / letter.id).unlink, missing_ok=True)

    def to_replay(self) -> Iterator[tuple[Path, Letter]]:
        """What `replay` has asked for; whoever has taken it in unlinks the file."""
        for path in self._paths(_AGAIN):
            if (letter := _read(path)) is not None:
                yield path, letter

    def _paths(self, suffix: str) -> list[Path]:
        found = () if self.folder is None else self.folder.glob("*/*")
        return sorted(path for path in found if path.suffix == suffix)


def _write(path: Path, envelope: Envelope, error: str) -> None:
    text, scratch = error.encode(errors="replace"), path.with_suffix(_NEW)
    with scratch.open("wb") as file:
        file.write(_LENGTH.pack(len(text)) + text + encode(envelope))
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(path)
    sync(path.parent)


def _read(path: Path) -> Letter | None:
    """None: it has been removed meanwhile."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    (length,) = _LENGTH.unpack_from(data)
    start = _LENGTH.size + length
    text = data[_LENGTH.size : start].decode(errors="replace")
    return Letter(path.stem, path.parent.name, text, read_back(data[start:]))


def read_back(data: bytes) -> Envelope | None:
    """None where this version can't."""
    try:
        return decode(data)
    except Exception:  # noqa: BLE001 - whatever its bytes do
        return None

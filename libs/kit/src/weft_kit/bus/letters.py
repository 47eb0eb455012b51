"""Dead letters of the in-process bus: one file a letter, so that they outlive the process.

A file `<folder>/<topic>/<id>` holds the error's length (4 bytes, big-endian), the error, the envelope on the wire.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import id_milliseconds, new_id
from weft_contracts.messages import Envelope
from weft_contracts.wire import decode, encode

_LENGTH = struct.Struct(">I")


class LetterHead(NamedTuple):
    """What people are told of a letter. `at`: when it was put away, in Unix milliseconds; `type`: the message's,
    without its version; empty where it could not be read."""

    id: str
    topic: str
    key: str
    type: str
    error: str
    at: int


@dataclass(frozen=True)
class Letter:
    id: str
    topic: str
    error: str
    envelope: Envelope

    @property
    def head(self) -> LetterHead:
        kind = str(type(self.envelope.body).__struct_config__.tag).rpartition(".")[0]
        return LetterHead(self.id, self.topic, self.envelope.key, kind, self.error, id_milliseconds(self.id))


class Letters:
    """`folder` None: in memory only."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._memory: dict[str, Letter] = {}

    def add(self, topic: str, envelope: Envelope, error: str) -> str:
        """Returns the letter's id once it is on disk."""
        letter = Letter(new_id(), topic, error, envelope)
        if self.folder is None:
            self._memory[letter.id] = letter
            return letter.id
        path = self.folder / topic / letter.id
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = error.encode()
        scratch = path.with_suffix(".new")
        with scratch.open("wb") as file:
            file.write(_LENGTH.pack(len(text)) + text + encode(envelope))
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
        return letter.id

    def all(self) -> Iterator[Letter]:
        """Oldest first within a topic."""
        if self.folder is None:
            yield from self._memory.values()
            return
        for path in sorted(self.folder.glob("*/*")):
            if path.suffix != ".new":
                yield self._read(path)

    def get(self, letter_id: str) -> Letter:
        """Raises NOT_FOUND."""
        for letter in self.all():
            if letter.id == letter_id:
                return letter
        raise WeftError(ErrorCode.NOT_FOUND, f"There is no dead letter {letter_id}.")

    def remove(self, letter: Letter) -> None:
        """After a replay."""
        if self.folder is None:
            self._memory.pop(letter.id, None)
        else:
            (self.folder / letter.topic / letter.id).unlink(missing_ok=True)

    def _read(self, path: Path) -> Letter:
        data = path.read_bytes()
        (length,) = _LENGTH.unpack_from(data)
        start = _LENGTH.size + length
        return Letter(path.name, path.parent.name, data[_LENGTH.size : start].decode(), decode(data[start:]))

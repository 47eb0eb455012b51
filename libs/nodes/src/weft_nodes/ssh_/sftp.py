"""SFTP, version 3 of the protocol (draft-ietf-secsh-filexfer-02), over the pipes of a child that speaks SSH."""

import asyncio
import stat
import struct
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from weft_node_sdk.context import NodeRunError

from weft_nodes.ssh_ import process
from weft_nodes.ssh_.client import Client

PART: Final = 32 * 1024
"""Bytes of one read or write; what every server takes."""
AHEAD: Final = 16
"""Requests under way at once."""
MAX_ENTRIES: Final = 100_000
_MAX_PACKET: Final = 1024 * 1024
_MAX_EARLY: Final = 256
_MAX_LISTING: Final = 64 * 1024 * 1024
_INIT, _VERSION, _OPEN, _CLOSE, _READ, _WRITE = 1, 2, 3, 4, 5, 6
_OPENDIR, _READDIR, _REMOVE, _MKDIR, _RMDIR, _RENAME = 11, 12, 13, 14, 15, 18
_STATUS, _HANDLE, _DATA, _NAME = 101, 102, 103, 104
_FOR_READING, _FOR_WRITING = 0x01, 0x02 | 0x08 | 0x10
_OK, _EOF, _NO_SUCH_FILE, _DENIED, _FAILURE = 0, 1, 2, 3, 4
_TEXTS: Final = {
    _NO_SUCH_FILE: "No such file",
    _DENIED: "Permission denied",
    _FAILURE: "The server could not do it",
    8: "The server does not support it",
}


@dataclass(frozen=True)
class Attributes:
    """Of a file; None what the server does not say. Times in seconds since the epoch."""

    size: int | None = None
    owner: int | None = None
    group: int | None = None
    mode: int | None = None
    accessed: int | None = None
    modified: int | None = None

    @property
    def kind(self) -> str:
        """One sign, as in a long listing: `-`, `d`, `l`, …"""
        return stat.filemode(self.mode or stat.S_IFREG)[0]


@dataclass(frozen=True)
class Named:
    name: str
    long_name: str
    attributes: Attributes


class _Answer:
    """A packet that is read from its start. Raises NodeRunError where it ends early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.size = len(data)

    def number(self, form: str = ">I") -> int:
        size = struct.calcsize(form)
        found: int = struct.unpack(form, self._take(size))[0]
        return found

    def string(self) -> bytes:
        return self._take(self.number())

    def text(self) -> str:
        """What is not UTF-8 survives the way back to the server."""
        return self.string().decode("utf-8", "surrogateescape")

    def attributes(self) -> Attributes:
        flags = self.number()
        size = self.number(">Q") if flags & 1 else None
        owner, group = (self.number(), self.number()) if flags & 2 else (None, None)
        mode = self.number() if flags & 4 else None
        accessed, modified = (self.number(), self.number()) if flags & 8 else (None, None)
        if flags & 0x80000000:
            for _ in range(self.number()):
                self.string()
                self.string()
        return Attributes(size, owner, group, mode, accessed, modified)

    def _take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise NodeRunError("The SFTP server's answer is cut off", code="PROTOCOL_ERROR")
        self._at += size
        return part


def _string(value: bytes | str) -> bytes:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return struct.pack(">I", len(value)) + value


class Sftp:
    """Calls of one connection, one at a time. `seconds`: for an answer to come. All raise NodeRunError."""

    def __init__(self, child: asyncio.subprocess.Process, client: Client, seconds: float) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._writer, self._reader = child.stdin, child.stdout
        self._child = child
        self._client = client
        self._seconds = seconds
        self._last = 0
        self._early: dict[int, tuple[int, _Answer]] = {}

    async def greet(self) -> None:
        await self._write(struct.pack(">IBI", 5, _INIT, 3))
        kind, _ = await self._packet()
        if kind != _VERSION:
            raise NodeRunError("The server does not speak SFTP", code="PROTOCOL_ERROR")

    async def entries(self, path: str) -> list[Named]:
        """A folder's, without itself and its parent."""
        handle = await self._handle(_OPENDIR, path, _string(path))
        found: list[Named] = []
        size = 0
        try:
            while True:
                kind, answer = await self._answer(await self._send(_READDIR, _string(handle)))
                size += answer.size
                if kind == _STATUS and self._status(answer, path) == _EOF:
                    return found
                for _ in range(answer.number()):
                    each = Named(answer.text(), answer.text(), answer.attributes())
                    if each.name not in {".", ".."}:
                        found.append(each)
                if len(found) > MAX_ENTRIES or size > _MAX_LISTING:
                    raise NodeRunError(f"'{path}' holds more than {MAX_ENTRIES} entries", code="TOO_LARGE")
        finally:
            await self._settle(handle)

    async def read(self, path: str, *, ahead: int = AHEAD, part: int = PART) -> AsyncGenerator[bytes, None]:
        """A file's bytes in order. `ahead` reads of `part` bytes are under way at once."""
        handle = await self._handle(_OPEN, path, _string(path), struct.pack(">II", _FOR_READING, 0))
        waiting: deque[tuple[int, int, int]] = deque()
        end, ended = 0, False

        async def ask(offset: int, size: int) -> tuple[int, int, int]:
            return offset, size, await self._send(_READ, _string(handle), struct.pack(">QI", offset, size))

        try:
            while waiting or not ended:
                while len(waiting) < ahead and not ended:
                    waiting.append(await ask(end, part))
                    end += part
                offset, size, number = waiting.popleft()
                kind, answer = await self._answer(number)
                data = b"" if kind == _STATUS and self._status(answer, path) == _EOF else answer.string()
                ended = ended or not data
                if ended:
                    continue
                if len(data) < size:
                    waiting.appendleft(await ask(offset + len(data), size - len(data)))
                yield data
        finally:
            await self._settle(handle, (number for _, _, number in waiting))

    async def write(self, path: str, chunks: AsyncIterable[bytes]) -> None:
        """A file, anew."""
        handle = await self._handle(_OPEN, path, _string(path), struct.pack(">II", _FOR_WRITING, 0))
        waiting: deque[int] = deque()
        offset = 0
        try:
            async for chunk in chunks:
                for at in range(0, len(chunk), PART):
                    piece = chunk[at : at + PART]
                    place = struct.pack(">Q", offset)
                    waiting.append(await self._send(_WRITE, _string(handle), place, _string(piece)))
                    offset += len(piece)
                    if len(waiting) >= AHEAD:
                        await self._done(waiting.popleft(), path)
            while waiting:
                await self._done(waiting.popleft(), path)
        finally:
            await self._settle(handle, waiting)

    async def rename(self, old: str, new: str) -> None:
        await self._done(await self._send(_RENAME, _string(old), _string(new)), old)

    async def remove(self, path: str) -> None:
        await self._done(await self._send(_REMOVE, _string(path)), path)

    async def remove_folder(self, path: str) -> None:
        await self._done(await self._send(_RMDIR, _string(path)), path)

    async def make_folder(self, path: str) -> None:
        await self._done(await self._send(_MKDIR, _string(path), struct.pack(">I", 0)), path)

    async def _handle(self, kind: int, path: str, *parts: bytes) -> bytes:
        found, answer = await self._answer(await self._send(kind, *parts))
        if found != _HANDLE:
            self._status(answer, path)
            raise NodeRunError("The SFTP server opens nothing", code="PROTOCOL_ERROR")
        return answer.string()

    async def _settle(self, handle: bytes, waiting: Iterable[int] = ()) -> None:
        """Takes the answers that nobody wants any more and closes the handle."""
        with suppress(NodeRunError):
            for number in waiting:
                await self._answer(number)
            await self._answer(await self._send(_CLOSE, _string(handle)))

    async def _done(self, number: int, path: str) -> None:
        _, answer = await self._answer(number)
        self._status(answer, path)

    @staticmethod
    def _status(answer: _Answer, path: str) -> int:
        """0, or EOF's number. Raises NodeRunError for a failure."""
        code = answer.number()
        if code in {_OK, _EOF}:
            return code
        text = _TEXTS.get(code) or answer.text() or f"The server answers with failure {code}"
        missing = "FILE_NOT_FOUND" if code == _NO_SUCH_FILE else "FILE_ERROR"
        raise NodeRunError(f"{text}: '{path}'", code=missing)

    async def _send(self, kind: int, *parts: bytes) -> int:
        """The number of a request that is on its way."""
        self._last = (self._last + 1) & 0xFFFFFFFF
        body = b"".join(parts)
        await self._write(struct.pack(">IBI", len(body) + 5, kind, self._last) + body)
        return self._last

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._in_time(self._writer.drain())

    async def _answer(self, number: int) -> tuple[int, _Answer]:
        while number not in self._early:
            kind, answer = await self._packet()
            self._early[answer.number()] = kind, answer
            if len(self._early) > _MAX_EARLY:
                raise NodeRunError("The SFTP server answers what nobody asked", code="PROTOCOL_ERROR")
        return self._early.pop(number)

    async def _packet(self) -> tuple[int, _Answer]:
        head = await self._in_time(self._reader.readexactly(5))
        size, kind = struct.unpack(">IB", head)
        if not 1 <= size <= _MAX_PACKET:
            raise NodeRunError("The server does not speak SFTP", code="PROTOCOL_ERROR")
        return kind, _Answer(await self._in_time(self._reader.readexactly(size - 1)))

    async def _in_time(self, work: Any) -> Any:
        try:
            return await asyncio.wait_for(work, self._seconds)
        except TimeoutError:
            await process.end(self._child)  # in the middle of an answer, perhaps
            raise NodeRunError(
                f"The server did not answer in {self._seconds:g} seconds", code="TIMEOUT"
            ) from None
        except (asyncio.IncompleteReadError, OSError):
            await process.end(self._child)
            ended = NodeRunError("The server has ended the connection", code="CONNECTION_ERROR")
            raise self._client.failure() or ended from None


@asynccontextmanager
async def connected(client: Client, *, seconds: float) -> AsyncIterator[Sftp]:
    """`seconds`: for an answer to come."""
    pipe = asyncio.subprocess.PIPE
    child = await process.start(
        client.subsystem("sftp"), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=client.env
    )
    try:
        sftp = Sftp(child, client, seconds)
        await sftp.greet()
        yield sftp
    finally:
        await process.end(child)

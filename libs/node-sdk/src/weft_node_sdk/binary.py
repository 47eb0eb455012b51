"""Files of items, as streams: no file is ever whole in memory unless a node asks for that.

Small files lie in the item itself, larger ones in the blob store, where they are written in chunks and durable
before anybody is told of them. To read one in chunks, or by a library that wants a file:

    async with ctx.open_binary(index, "data") as reader:
        async for chunk in reader: ...
        # or: await asyncio.to_thread(library, reader.file)

To make one:

    entry = await ctx.write_binary(chunks, mime_type="text/csv", file_name="a.csv")

    async with ctx.create_binary() as writer:
        await writer.write(chunk)
        # or: await asyncio.to_thread(library, await writer.open_file())
        entry = await writer.store(mime_type="text/csv", file_name="a.csv")

`entry` is what `item["binary"][name]` holds: what `described` (file_kinds.py) says, and either `id` or, in base64,
`data`.
"""

import asyncio
import io
from abc import abstractmethod
from base64 import b64decode, b64encode
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import IO, Any, Final, Protocol

from weft_node_sdk.context import Item, NodeRunError
from weft_node_sdk.file_kinds import described

CHUNK_BYTES: Final = 256 * 1024
"""Of a file that is read or written, so much is in memory at a time."""
INLINE_BYTES: Final = 4096
"""A file of no more bytes lies in its item."""
INLINE_BUDGET: Final = 64 * 1024
"""So many bytes of files lie in the items of one node run; the rest are stored, however small."""
WHOLE_BYTES: Final = 64 * 1024 * 1024
"""The largest file that a node gets as one piece."""
FILE_BYTES: Final = 4 * 1024 * 1024 * 1024
"""The largest file, unless the installation says otherwise."""


class StoredFile(Protocol):
    """A file of the blob store that is being written."""

    @property
    def file(self) -> IO[bytes]: ...

    async def commit(self) -> None: ...

    async def discard(self) -> None: ...


class FileStore(Protocol):
    """Where new files go."""

    async def new_file(self) -> tuple[str, StoredFile]:
        """A file to write, and the id by which it will be found."""

    async def keep_file(self, data: bytes) -> str:
        """Keeps a small file at once and gives its id."""


class BinaryReader:
    """A file of an item. Iterating begins at its start, each time. `file`: seekable, for libraries; it blocks, so use
    it in a thread."""

    def __init__(self, file: IO[bytes], entry: Mapping[str, Any]) -> None:
        self.file = file
        self.entry = entry
        self._direct = isinstance(file, io.BytesIO)
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)

    @property
    def mime_type(self) -> str:
        return str(self.entry.get("mimeType") or "application/octet-stream")

    @property
    def file_name(self) -> str:
        return str(self.entry.get("fileName") or "")

    async def read(self, size: int = -1) -> bytes:
        """The next bytes, all that are left where `size` is negative; empty at the end."""
        return self.file.read(size) if self._direct else await asyncio.to_thread(self.file.read, size)

    async def whole(self, most: int = WHOLE_BYTES) -> bytes:
        """All of it. Raises NodeRunError TOO_LARGE."""
        if self.size > most:
            name = self.file_name or "without a name"
            raise NodeRunError(
                f"The file '{name}' has {self.size} bytes; here it is needed as a whole, and no more than {most} "
                "bytes are read so",
                code="TOO_LARGE",
            )
        self.file.seek(0)
        return await self.read()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.file.seek(0)
        while chunk := await self.read(CHUNK_BYTES):
            yield chunk


class BinaryWriter:
    """A file that is being made. What is not stored when its block ends is dropped."""

    def __init__(self, store: FileStore, fits: Callable[[int], bool], most: int) -> None:
        """`fits(size)`: whether a file may lie in its item; asked once."""
        self._store = store
        self._fits = fits
        self._most = most
        self._held = bytearray()
        self._stored: tuple[str, StoredFile] | None = None
        self.size = 0
        self.head = b""
        """The first bytes that were written, to tell the file's type by."""

    async def write(self, data: bytes) -> None:
        """Raises NodeRunError TOO_LARGE."""
        if not self.size:
            self.head = bytes(data[:INLINE_BYTES])
        self.size += len(data)
        self._check(self.size)
        self._held += data
        if len(self._held) >= CHUNK_BYTES:
            await self._flush()

    async def open_file(self) -> IO[bytes]:
        """The file itself, seekable, for libraries; it blocks, so use it in a thread. Nothing may be written by `write`
        from then on."""
        return await self._flush()

    async def _flush(self) -> IO[bytes]:
        if self._stored is None:
            self._stored = await self._store.new_file()
        file = self._stored[1].file
        if self._held:
            held, self._held = self._held, bytearray()
            await asyncio.to_thread(file.write, held)
        return file

    async def store(self, *, mime_type: str, file_name: str = "") -> dict[str, Any]:
        """The entry for `item["binary"][name]`; the file is durable then. Raises NodeRunError TOO_LARGE."""
        if self._stored is None:
            entry = described(mime_type, file_name, self.size)
            if self._fits(self.size):
                return {**entry, "data": b64encode(self._held).decode()}
            return {"id": await self._store.keep_file(bytes(self._held)), **entry}
        file = await self._flush()
        self.size = await asyncio.to_thread(file.seek, 0, io.SEEK_END)
        self._check(self.size)
        key, stored = self._stored
        await stored.commit()
        return {"id": key, **described(mime_type, file_name, self.size)}

    async def discard(self) -> None:
        if self._stored is not None:
            await self._stored[1].discard()

    def _check(self, size: int) -> None:
        if size > self._most:
            raise NodeRunError(
                f"The file is larger than {self._most} bytes",
                description="The installation sets the limit: WEFT_FILE_MAX_BYTES.",
                code="TOO_LARGE",
            )


class BinaryCalls:
    """The calls about files in RunContext."""

    most_bytes: int = FILE_BYTES
    _inline_left: int = INLINE_BUDGET

    @property
    @abstractmethod
    def items(self) -> list[Item]: ...

    @abstractmethod
    def stored_file(self, key: str) -> AbstractAsyncContextManager[IO[bytes]]:
        """A file of the blob store, seekable. Raises NodeRunError where it is gone."""

    @abstractmethod
    async def new_file(self) -> tuple[str, StoredFile]:
        """As FileStore has it."""

    @abstractmethod
    async def keep_file(self, data: bytes) -> str:
        """As FileStore has it."""

    @asynccontextmanager
    async def open_binary(self, item_index: int, name: str) -> AsyncIterator[BinaryReader]:
        item = self.items[item_index] if item_index < len(self.items) else {}
        entry = (item.get("binary") or {}).get(name)
        if not isinstance(entry, Mapping):
            held = ", ".join(item.get("binary") or {}) or "none"
            raise NodeRunError(
                f"The item has no file '{name}'", description=f"Its files: {held}.", item_index=item_index
            )
        if entry.get("id"):
            async with self.stored_file(str(entry["id"])) as file:
                yield BinaryReader(file, entry)
        else:
            try:
                data = b64decode(str(entry.get("data", "")))
            except ValueError:
                raise NodeRunError(f"The file '{name}' is no base64", item_index=item_index) from None
            yield BinaryReader(io.BytesIO(data), entry)

    @asynccontextmanager
    async def create_binary(self) -> AsyncIterator[BinaryWriter]:
        writer = BinaryWriter(self, self._fits, self.most_bytes)
        try:
            yield writer
        finally:
            await writer.discard()

    def _fits(self, size: int) -> bool:
        fits = size <= min(INLINE_BYTES, self._inline_left)
        self._inline_left -= size if fits else 0
        return fits

    async def write_binary(
        self, chunks: AsyncIterable[bytes], *, mime_type: str, file_name: str = ""
    ) -> dict[str, Any]:
        async with self.create_binary() as writer:
            async for chunk in chunks:
                await writer.write(chunk)
            return await writer.store(mime_type=mime_type, file_name=file_name)

    async def read_binary(self, item_index: int, name: str) -> bytes:
        async with self.open_binary(item_index, name) as reader:
            return await reader.whole()

    async def store_binary(self, data: bytes, *, mime_type: str, file_name: str = "") -> dict[str, Any]:
        async with self.create_binary() as writer:
            await writer.write(data)
            return await writer.store(mime_type=mime_type, file_name=file_name)

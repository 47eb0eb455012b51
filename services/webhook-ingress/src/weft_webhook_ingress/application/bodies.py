"""Bodies of calls: values are read, files go to the blob store as they come."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_kit.blobs import FILES, BlobStore, BlobWriter
from weft_node_sdk.binary import INLINE_BUDGET, INLINE_BYTES, BinaryWriter

from weft_webhook_ingress.domain.body import (
    FORM,
    NOTHING,
    FilePart,
    Form,
    TooLargeError,
    is_text,
    is_xml,
    kind_of,
    names_of,
    parse_text,
)

_APART_BYTES: Final = 64 * 1024


class Body(NamedTuple):
    """The JSON text of `body`, and the entries of `binary`."""

    json: bytes
    files: dict[str, dict[str, Any]]


class Bodies:
    """`max_bytes`: of every body but forms with files and what the webhook asks for as a file, which may have
    `max_upload_bytes`."""

    def __init__(self, blobs: BlobStore, max_bytes: int, max_upload_bytes: int) -> None:
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._max_upload_bytes = max(max_bytes, max_upload_bytes)

    def limit(self, content_type: str, *, raw: bool = False) -> int:
        """Bytes. Nobody's webhook takes large files that it has not asked for."""
        return self._max_upload_bytes if raw or kind_of(content_type) == FORM else self._max_bytes

    async def read(
        self,
        chunks: AsyncIterable[bytes],
        content_type: str,
        execution_id: str,
        *,
        raw: bool = False,
        binary_name: str = "",
    ) -> Body:
        """`chunks` keep to `limit`. `raw`: the bytes as a file, too (and then nothing is refused). `binary_name`: the
        option "Field name for binary data". Raises UNPROCESSABLE with the place for what is not what its content type
        says, UNAVAILABLE where a file can't be kept, TooLargeError."""
        kind = kind_of(content_type)
        if is_text(kind) and not raw:
            return Body(await _parsed(b"".join([chunk async for chunk in chunks]), content_type), {})
        async with _files(self._blobs, execution_id, self._max_upload_bytes) as files:
            if kind == FORM and not raw:
                return await self._form(chunks, content_type, binary_name, files)
            return await self._whole(chunks, content_type, binary_name, files)

    async def _form(
        self, chunks: AsyncIterable[bytes], content_type: str, binary_name: str, files: "_Files"
    ) -> Body:
        form: Form | None = None
        async for chunk in chunks:
            if form is None and chunk:
                form = Form(content_type, self._max_bytes)
            for event in form.feed(chunk) if form else ():
                await files.take(event)
        if form is None:
            return Body(NOTHING, {})
        for event in form.finish():
            await files.take(event)
        names = names_of([name for name, _ in files.entries], binary_name)
        found = {name: entry for name, (_, entry) in zip(names, files.entries, strict=True)}
        return Body(orjson.dumps(form.fields), found)

    async def _whole(
        self, chunks: AsyncIterable[bytes], content_type: str, binary_name: str, files: "_Files"
    ) -> Body:
        kind = kind_of(content_type)
        kept: bytearray | None = bytearray() if is_text(kind) or kind == FORM else None
        began = False
        async for chunk in chunks:
            if chunk and not began:
                began = True
                await files.take(FilePart("data", "", kind))
            if chunk:
                await files.take(chunk)
            if kept is not None:
                kept += chunk
                if len(kept) > self._max_bytes:
                    kept = None
        if not began:
            return Body(NOTHING, {})
        await files.take(None)
        return Body(
            await _value(bytes(kept), content_type, self._max_bytes) if kept else NOTHING,
            {binary_name or "data": files.entries[0][1]},
        )


async def _parsed(data: bytes, content_type: str) -> bytes:
    """As `parse_text`; large XML, which takes up to a second, in a thread."""
    if is_xml(kind_of(content_type)) and len(data) > _APART_BYTES:
        return await asyncio.to_thread(parse_text, data, content_type)
    return parse_text(data, content_type)


async def _value(data: bytes, content_type: str, most: int) -> bytes:
    """What a body says that is kept as a file anyway."""
    try:
        if kind_of(content_type) != FORM:
            return await _parsed(data, content_type)
        form = Form(content_type, most)
        form.feed(data)
        form.finish()
        return orjson.dumps(form.fields)
    except (WeftError, TooLargeError):
        return NOTHING


class _Files:
    """`entries`: field name and entry of each file that is stored."""

    def __init__(self, blobs: BlobStore, execution_id: str, most: int) -> None:
        self.entries: list[tuple[str, dict[str, Any]]] = []
        self._blobs = blobs
        self._execution_id = execution_id
        self._most = most
        self._inline_left = INLINE_BUDGET
        self._part = FilePart("", "", "")
        self._writer: BinaryWriter | None = None

    async def take(self, event: FilePart | bytes | None) -> None:
        if isinstance(event, FilePart):
            self._part = event
            self._writer = BinaryWriter(self, self._fits, self._most)
            return
        assert self._writer is not None
        if event is not None:
            await self._writer.write(event)
            return
        part, writer = self._part, self._writer
        kind = part.mime_type or "application/octet-stream"
        self.entries.append((part.name, await writer.store(mime_type=kind, file_name=part.file_name)))
        self._writer = None

    async def drop(self) -> None:
        """The call is refused: nothing stays."""
        if self._writer is not None:
            await self._writer.discard()
        for _, entry in self.entries:
            if "id" in entry:
                await self._blobs.delete(entry["id"])

    async def new_file(self) -> tuple[str, BlobWriter]:
        key = self._new_key()
        return key, await self._blobs.create(key)

    async def keep_file(self, data: bytes) -> str:
        key = self._new_key()
        await self._blobs.put(key, data)
        return key

    def _new_key(self) -> str:
        return f"{self._execution_id}{FILES}{new_id()}"

    def _fits(self, size: int) -> bool:
        fits = size <= min(INLINE_BYTES, self._inline_left)
        self._inline_left -= size if fits else 0
        return fits


@asynccontextmanager
async def _files(blobs: BlobStore, execution_id: str, most: int) -> AsyncIterator[_Files]:
    files = _Files(blobs, execution_id, most)
    try:
        yield files
    except OSError as error:
        await files.drop()
        raise WeftError(ErrorCode.UNAVAILABLE, f"The file can't be kept: {error.strerror}.") from None
    except BaseException:
        await files.drop()
        raise

"""Blobs in a bucket of a service that speaks the S3 protocol."""

import asyncio
import io
import re
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.blobs import Rewrapped
from weft_kit.blobs.places import FILE_MARK, name_of, place_of
from weft_kit.blobs.sealing import HEADER_BYTES, Sealing, is_sealed
from weft_kit.folders import make_private
from weft_kit.settings import CoreSettings

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PART_BYTES: Final = 8 * 1024 * 1024
PARTS_AT_ONCE: Final = 4
"""Of one upload; so much of it is in memory."""
READ_BYTES: Final = 1024 * 1024
"""Got with one request where a file is read from one place on."""
TRY_SECONDS: Final = 20
"""After that the store is out of reach, and whoever needs it tries again later."""


def s3_of(settings: CoreSettings, sealing: Sealing) -> "S3Blobs":
    """The bucket that `blob_url` names (`s3://bucket/prefix`). Raises VALIDATION_ERROR."""
    bucket, _, prefix = settings.blob_url.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"WEFT_BLOB_URL: '{bucket}' is no name of a bucket.")
    endpoint = settings.blob_s3_endpoint
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise WeftError(
            ErrorCode.VALIDATION_ERROR, "WEFT_BLOB_S3_ENDPOINT is no address (https://host:port)."
        )
    if bool(settings.blob_s3_access_key.get_secret_value()) != bool(
        settings.blob_s3_secret_key.get_secret_value()
    ):
        message = "WEFT_BLOB_S3_ACCESS_KEY and WEFT_BLOB_S3_SECRET_KEY belong together."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message)
    named: dict[str, Any] = {"virtual_hosted_style_request": bool(not endpoint)}
    if endpoint:
        named["endpoint"] = endpoint.rstrip("/")
    for name, secret in (
        ("access_key_id", settings.blob_s3_access_key),
        ("secret_access_key", settings.blob_s3_secret_key),
    ):
        if secret.get_secret_value():
            named[name] = secret.get_secret_value()
    try:
        store = S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            region=settings.blob_s3_region,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=TRY_SECONDS)},
            **named,
        )
    except (BaseError, ValueError) as error:
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"WEFT_BLOB_URL: {type(error).__name__}.") from None
    return S3Blobs(store, sealing, settings.home / "scratch")


class S3Blobs:
    """Implements BlobStore. Objects are named as the files of FolderBlobs are, all are sealed. What is written lies in
    a nameless file of `scratch`, sealed too, until it is complete: writers go back and forth in it. All methods raise
    UNAVAILABLE where the store is out of reach or refuses us."""

    def __init__(self, store: S3Store, sealing: Sealing, scratch: Path) -> None:
        self._store = store
        self._sealing = sealing
        self._scratch = scratch

    async def put(self, key: str, data: bytes) -> None:
        with _said(key, writes=True):
            await obstore.put_async(
                self._store,
                place_of(key),
                self._sealing.seal(key, data),
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )

    async def get(self, key: str) -> bytes:
        with _said(key):
            found = await obstore.get_async(self._store, place_of(key))
            return self._sealing.unseal(key, bytes(await found.bytes_async()))

    @asynccontextmanager
    async def open(self, key: str) -> AsyncIterator[IO[bytes]]:
        yield await asyncio.to_thread(self._opened, key)

    async def create(self, key: str) -> "_Writer":
        return await asyncio.to_thread(_Writer, self._store, self._sealing, key, self._scratch)

    async def delete(self, key: str) -> None:
        await self._delete([place_of(key)])

    async def delete_group(self, group: str) -> None:
        async for objects in self._objects(name_of(group)):
            await self._delete([each["path"] for each in objects])

    async def retain_files(self, group: str, keys: Collection[str]) -> None:
        kept = {place_of(key) for key in keys}
        async for objects in self._objects(name_of(group)):
            paths = [each["path"] for each in objects]
            await self._delete(
                [each for each in paths if each not in kept and f"/{FILE_MARK}" in each],
            )

    async def groups(self, before: float, since: float = 0.0) -> AsyncIterator[Sequence[str]]:
        """The service lists by name, so that the objects of a group come together."""
        group, changed = "", 0.0
        async for objects in self._objects(None):
            found = []
            for each in objects:
                name = each["path"].rpartition("/")[0]
                if name != group:
                    if group and since <= changed < before:
                        found.append(group)
                    group, changed = name, 0.0
                changed = max(changed, each["last_modified"].timestamp())
            yield [each for each in found if name_of(each) == each]
        if group and since <= changed < before and name_of(group) == group:
            yield [group]

    async def rewrap(self) -> Rewrapped:
        """Objects can't be changed in part: one under another key is written anew."""
        done = Rewrapped(0, 0)
        async for objects in self._objects(None):
            for each in objects:
                try:
                    done += await asyncio.to_thread(self._rewrap, each["path"])
                except WeftError as error:
                    if error.code is not ErrorCode.NOT_FOUND:  # gone meanwhile
                        raise
        return done

    def _rewrap(self, place: str) -> Rewrapped:
        with _said(place):
            header = bytes(obstore.get_range(self._store, place, start=0, end=HEADER_BYTES))
        new = self._sealing.rewrapped(header, place)
        if new is None:
            return Rewrapped(0, int(is_sealed(header)))
        if new == header:
            return Rewrapped(0, 0)
        make_private(self._scratch)
        with tempfile.TemporaryFile(dir=self._scratch) as copy:
            with _said(place):
                for part in obstore.get(self._store, place).stream():
                    copy.write(part)
            copy.seek(0)
            copy.write(new)
            copy.seek(0)
            with _said(place, writes=True):
                obstore.put(self._store, place, copy, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        return Rewrapped(1, 0)

    async def _objects(self, prefix: str | None) -> AsyncIterator[Sequence[Any]]:
        with _said(prefix or "list"):
            async for objects in obstore.list(self._store, prefix, chunk_size=1000):
                yield objects

    async def _delete(self, paths: Sequence[str]) -> None:
        if not paths:
            return
        try:
            with _said(paths[0]):
                await obstore.delete_async(self._store, paths)
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise

    def _opened(self, key: str) -> IO[bytes]:
        with _said(key):
            reader = obstore.open_reader(self._store, place_of(key), buffer_size=READ_BYTES)
        return cast("IO[bytes]", self._sealing.open(cast("IO[bytes]", _Ranges(reader, key)), key))


class _Ranges(io.RawIOBase):
    """An object, piece by piece; it blocks."""

    def __init__(self, reader: "obstore.ReadableFile", key: str) -> None:
        self._reader = reader
        self._key = key

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def read(self, size: int = -1, /) -> bytes:
        with _said(self._key):
            return bytes(self._reader.read(None if size < 0 else size))


class _Writer:
    """Implements BlobWriter."""

    def __init__(self, store: S3Store, sealing: Sealing, key: str, scratch: Path) -> None:
        make_private(scratch)
        self._store = store
        self._key = key
        self._raw: IO[bytes] = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - closed in the end
        self._sealed = sealing.create(self._raw, key)
        self.file = cast("IO[bytes]", self._sealed)

    async def commit(self) -> None:
        await asyncio.to_thread(self._finish)

    async def discard(self) -> None:
        await asyncio.to_thread(self._sealed.close)

    def _finish(self) -> None:
        if self._sealed.writable():  # not yet tried
            self._sealed.finish()
        self._raw.seek(0)
        with _said(self._key, writes=True):
            obstore.put(
                self._store,
                place_of(self._key),
                self._raw,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        self._sealed.close()


@contextmanager
def _said(key: str, *, writes: bool = False) -> Iterator[None]:
    """The store's errors as ours; they hold addresses, so only their kind is told."""
    try:
        yield
    except FileNotFoundError:
        if writes:
            raise WeftError(ErrorCode.UNAVAILABLE, "The blob store's bucket is not there.", key=key) from None
        raise WeftError(ErrorCode.NOT_FOUND, f"The blob {key} is gone.", key=key) from None
    except (BaseError, OSError) as error:
        message = f"The blob store can't be used: {type(error).__name__}."
        raise WeftError(ErrorCode.UNAVAILABLE, message, key=key) from None

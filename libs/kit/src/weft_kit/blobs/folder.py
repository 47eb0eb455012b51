"""Blobs as files in a folder, on this machine or on a volume that all services share."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.blobs import Rewrapped
from weft_kit.blobs.places import FILE_MARK, is_id, name_of, place_of
from weft_kit.blobs.sealing import CHUNK_BYTES, HEADER_BYTES, MAGIC, SealedFile, Sealing, is_sealed
from weft_kit.folders import make_private, sync


class FolderBlobs:
    """Implements BlobStore. A group is a folder, so that it goes at once; its folder and a blob's file in it are
    named by hashes (a group by its id where it has one), so that no key chooses a path. A blob appears complete or
    not at all.

    Without `sealing` they are plain; with it, too, those that were written before there was any."""

    def __init__(self, folder: Path, sealing: Sealing | None = None) -> None:
        self.folder = folder
        self._sealing = sealing

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, key, data)

    async def get(self, key: str) -> bytes:
        with _said(key):
            return await asyncio.to_thread(self._read, key)

    @asynccontextmanager
    async def open(self, key: str) -> AsyncIterator[IO[bytes]]:
        with _said(key):
            file = await asyncio.to_thread(self._opened, key)
        try:
            yield file
        finally:
            await asyncio.to_thread(file.close)

    async def create(self, key: str) -> "_Writer":
        return await asyncio.to_thread(_Writer, self._path(key), key, self._sealing)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def delete_group(self, group: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._group(group), ignore_errors=True)

    async def retain_files(self, group: str, keys: Collection[str]) -> None:
        kept = {self._path(key).name for key in keys}
        await asyncio.to_thread(_retain, self._group(group), kept)

    async def groups(self, before: float, since: float = 0.0) -> AsyncIterator[Sequence[str]]:
        for shelf in range(256):
            found = await asyncio.to_thread(_between, self.folder / f"{shelf:02x}", since, before)
            if found:
                yield found

    async def rewrap(self) -> Rewrapped:
        sealing = self._sealing
        if sealing is None:
            return Rewrapped(0, 0)
        done = Rewrapped(0, 0)
        for shelf in range(256):
            done += await asyncio.to_thread(_rewrap_shelf, self.folder / f"{shelf:02x}", sealing)
        return done

    def _group(self, group: str) -> Path:
        name = name_of(group)
        return self.folder / name[-2:] / name  # the end of an id is random, or a hash

    def _path(self, key: str) -> Path:
        return self._group(key.partition("/")[0]) / place_of(key).rpartition("/")[2]

    def _read(self, key: str) -> bytes:
        with self._opened(key) as file:
            return file.read()

    def _opened(self, key: str) -> IO[bytes]:
        file = self._path(key).open("rb")
        if self._sealing is None or not is_sealed(file.read(len(MAGIC))):
            file.seek(0)
            return file
        file.seek(0)
        try:
            return cast("IO[bytes]", self._sealing.open(file, key))
        except BaseException:
            file.close()
            raise

    def _write(self, key: str, data: bytes) -> None:
        writer = _Writer(self._path(key), key, self._sealing)
        try:
            writer.file.write(data)
            writer.finish()
        except BaseException:
            writer.drop()
            raise


class _Writer:
    """Implements BlobWriter: a file of another name until it is complete."""

    def __init__(self, path: Path, key: str, sealing: Sealing | None) -> None:
        make_private(path.parent)
        self._path = path
        self._scratch: Path | None = path.with_name(f".{secrets.token_hex(8)}")
        # read, too, for those who write archives
        handle = os.open(self._scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._raw: IO[bytes] = os.fdopen(handle, "w+b")
        self._sealed: SealedFile | None = sealing.create(self._raw, key) if sealing else None
        self.file = cast("IO[bytes]", self._sealed) if self._sealed else self._raw

    async def commit(self) -> None:
        await asyncio.to_thread(self.finish)

    async def discard(self) -> None:
        await asyncio.to_thread(self.drop)

    def finish(self) -> None:
        assert self._scratch is not None
        if self._sealed is not None:
            self._sealed.finish()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self.file.close()
        self._scratch.rename(self._path)
        self._scratch = None
        sync(self._path.parent)

    def drop(self) -> None:
        if self._scratch is not None:
            with suppress(OSError):  # what could not be written before can't be now
                self.file.close()
            self._scratch.unlink(missing_ok=True)
            self._scratch = None


@contextmanager
def _said(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise WeftError(ErrorCode.NOT_FOUND, f"The blob {key} is gone.", key=key) from None


def _between(shelf: Path, since: float, before: float) -> Sequence[str]:
    try:
        with os.scandir(shelf) as entries:
            return [each.name for each in entries if is_id(each.name) and since <= _changed(each) < before]
    except FileNotFoundError:
        return ()


def _rewrap_shelf(shelf: Path, sealing: Sealing) -> Rewrapped:
    done = Rewrapped(0, 0)
    for path in shelf.glob("*/*"):
        if not path.name.startswith("."):
            with suppress(FileNotFoundError):  # gone meanwhile
                done += _rewrap(path, sealing)
    return done


def _rewrap(path: Path, sealing: Sealing) -> Rewrapped:
    """A copy takes the file's place: whoever reads it meanwhile has one whole header or the other."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        new = sealing.rewrapped(header, f"{path.parent.name}/{path.name}")
        if new is None:
            return Rewrapped(0, int(is_sealed(header)))
        if new == header:
            return Rewrapped(0, 0)
        scratch = path.with_name(f".{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                copy.write(new)
                shutil.copyfileobj(file, copy, CHUNK_BYTES)
                copy.flush()
                os.fsync(copy.fileno())
            scratch.rename(path)
        finally:
            scratch.unlink(missing_ok=True)
    sync(path.parent)
    return Rewrapped(1, 0)


def _retain(group: Path, kept: Collection[str]) -> None:
    with suppress(FileNotFoundError), os.scandir(group) as entries:
        for each in entries:
            if each.name.startswith((FILE_MARK, ".")) and each.name not in kept:
                Path(each.path).unlink(missing_ok=True)


def _changed(entry: "os.DirEntry[str]") -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")  # gone meanwhile

"""Blobs as files in a folder, on this machine or on a volume that all services share."""

import asyncio
import hashlib
import os
import secrets
from pathlib import Path

from weft_contracts.errors import ErrorCode, WeftError


class FolderBlobs:
    """Implements BlobStore. A blob's file is named by the hash of its key, so that no key chooses a path,
    and lies two folders deep, so that none grows large. It appears complete or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, self._path(key), data)

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            raise WeftError(ErrorCode.NOT_FOUND, f"The blob {key} is gone.", key=key) from None

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / name[:2] / name[2:4] / name[4:]

    def _write(self, path: Path, data: bytes) -> None:
        _make_folder(path.parent)
        scratch = path.with_name(f".{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            scratch.rename(path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    """With its parents; a new folder is durable once its parent is synced. Existing modes stay."""
    if folder.exists():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

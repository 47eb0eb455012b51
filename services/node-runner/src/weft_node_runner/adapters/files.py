"""Files of this machine, below the folders that the installation allows.

Each step of a path is opened relative to the handle of the step before, symbolic links refused: what was checked
is what is used, whoever changes the tree meanwhile.
"""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Literal

from weft_node_sdk.context import NodeRunError, OpenFolder

MAX_BYTES: Final = 256 * 1024 * 1024
MAX_FILES: Final = 10_000
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class AllowedFiles:
    """Implements Files of the node SDK."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = [folder.absolute() for folder in folders]

    async def read(self, path: str) -> bytes:
        return await asyncio.to_thread(self._read, path)

    async def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        await asyncio.to_thread(self._write, path, data, append)

    @asynccontextmanager
    async def open(self, path: str, mode: Literal["rb", "wb", "ab"] = "rb") -> AsyncIterator[IO[bytes]]:
        opened = self._to_read(path) if mode == "rb" else self._to_write(path, append=mode == "ab")
        file = await asyncio.to_thread(opened.__enter__)
        try:
            yield file
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)

    @asynccontextmanager
    async def folder(self, path: str, *, make: bool = False) -> AsyncIterator[OpenFolder]:
        root, steps = self._place(path)
        handle = await asyncio.to_thread(self._folder, path, root, steps, make)
        try:
            yield OpenFolder(handle, str(root.joinpath(*steps)), len(steps))
        finally:
            os.close(handle)

    async def find(self, pattern: str) -> list[str]:
        return await asyncio.to_thread(self._find, pattern)

    def _place(self, path: str) -> tuple[Path, Sequence[str]]:
        """The allowed folder that a path lies in, and the steps from there. A relative path begins at the first
        folder."""
        if "\0" in path or not path.strip():
            raise NodeRunError("A file needs a name", code="FILE_REFUSED")
        whole = Path(os.path.normpath(self._folders[0] / path))
        for folder in self._folders:
            if whole.is_relative_to(folder):
                steps = whole.relative_to(folder).parts
                if any(_is_git(step) for step in steps):
                    raise NodeRunError(f"'{path}' belongs to Git; nodes may not use it", code="FILE_REFUSED")
                return folder, steps
        raise self._refusal(path)

    def _refusal(self, path: str) -> NodeRunError:
        return NodeRunError(
            f"The file '{path}' is outside the folders that nodes may use",
            description="An administrator can allow a folder: WEFT_FILES_ALLOW="
            + ",".join(str(folder) for folder in self._folders),
            code="FILE_REFUSED",
        )

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """A handle of the folder that holds the file, and the file's name."""
        root, steps = self._place(path)
        if not steps:
            raise NodeRunError(f"'{path}' is a folder", code="FILE_ERROR")
        with self._said(path):
            handle = _descend(root, steps[:-1])
            try:
                yield handle, steps[-1]
            finally:
                os.close(handle)

    def _folder(self, path: str, root: Path, steps: Sequence[str], make: bool) -> int:
        with self._said(path):
            if make:
                root.mkdir(parents=True, exist_ok=True)
            return _descend(root, steps, make=make)

    @contextmanager
    def _opened(self, path: str, flags: int, mode: str) -> Iterator[IO[bytes]]:
        with (
            self._parent(path) as (folder, name),
            os.fdopen(os.open(name, flags | _FILE, 0o644, dir_fd=folder), mode) as file,
        ):
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NodeRunError(f"'{path}' is no file", code="FILE_ERROR")
            yield file

    @contextmanager
    def _said(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK):
                raise self._refusal(path) from None
            missing = error.errno == errno.ENOENT
            text = f"The file '{path}' does not exist" if missing else f"'{path}': {error.strerror}"
            raise NodeRunError(text, code="FILE_NOT_FOUND" if missing else "FILE_ERROR") from None

    def _to_read(self, path: str) -> AbstractContextManager[IO[bytes]]:
        return self._opened(path, os.O_RDONLY, "rb")

    @contextmanager
    def _to_write(self, path: str, *, append: bool) -> Iterator[IO[bytes]]:
        root, _ = self._place(path)
        root.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else 0)
        with self._opened(path, flags, "wb") as file:
            if not append:
                file.truncate(0)
            yield file

    def _read(self, path: str) -> bytes:
        with self._to_read(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise NodeRunError(f"'{path}' is larger than {MAX_BYTES} bytes", code="TOO_LARGE")
        return data

    def _write(self, path: str, data: bytes, append: bool) -> None:
        with self._to_write(path, append=append) as file:
            file.write(data)

    def _find(self, pattern: str) -> list[str]:
        from wcmatch import glob

        flags = glob.BRACE | glob.GLOBSTAR | glob.EXTGLOB | glob.DOTMATCH
        whole = os.path.normpath(self._folders[0] / pattern)
        if not any(self._meets(whole, folder) for folder in self._folders):
            raise self._refusal(pattern)
        wanted = glob.compile(whole, flags=flags)
        found: set[str] = set()
        for folder in filter(Path.is_dir, self._folders):
            found.update(path for path in _files(folder) if wanted.match(path))
            if len(found) > MAX_FILES:
                raise NodeRunError(f"'{pattern}' names more than {MAX_FILES} files", code="TOO_LARGE")
        return sorted(found)

    @staticmethod
    def _meets(pattern: str, folder: Path) -> bool:
        """Whether the part of a pattern without signs leads into the folder or to it."""
        plain = os.path.normpath(pattern[: next((i for i, c in enumerate(pattern) if c in "*?[{(!+@"), None)])
        return Path(plain).is_relative_to(folder) or str(folder).startswith(plain)


def _is_git(name: str) -> bool:
    """Also where the file system does not tell large letters from small ones."""
    return name.casefold() == ".git"


def _descend(root: Path, steps: Sequence[str], *, make: bool = False) -> int:
    """A handle of the folder that many steps below."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for step in steps:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(step, dir_fd=handle)
            inner = os.open(step, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
    except BaseException:
        os.close(handle)
        raise
    return handle


def _files(folder: Path) -> Iterator[str]:
    """Plain files below a folder, links left out."""
    for root, folders, names, handle in os.fwalk(folder, follow_symlinks=False):
        folders[:] = [each for each in folders if not _is_git(each)]
        for name in names:
            try:
                held = os.stat(name, dir_fd=handle, follow_symlinks=False)
            except OSError:
                continue  # gone since
            if stat.S_ISREG(held.st_mode):
                yield f"{root}/{name}"

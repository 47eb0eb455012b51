"""Archives, piece by piece, with a limit to what they unpack to. All of it blocks."""

import gzip
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final, NamedTuple

from weft_node_sdk.binary import CHUNK_BYTES
from weft_node_sdk.context import NodeRunError

MAX_UNPACKED: Final = 4 * 1024 * 1024 * 1024
MAX_MEMBERS: Final = 10_000


class File(NamedTuple):
    name: str
    content: IO[bytes]
    size: int


def pack(kind: str, files: Sequence[File], target: IO[bytes]) -> None:
    """An archive of `zip`, `tar` or `targz` with the files; a second one of a name gets a number."""
    named = zip(_told_apart([file.name for file in files]), files, strict=True)
    if kind == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in named:
                with archive.open(name, "w", force_zip64=file.size >= 2**31) as member:
                    shutil.copyfileobj(file.content, member, CHUNK_BYTES)
        return
    with tarfile.open(fileobj=target, mode="w:gz" if kind == "targz" else "w") as packed:
        for name, file in named:
            about = tarfile.TarInfo(name)
            about.size = file.size
            packed.addfile(about, file.content)


def _told_apart(given: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    named = []
    for whole in given:
        name, number = whole, 1
        while name in taken:
            stem, dot, extension = whole.rpartition(".")
            name = f"{stem or extension}_{number}{dot}{extension if stem else ''}"
            number += 1
        taken.add(name)
        named.append(name)
    return named


def gzip_into(source: IO[bytes], target: IO[bytes]) -> None:
    with gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=0) as packed:
        shutil.copyfileobj(source, packed, CHUNK_BYTES)


def members(kind: str, file: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Names and contents of what is in a `zip`, `tar`, `targz` or `gz` (one file without a name), folders and links
    left out. Each must be read before the next. Raises NodeRunError where it is no such archive or too much."""
    unpacking = {"zip": _zipped, "gz": _gzipped}.get(kind)
    found = unpacking(file) if unpacking else _tarred(file, "r|gz" if kind == "targz" else "r|")
    left = MAX_UNPACKED
    count = 0

    def chunks(content: IO[bytes]) -> Iterator[bytes]:
        nonlocal left
        while True:
            with _said(kind):
                chunk = content.read(CHUNK_BYTES)
            if not chunk:
                return
            left -= len(chunk)
            if left < 0:
                raise NodeRunError(f"The archive unpacks to more than {MAX_UNPACKED} bytes", code="TOO_LARGE")
            yield chunk

    while True:
        with _said(kind):
            member = next(found, None)
        if member is None:
            return
        count += 1
        if count > MAX_MEMBERS:
            raise NodeRunError(f"More than {MAX_MEMBERS} files are in the archive", code="TOO_LARGE")
        yield member[0], chunks(member[1])


@contextmanager
def _said(kind: str) -> Iterator[None]:
    try:
        yield
    except EOFError:
        raise NodeRunError("The archive is cut off") from None
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        gzip.BadGzipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
    ) as error:
        named = "gzip file" if kind == "gz" else f"{kind} archive"
        raise NodeRunError(f"The file is no {named} that can be read: {error}") from None


def _zipped(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            # a Mac's resource forks are no files that anybody packed
            if not member.is_dir() and not member.filename.startswith("__MACOSX/"):
                with archive.open(member) as content:
                    yield member.filename, content


def _gzipped(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with gzip.GzipFile(fileobj=file) as content:
        yield "", content  # type: ignore[misc] # it reads as any file does


def _tarred(file: IO[bytes], mode: str) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for member in archive:
            archive.members = []  # which would be kept, all of them
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name, content

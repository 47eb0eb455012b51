"""Archives in memory, with a limit to what they unpack to."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from typing import Final

from weft_node_sdk.context import NodeRunError

MAX_UNPACKED: Final = 512 * 1024 * 1024
File = tuple[str, bytes]
"""Name and contents."""


def pack(kind: str, files: Sequence[File]) -> bytes:
    """An archive of `zip`, `tar` or `targz` with the files; a second one of a name gets a number."""
    files = _told_apart(files)
    target = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files:
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=target, mode="w:gz" if kind == "targz" else "w") as packed:
            for name, data in files:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                packed.addfile(member, io.BytesIO(data))
    return target.getvalue()


def _told_apart(files: Sequence[File]) -> list[File]:
    taken: set[str] = set()
    named = []
    for given, data in files:
        name, number = given, 1
        while name in taken:
            stem, dot, extension = given.rpartition(".")
            name = f"{stem or extension}_{number}{dot}{extension if stem else ''}"
            number += 1
        taken.add(name)
        named.append((name, data))
    return named


def gunzip(data: bytes) -> bytes:
    found, rest = b"", data
    while rest:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            found += unpacker.decompress(rest, MAX_UNPACKED + 1 - len(found))
        except zlib.error as error:
            raise NodeRunError(f"The file is no gzip file that can be read: {error}") from None
        if unpacker.unconsumed_tail or len(found) > MAX_UNPACKED:
            raise _too_large()
        if not unpacker.eof:
            raise NodeRunError("The gzip file is cut off")
        rest = unpacker.unused_data.lstrip(b"\0")
    return found


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _too_large() -> NodeRunError:
    return NodeRunError(f"The archive unpacks to more than {MAX_UNPACKED} bytes", code="TOO_LARGE")


def unpack(kind: str, data: bytes) -> list[File]:
    """The files in an archive of `zip` or `tar`, folders and links left out."""
    try:
        return _unzip(data) if kind == "zip" else _untar(data)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise NodeRunError(f"The file is no {kind} archive that can be read: {error}") from None


def _unzip(data: bytes) -> list[File]:
    found, left = [], MAX_UNPACKED
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            # a Mac's resource forks are no files that anybody packed
            if member.is_dir() or member.filename.startswith("__MACOSX/"):
                continue
            with archive.open(member) as file:
                part = file.read(left + 1)
            left -= len(part)
            if left < 0:
                raise _too_large()
            found.append((member.filename, part))
    return found


def _untar(data: bytes) -> list[File]:
    found, left = [], MAX_UNPACKED
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            left -= member.size
            if left < 0:
                raise _too_large()
            found.append((member.name, file.read()))
    return found

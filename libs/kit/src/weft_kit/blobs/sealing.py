"""Blobs at rest: each has a key of its own, wrapped by the master key, and is encrypted in chunks, so that a part is
read without the rest.

Layout: `weft`, version 2; the key and the blob's size, sealed for the blob's place; then for each chunk of 64 KiB
(the last one may have less) 12 bytes nonce, ciphertext, 16 bytes tag (AES-256-GCM). The number of a chunk is
authenticated with it: none can be moved, left out or brought from another blob, and none is missing at the end.
Version 1 sealed for the blob's name, which only those know who may read it: such a header can't be sealed anew.
"""

import io
import os
import struct
from typing import IO, TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.blobs.places import place_of

if TYPE_CHECKING:
    from weft_kit.identity.secrets import MasterKey

MAGIC: Final = b"weft\x02"
_BY_NAME: Final = b"weft\x01"
CHUNK_BYTES: Final = 64 * 1024
_NONCE: Final = 12
_EXTRA: Final = _NONCE + 16
_WRAPPED: Final = 73
"""Bytes of a sealed key and size."""
HEADER_BYTES: Final = len(MAGIC) + _WRAPPED
_STORED: Final = CHUNK_BYTES + _EXTRA


class Sealing:
    """Encrypts blobs. What was written under one name opens under no other."""

    def __init__(self, master: "MasterKey") -> None:
        self._master = master

    def create(self, file: IO[bytes], key: str) -> "SealedFile":
        """A new blob in an empty file, complete after `finish`."""
        secret = os.urandom(32)
        file.write(bytes(HEADER_BYTES))
        return SealedFile(file, secret, key, 0, self)

    def open(self, file: IO[bytes], key: str) -> "SealedFile":
        """Raises INTERNAL where it was sealed with another master key, or changed."""
        secret, size = self._unwrapped(_whole(file, HEADER_BYTES), key)
        return SealedFile(file, secret, key, size)

    def header(self, key: str, secret: bytes, size: int) -> bytes:
        return MAGIC + self._master.seal(f"blob {place_of(key)}", secret + struct.pack(">Q", size))

    def rewrapped(self, header: bytes, place: str) -> bytes | None:
        """The header with the key sealed by the master key of today; the same where it is that already, None where it
        is none that could be: of version 1, or no header. Raises INTERNAL where it is damaged or under a key that
        nobody gave."""
        if len(header) != HEADER_BYTES or not header.startswith(MAGIC):
            return None
        sealed = header[len(MAGIC) :]
        if sealed.startswith(self._master.mark):
            return header
        return MAGIC + self._master.seal(f"blob {place}", self._master.open(f"blob {place}", sealed))

    def _unwrapped(self, header: bytes, key: str) -> tuple[bytes, int]:
        if len(header) != HEADER_BYTES or not is_sealed(header):
            raise damaged(key)
        sealed_for = place_of(key) if header.startswith(MAGIC) else key
        opened = self._master.open(f"blob {sealed_for}", header[len(MAGIC) :])
        return opened[:32], struct.unpack(">Q", opened[32:])[0]

    def seal(self, key: str, data: bytes) -> bytes:
        """A blob as a whole."""
        file = io.BytesIO()
        sealed = self.create(file, key)
        sealed.write(data)
        sealed.finish()
        return file.getvalue()

    def unseal(self, key: str, data: bytes) -> bytes:
        return self.open(io.BytesIO(data), key).read()


class SealedFile(io.BufferedIOBase):
    """The plain bytes of a sealed blob, seekable; written ones may be written again until `finish`. It holds one chunk.
    Reading raises INTERNAL where the blob was changed."""

    def __init__(
        self, file: IO[bytes], secret: bytes, key: str, size: int, sealing: Sealing | None = None
    ) -> None:
        """`sealing`: of one that is written."""
        self._file = file
        self._at = -1
        self._cipher = AESGCM(secret)
        self._secret = secret
        self._key = key
        self._size = size
        self._sealing = sealing
        self._position = 0
        self._number = -1
        self._chunk: bytes | bytearray = b""
        self._changed = False

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return self._sealing is not None

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"negative seek position {start + offset}")
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(self._size - self._position, 0)
        left = left if size is None or size < 0 else min(size, left)
        parts = []
        while left > 0:
            part = self._part(left)
            parts.append(part)
            left -= len(part)
            self._position += len(part)
        return b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        part = bytes(self._part(CHUNK_BYTES if size < 0 else size))
        self._position += len(part)
        return part

    def peek(self, _size: int = 0, /) -> bytes:
        """What the chunk has from here on."""
        return bytes(self._part(CHUNK_BYTES))

    def _part(self, most: int) -> "bytes | bytearray | memoryview":
        if self._position >= self._size:
            return b""
        number, offset = divmod(self._position, CHUNK_BYTES)
        self._turn_to(number)
        if offset == 0 and most >= len(self._chunk):
            return self._chunk
        return memoryview(self._chunk)[offset : offset + most]

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        part = self.read(len(view))
        view[: len(part)] = part
        return len(part)

    def readinto1(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        part = self.read1(len(view))
        view[: len(part)] = part
        return len(part)

    def write(self, data: Any, /) -> int:
        if self._sealing is None:
            raise io.UnsupportedOperation("write")
        if self._position > self._size:
            self._fill()
        view = memoryview(data).cast("B")
        written = 0
        while written < len(view):
            number, offset = divmod(self._position, CHUNK_BYTES)
            self._turn_to(number)
            if isinstance(self._chunk, bytes):
                self._chunk = bytearray(self._chunk)
            part = view[written : written + CHUNK_BYTES - offset]
            self._chunk[offset : offset + len(part)] = part
            self._changed = True
            written += len(part)
            self._position += len(part)
            self._size = max(self._size, self._position)
        return written

    def _fill(self) -> None:
        """A gap that was left by seeking is zeros."""
        position, self._position = self._position, self._size
        while self._position < position:
            self.write(bytes(min(position - self._position, CHUNK_BYTES)))

    def truncate(self, size: int | None = None, /) -> int:
        if self._sealing is None:
            raise io.UnsupportedOperation("truncate")
        size = self._position if size is None else size
        if size < self._size:
            number, offset = divmod(size, CHUNK_BYTES)
            if offset:
                self._turn_to(number)
                self._chunk = self._chunk[:offset]
                self._changed = True
            elif self._number >= number:
                self._number, self._changed = -1, False
            self._size = size
            self._file.truncate(_place(number) + (offset + _EXTRA if offset else 0))
            self._at = -1
        elif size > self._size:
            position, self._position = self._position, size
            self._fill()
            self._position = position
        return size

    def flush(self) -> None:
        self._put_away()
        if self._sealing is not None:
            self._file.flush()

    def finish(self) -> None:
        """Completes what was written; the file itself stays open."""
        assert self._sealing is not None
        self._put_away()
        self._file.seek(0)
        self._file.write(self._sealing.header(self._key, self._secret, self._size))
        self._file.flush()
        self._sealing, self._at = None, -1

    def close(self) -> None:
        """Closes the file below, too."""
        self._sealing, self._changed = None, False
        self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def _turn_to(self, number: int) -> None:
        """Has this chunk at hand."""
        if number == self._number:
            return
        self._put_away()
        size = min(self._size - number * CHUNK_BYTES, CHUNK_BYTES)
        plain = b""
        if size > 0:
            if self._at != _place(number):
                self._file.seek(_place(number))
            stored = _whole(self._file, size + _EXTRA)
            self._at = _place(number) + len(stored)
            try:
                plain = self._cipher.decrypt(stored[:_NONCE], stored[_NONCE:], _numbered(number))
            except (InvalidTag, ValueError):
                raise damaged(self._key) from None
            if len(plain) != size:
                raise damaged(self._key)
        self._chunk, self._number = plain, number

    def _put_away(self) -> None:
        if not self._changed:
            return
        nonce = os.urandom(_NONCE)
        if self._at != _place(self._number):
            self._file.seek(_place(self._number))
        stored = nonce + self._cipher.encrypt(nonce, self._chunk, _numbered(self._number))
        self._file.write(stored)
        self._at = _place(self._number) + len(stored)
        self._changed = False


def is_sealed(beginning: bytes) -> bool:
    return beginning.startswith((MAGIC, _BY_NAME))


def damaged(key: str) -> WeftError:
    return WeftError(ErrorCode.INTERNAL, f"The stored blob {key} is damaged.", key=key)


def _place(number: int) -> int:
    return HEADER_BYTES + number * _STORED


def _numbered(number: int) -> bytes:
    return struct.pack(">Q", number)


def _whole(file: IO[bytes], size: int) -> bytes:
    """So many bytes, fewer at the end of the file; one read of a raw file may give less."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data

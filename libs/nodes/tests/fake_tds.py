"""A server that speaks as much of TDS 7.4 as clients need to sign in and ask, and writes down what it is asked.

Made from Microsoft's published protocol, [MS-TDS]; it knows no SQL."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

COLLATION = b"\x09\x04\xd0\x00\x34"
Result = Sequence[dict[str, Any]] | Exception | None
"""Rows, a fault, or nothing."""
_DONE = 0xFD


def _text(value: str) -> bytes:
    return value.encode("utf-16-le")


def _short(value: str) -> bytes:
    return bytes([len(value)]) + _text(value)


def done(count: int = 0, status: int = 0x10) -> bytes:
    return struct.pack("<BHHQ", _DONE, status, 0xC1, count)


def fault(text: str) -> bytes:
    body = (
        struct.pack("<IBBH", 208, 1, 16, len(text)) + _text(text) + _short("srv") + _short("") + b"\x01\0\0\0"
    )
    return b"\xaa" + struct.pack("<H", len(body)) + body + done(status=0x02)


def rows(found: Sequence[dict[str, Any]]) -> bytes:
    """Numbers as bigint, all else as nvarchar."""
    names = list(found[0])
    numbers = [isinstance(found[0][name], int) for name in names]
    out = b"\x81" + struct.pack("<H", len(names))
    for name, is_number in zip(names, numbers, strict=True):
        kind = b"\x26\x08" if is_number else b"\xe7" + struct.pack("<H", 8000) + COLLATION
        out += struct.pack("<IH", 0, 9) + kind + _short(name)
    for row in found:
        out += b"\xd1"
        for name, is_number in zip(names, numbers, strict=True):
            if is_number:
                out += b"\x08" + struct.pack("<q", row[name])
            elif row[name] is None:
                out += b"\xff\xff"
            else:
                data = _text(row[name])
                out += struct.pack("<H", len(data)) + data
    return out + done(len(found))


class _Wire:
    """Packets over a socket, plain or by TLS."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.channel: ssl.SSLObject | None = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._some(size - len(data))
        return data

    def _some(self, size: int) -> bytes:
        while True:
            if self.channel is not None:
                try:
                    return self.channel.read(size)
                except ssl.SSLWantReadError:
                    pass
            data = self.sock.recv(65536 if self.channel else size)
            if not data:
                raise EOFError
            if self.channel is None:
                return data
            self.incoming.write(data)

    def message(self) -> tuple[int, bytes]:
        body = b""
        while True:
            kind, status, size = struct.unpack(">BBH4x", self.exactly(8))
            body += self.exactly(size - 8)
            if status & 1:
                return kind, body

    def send(self, body: bytes, kind: int = 4) -> None:
        for first in range(0, max(len(body), 1), 4000):
            part = body[first : first + 4000]
            last = first + 4000 >= len(body)
            packet = struct.pack(">BBHHBB", kind, last, len(part) + 8, 0, 1, 0) + part
            if self.channel is not None:
                self.channel.write(packet)
                packet = self.outgoing.read()
            self.sock.sendall(packet)

    def secure(self, context: ssl.SSLContext) -> None:
        """The handshake, in packets."""
        channel = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while True:
            try:
                channel.do_handshake()
                ended = True
            except ssl.SSLWantReadError:
                ended = False
            if said := self.outgoing.read():
                self.send(said, 0x12)
            if ended:
                break
            self.incoming.write(self.message()[1])
        self.channel = channel


class FakeTds:
    """`answer`: gives for a text and its values. `asked`: what came, `logins`: (user, password, database, by TLS)."""

    def __init__(
        self,
        answer: Callable[[str, list[Any]], Result],
        certificate: tuple[Path, Path] | None = None,
        route: tuple[str, int] | None = None,
    ) -> None:
        self.asked: list[tuple[str, list[Any]]] = []
        self.logins: list[tuple[str, str, str, bool]] = []
        self._answer = answer
        self._route = route
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with sock:
            try:
                self._session(_Wire(sock))
            except (EOFError, OSError):
                return

    def _session(self, wire: _Wire) -> None:
        wire.message()
        flag = 1 if self._context else 2
        wire.send(b"\x01" + struct.pack(">HH", 6, 1) + b"\xff" + bytes([flag]))
        if self._context:
            wire.secure(self._context)
        kind, login = wire.message()
        assert kind == 0x10
        user, password, database = (self._field(login, at) for at in (40, 44, 68))
        plain = bytes(((each ^ 0xA5) << 4 & 0xF0) | ((each ^ 0xA5) >> 4) for each in password)
        names = [part.decode("utf-16-le") for part in (user, plain, database)]
        self.logins.append((names[0], names[1], names[2], wire.channel is not None))
        accepted = b"\x01\x74\x00\x00\x04" + _short("fake") + b"\x10\x00\x00\x00"
        routed = b""
        if self._route:
            host, port = self._route
            target = struct.pack("<BHH", 0, port, len(host)) + _text(host)
            change = b"\x14" + struct.pack("<H", len(target)) + target + b"\0\0"
            routed = b"\xe3" + struct.pack("<H", len(change)) + change
        wire.send(b"\xad" + struct.pack("<H", len(accepted)) + accepted + routed + done(status=0))
        while True:
            kind, body = wire.message()
            head = struct.unpack("<I", body[:4])[0]
            if kind == 1:
                wire.send(self._answered(body[head:].decode("utf-16-le"), []))
            elif kind == 3:
                text, *values = _parameters(body[head:])
                wire.send(self._answered(text, values[1:]))
            else:
                wire.send(done(status=0x20))

    @staticmethod
    def _field(login: bytes, at: int) -> bytes:
        offset, length = struct.unpack_from("<HH", login, at)
        return login[offset : offset + length * 2]

    def _answered(self, text: str, values: list[Any]) -> bytes:
        self.asked.append((text, values))
        found = self._answer(text, values)
        if isinstance(found, Exception):
            return fault(str(found))
        return rows(found) if found else done(1)


def _parameters(body: bytes) -> list[Any]:
    """Of a call of sp_executesql: the text, what declares the values, the values."""
    size, at = struct.unpack_from("<H", body)[0], 2
    at += 2 if size == 0xFFFF else size * 2
    at += 2
    found = []
    while at < len(body):
        at += 1 + body[at] * 2 + 1
        value, at = _value(body, at)
        found.append(value)
    return found


def _value(body: bytes, at: int) -> tuple[Any, int]:
    kind, at = body[at], at + 1
    if kind in {0xE7, 0xEF}:
        most, at = struct.unpack_from("<H", body, at)[0], at + 7
        if most != 0xFFFF:
            size, at = struct.unpack_from("<H", body, at)[0], at + 2
            if size == 0xFFFF:
                return None, at
            return body[at : at + size].decode("utf-16-le"), at + size
        total, at = struct.unpack_from("<Q", body, at)[0], at + 8
        if total == 2**64 - 1:
            return None, at
        text = b""
        while size := struct.unpack_from("<I", body, at)[0]:
            text += body[at + 4 : at + 4 + size]
            at += 4 + size
        return text.decode("utf-16-le"), at + 4
    if kind in {0x26, 0x68}:
        size, at = body[at + 1], at + 2
        number = int.from_bytes(body[at : at + size], "little", signed=True)
        return (None if not size else bool(number) if kind == 0x68 else number), at + size
    if kind in {0x6A, 0x6C}:
        scale, size, at = body[at + 2], body[at + 3], at + 4
        number = int.from_bytes(body[at + 1 : at + size], "little") * (1 if body[at] else -1)
        return number / 10**scale, at + size
    raise AssertionError(f"a value of type {kind:#x}")

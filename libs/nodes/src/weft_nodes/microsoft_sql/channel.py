"""TLS inside of TDS by Python's own library: the handshake travels in packets of the protocol, what follows around it.

The driver's own way needs a further library, and checks names of hosts by code of its own (MS-TDS 2.2.6.5, 3.2.5.2).
"""
# ruff: noqa: SLF001 - the driver has no public way to do that

import ssl
from typing import Any

_CHUNK = 65536
_PRELOGIN = 0x12


def establish(session: Any) -> None:
    """Takes the place of `pytds.tls.establish_channel`. Raises ssl.SSLError."""
    context = session.conn._login.tls_ctx
    if context is None:
        raise ssl.SSLError("the server wants the sign-in encrypted; turn on TLS")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    channel = context.wrap_bio(incoming, outgoing)
    writer, reader = session._writer, session._reader
    while True:
        try:
            channel.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        if said := outgoing.read():
            writer.begin_packet(_PRELOGIN)
            writer.write(said)
            writer.flush()
        if done:
            break
        if reader.begin_response().type != _PRELOGIN:
            raise ssl.SSLError("the server broke off the handshake")
        while not reader.stream_finished():
            incoming.write(reader.recv(_CHUNK))
    secured = Channel(session.conn.sock, channel, incoming, outgoing)
    session.conn.sock = writer._transport = reader._transport = secured


class Channel:
    """As a socket, for the driver."""

    def __init__(
        self, transport: Any, channel: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None:
        self._transport = transport
        self._channel = channel
        self._incoming = incoming
        self._outgoing = outgoing

    def gettimeout(self) -> float | None:
        found: float | None = self._transport.gettimeout()
        return found

    def settimeout(self, timeout: float | None) -> None:
        self._transport.settimeout(timeout)

    def sendall(self, data: Any, _: int = 0) -> None:
        view = memoryview(data)
        while view:
            view = view[self._channel.write(view) :]
            self._transport.sendall(self._outgoing.read())

    def recv(self, size: int, _: int = 0) -> bytes:
        while True:
            try:
                return self._channel.read(size)
            except ssl.SSLWantReadError:
                if not (data := self._transport.recv(_CHUNK)):
                    return b""
                self._incoming.write(data)
            except ssl.SSLZeroReturnError:
                return b""

    def recv_into(self, buffer: Any, size: int = 0, _: int = 0) -> int:
        data = self.recv(size or len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._transport.close()

    def shutdown(self, how: int) -> None:
        self._transport.shutdown(how)

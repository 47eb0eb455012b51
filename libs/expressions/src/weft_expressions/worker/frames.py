"""Frames on the socket of an evaluator process.

In:  length (4 bytes), operation (1), timeout in seconds (8, double), lengths of project id and of library names
     (1 each), project id, library names (commas between), body. Operation E: requests as JSON, C: a script's run,
     Y: a Python script's run, A: what a script asked for.
Out: length (4 bytes), status (1), body. The first frame says that it is ready: missing parts of the jail, one a line.
"""

import os
import socket
import struct
from typing import Final

HEADER: Final = struct.Struct(">cdBB")
OK, HUNG, OUT_OF_MEMORY, BROKEN, ASKED = range(5)
"""ASKED: a script wants something from outside; the next frame in is the answer."""
_REPLY: Final = struct.Struct(">IB")
_LENGTH: Final = struct.Struct(">I")


def receive(connection: socket.socket) -> bytes:
    """One frame without its length. Ends the process when the other side is gone."""
    (length,) = _LENGTH.unpack(_exactly(connection, 4))
    return _exactly(connection, length)


def reply(connection: socket.socket, status: int, body: bytes) -> None:
    connection.sendall(_REPLY.pack(len(body), status) + body)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        data = connection.recv(min(count - len(parts), 1 << 20))
        if not data:
            os._exit(0)
        parts += data
    return bytes(parts)

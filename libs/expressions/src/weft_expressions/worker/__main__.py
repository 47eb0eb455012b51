"""The evaluator process. Its standard input is a socket: frames in, frames out, one at a time.

In:  length (4 bytes), operation (1), timeout in seconds (8, double), lengths of project id and of library names
     (1 each), project id, library names (commas between), body. Operation E: requests as JSON, C: a script's run.
Out: length (4 bytes), status (1), body. The first frame says that it is ready: missing parts of the jail, one a line.
"""

import os
import socket
import struct
import sys
import time
from typing import Final

from weft_expressions.worker import jail, v8

HEADER: Final = struct.Struct(">cdBB")
REPLY: Final = struct.Struct(">IB")
OK, HUNG, OUT_OF_MEMORY, BROKEN = range(4)
_LENGTH: Final = struct.Struct(">I")
_PRELUDE: Final = ("harden", "runtime", "extensions", "code", "dispatch")
_LIBRARIES: Final = {"luxon": "luxon.min", "jmespath": "jmespath.min", "md5": "md5.min", "sha": "sha"}
_WARM_ISOLATES: Final = 8
_MADV_DONTNEED: Final = 4


class Worker:
    """Isolates by project, the oldest unused one closed when there are too many."""

    def __init__(self, heap_bytes: int) -> None:
        folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "js")  # noqa: PTH118, PTH120 - no pathlib: start-up
        self._prelude = b"(function(){'use strict';\n%s\n})()" % b"\n".join(
            _read(f"{folder}/{name}.js") for name in _PRELUDE
        )
        self._sources = {name: _read(f"{folder}/vendor/{file}.js") for name, file in _LIBRARIES.items()}
        self._heap_bytes = heap_bytes
        self._library = v8.load()
        self._isolates: dict[bytes, v8.Isolate] = {}
        self._spare: v8.Isolate | None = None

    def warm_up(self) -> None:
        """An isolate for the first project to come."""
        self._spare = v8.Isolate(self._library, self._prelude, self._heap_bytes)

    def answer(self, frame: bytes) -> tuple[int, bytes]:
        """(status, body)"""
        operation, timeout, project_length, names_length = HEADER.unpack_from(frame)
        body = HEADER.size + project_length + names_length
        project = frame[HEADER.size : HEADER.size + project_length]
        names = frame[HEADER.size + project_length : body].decode()
        try:
            isolate = self._isolate(project, names)
        except v8.JavaScriptError as error:
            return BROKEN, str(error).encode()
        before = isolate.evaluations
        try:
            if operation == b"C":
                return OK, _run_code(isolate, frame[body:], timeout)
            return OK, isolate.call(operation + frame[body:], timeout)
        except v8.Hung:
            status = HUNG
        except v8.OutOfMemory:
            status = OUT_OF_MEMORY
        except v8.JavaScriptError as error:
            self._drop(project)
            return BROKEN, str(error).encode()
        done = (isolate.evaluations - before) % 2**32
        self._drop(project)
        return status, str(done).encode()

    def _isolate(self, project: bytes, names: str) -> v8.Isolate:
        isolate = self._isolates.pop(project, None)
        if isolate is None:
            if len(self._isolates) >= _WARM_ISOLATES:
                self._isolates.pop(next(iter(self._isolates))).close()
            isolate, self._spare = self._spare, None
            isolate = isolate or v8.Isolate(self._library, self._prelude, self._heap_bytes)
        self._isolates[project] = isolate
        for name in names.split(","):
            if name and name not in isolate.libraries:
                isolate.call(b"L%s\n%s" % (name.encode(), self._sources[name]), 30.0)
                isolate.libraries.add(name)
        return isolate

    def _drop(self, project: bytes) -> None:
        self._isolates.pop(project).close()


def _run_code(isolate: v8.Isolate, body: bytes, timeout: float) -> bytes:
    """Starts a script and waits for its promises and timers. Raises Hung after `timeout` seconds in all."""
    deadline = time.monotonic() + timeout
    result = isolate.call(b"C" + body, timeout)
    idle = 0
    while not result.startswith(b"{"):
        wait = int(result) / 1000
        idle = idle + 1 if wait < 0 else 0
        if idle > 1:
            message = b"The code waits for a promise that nothing can settle any more"
            return b'{"error":"%s","description":"","line":null,"item":null,"logs":[]}' % message
        left = deadline - time.monotonic()
        if left <= max(wait, 0.0):
            raise v8.Hung("out of time")
        time.sleep(max(wait, 0.0))
        result = isolate.call(b"P", left)
    return result


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - no pathlib: start-up
        return file.read()


def _receive(connection: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes; ends the process when the other side is gone."""
    parts = bytearray()
    while len(parts) < count:
        data = connection.recv(min(count - len(parts), 1 << 20))
        if not data:
            os._exit(0)
        parts += data
    return bytes(parts)


def main() -> None:
    """Arguments: bytes of memory, bytes of a JavaScript heap, number of the processor to stay on."""
    memory, heap, processor = (int(argument) for argument in sys.argv[1:4])
    connection = socket.socket(fileno=os.dup(0))
    worker = Worker(heap)
    connection.close()
    connection = socket.socket(fileno=0)
    _stay(processor)
    missing = jail.close(memory)
    worker.warm_up()
    ready = "\n".join(missing).encode()
    connection.sendall(REPLY.pack(len(ready), OK) + ready)
    while True:
        (length,) = _LENGTH.unpack(_receive(connection, 4))
        status, body = worker.answer(_receive(connection, length))
        connection.sendall(REPLY.pack(len(body), status) + body)


def _stay(processor: int) -> None:
    """On one processor the hand-over to V8's thread and back costs a third: 38 instead of 98 µs a call."""
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {allowed[processor % len(allowed)]})


if __name__ == "__main__":
    main()

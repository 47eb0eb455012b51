"""The evaluator process. Its standard input is a socket: frames in, frames out, one at a time."""

import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Final

from weft_expressions.worker import jail, v8
from weft_expressions.worker.frames import ASKED, BROKEN, HEADER, HUNG, OK, OUT_OF_MEMORY, receive, reply

_PRELUDE: Final = ("harden", "runtime", "extensions", "platform", "modules", "code", "dispatch")
_LIBRARIES: Final = {
    "luxon": "luxon.min",
    "jmespath": "jmespath.min",
    "md5": "md5.min",
    "sha": "sha",
    "transliteration": "transliteration.min",
}
_WARM_ISOLATES: Final = 8
_MADV_DONTNEED: Final = 4


class Worker:
    """Isolates by project, the oldest unused one closed when there are too many."""

    def __init__(self, heap_bytes: int, ask: Callable[[bytes], bytes]) -> None:
        """`ask`: what a script wants from outside, to the answer."""
        self._ask = ask
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
                return OK, _run_code(isolate, frame[body:], timeout, self._ask)
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


def _run_code(isolate: v8.Isolate, body: bytes, timeout: float, ask: Callable[[bytes], bytes]) -> bytes:
    """Starts a script and waits for its promises, timers and requests. Raises Hung after `timeout` seconds in all."""
    deadline = time.monotonic() + timeout
    result = isolate.call(b"C" + body, timeout)
    idle = 0
    while not result.startswith(b"{"):
        if result.startswith(b"["):
            given = ask(result)
            result = isolate.call(b"A" + given, max(deadline - time.monotonic(), 0.001))
            continue
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


def main() -> None:
    """Arguments: bytes of memory, bytes of a JavaScript heap, number of the processor to stay on."""
    memory, heap, processor = (int(argument) for argument in sys.argv[1:4])
    connection = socket.socket(fileno=0)

    def ask(wanted: bytes) -> bytes:
        reply(connection, ASKED, wanted)
        return receive(connection)[HEADER.size :]

    worker = Worker(heap, ask)
    _stay(processor)
    missing = jail.close(memory)
    worker.warm_up()
    reply(connection, OK, "\n".join(missing).encode())
    while True:
        reply(connection, *worker.answer(receive(connection)))


def _stay(processor: int) -> None:
    """On one processor the hand-over to V8's thread and back costs a third: 38 instead of 98 µs a call. As a batch
    process, so that waking us does not take the processor from who asks (a third more scripts a second)."""
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.sched_setaffinity(0, {allowed[processor % len(allowed)]})


if __name__ == "__main__":
    main()

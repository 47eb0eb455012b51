"""Evaluator processes: V8 behind a jail, reached over a socket pair."""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from weft_expressions.errors import EvaluatorUnavailable
from weft_expressions.worker.frames import ASKED, BROKEN, HEADER, HUNG, OK, OUT_OF_MEMORY

log = logging.getLogger("weft.evaluator")

Ask = Callable[[bytes], Awaitable[bytes]]
"""What a script wants from outside (JSON, see js/code.js) to the answer. Raises nothing."""
_START_SECONDS: Final = 20.0
_GRACE_SECONDS: Final = 2.0
_V8_MB: Final = 768
"""Writable address space that V8 takes for itself; little of it is ever touched."""
_MOST_SKIPPED: Final = 3
_LONGEST_ANSWER: Final = 1 << 28
_LONGEST_PROJECT: Final = 255
_processors = itertools.count()
_SLOW: Final = b'"The expression took too long"'
_LARGE: Final = b'"The expression needs too much memory"'


class Interrupted(Exception):
    """A script was stopped: it took too long, or needs too much memory."""


class _Process:
    """One evaluator. One request at a time."""

    def __init__(self, memory_mb: int) -> None:
        self._megabytes = memory_mb
        self._child: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.missing: list[str] = []
        self.project = ""

    async def start(self) -> None:
        """A V8. Raises EvaluatorUnavailable."""
        memory = self._megabytes << 20
        await self._start("__main__", (memory + (_V8_MB << 20), memory, next(_processors)))

    async def start_python(self, zone: str, modules: Sequence[str]) -> None:
        """A CPython for one script. Raises EvaluatorUnavailable."""
        await self._start("python", (self._megabytes << 20, zone, ",".join(modules)))

    async def _start(self, module: str, arguments: Sequence[object]) -> None:
        ours, theirs = socket.socketpair()
        program = f"import sys; sys.path[:0] = {_paths()!r}; from weft_expressions.worker.{module} import main; main()"
        command = [sys.executable, "-I", "-S", "-c", program, *map(str, arguments)]
        try:
            self._child = await asyncio.to_thread(_spawn, command, theirs)
        except OSError as error:
            ours.close()
            raise EvaluatorUnavailable(f"No evaluator could be started: {error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 26)
        try:
            _, ready = await asyncio.wait_for(self._receive(), _START_SECONDS)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            self.kill()
            raise EvaluatorUnavailable("The evaluator did not start.") from error
        except asyncio.CancelledError:
            self.kill()  # its first frame would be taken for an answer
            raise
        self.missing = ready.decode().splitlines()

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None and self._writer is not None

    def kill(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(Exception):
                self._writer.close()
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._child = self._writer = self._reader = None

    async def call(
        self,
        operation: bytes,
        project: str,
        names: bytes,
        body: bytes,
        timeout: float,
        limit: float | None,
        ask: Ask | None = None,
    ) -> tuple[int, bytes]:
        """Raises EvaluatorUnavailable where the process died or had to be killed."""
        identity = project.encode()[:_LONGEST_PROJECT]
        self._send(HEADER.pack(operation, timeout, len(identity), len(names)) + identity + names + body)
        try:
            return await asyncio.wait_for(self._conversation(ask), limit)
        except TimeoutError:
            self.kill()
            return HUNG, b"0"
        except (OSError, asyncio.IncompleteReadError) as error:
            self.kill()
            raise EvaluatorUnavailable("The evaluator ended while it worked.") from error
        except asyncio.CancelledError:
            self.kill()  # what it says next would be taken for the next answer
            raise

    def _send(self, frame: bytes) -> None:
        assert self._writer is not None
        self._writer.write(len(frame).to_bytes(4, "big") + frame)

    async def _conversation(self, ask: Ask | None) -> tuple[int, bytes]:
        """The answer; what is asked for on the way is got."""
        while True:
            status, body = await self._receive()
            if status != ASKED or ask is None:
                return status, body
            self._send(HEADER.pack(b"A", 0.0, 0, 0) + await ask(body))

    async def _receive(self) -> tuple[int, bytes]:
        assert self._reader is not None
        head = await self._reader.readexactly(5)
        length = int.from_bytes(head[:4], "big")
        if length > _LONGEST_ANSWER:
            raise OSError("the answer is too large")
        return head[4], await self._reader.readexactly(length)


def _spawn(arguments: list[str], connection: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        arguments, stdin=connection.fileno(), stdout=subprocess.DEVNULL, env={}
    )


def _paths() -> list[str]:
    """Where the worker finds its modules: ours and the V8 wheel's, nothing else."""
    import py_mini_racer

    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    theirs = os.path.dirname(os.path.dirname(os.path.abspath(py_mini_racer.__file__)))  # noqa: PTH100, PTH120
    return [ours, theirs]


class EvaluatorPool:
    """`processes` jailed processes. kind "expressions": many warm isolates (one per project) in each; "code": one
    project at a time per process, started at first use."""

    def __init__(
        self,
        processes: int = 1,
        kind: Literal["expressions", "code"] = "expressions",
        *,
        timeout: float = 5.0,
        memory_mb: int = 256,
    ) -> None:
        self._kind = kind
        self._timeout = timeout
        self._memory_mb = memory_mb
        self._count = processes
        self._free: asyncio.Queue[_Process] = asyncio.Queue()
        self._all: list[_Process] = []
        self._stopped = False
        self._aside = asyncio.Lock()

    async def start(self) -> None:
        """Starts the processes of kind "expressions"; "code" starts lazily."""
        self._all = [_Process(self._memory_mb) for _ in range(self._count)]
        for process in self._all:
            if self._kind == "expressions":
                await process.start()
            self._free.put_nowait(process)

    async def stop(self) -> None:
        """Kills them; what is running fails."""
        self._stopped = True
        for process in self._all:
            process.kill()

    @property
    def missing(self) -> list[str]:
        """What this machine's kernel does not give to the jail."""
        return sorted({wall for process in self._all for wall in process.missing})

    async def run(
        self, project_id: str, request: bytes, *, timeout: float | None = None, ask: Ask | None = None
    ) -> bytes:
        """One request (see request.py) to its answer, JSON. `timeout`: seconds for one evaluation, or for a script
        in all. Raises EvaluatorUnavailable; Interrupted for a script."""
        if self._stopped or not self._all:
            raise EvaluatorUnavailable("The evaluators are stopped.")
        process = await self._free.get()
        try:
            if self._kind == "code" and process.alive and process.project != project_id:
                process.kill()
            if not process.alive:
                await process.start()
            process.project = project_id
            end = request.index(b"\n")
            names, body = request[1:end], request[end + 1 :]
            seconds = self._timeout if timeout is None else timeout
            if request[:1] == b"C":
                call = process.call(b"C", project_id, names, body, seconds, seconds + _GRACE_SECONDS, ask)
                return _of_script(*await call, seconds)
            return await self._expressions(process, project_id, names, body, seconds)
        finally:
            self._free.put_nowait(process)

    async def run_python(self, body: bytes, zone: str, modules: Sequence[str], timeout: float) -> bytes:
        """One Python script in a process of its own, which ends with it; `modules` are there to import. Raises
        EvaluatorUnavailable; Interrupted."""
        if self._stopped or not self._all:
            raise EvaluatorUnavailable("The evaluators are stopped.")
        process = await self._free.get()
        try:
            process.kill()
            await process.start_python(zone, modules)
            return _of_script(*await process.call(b"Y", "", b"", body, timeout, timeout), timeout)
        finally:
            process.kill()
            self._free.put_nowait(process)

    async def python_aside(self, body: bytes, timeout: float) -> bytes:
        """The same in one more process, whatever the others are doing; one at a time."""
        async with self._aside:
            if self._stopped:
                raise EvaluatorUnavailable("The evaluators are stopped.")
            process = _Process(self._memory_mb)
            try:
                await process.start_python("", [])
                return _of_script(*await process.call(b"Y", "", b"", body, timeout, timeout), timeout)
            finally:
                process.kill()

    @staticmethod
    async def _expressions(
        process: _Process, project: str, names: bytes, body: bytes, seconds: float
    ) -> bytes:
        """Evaluations that hang are left out, and the rest is asked for again."""
        skipped: dict[int, bytes] = {}
        while True:
            known = b"{%s}" % b",".join(b'"%d":%s' % pair for pair in skipped.items())
            frame = b"[[0,1e9,%s,%s]]" % (known, body)
            status, answer = await process.call(b"E", project, names, frame, seconds, None)
            if status == OK:
                return answer
            if status == BROKEN or len(skipped) >= _MOST_SKIPPED:
                raise EvaluatorUnavailable(
                    answer.decode(errors="replace") if status == BROKEN else "The expressions take too long"
                )
            skipped[int(answer)] = _SLOW if status == HUNG else _LARGE
            if not process.alive:
                await process.start()


def _of_script(status: int, answer: bytes, seconds: float) -> bytes:
    """The answer of a script's run. Raises EvaluatorUnavailable; Interrupted."""
    if status == OK:
        return answer
    if status in (HUNG, OUT_OF_MEMORY):
        what = "needs too much memory" if status == OUT_OF_MEMORY else f"took longer than {seconds:g} s"
        raise Interrupted(f"The code {what}")
    raise EvaluatorUnavailable(answer.decode(errors="replace") or "The evaluator is broken.")

"""Programs as child processes: no shell, bounded output, ended with the run."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from weft_node_sdk.context import NodeRunError

MAX_OUTPUT: Final = 16 * 1024 * 1024
Checkpoint = Callable[[], Awaitable[None]]
_KEPT: Final = ("PATH", "TZ", "TMPDIR")


@dataclass(frozen=True)
class Finished:
    code: int
    out: bytes
    err: bytes


def environment(**more: str) -> dict[str, str]:
    """A child's environment: the rest of ours may hold the installation's secrets."""
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        **more,
    }


async def start(words: Sequence[str], **options: Any) -> asyncio.subprocess.Process:
    """A child in a session of its own. Raises NodeRunError where the program is not installed."""
    try:
        return await asyncio.create_subprocess_exec(*words, start_new_session=True, **options)
    except FileNotFoundError:
        raise NodeRunError(
            f"The program '{words[0]}' is not installed on the runner's machine", code="NOT_INSTALLED"
        ) from None


async def end(process: asyncio.subprocess.Process) -> None:
    """Ends a child and its own children."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _collect(stream: asyncio.StreamReader, name: str) -> bytes:
    found = bytearray()
    while chunk := await stream.read(65536):
        found += chunk
        if len(found) > MAX_OUTPUT:
            raise NodeRunError(f"{name} wrote more than {MAX_OUTPUT} bytes", code="TOO_LARGE")
    return bytes(found)


async def finished(
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    name: str,
    seconds: float | None = None,
    checkpoint: Checkpoint | None = None,
    **options: Any,
) -> Finished:
    """Runs a program to its end. `name`: what messages call it. `checkpoint`: asked twice a second, ends the program
    by what it raises. `options`: as create_subprocess_exec has them. Raises NodeRunError for more output than
    MAX_OUTPUT and after `seconds`."""
    pipe = asyncio.subprocess.PIPE
    process = await start(
        words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=env, **options
    )
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.gather(_collect(process.stdout, name), _collect(process.stderr, name))
    try:
        async with asyncio.timeout(seconds):
            while not reading.done():
                await asyncio.wait([reading], timeout=0.5)
                if checkpoint:
                    await checkpoint()
            out, err = reading.result()
            code = await process.wait()
    except TimeoutError:
        raise NodeRunError(f"{name} took longer than {seconds:g} seconds", code="TIMEOUT") from None
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError, NodeRunError):
            await reading
        await end(process)
    return Finished(code, out, err)

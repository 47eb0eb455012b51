"""Execute Command: runs a command of the shell on the runner's machine. Off unless the installation names it."""

import asyncio
import os
import signal
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import value

MAX_OUTPUT: Final = 16 * 1024 * 1024
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER")
"""The rest of the environment may hold the installation's secrets."""


async def _collect(stream: asyncio.StreamReader) -> bytes:
    found = b""
    while chunk := await stream.read(65536):
        found += chunk
        if len(found) > MAX_OUTPUT:
            raise NodeRunError(f"The command wrote more than {MAX_OUTPUT} bytes", code="TOO_LARGE")
    return found


async def _execute(ctx: RunContext, command: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.gather(_collect(process.stdout), _collect(process.stderr))
    try:
        while not reading.done():
            await asyncio.wait([reading], timeout=0.5)
            await ctx.checkpoint()
        out, err = reading.result()
        code = await process.wait()
    finally:
        reading.cancel()
        if process.returncode is None:
            # the shell's children are of its session
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    texts = [text.decode("utf-8", "replace").strip() for text in (out, err)]
    if code != 0:
        raise NodeRunError(
            f"The command failed with exit code {code}",
            description=texts[1] or texts[0],
            code="COMMAND_FAILED",
        )
    return {"exitCode": code, "stderr": texts[1], "stdout": texts[0]}


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    if not ctx.permitted:
        raise NodeRunError(
            "Commands may not be run in this installation",
            description=f"An administrator can allow it: WEFT_ALLOW_NODES={ctx.node.type}",
            code="NODE_REFUSED",
        )

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        if index and parameters.get("executeOnce", True) is not False:
            return []
        command = str(value(parameters.get("command", "")))
        if "\0" in command or not command.strip():
            raise NodeRunError("The command is empty")
        return [made(await _execute(ctx, command), index)]

    return [await map_items(ctx, handle)]

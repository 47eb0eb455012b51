"""SSH: commands, and files by SFTP, of a machine that is reached by SSH."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, text_of

from weft_nodes.files.kinds import type_of
from weft_nodes.ssh_ import process, remote_paths, sftp
from weft_nodes.ssh_.client import Client, login_of, prepared

_SECONDS = 60.0
_CREDENTIALS = {"password": "sshPassword", "privateKey": "sshPrivateKey"}
_NO_EXIT = 255
"""Of the client: the command exited so, or was killed, or the connection failed."""


def command_in(folder: str, command: str) -> str:
    """The text for the remote shell. Where the folder can't be entered, the shell says so and goes on, as n8n's
    does."""
    home, separator, below = folder.partition("/")
    place = f"~{separator}{shlex.quote(below) if below else ''}" if home == "~" else shlex.quote(folder)
    return f"cd {place}\n{command}" if folder else command


async def _execute(ctx: RunContext, client: Client, parameters: dict[str, Any]) -> dict[str, Any]:
    command = text_of(parameters.get("command"))
    if "\0" in command or not command.strip():
        raise NodeRunError("The command is empty")
    words = client.command(command_in(text_of(parameters.get("cwd")), command))
    loop = asyncio.get_running_loop()
    late = loop.time() + _SECONDS

    async def checkpoint() -> None:
        await ctx.checkpoint()
        if loop.time() > late and not client.said().is_in:
            raise NodeRunError(f"The SSH server let nobody in for {_SECONDS:g} seconds", code="TIMEOUT")

    client.begin()
    done = await process.finished(words, env=client.env, name="The command", checkpoint=checkpoint)
    said = client.said()
    if done.code == _NO_EXIT and not (said.exited or said.killed):
        failure = client.failure()
        if failure is None or said.is_in:
            text = "The connection ended before the command did"
            failure = NodeRunError(text, description="\n".join(said.errors), code="CONNECTION_ERROR")
        raise failure
    return {
        "code": None if said.killed else done.code,
        "signal": "unknown" if said.killed else None,
        "stdout": done.out.decode("utf-8", "replace").strip(),
        "stderr": done.err.decode("utf-8", "replace").strip(),
    }


class Run:
    """One run of the node: the connection for files is made when the first one is moved, and again after it broke."""

    def __init__(self, ctx: RunContext, stack: AsyncExitStack) -> None:
        self._ctx = ctx
        self._stack = stack
        self._files: sftp.Sftp | None = None
        self._client: Client | None = None

    async def item(self, index: int, parameters: dict[str, Any]) -> Item:
        try:
            if parameters.get("resource", "command") == "command":
                return made(await _execute(self._ctx, await self._prepared(parameters), parameters), index)
            match parameters.get("operation", "upload"):
                case "upload":
                    return await self._upload(index, parameters)
                case "download":
                    return await self._download(index, parameters)
                case other:
                    raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
        except NodeRunError as error:
            if error.code not in remote_paths.UNHARMED:
                await self._stack.aclose()
                self._files = self._client = None
            raise

    async def _prepared(self, parameters: dict[str, Any]) -> Client:
        if self._client is None:
            kind = _CREDENTIALS.get(str(parameters.get("authentication", "password")), "sshPassword")
            login = login_of(await self._ctx.credential(kind))
            self._client = await self._stack.enter_async_context(prepared(self._ctx, login))
        return self._client

    async def _connected(self, parameters: dict[str, Any]) -> sftp.Sftp:
        if self._files is None:
            client = await self._prepared(parameters)
            self._files = await self._stack.enter_async_context(sftp.connected(client, seconds=_SECONDS))
        return self._files

    async def _upload(self, index: int, parameters: dict[str, Any]) -> Item:
        files = await self._connected(parameters)
        folder = remote_paths.from_home(text_of(parameters.get("path")))
        name = text_of(parameters.get("binaryPropertyName")) or "data"
        async with self._ctx.open_binary(index, name) as reader:
            file_name = text_of(members(parameters).get("fileName")) or remote_paths.name_of(reader.file_name)
            target = remote_paths.joined(folder, file_name or "file")
            await remote_paths.write(files, target, lambda: self._chunks(reader))
        return made({"success": True}, index)

    async def _download(self, index: int, parameters: dict[str, Any]) -> Item:
        files = await self._connected(parameters)
        path = remote_paths.from_home(text_of(parameters.get("path")))
        name = text_of(members(parameters).get("fileName")) or remote_paths.name_of(path)
        async with self._ctx.create_binary() as writer, aclosing(files.read(path)) as chunks:
            async for chunk in self._chunks(chunks):
                await writer.write(chunk)
            entry = await writer.store(mime_type=type_of(name, writer.head), file_name=name)
        item = self._ctx.items[index]
        target = text_of(parameters.get("binaryPropertyName")) or "data"
        return {
            **made(item["json"], index),
            "binary": {**item.get("binary", {}), target: entry},
        }

    async def _chunks(self, source: Any) -> AsyncIterator[bytes]:
        async for chunk in source:
            await self._ctx.checkpoint()
            yield chunk


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    async with AsyncExitStack() as stack:
        current = Run(ctx, stack)

        async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
            return [await current.item(index, parameters)]

        return [await map_items(ctx, handle)]

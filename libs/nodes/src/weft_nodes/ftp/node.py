"""FTP: files on a server, by FTP or SFTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items, passed
from weft_node_sdk.values import members, text_of, value

from weft_nodes.files.kinds import type_of
from weft_nodes.ftp import remote as remotes
from weft_nodes.ftp.by_sftp import BySftp
from weft_nodes.ftp.connection import connected
from weft_nodes.ssh_ import remote_paths

_MILLISECONDS = 10_000
_MOST_AHEAD, _MOST_KILOBYTES = 64, 256


def _number(given: Any, default: int, most: int) -> int:
    given = value(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 1:
        return default
    return min(int(given), most)


class Run:
    """One run of the node. The connection is made for the first item, and again after it broke."""

    def __init__(self, ctx: RunContext, stack: AsyncExitStack) -> None:
        self._ctx = ctx
        self._stack = stack
        self._open: tuple[tuple[str, float], remotes.Remote] | None = None

    async def items(self, index: int, parameters: dict[str, Any]) -> list[Item]:
        try:
            return await self._perform(index, parameters, await self._connected(parameters))
        except NodeRunError as error:
            if error.code not in remote_paths.UNHARMED:
                await self._disconnect()
            raise

    async def _connected(self, parameters: dict[str, Any]) -> remotes.Remote:
        protocol = "sftp" if parameters.get("protocol") == "sftp" else "ftp"
        milliseconds = _number(members(parameters).get("timeout"), _MILLISECONDS, 3_600_000)
        wanted = protocol, milliseconds / 1000
        if self._open and self._open[0] != wanted:
            await self._disconnect()
        if self._open is None:
            secret = await self._ctx.credential(protocol)
            connection = connected(self._ctx, protocol, secret, seconds=wanted[1])
            self._open = wanted, await self._stack.enter_async_context(connection)
        return self._open[1]

    async def _disconnect(self) -> None:
        self._open = None
        await self._stack.aclose()

    async def _perform(self, index: int, parameters: dict[str, Any], remote: remotes.Remote) -> list[Item]:
        options = members(parameters)
        match parameters.get("operation", "download"):
            case "list":
                return await self._list(index, parameters, remote)
            case "download":
                return [await self._download(index, parameters, remote)]
            case "upload":
                return [await self._upload(index, parameters, remote)]
            case "rename":
                old, new = (self._path(parameters, name) for name in ("oldPath", "newPath"))
                if options.get("createDirectories") is True:
                    await remote_paths.make_parents(remote, new)
                await remote.rename(old, new)
            case "delete":
                path = self._path(parameters)
                if options.get("folder") is not True:
                    await remote.remove(path)
                elif options.get("recursive") is True:
                    await remotes.remove_tree(remote, path)
                else:
                    await remote.remove_folder(path)
            case other:
                raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
        return [made({"success": True}, index)]

    @staticmethod
    def _path(parameters: dict[str, Any], name: str = "path") -> str:
        return remote_paths.checked(text_of(parameters.get(name)))

    async def _list(self, index: int, parameters: dict[str, Any], remote: remotes.Remote) -> list[Item]:
        recursive = parameters.get("recursive") is True
        found = await remotes.listed(remote, self._path(parameters), recursive=recursive)
        return [made({**entry.about, "path": path}, index) for path, entry in found]

    async def _download(self, index: int, parameters: dict[str, Any], remote: remotes.Remote) -> Item:
        path = self._path(parameters)
        options = members(parameters)
        if isinstance(remote, BySftp) and options.get("enableConcurrentReads") is True:
            remote.ahead = _number(options.get("maxConcurrentReads"), 5, _MOST_AHEAD)
            remote.part = _number(options.get("chunkSize"), 64, _MOST_KILOBYTES) * 1024
        name = remote_paths.name_of(path)
        async with self._ctx.create_binary() as writer, aclosing(remote.read(path)) as chunks:
            async for chunk in self._chunks(chunks):
                await writer.write(chunk)
            entry = await writer.store(mime_type=type_of(name, writer.head), file_name=name)
        item = self._ctx.items[index]
        target = text_of(parameters.get("binaryPropertyName")) or "data"
        return {**made(item["json"], index), "binary": {**item.get("binary", {}), target: entry}}

    async def _upload(self, index: int, parameters: dict[str, Any], remote: remotes.Remote) -> Item:
        path = self._path(parameters)
        if parameters.get("binaryData", True) is False:
            text = text_of(parameters.get("fileContent")).encode()
            await remote_paths.write(remote, path, lambda: self._once(text))
        else:
            name = text_of(parameters.get("binaryPropertyName")) or "data"
            async with self._ctx.open_binary(index, name) as reader:
                await remote_paths.write(remote, path, lambda: self._chunks(reader))
        return passed(self._ctx.items[index], index)

    async def _chunks(self, source: Any) -> AsyncIterator[bytes]:
        async for chunk in source:
            await self._ctx.checkpoint()
            yield chunk

    @staticmethod
    async def _once(data: bytes) -> AsyncIterator[bytes]:
        yield data


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    async with AsyncExitStack() as stack:
        return [await map_items(ctx, Run(ctx, stack).items)]

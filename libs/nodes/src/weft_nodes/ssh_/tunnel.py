"""A way to a server behind another one: OpenSSH carries a connection through its own (`ssh -W`)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.ssh_.client import Client, login_of, prepared
from weft_nodes.ssh_.process import end, start

_CHUNK = 65536


@asynccontextmanager
async def reached(
    ctx: Outbound, secret: Mapping[str, Any], host: str, port: int, *, seconds: float = 10
) -> AsyncIterator[tuple[str, int]]:
    """The address and port to connect to, one connection at a time, for a server whose credential may have the fields
    of a tunnel. Raises NodeRunError where an address is refused; where the tunnel broke, its failure stands for that
    of the block."""
    if secret.get("sshTunnel") is not True:
        yield await ctx.connect_address(host, port), port
        return
    by_key = secret.get("sshAuthenticateWith", "password") == "privateKey"
    login = login_of(
        {
            "host": secret.get("sshHost"),
            "port": secret.get("sshPort"),
            "username": secret.get("sshUser"),
            "password": "" if by_key else secret.get("sshPassword"),
            "privateKey": secret.get("privateKey") if by_key else "",
            "passphrase": secret.get("passphrase") if by_key else "",
        }
    )
    async with prepared(ctx, login, seconds=seconds) as client:
        tunnel = _Tunnel(client, host, port)
        await tunnel.open()
        try:
            yield "127.0.0.1", tunnel.port
        except NodeRunError:
            if failure := tunnel.failure():
                raise failure from None
            raise
        finally:
            await tunnel.close()


class _Tunnel:
    """Listens on this machine for one connection at a time: ours, as nobody else was told of the port. A driver may try
    again after a refusal (PostgreSQL's, with TLS)."""

    def __init__(self, client: Client, host: str, port: int) -> None:
        self._client = client
        self._target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: asyncio.Server | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._carrying: asyncio.Task[None] | None = None
        self._missing: NodeRunError | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._carrying is not None and not self._carrying.done():
            writer.close()
            return
        self._carrying = asyncio.create_task(self._carry(reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        words = self._client.forward(self._target)
        try:
            self._process = await start(words, stdin=pipe, stdout=pipe, stderr=quiet, env=self._client.env)
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            sending = asyncio.create_task(_copy(reader, self._process.stdin, ends=True))
            try:
                await _copy(self._process.stdout, writer)
            finally:
                sending.cancel()
            # who is connected learns of the end when there is something to say about it
            await self._process.wait()
        except NodeRunError as error:
            self._missing = error
        finally:
            writer.close()

    def failure(self) -> NodeRunError | None:
        """Why the tunnel has ended; None while it stands."""
        if self._missing is not None:
            return self._missing
        if self._process is not None and self._process.returncode in {None, 0}:
            return None
        return self._client.failure()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._carrying is not None:
            self._carrying.cancel()
            with suppress(asyncio.CancelledError):
                await self._carrying
        if self._process is not None:
            await end(self._process)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, *, ends: bool = False) -> None:
    """`ends`: the target is told of the source's end."""
    with suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
        if ends:
            target.close()

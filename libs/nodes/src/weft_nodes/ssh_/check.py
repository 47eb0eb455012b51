"""Tries credentials of SSH and SFTP."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Outbound

from weft_nodes.ssh_ import process, sftp
from weft_nodes.ssh_.client import login_of, prepared

_SECONDS = 20.0


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential. What the shell says of
    the command does not matter."""
    async with prepared(ctx, login_of(secret)) as client:
        await process.finished(client.command("exit"), env=client.env, name="The command", seconds=_SECONDS)
        if failure := client.failure():
            raise failure


async def check_files(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached, does not take the credential or has no SFTP."""
    async with prepared(ctx, login_of(secret)) as client, sftp.connected(client, seconds=_SECONDS):
        pass

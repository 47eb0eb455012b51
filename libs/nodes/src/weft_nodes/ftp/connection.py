"""The connection of a run, and the credential's trial."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from weft_node_sdk.context import Outbound

from weft_nodes.ftp import by_ftp
from weft_nodes.ftp.by_sftp import BySftp
from weft_nodes.ftp.remote import Remote
from weft_nodes.ssh_ import sftp
from weft_nodes.ssh_.client import login_of, prepared

_SECONDS = 20.0


@asynccontextmanager
async def connected(
    ctx: Outbound, protocol: str, secret: Mapping[str, Any], *, seconds: float
) -> AsyncIterator[Remote]:
    """`seconds`: for an answer to come. Raises NodeRunError."""
    if protocol == "sftp":
        async with (
            prepared(ctx, login_of(secret), seconds=seconds) as client,
            sftp.connected(client, seconds=seconds) as speaking,
        ):
            yield BySftp(speaking)
    else:
        async with by_ftp.connected(ctx, secret, seconds=seconds) as remote:
            yield remote


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with by_ftp.connected(ctx, secret, seconds=_SECONDS):
        pass

"""A connection by a credential, and the credential's trial."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import to_text

from weft_nodes.ldap_.directory import CONNECT_SECONDS, Directory
from weft_nodes.network.ports import UNREACHABLE, port_of
from weft_nodes.network.tls import client_context


@asynccontextmanager
async def connected(ctx: Outbound, secret: Mapping[str, Any]) -> AsyncIterator[Directory]:
    """Signed in by the fields of a credential. Raises NodeRunError."""

    def text(name: str) -> str:
        return str(to_text(secret.get(name) or ""))

    host, security = text("hostname").strip(), text("connectionSecurity") or "none"
    try:
        port, seconds = port_of(secret.get("port"), 389), float(text("timeout") or 300)
        context = _context(host, secret) if security != "none" else None
    except ValueError as error:
        raise NodeRunError(f"The credential can't be used: {error}", code="CREDENTIAL_INVALID") from None
    address = await ctx.connect_address(host, port)
    directory: Directory | None = None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                address, port, ssl=context if security == "tls" else None
            )
            directory = Directory(reader, writer, min(seconds, CONNECT_SECONDS))
            if context and security == "startTls":
                await directory.start_tls(context, host)
            if bind_dn := text("bindDN"):
                await directory.bind(bind_dn, text("bindPassword"))
        directory.seconds = seconds
        yield directory
    except TimeoutError:
        raise NodeRunError(
            "The LDAP server did not answer in time", description=UNREACHABLE, code="TIMEOUT"
        ) from None
    except (OSError, ssl.SSLError) as error:
        raise NodeRunError(f"LDAP: {error}", description=UNREACHABLE, code="CONNECTION_ERROR") from None
    finally:
        if directory:
            directory.close()


def _context(host: str, secret: Mapping[str, Any]) -> ssl.SSLContext:
    """Raises ValueError for a certificate that is none."""
    verify = secret.get("allowUnauthorizedCerts") is not True
    try:
        return client_context(host, verify=verify, ca=str(secret.get("caCertificate") or ""))
    except ssl.SSLError:
        raise ValueError("the authority's certificate can't be read") from None


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connected(ctx, secret) as directory:
        await directory.search("", scope="base", attributes=("1.1",))

"""A connection to a mail server, guarded."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.network.ports import port_of
from weft_nodes.network.tls import client_context


async def client_of(ctx: Outbound, secret: Mapping[str, Any], *, verify: bool) -> Any:
    """Connects when it is entered."""
    import aiosmtplib

    host, port = str(secret.get("host", "")), port_of(secret.get("port"), 465)
    secure = secret.get("secure", True) is not False
    return aiosmtplib.SMTP(
        hostname=await ctx.connect_address(host, port),
        port=port,
        use_tls=secure,
        start_tls=False if secure or secret.get("disableStartTls") is True else None,
        tls_context=client_context(host, verify=verify),
        local_hostname=str(secret.get("hostName") or "") or None,
        timeout=60,
    )


async def sign_in(client: Any, secret: Mapping[str, Any]) -> None:
    if secret.get("user"):
        await client.login(str(secret["user"]), str(secret.get("password", "")))


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    import aiosmtplib

    client = await client_of(ctx, secret, verify=True)
    try:
        async with client:
            await sign_in(client, secret)
            await client.noop()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise NodeRunError(f"The mail server can't be used: {error}", code="MAIL_ERROR") from None

"""A connection to RabbitMQ."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.network.ports import UNREACHABLE, port_of
from weft_nodes.network.tls import NamedContext, client_context

_CONNECT_SECONDS: Final = 10.0


def _tls(secret: Mapping[str, Any], host: str) -> NamedContext | None:
    if secret.get("ssl") is not True:
        return None
    ca, certificate, key, passphrase = (
        str(secret.get(name) or "") for name in ("ca", "cert", "key", "passphrase")
    )
    try:
        return client_context(host, ca=ca, certificate=certificate, key=key, passphrase=passphrase)
    except (ValueError, OSError) as error:
        raise NodeRunError(
            f"RabbitMQ: a certificate can't be used: {error}", code="MESSAGING_ERROR"
        ) from None


def _signing_in(secret: Mapping[str, Any]) -> dict[str, Any]:
    """By the client's certificate, or by name and password: without either the client would say `guest`."""
    if secret.get("ssl") is True and secret.get("passwordless", True) is not False:
        return {"auth": "external"}
    login, password = str(secret.get("username") or ""), str(secret.get("password") or "")
    if not login or not password:
        raise NodeRunError("The credential needs a user and a password")
    return {"login": login, "password": password}


@asynccontextmanager
async def connected(ctx: Outbound, secret: Mapping[str, Any]) -> AsyncIterator[Any]:
    """Raises NodeRunError where there is no connection."""
    import aio_pika
    from aio_pika.exceptions import AMQPError

    host, port = str(secret.get("hostname") or ""), port_of(secret.get("port"), 5672)
    tls, sign_in = _tls(secret, host), _signing_in(secret)
    address = await ctx.connect_address(host, port)
    try:
        connection = await aio_pika.connect(
            host=address,
            port=port,
            virtualhost=str(secret.get("vhost") or "/"),
            ssl=tls is not None,
            ssl_context=tls,
            timeout=_CONNECT_SECONDS,
            **sign_in,
        )
    except (AMQPError, OSError, TimeoutError) as error:
        text = str(error) or type(error).__name__
        raise NodeRunError(
            f"RabbitMQ: no connection to {host}:{port}: {text}",
            description=UNREACHABLE,
            code="MESSAGING_ERROR",
        ) from None
    try:
        yield connection
    finally:
        await connection.close()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connected(ctx, secret):
        return

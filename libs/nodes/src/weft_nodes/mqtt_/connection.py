"""A connection to a broker that speaks MQTT."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import uuid4

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.network.ports import UNREACHABLE, port_of
from weft_nodes.network.tls import NamedContext, client_context

_CONNECT_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0
_PATH: Final = "/mqtt"
"""Where brokers take WebSockets, by custom."""


def _tls(secret: Mapping[str, Any], host: str) -> NamedContext | None:
    if secret.get("ssl") is not True:
        return client_context(host) if secret.get("protocol") == "mqtts" else None
    ca, certificate, key = (str(secret.get(name) or "") for name in ("ca", "cert", "key"))
    shown = secret.get("passwordless", True) is not False
    verify = not shown or secret.get("rejectUnauthorized") is not False
    try:
        if not shown:
            return client_context(host, ca=ca)
        return client_context(host, verify=verify, ca=ca, certificate=certificate, key=key)
    except (ValueError, OSError) as error:
        raise NodeRunError(f"MQTT: a certificate can't be used: {error}", code="MESSAGING_ERROR") from None


def _by_protocol(secret: Mapping[str, Any], host: str, port: int) -> dict[str, Any]:
    if secret.get("protocol") != "ws":
        return {}
    return {
        "transport": "websockets",
        "websocket_path": _PATH,
        "websocket_headers": {"Host": f"{host}:{port}"},
    }


@asynccontextmanager
async def connected(ctx: Outbound, secret: Mapping[str, Any]) -> AsyncIterator[Any]:
    """Raises NodeRunError where there is no connection."""
    import aiomqtt

    host, port = str(secret.get("host") or ""), port_of(secret.get("port"), 1883)
    tls = _tls(secret, host)
    client = aiomqtt.Client(
        hostname=await ctx.connect_address(host, port),
        port=port,
        username=str(secret.get("username") or "") or None,
        password=str(secret.get("password") or "") or None,
        # a broker that remembers a session needs a name to know it by
        identifier=str(secret.get("clientId") or "") or f"weft-{uuid4().hex[:16]}",
        clean_session=secret.get("clean", True) is not False,
        tls_context=tls,
        timeout=_CONNECT_SECONDS,
        **_by_protocol(secret, host, port),
    )
    try:
        try:
            await client.__aenter__()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            text = f"MQTT: no connection to {host}:{port}: {error}"
            raise NodeRunError(text, description=UNREACHABLE, code="MESSAGING_ERROR") from None
        yield client
    finally:
        await _left(client)


async def _left(client: Any) -> None:
    """Closes also what was opened by half. A connection that is lost can't be closed, and whoever lost it knows."""
    import aiomqtt

    client.timeout = _CLOSE_SECONDS
    with suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the broker can't be reached or does not take the credential."""
    async with connected(ctx, secret):
        return

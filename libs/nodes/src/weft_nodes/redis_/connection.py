"""A connection to Redis, guarded."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import to_whole

from weft_nodes.network.ports import port_of
from weft_nodes.network.tls import client_context


def _database(given: Any) -> int:
    """By its number. Raises NodeRunError for what is none."""
    try:
        return int(to_whole(given) or 0)
    except ValueError:
        raise NodeRunError(
            f"The credential's database '{str(given)[:20]}' is no number",
            description="Redis counts its databases: 0, 1, 2, …",
            code="CREDENTIAL_INVALID",
        ) from None


async def client_of(ctx: Outbound, secret: Mapping[str, Any]) -> Any:
    """Connects at the first command."""
    from redis.asyncio import Connection, ConnectionPool, Redis

    host, port = str(secret.get("host", "localhost")), port_of(secret.get("port"), 6379)
    address = await ctx.connect_address(host, port)
    pool = ConnectionPool(
        _secured(host, verify=secret.get("disableTlsVerification") is not True)
        if secret.get("ssl") is True
        else Connection,
        host=address,
        port=port,
        db=_database(secret.get("database")),
        username=str(secret.get("user") or "") or None,
        password=str(secret.get("password") or "") or None,
        decode_responses=True,
        encoding_errors="replace",
        socket_connect_timeout=10,
        socket_timeout=60,
    )
    return Redis.from_pool(pool)


def _secured(host: str, *, verify: bool) -> Any:
    """A connection by TLS that checks the name, whatever the address."""
    from redis.asyncio import Connection

    class Secured(Connection):
        def _connection_arguments(self) -> Mapping[str, Any]:
            return {
                **super()._connection_arguments(),
                "ssl": client_context(host, verify=verify),
                "server_hostname": host,
            }

    return Secured


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    from redis.exceptions import RedisError

    client = await client_of(ctx, secret)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        raise NodeRunError(f"Redis: {error}", code="DATABASE_ERROR") from None
    finally:
        await client.aclose()
        await client.connection_pool.disconnect()

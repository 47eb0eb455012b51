"""A producer that connects to nothing but addresses that were checked.

A cluster says by itself where its brokers are, and the client connects to what it says. Each of them goes through the
guard too, and its certificate is checked against its name, not against the address.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import names_in

from weft_nodes.network.ports import UNREACHABLE
from weft_nodes.network.tls import NamedContext, client_context

_PORT: Final = 9092
_MOST: Final = 32 * 1024 * 1024
"""Bytes of one message here; the broker has a limit of its own."""


class _Brokers:
    """Stands in for two methods of the client: it has no other place to say where a broker is."""

    def __init__(self, ctx: Outbound, client: Any, tls: NamedContext | None) -> None:
        self._ctx = ctx
        self._tls = tls
        self._lock = asyncio.Lock()
        self._addresses: dict[tuple[str, int], str] = {}
        self._known = client.cluster.broker_metadata
        self._connection = client._get_conn  # noqa: SLF001 - see above
        client.cluster.broker_metadata = self._checked
        client._get_conn = self._connect  # noqa: SLF001

    def _checked(self, node_id: Any) -> Any:
        broker = self._known(node_id)
        address = broker and self._addresses.get((broker.host, broker.port))
        return broker._replace(host=address) if address else None

    async def check(self, broker: Any) -> None:
        """Raises NodeRunError."""
        place = (broker.host, broker.port)
        if place not in self._addresses:
            self._addresses[place] = await self._ctx.connect_address(*place)

    async def _connect(self, node_id: Any, **options: Any) -> Any:
        broker = self._known(node_id)
        if broker is None:
            return await self._connection(node_id, **options)
        try:
            await self.check(broker)
        except NodeRunError:
            # one that comes later, while messages are sent: to the client it is a broker that is away
            return None
        async with self._lock:
            if self._tls is not None:
                self._tls.server_name = broker.host
            return await self._connection(node_id, **options)


def _place(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        return parts.hostname or "", parts.port or _PORT
    except ValueError:
        raise NodeRunError(f"'{text}' is no address of a broker") from None


def _tls(secret: Mapping[str, Any], host: str) -> NamedContext | None:
    if secret.get("ssl", True) is False:
        return None
    ca, certificate, key = (str(secret.get(name) or "") for name in ("ca", "cert", "key"))
    verify = secret.get("allowUnauthorizedCerts") is not True
    try:
        return client_context(host, verify=verify, ca=ca, certificate=certificate, key=key)
    except (ValueError, OSError) as error:
        raise NodeRunError(f"Kafka: a certificate can't be used: {error}", code="MESSAGING_ERROR") from None


def _signing_in(secret: Mapping[str, Any]) -> dict[str, Any]:
    if secret.get("authentication") is not True:
        return {}
    return {
        "sasl_mechanism": str(secret.get("saslMechanism") or "plain").upper(),
        "sasl_plain_username": str(secret.get("username") or ""),
        "sasl_plain_password": str(secret.get("password") or ""),
    }


async def _started(
    ctx: Outbound, secret: Mapping[str, Any], place: tuple[str, int], settings: Mapping[str, Any]
) -> Any:
    """A producer that found the cluster by one broker. Raises NodeRunError."""
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    host, port = place
    address = await ctx.connect_address(host, port)
    tls, sasl = _tls(secret, host), _signing_in(secret)
    producer = AIOKafkaProducer(
        bootstrap_servers=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
        client_id=str(secret.get("clientId") or "") or "weft",
        security_protocol=f"{'SASL_' if sasl else ''}{'SSL' if tls else 'PLAINTEXT'}",
        ssl_context=tls,
        max_request_size=_MOST,
        **sasl,
        **settings,
    )
    brokers = _Brokers(ctx, producer.client, tls)
    try:
        await producer.start()
        for broker in producer.client.cluster.brokers():
            await brokers.check(broker)
    except (KafkaError, OSError, TimeoutError) as error:
        await producer.stop()
        raise NodeRunError(
            f"Kafka: no connection to {host}:{port}: {error}", description=UNREACHABLE, code="MESSAGING_ERROR"
        ) from None
    except BaseException:
        await producer.stop()
        raise
    return producer


@asynccontextmanager
async def producing(ctx: Outbound, secret: Mapping[str, Any], **settings: Any) -> AsyncIterator[Any]:
    """A producer with a credential; what it holds is sent at the end. `settings`: of the client's own. Raises
    NodeRunError where no broker takes it."""
    failure = NodeRunError("The credential names no broker")
    for place in map(_place, names_in(secret.get("brokers"))):
        try:
            producer = await _started(ctx, secret, place, settings)
            break
        except NodeRunError as error:
            failure = error
    else:
        raise failure
    try:
        yield producer
    finally:
        await producer.stop()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where no broker can be reached or takes the credential."""
    async with producing(ctx, secret, request_timeout_ms=10_000):
        return

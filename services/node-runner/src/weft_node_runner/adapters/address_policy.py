"""Which addresses nodes may reach: a name is resolved once, checked, and what was checked is connected to."""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from weft_node_sdk.context import NodeRunError

Address = IPv4Address | IPv6Address
_EMBEDDING = tuple(map(ip_network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""IPv4-compatible, translated (RFC 2765), NAT64 (RFC 6052): the last 32 bits are an IPv4 address."""
_LOCAL = tuple(map(ip_network, ("192.88.99.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10")))
"""Not global, which this Python does not know: 6to4 relays, a network's own NAT64 (RFC 8215, whose IPv4 address may
stand anywhere), documentation, SRv6, site-local."""
_ISATAP = (0x5EFE, 0x0200_5EFE)
"""Before the IPv4 address in the last 64 bits (RFC 5214)."""


class Policy:
    """`allowed`: hosts, `host:port`s and CIDRs of the private kind that may be called."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._networks = []
        for word in allowed:
            try:
                self._networks.append(ip_network(word, strict=False))
            except ValueError:
                self._names.add(word.lower())

    def permits(self, host: str, port: int, address: Address) -> bool:
        mapped = _inner(address) or address
        if mapped.is_global and not mapped.is_multicast and not any(mapped in net for net in _LOCAL):
            return True
        named = host.lower() in self._names or f"{host.lower()}:{port}" in self._names
        return named or f"{mapped}:{port}" in self._names or any(mapped in net for net in self._networks)

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of a host that may be connected to. Raises NodeRunError where none may be, OSError where
        there is none."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
        permitted = [each for each in addresses if self.permits(host, port, each)]
        if addresses and not permitted:
            raise refusal(host, port, addresses[0])
        return permitted

    async def connect_address(self, host: str, port: int) -> str:
        """As RunContext has it."""
        try:
            permitted = await self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            text = f"The host '{host}' can't be found: {error}"
            raise NodeRunError(text, code="CONNECTION_ERROR") from None
        # a server that listens on one family only is most often found by the older one
        return str(min(permitted, key=lambda each: each.version))


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, compatible, translated, 6to4, Teredo, ISATAP or NAT64 address leads to."""
    if address.version == 4 or address.is_loopback or address.is_unspecified:
        return None
    found = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if found is None and (
        any(address in prefix for prefix in _EMBEDDING) or int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
    ):
        found = IPv4Address(int(address) & 0xFFFFFFFF)
    return found


def refusal(host: str, port: int, address: Address) -> NodeRunError:
    return NodeRunError(
        f"The address {host} ({address}) belongs to a private network",
        description=f"An administrator can allow it: WEFT_NET_ALLOW={host}:{port}",
        code="ADDRESS_REFUSED",
    )


def literal(host: str) -> Address | None:
    """The address that a host stands for which is not looked up: also `127.1` and `2130706433`, as connect() reads
    them. Raises ValueError for digits that are no address."""
    try:
        return ip_address(host)
    except ValueError:
        if not host.replace(".", "").isdigit():
            return None
    try:
        return ip_address(socket.inet_aton(host))
    except OSError:
        raise ValueError(f"{host} is no address") from None

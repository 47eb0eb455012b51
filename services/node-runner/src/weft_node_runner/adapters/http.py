"""The guarded HTTP client: a name is resolved once, checked, and what was checked is connected to."""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import httpcore
import httpx
from weft_node_sdk.context import HttpAnswer, NodeRunError

_CONNECT_SECONDS: Final = 10.0
Address = IPv4Address | IPv6Address


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
        mapped = getattr(address, "ipv4_mapped", None) or address
        if mapped.is_global and not mapped.is_multicast:
            return True
        named = host.lower() in self._names or f"{host.lower()}:{port}" in self._names
        return named or f"{mapped}:{port}" in self._names or any(mapped in net for net in self._networks)


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await self._resolve(host, port):
            if not self._policy.permits(host, port, address):
                failure = NodeRunError(
                    f"The address {host} ({address}) belongs to a private network",
                    description=f"An administrator can allow it: WEFT_NET_ALLOW={host}:{port}",
                    code="ADDRESS_REFUSED",
                )
                continue
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    @staticmethod
    async def _resolve(host: str, port: int) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"The name {host} can't be resolved: {error}") from error
        return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class GuardedHttp:
    """Implements Http of the node SDK."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._policy = Policy(allowed)
        self._clients: dict[tuple[bool, str], httpx.AsyncClient] = {}

    def _client(self, verify: bool, proxy: str) -> httpx.AsyncClient:
        key = (verify, proxy)
        client = self._clients.get(key)
        if client is None:
            context = ssl.create_default_context()
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=100, keepalive_expiry=20)
            transport = httpx.AsyncHTTPTransport(
                verify=context, limits=limits, proxy=proxy or None, trust_env=False
            )
            # The one place where httpx lets nobody in: which socket a connection uses.
            transport._pool._network_backend = _Backend(self._policy)  # noqa: SLF001
            client = httpx.AsyncClient(transport=transport, trust_env=False)
            self._clients[key] = client
        return client

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        timeout: float = 300.0,
        follow_redirects: bool = True,
        max_redirects: int = 21,
        verify: bool = True,
        proxy: str = "",
        max_bytes: int = 64 * 1024 * 1024,
    ) -> HttpAnswer:
        client = self._client(verify, proxy)
        client.max_redirects = max_redirects
        try:
            target = httpx.URL(url)
            if query:
                target = target.copy_merge_params(list(query))
            if target.scheme not in ("http", "https"):
                raise NodeRunError(f"The address {url!r} must begin with http:// or https://")
            request = client.build_request(
                method,
                target,
                headers=list(headers),
                content=body,
                timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            )
            response = await client.send(request, stream=True, follow_redirects=follow_redirects)
            try:
                data = await _read(response, max_bytes)
            finally:
                await response.aclose()
        except httpx.TimeoutException:
            raise NodeRunError(f"The server did not answer within {timeout:g} s", code="TIMEOUT") from None
        except httpx.TooManyRedirects:
            raise NodeRunError(f"The server redirected more than {max_redirects} times") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = str(error) or type(error).__name__
            raise NodeRunError(f"The service can't be reached: {text}", code="CONNECTION_ERROR") from None
        return HttpAnswer(
            response.status_code, response.reason_phrase, list(response.headers.multi_items()), data
        )

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


async def _read(response: httpx.Response, most: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > most:
            raise NodeRunError(f"The answer is larger than {most} bytes", code="TOO_LARGE")
        chunks.append(chunk)
    return b"".join(chunks)

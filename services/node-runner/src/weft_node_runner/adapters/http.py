"""The guarded HTTP client: it connects to nothing but what was checked."""

import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from weft_node_sdk.context import HttpAnswer, NodeRunError

from weft_node_runner.adapters.address_policy import Policy, literal, refusal

_CONNECT_SECONDS: Final = 10.0


class _Resolver(AbstractResolver):
    """Gives only addresses that may be connected to, so that what was checked is what is used."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self._policy.resolve(host, port)
        ]

    async def close(self) -> None:
        """Holds nothing."""


class _Transport(httpx.AsyncBaseTransport):
    """httpx on aiohttp's pool: a request costs a fifth of what it costs on httpcore's, whose pool looks at every
    connection for every request. An address in the URL (or of the proxy) is checked here, since nobody resolves it;
    a name is checked by the resolver."""

    def __init__(self, policy: Policy, context: ssl.SSLContext, proxy: str) -> None:
        self._policy = policy
        self._proxy = proxy or None
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(policy), use_dns_cache=False, ssl=context, limit=200, keepalive_timeout=20
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = httpx.URL(self._proxy) if self._proxy else request.url
        try:
            address = literal(target.host)
        except ValueError as error:
            raise httpx.ConnectError(str(error)) from None
        if address is not None:
            port = target.port or (443 if target.scheme == "https" else 80)
            if not self._policy.permits(target.host, port, address):
                raise refusal(target.host, port, address)
        limits = request.extensions["timeout"]
        with _as_httpx():
            answer = await self._session.request(
                request.method,
                yarl.URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=limits["pool"],
                    sock_connect=limits["connect"],
                    sock_read=limits["read"],
                ),
                proxy=self._proxy,
            )
        return httpx.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Stream(answer),
            request=request,
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode()},
        )

    async def aclose(self) -> None:
        await self._session.close()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for chunk in self._answer.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        self._answer.release()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except aiohttp.ServerDisconnectedError as error:
        raise httpx.RemoteProtocolError("the server closed the connection without an answer") from error
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error)) from error
    except aiohttp.ClientError as error:
        raise httpx.ReadError(str(error) or type(error).__name__) from error


class GuardedHttp:
    """Implements Http of the node SDK."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._policy = Policy(allowed)
        self._transports: dict[tuple[bool, str], _Transport] = {}
        self._clients: dict[tuple[bool, str, int], httpx.AsyncClient] = {}

    def _client(self, verify: bool, proxy: str, max_redirects: int) -> httpx.AsyncClient:
        """Clients differ in their redirects only. None keeps cookies: they would reach other projects' requests."""
        key = (verify, proxy, max_redirects)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = httpx.AsyncClient(
                transport=self._transport(verify, proxy),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                max_redirects=max_redirects,
                trust_env=False,
            )
        return client

    def _transport(self, verify: bool, proxy: str) -> _Transport:
        transport = self._transports.get((verify, proxy))
        if transport is None:
            context = ssl.create_default_context()
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            transport = self._transports[verify, proxy] = _Transport(self._policy, context, proxy)
        return transport

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
        client = self._client(verify, proxy, max_redirects)
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
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            text = str(error) or type(error).__name__
            raise NodeRunError(f"The service can't be reached: {text}", code="CONNECTION_ERROR") from None
        return HttpAnswer(
            response.status_code, response.reason_phrase, list(response.headers.multi_items()), data
        )

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


async def _read(response: httpx.Response, most: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > most:
            raise NodeRunError(f"The answer is larger than {most} bytes", code="TOO_LARGE")
        chunks.append(chunk)
    return b"".join(chunks)

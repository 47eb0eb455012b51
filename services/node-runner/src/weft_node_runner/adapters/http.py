"""The guarded HTTP client: it connects to nothing but what was checked."""

import asyncio
import os
import socket
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from weft_node_sdk.context import ClientCertificate, HttpAnswer, HttpBody, NodeRunError

from weft_node_runner.adapters.address_policy import Policy, literal, refusal

_CONNECT_SECONDS: Final = 10.0
_SECRETS: Final = "weft_secrets"
_SENT: Final = "weft_method"
_MOST_CLIENTS: Final = 64
_PACKED_BYTES: Final = 1024
"""A compressed body is unpacked so much at a time: it may become a thousand times as much."""


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
        self.context = context
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
        # what httpx has made a header of would be refused as said twice
        place = request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url
        limits = request.extensions["timeout"]
        with _as_httpx():
            answer = await self._session.request(
                request.method,
                yarl.URL(str(place), encoded=True),
                headers=request.headers.multi_items(),
                data=_sent(request),
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


def _sent(request: httpx.Request) -> bytes | AsyncIterator[bytes] | None:
    stream = request.stream
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream) or None
    assert isinstance(stream, httpx.AsyncByteStream)
    return aiter(stream)


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        packed = "Content-Encoding" in self._answer.headers
        with _as_httpx():
            async for chunk in self._answer.content.iter_any():
                if not packed:
                    yield chunk
                    continue
                for at in range(0, len(chunk), _PACKED_BYTES):
                    yield chunk[at : at + _PACKED_BYTES]

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


def _made(transport: _Transport, max_redirects: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        max_redirects=max_redirects,
        trust_env=False,
        event_hooks={"request": [_keep_secrets, _drop_type]},
    )


_Origin = tuple[str, str, int | None]
"""Scheme, host, and the port where it is not the scheme's own."""


def origin_of(url: httpx.URL) -> _Origin:
    return url.scheme, url.host, url.port


def is_for(origin: _Origin, url: httpx.URL) -> bool:
    """Whether secrets of the origin may go to the address: there, or to the same host by TLS."""
    return (
        origin_of(url) in (origin, ("https", *origin[1:])) if origin[2] is None else origin_of(url) == origin
    )


async def _keep_secrets(request: httpx.Request) -> None:
    """Before each request of a chain of redirects: what is secret was meant for the first origin."""
    if secrets := request.extensions.get(_SECRETS):
        origin, names = secrets
        for name in () if is_for(origin, request.url) else names:
            request.headers.pop(name, None)


async def _drop_type(request: httpx.Request) -> None:
    """A redirect to a GET takes the body away, and what was said of it."""
    if request.method == "GET" and request.extensions.get(_SENT) not in (None, "GET"):
        request.headers.pop("content-type", None)


def _tls(verify: bool, given: ClientCertificate) -> ssl.SSLContext:
    """Raises NodeRunError where the certificate, or its key, can't be read."""
    try:
        context = ssl.create_default_context(cadata=given.ca or None)
        if given.certificate:
            _load(context, given)
    except (ssl.SSLError, ValueError) as error:
        raise NodeRunError(f"The client certificate can't be used: {error}") from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load(context: ssl.SSLContext, given: ClientCertificate) -> None:
    """The library reads certificates from files only; this one is on no disk."""
    file = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(file, f"{given.certificate}\n{given.key}\n".encode())
        # without a passphrase the library would ask for one at the terminal
        context.load_cert_chain(f"/proc/self/fd/{file}", password=given.passphrase)
    finally:
        os.close(file)


class GuardedHttp:
    """Implements Http of the node SDK."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._policy = Policy(allowed)
        self._transports: dict[bool, _Transport] = {}
        self._clients: OrderedDict[tuple[bool, int], httpx.AsyncClient] = OrderedDict()

    def _client(self, verify: bool, max_redirects: int) -> httpx.AsyncClient:
        """Clients differ in their redirects only. None keeps cookies: they would reach other projects' requests."""
        key = (verify, max_redirects)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = _made(self._transport(verify), max_redirects)
            if len(self._clients) > _MOST_CLIENTS:
                self._clients.popitem(last=False)
        return client

    def _transport(self, verify: bool) -> _Transport:
        transport = self._transports.get(verify)
        if transport is None:
            transport = self._transports[verify] = _Transport(
                self._policy, _tls(verify, ClientCertificate()), ""
            )
        return transport

    @asynccontextmanager
    async def _chosen(
        self, verify: bool, proxy: str, max_redirects: int, certificate: ClientCertificate | None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A client certificate gets a connection of its own: nobody else's request goes over it. So does a proxy, which
        users name as they like: what is kept for each would never end."""
        if certificate is None and not proxy:
            yield self._client(verify, max_redirects)
            return
        # reading the machine's authorities takes its time
        context = _tls(verify, certificate) if certificate else self._transport(verify).context
        transport = _Transport(self._policy, context, proxy)
        try:
            yield _made(transport, max_redirects)
        finally:
            await transport.aclose()

    async def request(
        self, method: str, url: str, *, max_bytes: int = 64 * 1024 * 1024, **options: Any
    ) -> HttpAnswer:
        async with self.stream(method, url, **options) as answer:
            return HttpAnswer(answer.status, answer.reason, answer.headers, await answer.read(max_bytes))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        query: Sequence[tuple[str, str]] = (),
        body: bytes | HttpBody | None = None,
        timeout: float = 300.0,
        follow_redirects: bool = True,
        max_redirects: int = 21,
        verify: bool = True,
        proxy: str = "",
        client: ClientCertificate | None = None,
        secret_headers: Collection[str] = (),
    ) -> AsyncIterator["_Answer"]:
        async with self._chosen(verify, proxy, max_redirects, client) as chosen:
            said = _Said(timeout, max_redirects)
            with said:
                target = httpx.URL(url)
                if query:
                    target = target.copy_merge_params(list(query))
                if target.scheme not in ("http", "https"):
                    raise NodeRunError(f"The address {url!r} must begin with http:// or https://")
                given = list(headers)
                if body is not None and not isinstance(body, bytes):
                    given = [header for header in given if header[0].lower() != "content-length"]
                    given.append(("content-length", str(body.size)))
                request = chosen.build_request(
                    method,
                    target,
                    headers=given,
                    content=body,
                    timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
                    extensions={
                        _SENT: method,
                        **({_SECRETS: (origin_of(target), secret_headers)} if secret_headers else {}),
                    },
                )
                # As n8n: so long until the answer begins, redirects included, then for each silence in it.
                async with asyncio.timeout(timeout):
                    response = await chosen.send(request, stream=True, follow_redirects=follow_redirects)
            try:
                yield _Answer(response, said)
            finally:
                await response.aclose()

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


class _Said:
    """Failures of the client in a person's words."""

    def __init__(self, timeout: float, max_redirects: int) -> None:
        self._timeout = timeout
        self._max_redirects = max_redirects

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            raise NodeRunError(
                f"The server did not answer within {self._timeout:g} s", code="TIMEOUT"
            ) from None
        if isinstance(error, httpx.TooManyRedirects):
            raise NodeRunError(f"The server redirected more than {self._max_redirects} times") from None
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL | ValueError):
            text = str(error) or type(error).__name__
            raise NodeRunError(f"The service can't be reached: {text}", code="CONNECTION_ERROR") from None


class _Answer:
    """Implements HttpStream."""

    def __init__(self, response: httpx.Response, said: _Said) -> None:
        self.status = response.status_code
        self.reason = response.reason_phrase
        self.headers = list(response.headers.multi_items())
        self._response = response
        self._said = said

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._response.aiter_bytes()
        while True:
            with self._said:
                chunk = await anext(chunks, b"")
            if not chunk:
                return
            yield chunk

    async def read(self, max_bytes: int = 64 * 1024 * 1024) -> bytes:
        chunks, size = [], 0
        async for chunk in self:
            size += len(chunk)
            if size > max_bytes:
                raise NodeRunError(f"The answer is larger than {max_bytes} bytes", code="TOO_LARGE")
            chunks.append(chunk)
        return b"".join(chunks)

"""The guarded client against a server of this machine."""

import asyncio
import base64
import socket
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from weft_node_runner.adapters.address_policy import Policy
from weft_node_runner.adapters.http import GuardedHttp, is_for, origin_of
from weft_node_sdk.context import NodeRunError


class Server:
    """Answers by path; `requests`: the heads that came, in lower case."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.ended = asyncio.Semaphore(0)
        """One for each connection that has ended."""
        self.port = 0
        self.location = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> "Server":
        self._server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lengths = [
                    int(line[15:])
                    for line in head.lower().split("\r\n")
                    if line.startswith("content-length:")
                ]
                body = await reader.readexactly(lengths[0]) if lengths else b""
                self.requests.append(head.lower())
                await self._answer(head.split(" ")[1], body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.ended.release()

    async def _answer(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        status, headers, content = "200 OK", ["Set-Cookie: a=b; Path=/"], path.encode() + b"|" + body
        if path.startswith("/to"):
            status, headers = "302 Found", [f"Location: {self.location}"]
        elif path.startswith("/again"):
            status, headers = "307 Temporary Redirect", [f"Location: {self.location}"]
        elif path.startswith("/cut"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300_000)
            await writer.drain()
            writer.close()
            return
        elif path.startswith("/silent"):
            return
        elif path.startswith("/slow"):  # to itself, /slow2 to /slow1 and so on; each takes a while
            await asyncio.sleep(0.3)
            if left := int(path[5:]):
                status, headers = "302 Found", [f"Location: /slow{left - 1}"]
        elif path.startswith("/drip"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            for _ in range(8):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.3)
            return
        elif path.startswith("/stuck"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nx")
            return
        elif path.startswith("/hangup"):
            writer.close()
            return
        elif path.startswith("/large"):
            content = b"x" * 100_000
        elif path.startswith("/bomb"):
            content, headers = zlib.compress(b"0" * 10_000_000), ["Content-Encoding: deflate"]
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(content)}", "", ""]
        writer.write("\r\n".join(lines).encode() + content)
        await writer.drain()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = await Server().start()
    yield made
    await made.stop()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[GuardedHttp]:
    made = GuardedHttp([f"127.0.0.1:{server.port}", f"inner.example:{server.port}"])
    yield made
    await made.close()


async def refused(http: GuardedHttp, url: str, **options: Any) -> NodeRunError:
    with pytest.raises(NodeRunError) as caught:
        await http.request("GET", url, **options)
    return caught.value


async def test_requests_go_out_as_asked_and_keep_no_cookies(http: GuardedHttp, server: Server) -> None:
    answer = await http.request(
        "POST",
        f"{server.base}/a?x=1",
        headers=[("X-Own", "v"), ("X-Own", "w")],
        query=[("y", "2 3")],
        body=b"hi",
    )
    assert (answer.status, answer.reason) == (200, "OK")
    assert answer.body in (b"/a?x=1&y=2+3|hi", b"/a?x=1&y=2%203|hi")
    assert ("set-cookie", "a=b; Path=/") in [(name.lower(), value) for name, value in answer.headers]
    await http.request("GET", f"{server.base}/b")
    assert server.requests[0].count("x-own:") == 2
    assert "cookie" not in server.requests[1]


class Parts:
    """A body in chunks."""

    size = 100_001

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"<"
        for _ in range(10):
            yield b"x" * 10_000


async def test_a_body_goes_out_in_chunks(http: GuardedHttp, server: Server) -> None:
    answer = await http.request("PUT", f"{server.base}/a", body=Parts())
    assert answer.body == b"/a|<" + b"x" * 100_000
    assert "content-length: 100001\r\n" in server.requests[0]
    assert "transfer-encoding" not in server.requests[0]


async def test_a_body_in_chunks_is_sent_again_after_a_redirect(http: GuardedHttp, server: Server) -> None:
    server.location = "/final"
    answer = await http.request("PUT", f"{server.base}/again", body=Parts())
    assert answer.body == b"/final|<" + b"x" * 100_000


async def test_an_answer_is_read_in_chunks(http: GuardedHttp, server: Server) -> None:
    async with http.stream("GET", f"{server.base}/bomb") as answer:
        assert answer.status == 200
        sizes = [len(chunk) async for chunk in answer]
    assert sum(sizes) == 10_000_000
    assert max(sizes) < 2_000_000  # however well it was packed
    async with http.stream("GET", f"{server.base}/large"):
        pass  # not read at all
    assert (await http.request("GET", f"{server.base}/a")).body == b"/a|"


async def test_an_answer_that_is_cut_off_is_an_error_while_it_is_read(
    http: GuardedHttp, server: Server
) -> None:
    async with http.stream("GET", f"{server.base}/cut") as answer:
        with pytest.raises(NodeRunError, match="can't be reached") as caught:
            await answer.read()
    assert caught.value.code == "CONNECTION_ERROR"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{other}/", "http://localhost:{other}/", "http://127.1:{other}/", "http://2130706433:{other}/",
        "http://0x7f000001:{other}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{other}/",
        "http://0.0.0.0:{port}/", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://192.168.1.1/",
        "http://172.16.0.1/", "http://100.64.0.1/", "http://224.0.0.1/", "http://[fe80::1]/", "http://[fd00::1]/",
        "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::a00:1]/", "http://[::ffff:0:10.0.0.1]/",
        "http://[64:ff9b:1:a9fe:a9:fe00:808:808]/", "http://[2001:4860:4860::5efe:a00:1]/",
        "http://[2001:4860:4860::200:5efe:a00:1]/", "http://[fec0::1]/",
        "http://[5f00::1]/", "http://[3fff::1]/", "http://192.88.99.1/", "http://0x7f.1/", "http://0x7f000001/",
        "http://[2002:7f00:1::]/", "http://[::127.0.0.1]/",
    ],
)  # fmt: skip
async def test_private_addresses_in_every_spelling_are_refused(
    http: GuardedHttp, server: Server, url: str
) -> None:
    error = await refused(http, url.format(port=server.port, other=server.port + 1), timeout=5)
    assert error.code == "ADDRESS_REFUSED"
    assert "WEFT_NET_ALLOW=" in error.description
    assert server.requests == []


async def test_redirects_into_private_addresses_are_refused(http: GuardedHttp, server: Server) -> None:
    for location in (
        "http://169.254.169.254/",
        f"http://127.0.0.1:{server.port + 1}/",
        "http://localhost:1/",
    ):
        server.location = location
        error = await refused(http, f"{server.base}/to")
        assert error.code == "ADDRESS_REFUSED"
    answer = await http.request("GET", f"{server.base}/to", follow_redirects=False)
    assert answer.status == 302
    server.location = "/final"
    assert (await http.request("GET", f"{server.base}/to")).body == b"/final|"
    server.location = "/to"
    assert "more than 3 times" in (await refused(http, f"{server.base}/to", max_redirects=3)).message
    server.location = "file:///etc/passwd"
    assert (await refused(http, f"{server.base}/to")).code in {"CONNECTION_ERROR", "ADDRESS_REFUSED"}


async def test_secret_headers_stay_at_the_first_origin(server: Server) -> None:
    http = GuardedHttp([f"127.0.0.1:{server.port}", f"localhost:{server.port}"])
    secret: dict[str, Any] = {"headers": [("X-Key", "k"), ("X-Other", "o")], "secret_headers": {"x-key"}}
    try:
        server.location = "/same"
        await http.request("GET", f"{server.base}/to", **secret)
        assert all("x-key: k" in head for head in server.requests)
        server.requests.clear()
        server.location = f"http://localhost:{server.port}/elsewhere"
        await http.request("GET", f"{server.base}/to", **secret)
        first, second = server.requests
        assert "x-key: k" in first
        assert "x-key" not in second
        assert "x-other: o" in second
    finally:
        await http.close()


async def test_a_name_is_resolved_once_and_what_was_checked_is_used(
    http: GuardedHttp, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    answer = await http.request("GET", f"http://inner.example:{server.port}/a")
    assert (answer.body, asked) == (b"/a|", ["inner.example"])
    for url in ("http://rebind.example/", f"http://rebind.example:{server.port}/"):
        assert (await refused(http, url)).code == "ADDRESS_REFUSED"


async def test_of_several_addresses_only_the_permitted_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int, **_: Any) -> Any:
        return [
            (0, 0, 0, "", (address, port))
            for address in ("10.0.0.1", "93.184.216.34", "::1", "93.184.216.34")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    assert [str(each) for each in await Policy([]).resolve("x.example", 80)] == ["93.184.216.34"]
    found = await Policy(["10.0.0.0/8", "x.example:81"]).resolve("x.example", 80)
    assert [str(each) for each in found] == ["10.0.0.1", "93.184.216.34"]
    assert len(await Policy(["X.Example:81"]).resolve("x.example", 81)) == 3


async def test_sizes_are_limited_while_reading_also_unpacked(http: GuardedHttp, server: Server) -> None:
    for path in ("/large", "/bomb"):
        error = await refused(http, f"{server.base}{path}", max_bytes=50_000)
        assert error.code == "TOO_LARGE"
    assert len((await http.request("GET", f"{server.base}/large")).body) == 100_000


async def test_failures_have_words(http: GuardedHttp, server: Server) -> None:
    assert (await refused(http, f"{server.base}/silent", timeout=0.1)).code == "TIMEOUT"
    assert (await refused(http, f"{server.base}/stuck", timeout=0.3)).code == "TIMEOUT"
    assert (await http.request("GET", f"{server.base}/drip", timeout=2)).body == b"x" * 8
    # redirects take of the same time
    assert (await refused(http, f"{server.base}/slow9", timeout=1)).code == "TIMEOUT"
    assert (await refused(http, f"{server.base}/hangup")).code == "CONNECTION_ERROR"
    for url in ("ftp://x/", "file:///etc/passwd", "x", ""):
        assert "must begin with http:// or https://" in (await refused(http, url)).message
    for url in ("http://x:99999/", "http://999.999.999.999/", "http://nothing.invalid/"):
        assert (await refused(http, url, timeout=20)).code == "CONNECTION_ERROR"
    await server.stop()
    closed = GuardedHttp(["127.0.0.1"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await refused(closed, f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert error.code == "CONNECTION_ERROR"
    await closed.close()


async def test_an_address_may_hold_a_user(http: GuardedHttp, server: Server) -> None:
    answer = await http.request("GET", server.base.replace("://", "://me:p%40ss@") + "/a?b=%20c")
    assert answer.body == b"/a?b=%20c|"
    assert f"authorization: basic {base64.b64encode(b'me:p@ss').decode()}".lower() in server.requests[0]


async def test_a_proxy_is_checked_as_targets_are(http: GuardedHttp, server: Server) -> None:
    error = await refused(http, "http://x.example/", proxy="http://127.0.0.1:1")
    assert error.code == "ADDRESS_REFUSED"
    answer = await http.request("GET", "http://x.example/through", proxy=server.base, verify=False)
    assert answer.body == b"http://x.example/through|"


async def test_nothing_is_kept_of_proxies(http: GuardedHttp, server: Server) -> None:
    """Users name them as they like."""
    for number in range(3):
        proxy = server.base.replace("://", f"://user{number}:word@")
        await http.request("GET", "http://x.example/", proxy=proxy, verify=False)
    async with asyncio.timeout(10):
        for _ in range(3):
            await server.ended.acquire()


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ("http://a.test/", "https://a.test/b", True),
        ("https://a.test/", "https://a.test/b", True),
        ("https://a.test/", "http://a.test/b", False),
        ("http://a.test/", "https://b.test/", False),
        ("http://a.test:81/", "https://a.test/", False),
        ("http://a.test/", "http://a.test:81/", False),
    ],
)
def test_secrets_go_to_their_origin_or_the_same_host_by_tls(first: str, then: str, kept: bool) -> None:
    assert is_for(origin_of(httpx.URL(first)), httpx.URL(then)) is kept

"""What the HTTP cases call, the same for n8n and for Weft: no answer hangs on an address, a date or a random number.

`stub(port)` serves on this machine while it is entered; documents name it as BASE.
"""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

BASE = "http://stub.invalid"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_TOLD = ("content-type", "authorization", "cookie")
"""Headers that an echo repeats, and all that begin with x-."""

_RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Feed</title><link>https://x.org</link><description>All of it</description>
<item><title>One &amp; only</title><link>https://x.org/1</link>
<description>&lt;p&gt;First &lt;b&gt;text&lt;/b&gt;&lt;/p&gt;</description>
<pubDate>Thu, 29 Feb 2024 13:45:10 GMT</pubDate>
<guid isPermaLink="false">g1</guid><category>a</category><category>b</category>
<dc:creator>Ada</dc:creator></item>
<item><title>Two</title><link>https://x.org/2</link>
<enclosure url="https://x.org/2.mp3" length="5" type="audio/mpeg"/></item>
</channel></rss>"""
_ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atom</title><link href="https://x.org"/>
<entry><title>One</title><link href="https://x.org/1"/><id>urn:1</id><updated>2024-02-29T13:45:10Z</updated><summary>Short</summary>
<content type="html">&lt;p&gt;Long&lt;/p&gt;</content><author><name>Ada</name></author></entry></feed>"""
_FIXED: dict[str, tuple[str, bytes]] = {
    "/object": ("application/json", b'{"a": 1, "list": [{"id": 1}, {"id": 2}], "none": null}'),
    "/array": ("application/json; charset=utf-8", '[{"id": 1}, {"id": 2, "n": "Zoë"}]'.encode()),
    "/values": ("application/json", b'[1, "two", null, [3]]'),
    "/number": ("application/json", b"5"),
    "/text-json": ("application/json", b'"text"'),
    "/nothing": ("application/json", b""),
    "/broken": ("application/json", b'{"a": '),
    "/big": ("application/json", b'{"id": 12345678901234567890, "f": 1e400}'),
    "/text": ("text/plain", b"plain text"),
    "/json-as-text": ("text/plain", b'{"a": 1}'),
    "/latin": ("text/plain; charset=iso-8859-1", "Zoë".encode("latin-1")),
    "/html": ("text/html", b"<html><body><p>Hi</p></body></html>"),
    "/xml": ("application/xml", b"<r><i>1</i></r>"),
    "/csv": ("text/csv", b"a,b\n1,x\n2,y\n"),
    "/problem": ("application/problem+json", b'{"title": "p"}'),
    "/picture.png": ("image/png", PIXEL),
    "/bytes": ("application/octet-stream", b"\x00\x01\xff"),
    "/untyped": ("", b'{"a": 1}'),
    "/rss": ("application/rss+xml", _RSS.encode()),
    "/atom": ("application/atom+xml", _ATOM.encode()),
    "/no-feed": ("text/xml", b"<r/>"),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        query = dict(parse_qsl(url.query))
        if url.path in _FIXED:
            kind, content = _FIXED[url.path]
            self._send(200, content, kind)
        elif url.path.startswith("/status/"):
            status = int(url.path.rpartition("/")[2])
            self._send(status, json.dumps({"message": f"told {status}", "status": status}).encode())
        elif url.path.startswith("/redirect/"):
            left = int(url.path.rpartition("/")[2])
            target = f"/redirect/{left - 1}" if left > 1 else "/echo?redirected=yes"
            self._send(int(query.get("status", 302)), b"", "text/plain", Location=target)
        elif url.path == "/named":
            self._send(
                200,
                b"%PDF-1.4",
                "application/pdf",
                **{"Content-Disposition": 'attachment; filename="a b.pdf"'},
            )
        elif url.path == "/gzip":
            self._send(200, gzip.compress(b'{"zipped": true}', mtime=0), **{"Content-Encoding": "gzip"})
        elif url.path == "/cookies":
            self._send(200, b'{"ok": true}', **{"Set-Cookie": "a=1", "X-One": "1"})
        elif url.path == "/pages":
            self._page(query, body)
        elif url.path == "/graphql":
            self._graphql(query, body)
        else:
            self._send(200, json.dumps(self._echo(url.query, body)).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def _echo(self, query: str, body: bytes) -> dict[str, Any]:
        headers = {
            name.lower(): value.split("; boundary=")[0]
            for name, value in self.headers.items()
            if name.lower() in _TOLD or name.lower().startswith("x-")
        }
        kind = self.headers.get("content-type", "")
        found: Any = body.decode("utf-8", "backslashreplace")
        if kind.startswith("multipart/"):
            parsed = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
            found = [
                [
                    part.get_param("name", header="content-disposition"),
                    part.get_filename(),
                    part.get_content_type(),
                    bytes(part.get_payload(decode=True) or b"").decode("utf-8", "backslashreplace"),
                ]
                for part in parsed.get_payload()
                if not isinstance(part, str)
            ]
        elif kind.startswith("application/json") and body:
            found = json.loads(body)
        return {
            "method": self.command,
            "query": [list(pair) for pair in parse_qsl(query, keep_blank_values=True)],
            "headers": dict(sorted(headers.items())),
            "body": found,
        }

    def _page(self, query: dict[str, str], body: bytes) -> None:
        """Three pages of two rows; `next` has the address of the next one. A fourth is empty, with status 404 if
        `strict` is asked for."""
        asked = query.get("page") or self.headers.get("x-page") or "1"
        if body:
            asked = json.loads(body).get("page", asked)
        page = int(asked)
        rows = [{"id": page * 10 + n} for n in (1, 2)] if page <= 3 else []
        following = f"{BASE}/pages?page={page + 1}" if page < 3 else None
        local = f"http://{self.headers['host']}"
        text = json.dumps({"rows": rows, "page": page, "next": following}).replace(BASE, local)
        status = 404 if "strict" in query and not rows else 200
        self._send(status, (text if "bare" not in query else json.dumps(rows)).encode())

    def _graphql(self, query: dict[str, str], body: bytes) -> None:
        asked = (
            json.loads(body) if body[:1] == b"{" else {**query, **({"query": body.decode()} if body else {})}
        )
        if "wrong" in str(asked.get("query")):
            self._send(200, b'{"errors": [{"message": "Cannot query field"}], "data": null}')
            return
        self._send(200, json.dumps({"data": {"asked": asked, "method": self.command}}).encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response_only(status)  # no date, no name of a server
        if kind:
            self.send_header("Content-Type", kind)
        if status == 204:
            body = b""
        else:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def stub() -> Iterator[str]:
    """Gives `127.0.0.1:PORT`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

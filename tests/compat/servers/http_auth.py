"""HTTP Request: signing in, cookies, a proxy, certificates, answers that don't come."""

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from weft_kit.testing.certificates import self_signed

from tests.compat.cases.build import Case, named, node
from tests.compat.servers.served import HOST, Served, asked, chain, serving

BASE = "http://base.invalid"
SECURE = "https://secure.invalid"
ELSEWHERE = "http://elsewhere.invalid"
"""Another port of the machine."""
_TOLD = ("authorization", "cookie", "content-type")
_USER, _PASSWORD, _REALM, _NONCE = "ada", "pass:word é", "all", "n0nce"
_SECRETS: Mapping[str, Mapping[str, Any]] = {
    "httpBasicAuth": {"user": _USER, "password": _PASSWORD},
    "httpDigestAuth": {"user": _USER, "password": "digested"},
    "httpHeaderAuth": {"name": "X-Key", "value": "k e/y="},
    "httpQueryAuth": {"name": "key", "value": "k e&y"},
    "httpBearerAuth": {"token": "t0ken"},
    "httpCustomAuth": {
        "json": json.dumps({"headers": {"X-Key": "1"}, "qs": {"key": "2"}, "body": {"key": "3"}})
    },
}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _is_digest(header: str, method: str) -> bool:
    """RFC 7616 with MD5 and `qop=auth`."""
    found = {name: held.strip('"') for name, held in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', header)}
    names = ("nonce", "nc", "cnonce", "qop")
    if header[:7] != "Digest " or not {"uri", "response", *names} <= set(found):
        return False
    held = ":".join(found[name] for name in names)
    known, asked_for = _md5(f"{_USER}:{_REALM}:digested"), _md5(f"{method}:{found['uri']}")
    return bool(found["response"] == _md5(f"{known}:{held}:{asked_for}"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    closing: threading.Event

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        url = urlsplit(self.path)
        if url.path == "/digest" and not _is_digest(self.headers.get("authorization", ""), self.command):
            challenge = f'Digest realm="{_REALM}", nonce="{_NONCE}", qop="auth", algorithm=MD5'
            self._send(401, {"message": "who?"}, **{"WWW-Authenticate": challenge})
        elif url.path == "/digest":
            self._send(200, {"digest": "right"})
        elif url.path == "/nobody":
            self._send(401, {"message": "who?"}, **{"WWW-Authenticate": "Basic"})
        elif url.path == "/cookies":
            self._send(302, {}, **{"Set-Cookie": "a=1; Path=/", "Location": "/echo"})
        elif url.path == "/away":
            self._send(302, {}, Location=dict(parse_qsl(url.query))["to"])
        elif url.path == "/silent":
            self.closing.wait(60)
            self.close_connection = True
        elif url.path == "/cut":
            self.send_response_only(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"{")
            self.close_connection = True
        else:
            headers = {name.lower(): held for name, held in self.headers.items()}
            told = {name: held for name, held in headers.items() if name in _TOLD or name.startswith("x-")}
            through = bool(url.netloc)
            self._send(
                200, {"headers": told, "query": parse_qsl(url.query), "body": body, "through": through}
            )

    do_GET = do_POST = _answer

    def _send(self, status: int, answer: Any, **headers: str) -> None:
        body = json.dumps(answer).encode()
        self.send_response_only(status)
        more = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        for name, held in more.items():
            self.send_header(name, held)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    closing = threading.Event()
    handler = type("Handler", (_Handler,), {"closing": closing})
    certificate, key = self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ExitStack() as stack:
        plain, other, secure = (
            stack.enter_context(ThreadingHTTPServer((HOST, 0), handler)) for _ in range(3)
        )
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        for each in (plain, other, secure):
            each.daemon_threads = True
            stack.enter_context(serving(each))
        stack.callback(closing.set)
        ports = (plain.server_port, other.server_port)
        names = {BASE: f"http://{HOST}:{ports[0]}", ELSEWHERE: f"http://{HOST}:{ports[1]}"}
        yield Served(_SECRETS, names={**names, SECURE: f"https://{HOST}:{secure.server_port}"})


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    on = {"onError": "continueRegularOutput"}
    posted = {"method": "POST", "sendBody": True, "bodyParameters": {"parameters": [{"name": "a", "value": "1"}]}}  # fmt: skip
    for kind in _SECRETS:
        signed = {"authentication": "genericCredentialType", "genericAuthType": kind}
        path = "digest" if kind == "httpDigestAuth" else "echo?q=1"
        for version in (3, 4.2):
            given = {"url": f"{BASE}/{path}", **signed}
            found[f"{kind} v{version:g}"] = chain(asked("httpRequest", kind, version, given, **on))
        found[f"{kind} post v4.2"] = chain(
            asked("httpRequest", kind, 4.2, {"url": f"{BASE}/{path}", **signed, **posted}, **on)
        )
        found[f"{kind} refused v4.2"] = chain(
            asked("httpRequest", kind, 4.2, {"url": f"{BASE}/nobody", **signed}, **on)
        )
        found[f"{kind} redirected elsewhere v4.2"] = chain(
            asked("httpRequest", kind, 4.2, {"url": f"{BASE}/away?to={ELSEWHERE}/echo", **signed}, **on)
        )
    for kind, name in {
        "httpBasicAuth": "basicAuth",
        "httpHeaderAuth": "headerAuth",
        "httpQueryAuth": "queryAuth",
        "httpDigestAuth": "digestAuth",
    }.items():
        path = "digest" if kind == "httpDigestAuth" else "echo?q=1"
        for version in (1, 2):
            how = (
                {"authentication": name}
                if version == 1
                else {"authentication": "genericCredentialType", "genericAuthType": kind}
            )
            found[f"{kind} v{version}"] = chain(
                asked("httpRequest", kind, version, {"url": f"{BASE}/{path}", **how}, **on)
            )
    for name, parameters in named(
        {
            "cookies": {"url": f"{BASE}/cookies"},
            "silent": {"url": f"{BASE}/silent", "options": {"timeout": 500}},
            "cut": {"url": f"{BASE}/cut"},
            "proxy": {"url": "http://far.invalid/echo?q=1", "options": {"proxy": BASE}},
            "proxy not there": {"url": f"{BASE}/echo", "options": {"proxy": "http://127.0.0.1:1"}},
            "unknown certificate": {"url": f"{SECURE}/echo"},
            "any certificate": {"url": f"{SECURE}/echo", "options": {"allowUnauthorizedCerts": True}},
            "no such host": {"url": "http://nowhere.invalid/"},
        }
    ):
        found[f"{name} v4.2"] = chain(
            node("Node", "httpRequest", 4.2, {"options": {}, **parameters}, 1, **on)
        )
    return found

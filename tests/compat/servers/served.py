"""A server of this machine that the cases of one group go to, the same for n8n and for Weft."""

import json
import re
import socketserver
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, socket
from typing import Any

from tests.compat.cases.build import Case, document, node
from tests.compat.places import Places

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """`secrets`: credentials by type. `reset` gives it back the state that every case begins with. `names`: what
    documents call things of this run. `masks`: patterns of what no two runs have alike (in JSON), and what stands for
    it. `unordered`: nodes whose items come in an order of the server's own, and are compared as a set."""

    secrets: Mapping[str, Mapping[str, Any]]
    reset: Callable[[], None] = lambda: None
    names: Places = field(default_factory=dict)
    masks: Sequence[tuple[str, str]] = ()
    unordered: Collection[str] = ()

    def kept(self, golden: dict[str, Any]) -> dict[str, Any]:
        """Without the trigger, whose items are the case's own, and without the lineage of what is seen afterwards."""
        runs = [
            [
                name,
                [
                    [each[:1] if name in {"Seen", *self.unordered} else each for each in output]
                    for output in outputs
                ],
            ]
            for name, outputs in golden["runs"]
            if name != "Trigger"
        ]
        text = json.dumps(runs)
        for pattern, stands in self.masks:
            text = re.sub(pattern, stands, text)
        found = _without_details(json.loads(text))
        for name, outputs in found:
            if name in self.unordered:
                for output in outputs:
                    output.sort(key=lambda each: json.dumps(each, sort_keys=True))
        return {**golden, "runs": found}


def _without_details(value: Any) -> Any:
    """An error that is an object is each program's own, but for being one."""
    if isinstance(value, list):
        return [_without_details(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: {"…": "…"} if name == "error" and isinstance(held, dict) else _without_details(held)
        for name, held in value.items()
    }


def secret_id(kind: str) -> str:
    """What documents call the credential of a type."""
    return f"secret-{kind}"


def with_secret(kind: str) -> dict[str, Any]:
    """A node's credentials."""
    return {"credentials": {kind: {"id": secret_id(kind), "name": kind}}}


def chain(*nodes: Mapping[str, Any], rows: Sequence[Any] = ({},)) -> Case:
    """Trigger, pinned to the rows, and the nodes one after the other."""
    wires = " > ".join(["Trigger", *(each["name"] for each in nodes)])
    return {"document": document(nodes, wires, {"Trigger": rows})}


def where(*rows: tuple[str, str, Any]) -> dict[str, Any]:
    """Conditions of SQL nodes: column, condition, value."""
    return {"where": {"values": [{"column": c, "condition": o, "value": v} for c, o, v in rows]}}


def asked(
    kind: str, secret: str, version: float, parameters: Mapping[str, Any], name: str = "Node", **extra: Any
) -> dict[str, Any]:
    return node(name, kind, version, {"options": {}, **parameters}, 1, **with_secret(secret), **extra)


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """It answers in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def told(found: Callable[[], Any]) -> Iterator[str]:
    """An address that answers with what was found, as JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(found()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server, serving(server):
        yield f"http://{HOST}:{server.server_port}"


@contextmanager
def by_port(path: Path) -> Iterator[int]:
    """A port of this machine that leads to the socket."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket(AF_UNIX) as inside:
                inside.connect(str(path))
                back = threading.Thread(target=_pump, args=(inside, self.request), daemon=True)
                back.start()
                _pump(self.request, inside)
                back.join()

    with socketserver.ThreadingTCPServer((HOST, 0), Relay) as server:
        server.daemon_threads = True
        with serving(server):
            yield server.server_address[1]


def _pump(source: socket, target: socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(SHUT_WR)
    except OSError:
        return

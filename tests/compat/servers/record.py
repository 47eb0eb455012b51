"""Records what an n8n makes of the cases that go to servers, by its own interface, into recorded/.

    python -m tests.compat.servers.record http://127.0.0.1:5678 EMAIL PASSWORD VERSION [GROUP …]

The servers are started for it. Cases whose recording is still true are left alone. An execution costs n8n far more than
a node does: many cases go into one workflow, branch by branch, and before each branch a call gives the server back the
state that cases begin with. A case that fails ends the workflow, and the ones behind it go into the next.
"""

import sys
import urllib.error
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.compat import goldens
from tests.compat.batch import apart, together
from tests.compat.cases.build import Case, node
from tests.compat.expressions_record import Peer
from tests.compat.places import given, named
from tests.compat.record import acyclic, credential, golden, remove
from tests.compat.servers import GROUPS
from tests.compat.servers.served import HOST, secret_id, serving

_BATCH = 40


@contextmanager
def _resets(reset: Callable[[], None]) -> Iterator[str]:
    """An address to call for a reset."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reset()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer((HOST, 0), Handler) as server, serving(server):
        yield f"http://{HOST}:{server.server_port}/"


def recorded(peer: Peer, cases: Sequence[Case], names: Mapping[str, str], reset: str) -> list[goldens.Golden]:
    """Of the first cases, at least one. A workflow that n8n does not begin, because of one of its nodes, is halved."""
    before = node("Reset", "httpRequest", 4.2, {"url": reset, "options": {}}, 1)
    made = peer.call("POST", "/rest/workflows", given(together(cases, before), names))["id"]
    told: goldens.Golden = {"status": "refused", "runs": []}
    try:
        told = named(acyclic(golden(peer.run_to_end(made, "Trigger")), ()), names)
    except urllib.error.HTTPError as refusal:
        told["message"] = refusal.read().decode()[:200]
    finally:
        remove(peer, made)
    if told["runs"]:
        return apart(told, len(cases))
    return (
        [{**told, "failed": "Node"}]
        if len(cases) == 1
        else recorded(peer, cases[: len(cases) // 2], names, reset)
    )


def record(peer: Peer, group: str, found: dict[str, goldens.Golden]) -> Iterator[None]:
    """Puts into `found` what is missing there."""
    missing = {name: case for name, case in GROUPS[group].cases.items() if name not in found}
    if not missing:
        return
    with TemporaryDirectory() as folder, GROUPS[group].serve(Path(folder)) as served:
        names = {**served.names, **_secrets(peer, served.secrets)}
        with _resets(served.reset) as reset:
            while missing:
                batch = list(missing)[:_BATCH]
                cases = [missing[name] for name in batch]
                for name, told in zip(batch, recorded(peer, cases, names, reset), strict=False):
                    found[name] = {"of": goldens.mark(missing.pop(name)), **served.kept(told)}
                yield


def _secrets(peer: Peer, secrets: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Makes credentials; their ids by what documents call them."""
    return {secret_id(kind): credential(peer, kind, data) for kind, data in secrets.items()}


def _true(group: str) -> dict[str, goldens.Golden]:
    """What is recorded already of the cases as they are."""
    old = goldens.read(group)
    return {
        name: old[name]
        for name, case in GROUPS[group].cases.items()
        if old.get(name, {}).get("of") == goldens.mark(case)
    }


def main() -> None:
    base, email, password, version, *named = sys.argv[1:]
    peer = Peer(base, email, password)
    for group in named or GROUPS:
        found = _true(group)
        for _ in record(peer, group, found):
            goldens.write(group, version, found)
            sys.stdout.write(f"{group}: {len(found)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

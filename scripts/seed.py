"""`make seed`: a demo user, workflows and executions in a running Weft (WEFT_SERVER, http://127.0.0.1:8080).

Repeatable: what is there already is left alone. On a Weft that nobody owns yet the demo's user becomes the owner; on
one that lets everybody in (WEFT_REGISTRATION=open) a second user comes along; on any other WEFT_API_KEY says whose
demo it shall be.
"""

import os
import sys
from typing import Any

import httpx

from scripts.demo import CREDENTIALS, VARIABLES, Demo, demos

PASSWORD = "weft demo passphrase"
PEOPLE = (("Ada", "Juniper", "ada@example.org"), ("Grace", "Juniper", "grace@example.org"))


class Refused(Exception):
    """The server does not let this user in."""


class Account:
    """Calls of the API as one user. `call` raises SystemExit with the server's words where it refuses."""

    def __init__(self, server: str, headers: dict[str, str]) -> None:
        self.server = server
        self.http = httpx.Client(base_url=f"{server}/api/v1", timeout=60, headers=headers)

    @classmethod
    def of(cls, server: str, first: str, last: str, email: str) -> "Account":
        """Signs in, or registers. Raises Refused."""
        sign_in = {"email": email, "password": PASSWORD}
        with httpx.Client(base_url=f"{server}/api/v1", timeout=60) as http:
            answer = http.post("/auth/login", json=sign_in)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                answer = http.post("/auth/register", json={**sign_in, "first_name": first, "last_name": last})
        if not answer.is_success:
            raise Refused(answer.json()["error"]["message"])
        return cls(server, {"Authorization": f"Bearer {answer.json()['data']['access_token']}"})

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.http.request(method, path, **options)
        if not answer.is_success:
            raise SystemExit(f"{method} {path}: {answer.text}")
        return answer.json()["data"]

    def fill(self) -> tuple[int, int]:
        """How many workflows were made, and how many executions."""
        rows = self.call("GET", "/workflows", params={"limit": 250})
        there = {row["name"] for row in rows}
        keys = {row["key"] for row in self.call("GET", "/variables")}
        for key, value, kind in VARIABLES:
            if key not in keys:
                self.call("POST", "/variables", json={"key": key, "value": value, "type": kind})
        named = {row["name"] for row in self.call("GET", "/credentials")}
        for name, kind, data in CREDENTIALS:
            if name not in named:
                self.call("POST", "/credentials", json={"name": name, "type": kind, "data": data})
        paths = str(self.call("GET", "/auth/me")["first_name"] or "demo").lower()
        missing = [each for each in demos(paths) if each.document["name"] not in there]
        return len(missing), sum(self.make(each) for each in missing)

    def make(self, demo: Demo) -> int:
        """Stores a workflow and runs it; returns how often."""
        workflow = self.call("POST", "/workflows/import", json=demo.document)["id"]
        self.call("PUT", f"/workflows/{workflow}/tags", json={"tags": list(demo.tags)})
        if demo.published:
            self.call("POST", f"/workflows/{workflow}/activate")
        for body in demo.calls:
            if demo.path:
                httpx.post(f"{self.server}/webhook/{demo.path}", json=body, timeout=60).raise_for_status()
            else:
                waits = {"wait": 30 if demo.retried else 0}
                started = self.call("POST", f"/workflows/{workflow}/execute", params=waits, json=body)
        if demo.retried:
            self.call("POST", f"/executions/{started['id']}/retry")
        return len(demo.calls) + demo.retried


def main() -> None:
    server = os.environ.get("WEFT_SERVER", f"http://127.0.0.1:{os.environ.get('WEFT_PORT', '8080')}")
    key = os.environ.get("WEFT_API_KEY")
    try:
        if key:
            told("With your API key", Account(server, {"X-API-Key": key}))
            return
        needed, *others = PEOPLE
        told(f"{needed[2]} / {PASSWORD}", Account.of(server, *needed))
        registration = httpx.get(f"{server}/api/v1/auth/setup", timeout=60).json()["data"]["registration"]
        for person in others if registration == "open" else ():
            told(f"{person[2]} / {PASSWORD}", Account.of(server, *person))
    except Refused as refusal:
        sys.exit(
            f"{refusal} This Weft has its owner: make an API key (Settings) and give it as WEFT_API_KEY."
        )
    except httpx.TransportError as error:
        sys.exit(f"Weft can't be reached at {server}: {error}. Start it with make run, or set WEFT_SERVER.")


def told(who: str, account: Account) -> None:
    workflows, executions = account.fill()
    print(f"{who}: {workflows} workflows, {executions} executions" if workflows else f"{who}: all there")


if __name__ == "__main__":
    main()

"""`make seed`: demo users, workflows and executions in a running Weft (WEFT_SERVER, http://127.0.0.1:8080).

Repeatable: users and workflows that are there already are left alone. Where the installation has its owner, others
are let in with WEFT_REGISTRATION=open only.
"""

import os
import sys
from typing import Any

import httpx

from tests.harness.flows import chain, code, edit, flow, manual, node, pause, webhook

PASSWORD = "weft demo passphrase"
USERS = ("ada@example.org", "grace@example.org")


CREDENTIALS = (
    ("Shop", "httpBasicAuth", {"user": "ada", "password": "demo"}),
    (
        "Reports",
        "postgres",
        {"host": "db.example.org", "database": "reports", "user": "reader", "password": "demo"},
    ),
)


def workflows() -> list[dict[str, Any]]:
    """A little of everything, named for people."""
    tickets = flow(
        "Sort support tickets",
        [
            webhook("demo-ticket"),
            node(
                "Urgent?",
                "if",
                {
                    "conditions": {
                        "options": {"caseSensitive": False, "typeValidation": "loose", "version": 2},
                        "combinator": "and",
                        "conditions": [
                            {
                                "id": "1",
                                "leftValue": "={{ $json.body.subject }}",
                                "rightValue": "urgent",
                                "operator": {"type": "string", "operation": "contains"},
                            }
                        ],
                    },
                    "options": {},
                },
                2.2,
            ),
            edit("Page someone", {"queue": "on call"}),
            edit("File it", {"queue": "inbox"}),
        ],
        ("Webhook", "Urgent?"),
        ("Urgent?", 0, "Page someone"),
        ("Urgent?", 1, "File it"),
    )
    numbers = code("Numbers", "return Array.from({length: 20}, (_, n) => ({ json: { n, square: n * n } }))")
    rule = {"rule": {"interval": [{"field": "minutes", "minutesInterval": 5}]}}
    clock = node("Every five minutes", "scheduleTrigger", rule, 1.2)
    return [
        tickets,
        chain(
            "Square some numbers",
            manual(),
            numbers,
            edit("Label", {"label": "={{ $json.n }}² = {{ $json.square }}"}),
        ),
        chain("Heartbeat", clock, edit("Note", {"alive": True})),
        chain("Take a breath", manual(), pause("Breathe", 5), edit("Done", {"rested": True})),
        chain(
            "Always fails",
            manual(),
            node("Stop", "stopAndError", {"errorMessage": "This one shows what an error looks like."}),
        ),
    ]


class Demo:
    """Raises PermissionError where the user may neither sign in nor register."""

    def __init__(self, server: str, email: str) -> None:
        self.http = httpx.Client(base_url=f"{server}/api/v1", timeout=60)
        account = {"email": email, "password": PASSWORD}
        answer = self.http.post("/auth/login", json=account)
        if not answer.is_success:
            name = email.partition("@")[0].capitalize()
            answer = self.http.post("/auth/register", json={**account, "first_name": name})
        if not answer.is_success:
            raise PermissionError(answer.json()["error"]["message"])
        self.http.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.http.request(method, path, **options)
        if not answer.is_success:
            raise SystemExit(f"{method} {path}: {answer.text}")
        return answer.json()["data"]

    def fill(self) -> int:
        """Returns how many executions were made."""
        there = {row["name"] for row in self.call("GET", "/workflows", params={"limit": 250})}
        for key, value in (("region", "eu"), ("team", "support")):
            self.call("PUT", f"/variables/{key}", json={"value": value})
        if not self.call("GET", "/credentials"):
            for name, kind, data in CREDENTIALS:
                self.call("POST", "/credentials", json={"name": name, "type": kind, "data": data})
        made = 0
        for document in workflows():
            if document["name"] in there:
                continue
            workflow = self.call("POST", "/workflows/import", json=document)["id"]
            if any("webhook" in each["type"] or "schedule" in each["type"] for each in document["nodes"]):
                self.call("POST", f"/workflows/{workflow}/activate")
            for _ in range(3):
                self.call("POST", f"/workflows/{workflow}/execute", params={"wait": 10}, json={})
                made += 1
        return made


def main() -> None:
    server = os.environ.get("WEFT_SERVER", f"http://127.0.0.1:{os.environ.get('WEFT_PORT', '8080')}")
    filled = 0
    for email in USERS:
        try:
            print(f"{email} / {PASSWORD}: {Demo(server, email).fill()} executions")
            filled += 1
        except PermissionError as refusal:
            print(f"{email}: {refusal} Or start Weft with WEFT_REGISTRATION=open.")
        except httpx.TransportError as error:
            sys.exit(
                f"Weft can't be reached at {server}: {error}. Start it with make run, or set WEFT_SERVER."
            )
    sys.exit(0 if filled else 1)


if __name__ == "__main__":
    main()

"""A user of an installation: signs in, imports, publishes, runs, looks."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

SCENARIOS = Path(__file__).parent.parent / "load" / "scenarios"
PASSWORD = "a long enough passphrase"
T = TypeVar("T")
FINAL = {"success", "error", "cancelled"}


def scenario(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SCENARIOS / f"{name}.json").read_text())
    return document


def until(probe: Callable[[], T], seconds: float, what: str) -> T:
    """Polls until `probe` gives something true; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


class User:
    """Speaks to the installation at `base` (http://127.0.0.1:PORT)."""

    def __init__(self, base: str, email: str = "owner@example.org") -> None:
        self.base = base
        self.email = email
        self.http = httpx.Client(base_url=base, timeout=30)

    def register(self) -> "User":
        self._sign(self.http.post("/api/v1/auth/register", json={"email": self.email, "password": PASSWORD}))
        return self

    def login(self) -> "User":
        self._sign(self.http.post("/api/v1/auth/login", json={"email": self.email, "password": PASSWORD}))
        return self

    def _sign(self, answer: httpx.Response) -> None:
        assert answer.is_success, answer.text
        self.token = answer.json()["data"]["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, f"/api/v1{path}", **options)

    def data(self, method: str, path: str, **options: Any) -> Any:
        """The `data` of a successful call."""
        answer = self.call(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["data"]

    def import_workflow(self, document: dict[str, Any], *, publish: bool = True) -> str:
        workflow = self.data("POST", "/workflows/import", json=document)
        if publish:
            self.data("POST", f"/workflows/{workflow['id']}/activate")
        identifier: str = workflow["id"]
        return identifier

    def hook(self, path: str, method: str = "POST", **options: Any) -> httpx.Response:
        return self.http.request(method, f"/webhook/{path}", **options)

    def ready_hook(self, path: str, method: str = "POST", **options: Any) -> httpx.Response:
        """Calls a webhook that was published a moment ago, until its route has reached the ingress."""
        found: list[httpx.Response] = []

        def probe() -> bool:
            found[:] = [self.hook(path, method, **options)]
            return found[0].status_code != 404

        until(probe, 5, f"the route of {path}")
        return found[0]

    def run(self, workflow_id: str, **body: Any) -> dict[str, Any]:
        """Runs the draft and waits for its end."""
        done: dict[str, Any] = self.data("POST", f"/workflows/{workflow_id}/execute?wait=30", json=body)
        assert done["status"] in FINAL, done
        return done

    def execution(self, execution_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.data("GET", f"/executions/{execution_id}?include=data")
        return found

    def executions(self, workflow_id: str, **filters: Any) -> list[dict[str, Any]]:
        """All executions of a workflow, newest first."""
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            params = {"workflow_id": workflow_id, "limit": 250, "cursor": cursor, **filters}
            answer = self.call("GET", "/executions", params=params)
            assert answer.is_success, answer.text
            rows += answer.json()["data"]
            cursor = answer.json()["pagination"].get("next_cursor") or ""
            if not cursor:
                return rows

    def finished(self, workflow_id: str, count: int = 1, seconds: float = 20) -> list[dict[str, Any]]:
        """Waits until `count` executions of the workflow have ended."""

        def probe() -> list[dict[str, Any]]:
            rows = self.executions(workflow_id)
            return rows if len(rows) >= count and all(row["status"] in FINAL for row in rows) else []

        return until(probe, seconds, f"the end of {count} executions")


def items(execution: dict[str, Any], node: str, run: int = 0, output: int = 0) -> list[Any]:
    """The JSON of the items of one node run."""
    return [item["json"] for item in execution["node_data"][node][run]["outputs"][output]]

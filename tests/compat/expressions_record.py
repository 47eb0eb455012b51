"""Records what an n8n makes of the rows of expressions.json, by its own interface, and writes the file again.

    python -m tests.compat.expressions_record http://127.0.0.1:5678 EMAIL PASSWORD

Each row becomes an Edit Fields node (version 2 keeps a value's type) behind Trigger → Data → Kept. Differences that
the file explains stay as they are.
"""

import http.cookiejar
import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("expressions.json")
_ROWS_PER_WORKFLOW = 100
_UNFINISHED = ("new", "running", "waiting")


class Peer:
    """A session with a running n8n."""

    def __init__(self, base: str, email: str, password: str) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._base, self._opener = base, urllib.request.build_opener(cookies)
        self.call("POST", "/rest/login", {"emailOrLdapLoginId": email, "password": password})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "browser-id": "recorder"}
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        with self._opener.open(request, timeout=120) as answer:
            document = json.loads(answer.read() or b"null")
        return document.get("data", document) if isinstance(document, dict) else document

    def run(self, workflow: dict[str, Any], trigger: str) -> dict[str, Any]:
        """The run data by node."""
        made = self.call("POST", "/rest/workflows", workflow)
        try:
            data = self.run_to_end(made["id"], trigger)["data"]
            document = unflattened(json.loads(data)) if isinstance(data, str) else data
            runs: dict[str, Any] = document["resultData"]["runData"]
            return runs
        finally:
            self.call("POST", f"/rest/workflows/{made['id']}/archive", {})
            self.call("DELETE", f"/rest/workflows/{made['id']}")

    def run_to_end(self, workflow: str, trigger: str) -> dict[str, Any]:
        """The execution, once it has ended."""
        start = {"triggerToStartFrom": {"name": trigger}}
        execution = self.call("POST", f"/rest/workflows/{workflow}/run", start)["executionId"]
        while (found := self.call("GET", f"/rest/executions/{execution}"))["status"] in _UNFINISHED:
            time.sleep(0.02)
        return dict(found)


def unflattened(flat: list[Any]) -> Any:
    """Run data is kept as a list in which texts are places of the list."""
    done: dict[int, Any] = {}

    def at(place: int) -> Any:
        if place not in done:
            value = flat[place]
            made: Any = type(value)() if isinstance(value, (dict, list)) else value
            done[place] = made
            if isinstance(value, dict):
                made.update((key, reference(part)) for key, part in value.items())
            elif isinstance(value, list):
                made.extend(reference(part) for part in value)
        return done[place]

    def reference(value: Any) -> Any:
        return at(int(value)) if isinstance(value, str) else value

    return at(0)


def workflow(table: dict[str, Any], expressions: list[str]) -> dict[str, Any]:
    """Trigger → Data (all items) → Kept (those without `drop`) → one node per expression; Later is never run."""
    data = "return " + json.dumps([{"json": item} for item in table["items"]])
    keep = {"conditions": {"boolean": [{"value1": "={{ !$json.drop }}", "value2": True}]}}
    nodes = [
        _node("Trigger", "manualTrigger", 1, {}, 0),
        _node("Data", "code", 2, {"jsCode": data}, 200),
        _node("Kept", "filter", 1, keep, 400),
        _node("Later", "set", 2, {"keepOnlySet": True}, 600),
    ]
    for number, expression in enumerate(expressions):
        values = {"string": [{"name": "v", "value": expression}]}
        probe = {"keepOnlySet": True, "values": values, "options": {}}
        nodes.append(_node(f"Row {number}", "set", 2, probe, 600) | {"onError": "continueRegularOutput"})
    probes = [{"node": node["name"], "type": "main", "index": 0} for node in nodes[4:]]
    connections = {
        "Trigger": {"main": [[{"node": "Data", "type": "main", "index": 0}]]},
        "Data": {"main": [[{"node": "Kept", "type": "main", "index": 0}]]},
        "Kept": {"main": [probes]},
    }
    settings = {"timezone": table["timezone"]}
    return {
        "name": "expressions",
        "nodes": nodes,
        "connections": connections,
        "settings": settings,
        "active": False,
    }


def _node(name: str, kind: str, version: float, parameters: dict[str, Any], x: int) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "parameters": parameters,
        "position": [x, 0],
    }


def expected(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """{"error": true}, or the values item by item; null where there is none."""
    if runs[0].get("error"):
        return {"error": True}
    return {"expected": [item["json"].get("v") for item in runs[0]["data"]["main"][0]]}


def record(peer: Peer, table: dict[str, Any]) -> None:
    rows = table["rows"]
    for start in range(0, len(rows), _ROWS_PER_WORKFLOW):
        part = rows[start : start + _ROWS_PER_WORKFLOW]
        runs = peer.run(workflow(table, [row["expression"] for row in part]), "Trigger")
        for number, row in enumerate(part):
            row.pop("expected", None)
            row.pop("error", None)
            row.update(expected(runs[f"Row {number}"]))


def write(table: dict[str, Any]) -> None:
    """One row a line."""
    rows = ",\n    ".join(json.dumps(row, ensure_ascii=False) for row in table["rows"])
    head = {key: value for key, value in table.items() if key != "rows"}
    text = json.dumps(head, ensure_ascii=False, indent=2)[:-2] + ',\n  "rows": [\n    ' + rows + "\n  ]\n}\n"
    TABLE.write_text(text, encoding="utf-8")


def main() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    record(Peer(*sys.argv[1:4]), table)
    write(table)


if __name__ == "__main__":
    main()

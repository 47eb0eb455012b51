"""Small workflows, built as n8n would export them."""

import uuid
from itertools import pairwise
from typing import Any


def node(
    name: str, kind: str, parameters: dict[str, Any] | None = None, version: float = 1, **more: Any
) -> dict[str, Any]:
    """A node of n8n-nodes-base; its position is filled in by `flow`."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters or {},
        **more,
    }


def flow(name: str, nodes: list[dict[str, Any]], *edges: tuple[Any, ...], **settings: Any) -> dict[str, Any]:
    """Edges: (source, target), (source, output, target) or (source, output, target, input)."""
    connections: dict[str, Any] = {}
    for edge in edges:
        source, output, target, index = (edge[0], 0, edge[1], 0) if len(edge) == 2 else (*edge, 0)[:4]
        outputs = connections.setdefault(source, {"main": []})["main"]
        while len(outputs) <= output:
            outputs.append([])
        outputs[output].append({"node": target, "type": "main", "index": index})
    placed = [{**each, "position": [220 * i, 0]} for i, each in enumerate(nodes)]
    return {
        "name": name,
        "nodes": placed,
        "connections": connections,
        "settings": {"executionOrder": "v1", **settings},
        "pinData": {},
    }


def chain(name: str, *nodes: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Nodes one behind the other."""
    return flow(
        name,
        list(nodes),
        *((a["name"], b["name"]) for a, b in pairwise(nodes)),
        **settings,
    )


def webhook(path: str, mode: str = "lastNode", method: str = "POST", **parameters: Any) -> dict[str, Any]:
    values = {"httpMethod": method, "path": path, "responseMode": mode, "options": {}, **parameters}
    return node("Webhook", "webhook", values, 2, webhookId=str(uuid.uuid5(uuid.NAMESPACE_URL, path)))


def manual() -> dict[str, Any]:
    return node("Start", "manualTrigger")


def edit(name: str, fields: dict[str, Any], kind: str = "", **more: Any) -> dict[str, Any]:
    """Edit Fields that keeps the other fields. `kind`: the type of all fields, else that of each value."""
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    assignments = [
        {"id": key, "name": key, "type": kind or kinds[type(value)], "value": value}
        for key, value in fields.items()
    ]
    parameters = {
        "mode": "manual",
        "includeOtherFields": True,
        "assignments": {"assignments": assignments},
        "options": {},
    }
    return node(name, "set", parameters, 3.4, **more)


def code(name: str, source: str, mode: str = "runOnceForAllItems", **more: Any) -> dict[str, Any]:
    return node(name, "code", {"mode": mode, "language": "javaScript", "jsCode": source}, 2, **more)


def request(name: str, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return node(name, "httpRequest", {"method": method, "url": url, "options": {}}, 4.2, **more)


def pause(name: str, seconds: float) -> dict[str, Any]:
    return node(name, "wait", {"resume": "timeInterval", "amount": seconds, "unit": "seconds"}, 1.1)

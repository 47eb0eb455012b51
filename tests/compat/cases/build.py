"""How the tables become documents."""

import itertools
from collections.abc import ItemsView, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

Json = Any
Extra = Mapping[str, Any]


class Case(TypedDict):
    """`workflows`: by the id that the document calls them by. `unlike`: nodes whose items no two runs have alike."""

    document: dict[str, Json]
    workflows: NotRequired[dict[str, dict[str, Json]]]
    unlike: NotRequired[list[str]]


def named(rows: Mapping[str, dict[str, Json]]) -> ItemsView[str, dict[str, Json]]:
    """Rows of a table that are parameters."""
    return rows.items()


def node(
    name: str, kind: str, version: float, parameters: Mapping[str, Json], place: int, **extra: Json
) -> dict[str, Json]:
    """`extra` are more of the node's own keys; `position` moves it."""
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [place * 200, place * 100],
        "parameters": dict(parameters),
        **extra,
    }


def wired(wires: str) -> dict[str, Json]:
    """`A > B, If.1 > C, B > M.1`: outputs and inputs by number after a dot, 0 where none is given."""
    connections: dict[str, Json] = {}
    for wire in wires.split(","):
        ends = [end.strip() for end in wire.split(">")]
        for source, target in itertools.pairwise(ends):
            source_name, _, output = source.partition(".")
            target_name, _, slot = target.partition(".")
            outputs = connections.setdefault(source_name, {"main": []})["main"]
            while len(outputs) <= int(output or 0):
                outputs.append([])
            outputs[int(output or 0)].append({"node": target_name, "type": "main", "index": int(slot or 0)})
    return connections


def document(
    nodes: Sequence[Mapping[str, Json]], wires: str, pins: Mapping[str, Json], order: str = "v1"
) -> dict[str, Json]:
    settings = {"executionOrder": order} if order else {}
    trigger = node("Trigger", "manualTrigger", 1, {}, 0)
    return {
        "name": "compat",
        "nodes": [trigger, *nodes],
        "connections": wired(wires),
        "settings": settings,
        "pinData": {name: [{"json": row} for row in rows] for name, rows in pins.items()},
    }


def one(
    kind: str, version: float, parameters: Mapping[str, Json], rows: Sequence[Json], **extra: Json
) -> Case:
    """Trigger (pinned to the rows) and one node."""
    return {
        "document": document(
            [node("Node", kind, version, parameters, 1, **extra)], "Trigger > Node", {"Trigger": rows}
        )
    }


def two(
    kind: str, version: float, parameters: Mapping[str, Json], first: Sequence[Json], second: Sequence[Json]
) -> Case:
    """Trigger, two pinned nodes, and a node with both as its inputs."""
    nodes = [
        node("First", "noOp", 1, {}, 1),
        node("Second", "noOp", 1, {}, 2),
        node("Node", kind, version, parameters, 3),
    ]
    wires = "Trigger > First > Node.0, Trigger > Second > Node.1"
    return {"document": document(nodes, wires, {"First": first, "Second": second})}


def versions(
    found: dict[str, dict[str, Case]],
    group: str,
    name: str,
    kind: str,
    at: Sequence[float],
    parameters: Mapping[str, Json],
    rows: Sequence[Json],
    **extra: Json,
) -> None:
    """One case for each version."""
    for version in at:
        found.setdefault(group, {})[f"{name} v{version:g}"] = one(kind, version, parameters, rows, **extra)

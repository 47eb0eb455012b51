"""Reads nodes and main connections out of a workflow document as people send it: anything may be missing or
wrong."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class GraphIssue(NamedTuple):
    """Something in a document that was left out. `code`: INVALID_NODE, DUPLICATE_NAME,
    DANGLING_CONNECTION."""

    code: str
    node: str
    message: str


class Declared(NamedTuple):
    name: str
    type: str
    version: float
    position: tuple[float, float]
    json: Mapping[str, Any]


class Connection(NamedTuple):
    """From output `output` of node `source` to input `input` of node `target`; nodes by their place."""

    source: int
    output: int
    target: int
    input: int


MOST_SLOTS = 1000
"""Outputs or inputs of one node; a connection beyond is a mistake, and would cost memory."""


def read_nodes(document: Mapping[str, Any], issues: list[GraphIssue]) -> list[Declared]:
    """The nodes that can be addressed: of several with one name, the first."""
    found: dict[str, Declared] = {}
    nodes = document.get("nodes")
    for json in nodes if isinstance(nodes, list) else ():
        name = json.get("name") if isinstance(json, Mapping) else None
        if not isinstance(name, str) or not name:
            issues.append(GraphIssue("INVALID_NODE", "", "A node has no name."))
        elif name in found:
            issues.append(GraphIssue("DUPLICATE_NAME", name, f"More than one node is named '{name}'."))
        else:
            kind = json.get("type")
            version = _number(json.get("typeVersion"), 1.0)
            found[name] = Declared(
                name, kind if isinstance(kind, str) else "", version, _position(json.get("position")), json
            )
    return list(found.values())


def read_connections(
    document: Mapping[str, Any], declared: list[Declared], issues: list[GraphIssue]
) -> list[Connection]:
    """Connections of kind `main` between nodes that exist, in the document's order."""
    index = {node.name: number for number, node in enumerate(declared)}
    found = []
    for source, output, entry in _entries(document.get("connections")):
        target, slot = entry.get("node"), entry.get("index", 0)
        if source not in index or not isinstance(target, str) or target not in index:
            text = f"The connection from '{source}' to '{target}' leads to a node that does not exist."
            issues.append(GraphIssue("DANGLING_CONNECTION", source, text))
        elif not isinstance(slot, int) or not 0 <= slot < MOST_SLOTS or output >= MOST_SLOTS:
            text = f"The connection from '{source}' to '{target}' names an input or output that cannot exist."
            issues.append(GraphIssue("DANGLING_CONNECTION", source, text))
        else:
            found.append(Connection(index[source], output, index[target], int(slot)))
    return found


def _entries(connections: Any) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """(source, output, entry) of every main connection; gaps (`null`) are usual."""
    for source, kinds in connections.items() if isinstance(connections, Mapping) else ():
        outputs = kinds.get("main") if isinstance(kinds, Mapping) else None
        for output, entries in enumerate(outputs if isinstance(outputs, list) else ()):
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, Mapping) and entry.get("type", "main") == "main":
                    yield source, output, entry


def _position(value: Any) -> tuple[float, float]:
    """(x, y); the origin where the document says nothing usable."""
    if isinstance(value, list) and len(value) == 2:
        return _number(value[0], 0.0), _number(value[1], 0.0)
    return 0.0, 0.0


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else default

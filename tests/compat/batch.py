"""Many cases in one workflow of n8n's, branch by branch: an execution costs it far more than a node does."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.compat import goldens
from tests.compat.cases.build import Case, node


def batched(case: Case) -> bool:
    """Whether it may share a workflow: one line of nodes behind a pinned trigger, that knows nothing of the rest."""
    document = case["document"]
    ends = [to for outputs in document["connections"].values() for output in outputs["main"] for to in output]
    text = json.dumps(document)
    return (
        "workflows" not in case
        and "Trigger" in document["pinData"]
        and document["settings"] == {"executionOrder": "v1"}
        and len({end["node"] for end in ends}) == len(ends) == len(document["nodes"]) - 1
        and all(len(outputs["main"]) == 1 for outputs in document["connections"].values())
        and not any(
            word in text for word in ("$(", "$node", "$items", "$workflow", "$execution", "removeDuplicates")
        )
    )


def together(cases: Sequence[Case], before: Mapping[str, Any]) -> dict[str, Any]:
    """One document; the nodes of the n-th case end in ` n`. `before`: the node that each begins with, called Reset."""
    trigger = node("Trigger", "manualTrigger", 1, {}, 0)
    nodes: list[dict[str, Any]] = [trigger]
    begin: dict[str, Any] = {"main": [[]]}
    connections: dict[str, Any] = {"Trigger": begin}
    pins: dict[str, Any] = {"Trigger": [{"json": {}}]}
    for number, case in enumerate(cases):
        document, end = case["document"], f" {number}"
        nodes += [{**before, "name": f"Reset{end}", "id": f"Reset{end}"}]
        nodes += [node(f"Trigger{end}", "noOp", 1, {}, 2)]
        nodes += [
            {**each, "name": each["name"] + end, "id": each["id"] + end} for each in document["nodes"][1:]
        ]
        for each in nodes[1:]:
            if each["name"].endswith(end):
                each["position"] = [each["position"][0], number * 100]
        begin["main"][0].append({"node": f"Reset{end}", "type": "main", "index": 0})
        connections[f"Reset{end}"] = {"main": [[{"node": f"Trigger{end}", "type": "main", "index": 0}]]}
        for source, found in document["connections"].items():
            connections[source + end] = {
                kind: [[{**to, "node": to["node"] + end} for to in output] for output in outputs]
                for kind, outputs in found.items()
            }
        pins |= {name + end: rows for name, rows in document["pinData"].items()}
    return {
        "name": "compat",
        "nodes": nodes,
        "connections": connections,
        "settings": {"executionOrder": "v1"},
        "pinData": pins,
        "active": False,
    }


def apart(told: goldens.Golden, count: int) -> list[goldens.Golden]:
    """Of the first cases, up to the one that failed."""
    failed, _, last = (told.get("failed") or "").rpartition(" ")
    found: list[goldens.Golden] = [
        {"status": "success", "runs": []} for _ in range(int(last) + 1 if last else count)
    ]
    for full, outputs in told["runs"]:
        name, _, number = full.rpartition(" ")
        if name and name != "Reset" and int(number) < len(found):
            found[int(number)]["runs"].append([name, outputs])
    if last:
        found[-1] |= {"status": told["status"], "failed": failed, "message": told["message"]}
    return found

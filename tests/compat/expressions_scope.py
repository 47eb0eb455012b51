"""The run that expressions.json was recorded in, as a scope: Trigger → Data → Kept → the node that evaluates."""

import json
from typing import Any

from weft_expressions.scope import Item, Outputs, Scope

_NODES = ("Trigger", "Data", "Kept", "Later")


def scope_of(table: dict[str, Any], expression: str) -> Scope:
    """As it is at the node whose one field has this expression."""
    data: list[Item] = [{"json": item, "pairedItem": {"item": 0}} for item in table["items"]]
    places = [place for place, item in enumerate(table["items"]) if "drop" not in item]
    kept: list[Item] = [{"json": table["items"][place], "pairedItem": {"item": place}} for place in places]
    dropped = [
        {"json": item, "pairedItem": {"item": place}}
        for place, item in enumerate(table["items"])
        if "drop" in item
    ]
    trigger: list[Item] = [{"json": {}, "pairedItem": {"item": 0}}]
    runs: dict[str, Outputs] = {"Trigger": [trigger], "Data": [data], "Kept": [kept, dropped]}
    behind = {
        "Trigger": [trigger[0]] * len(kept),
        "Data": [data[place] for place in places],
        "Kept": kept,
    }
    source = "return " + json.dumps([{"json": item} for item in table["items"]])
    keep = {
        "conditions": {"boolean": [{"value1": "={{ !$json.drop }}", "operation": "equal", "value2": True}]}
    }
    parameters: dict[str, dict[str, Any]] = {
        "Data": {"mode": "runOnceForAllItems", "language": "javaScript", "jsCode": source, "notice": ""},
        "Kept": {**keep, "combineConditions": "AND"},
        "Later": {"keepOnlySet": True},
    }

    def ancestor(name: str, index: int) -> Item | None:
        items = behind.get(name, [])
        return items[index] if 0 <= index < len(items) else None

    return Scope(
        items=[{"json": item["json"], "pairedItem": {"item": place}} for place, item in enumerate(kept)],
        timezone=table["timezone"],
        outputs=lambda name, run: runs.get(name) if run in (None, 0) else None,
        exists=_NODES.__contains__,
        node_names=_NODES,
        run_count=lambda name: int(name in runs),
        ancestor=ancestor,
        parameters_of=lambda name: parameters.get(name, {}),
        context_of=lambda _: {},
        node_name="Row",
        node_id="Row",
        node_version=2,
        parameters={
            "keepOnlySet": True,
            "values": {"string": [{"name": "v", "value": expression}]},
            "options": {},
        },
        previous={"name": "Kept", "outputIndex": 0, "runIndex": 0},
        execution={
            "id": "1",
            "mode": "test",
            "resumeUrl": "http://localhost/r",
            "resumeFormUrl": "http://localhost/f",
        },
        workflow={"id": "w", "name": "expressions", "active": False},
    )

"""Cases of a node as data: `cases.json` in its folder, a list of what goes in and what must come out.

A case: `name`, `version`, `parameters` (as a document has them; `={{ $json.a.b }}` is evaluated per item,
other expressions don't occur), `inputs` (JSON objects by input), and `outputs` (JSON objects by output) or
`error` (a part of the message). Optional: `on_error`, `pairs` (source item by output and item), `full`
(inputs and outputs are whole items), `timezone`, `mode`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Item, Suspend
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.testing.fake import FakeContext

_EXPRESSION = re.compile(r"=\{\{ \$json(?:\.(.+?))? \}\}")


class FailedExpression:
    """What stands for an expression that failed."""

    message = "Can't read a property of undefined"
    description = ""


def evaluate(value: Any, item: Item, _: int) -> Any:
    """Replaces an expression by what it names in the item; undefined becomes null, as at the codec."""
    if not isinstance(value, str) or not value.startswith("="):
        return value
    found = _EXPRESSION.fullmatch(value)
    assert found, f"cases have no expressions but paths: {value}"
    result = get(item["json"], found.group(1)) if found.group(1) else item["json"]
    return None if result is MISSING else result


def fail_at(index: int) -> Any:
    """An evaluator whose expressions fail for one item."""

    def evaluated(value: Any, item: Item, now: int) -> Any:
        if now == index and isinstance(value, str) and value.startswith("="):
            return FailedExpression()
        return evaluate(value, item, now)

    return evaluated


def has_expressions(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_expressions(member) for member in value.values())
    if isinstance(value, list):
        return any(has_expressions(member) for member in value)
    return isinstance(value, str) and value.startswith("=")


def load_cases(folder: Path) -> list[dict[str, Any]]:
    path = folder / "cases.json"
    cases: list[dict[str, Any]] = orjson.loads(path.read_bytes()) if path.exists() else []
    return cases


def context(catalogue: Catalogue, type_name: str, case: Mapping[str, Any], **changes: Any) -> FakeContext:
    """The context of a case, defaults filled in."""
    version = float(case["version"])
    inputs = case.get("inputs", [[]])
    if not case.get("full"):
        inputs = [[{"json": json} for json in items] for items in inputs]
    given: dict[str, Any] = {
        "given": catalogue.fill_defaults(type_name, version, case.get("parameters", {})),
        "inputs": inputs,
        "version": version,
        "type": type_name,
        "on_error": case.get("on_error", "stopWorkflow"),
        "evaluate_value": evaluate if has_expressions(case.get("parameters", {})) else None,
        "timezone": case.get("timezone", "UTC"),
        "mode": case.get("mode", "webhook"),
    }
    return FakeContext(**{**given, **changes})


def exact(value: Any) -> str:
    """JSON to compare by: 1 is not true and not 1.5, the order of names doesn't count."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode()


async def check_case(catalogue: Catalogue, type_name: str, case: Mapping[str, Any]) -> None:
    """Runs a case that expects outputs. Raises AssertionError where they differ."""
    ctx = context(catalogue, type_name, case)
    before = exact(ctx.inputs)
    outputs = await catalogue.implementation(type_name)(ctx)
    assert not isinstance(outputs, Suspend)
    assert exact(ctx.inputs) == before, "the node changed the items that it was given"
    shown = outputs if case.get("full") else [[item["json"] for item in items] for items in outputs]
    assert exact(shown) == exact(case["outputs"])
    if "pairs" in case:
        assert [[_source(item) for item in items] for items in outputs] == case["pairs"]


def _source(item: Item) -> Any:
    """The source of an item, short: an index, [input, index] for another input, or a list of those."""

    def short(lineage: Mapping[str, Any]) -> Any:
        return [lineage["input"], lineage["item"]] if lineage.get("input") else lineage["item"]

    paired = item.get("pairedItem")
    if isinstance(paired, list):
        return [short(lineage) for lineage in paired]
    return None if paired is None else short(paired)

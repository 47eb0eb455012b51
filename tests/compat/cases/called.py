"""Where the items of sub-workflows come from, seen by those who called them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.compat.cases.build import Case, named, node, wired
from tests.compat.cases.engine import Sheet

ROWS = [{"n": 1}, {"n": 2}, {"n": 3}]
_GOES_ON = {"onError": "continueRegularOutput"}
_TWO_EACH = (
    "return items.flatMap((item, i) => [0, 1].map(k => ({json: {n: item.json.n, k}, pairedItem: {item: i}})))"
)


def child(
    sheet: Sheet, wires: str, order: str = "v1", start: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A sub-workflow that begins at Start, which passes on what it gets."""
    first = node("Start", "executeWorkflowTrigger", 1.1, start or {"inputSource": "passthrough"}, 0)
    return {
        "name": "child",
        "nodes": [first, *sheet.nodes],
        "connections": wired(wires),
        "settings": {"executionOrder": order},
    }


def calling(
    inner: dict[str, Any], rows: Any = ROWS, after: str = "={{ $('Trigger').item.json.n }}", **parameters: Any
) -> Case:
    """Trigger, a Call of the child, and a node that looks for the origin of what comes back."""
    target = {"workflowId": {"__rl": True, "mode": "id", "value": "CHILD"}, "mode": "once", "options": {}}
    sheet = (
        Sheet().add("Call", "executeWorkflow", 1.2, {**target, **parameters}).put("End", after, **_GOES_ON)
    )
    return {**sheet.wired("Trigger > Call > End", rows=rows), "workflows": {"CHILD": inner}}


def _shapes(found: dict[str, Case]) -> None:
    """What happens to items between the start and the end of the child."""
    split = {"fieldToSplitOut": "list"}
    bodies: dict[str, Sheet] = {
        "nothing": Sheet().pass_on("A"),
        "two of each": Sheet().code("A", _TWO_EACH),
        "two of each, edited": Sheet().code("A", _TWO_EACH).put("B", "={{ $json.k }}"),
        "split": Sheet().put("A", "={{ [$json.n, 'z'] }}", "list").add("B", "splitOut", 1, split),
        "filter": Sheet().add("A", "filter", 2.2, {"conditions": {"options": {"version": 2, "caseSensitive": True, "typeValidation": "strict", "leftValue": ""}, "combinator": "and", "conditions": [{"id": "1", "leftValue": "={{ $json.n }}", "rightValue": 1, "operator": {"type": "number", "operation": "gt"}}]}, "options": {}}),
        "limit": Sheet().add("A", "limit", 1, {"maxItems": 1, "keep": "lastItems"}),
        "sorted": Sheet().add("A", "sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "n", "order": "descending"}]}}),
        "aggregate": Sheet().gather("A"),
        "aggregate and split": Sheet().gather("A").add("B", "splitOut", 1, {"fieldToSplitOut": "data"}),
        "turned round": Sheet().code("A", "return items.slice().reverse()"),
        "pairs given": Sheet().code("A", "return [2, 0].map(i => ({json: {i}, pairedItem: {item: i}}))"),
        "pairs of all": Sheet().code("A", "return [0, 1].map(i => ({json: {i}, pairedItem: [{item: 2}, {item: i}]}))"),
        "pair beyond": Sheet().code("A", "return [{json: {}, pairedItem: {item: 7}}, {json: {}, pairedItem: {item: 1}}]"),
        "pairs left out": Sheet().code("A", "return [0, 1].map(i => ({json: {i}}))"),
        "pairs left out, five": Sheet().code("A", "return [0, 1, 2, 3, 4].map(i => ({json: {i}}))"),
        "pairs left out, as many": Sheet().code("A", "return [0, 1, 2].map(i => ({json: {i}}))"),
        "pairs left out, one": Sheet().code("A", "return [{json: {}}]"),
        "some pairs": Sheet().code("A", "return [{json: {}, pairedItem: {item: 2}}, {json: {}}]"),
        "six, then as many as were given": Sheet().code("A", _TWO_EACH).code("B", "return [0, 1, 2].map(i => ({json: {i}}))"),
        "pairs lost, then turned round": Sheet().code("A", "return [0, 1].map(i => ({json: {i}}))").code("B", "return items.slice().reverse()"),
        "pairs lost, then five": Sheet().code("A", "return [0, 1, 2, 3, 4].map(i => ({json: {i}}))").put("B", "={{ $json.i }}"),
        "pairs of all, five": Sheet().code("A", "return [0, 1, 2, 3, 4].map(i => ({json: {i}, pairedItem: [{item: 1}, {item: 2}]}))"),
        "pairs lost halfway": Sheet().code("A", "return [0, 1].map(i => ({json: {i}}))").put("B", "={{ $json.i }}"),
        "each": Sheet().add("A", "code", 2, {"mode": "runOnceForEachItem", "jsCode": "return {json: {m: $json.n}}"}),
        "disabled": Sheet().put("A", "x", disabled=True),
        "always output": Sheet().code("A", "return []", alwaysOutputData=True),
        "executed once": Sheet().put("A", "={{ $json.n }}", executeOnce=True),
        "file": Sheet().add("A", "convertToFile", 1.1, {"operation": "toJson", "mode": "each", "options": {}}),
        "file of all": Sheet().add("A", "convertToFile", 1.1, {"operation": "toJson", "mode": "once", "options": {}}),
        "ends empty": Sheet().code("A", "return []"),
    }  # fmt: skip
    for name, sheet in bodies.items():
        way = " > ".join(["Start", *(each["name"] for each in sheet.nodes)])
        inner = child(sheet, way)
        for mode in ("once", "each"):
            found[f"{name}, {mode}"] = calling(inner, mode=mode)
    one = child(Sheet().code("A", _TWO_EACH), "Start > A")
    found["one to two"] = calling(one, rows=ROWS[:1])
    many = child(Sheet().code("A", "return Array.from({length: 6}, (_, i) => ({json: {i}}))"), "Start > A")
    found["two to six"] = calling(many, rows=ROWS[:2])
    found["one to six"] = calling(many, rows=ROWS[:1])


def _ways(found: dict[str, Case]) -> None:
    """Children with several ways from start to end."""
    first = Sheet().put("A", "a", "a").put("B", "b", "b")
    for name, parameters in named(
        {
            "append": {},
            "position": {"mode": "combine", "combineBy": "combineByPosition"},
            "fields": {"mode": "combine", "fieldsToMatchString": "n"},
            "all": {"mode": "combine", "combineBy": "combineAll"},
            "second": {"mode": "chooseBranch", "useDataOfInput": 2},
        }
    ):
        sheet = Sheet()
        sheet.nodes = [*first.nodes]
        inner = child(sheet.merge(**parameters), "Start > A > Merge, Start > B > Merge.1")
        found[f"merge {name}"] = calling(inner)
    sides = Sheet().branch(above=1).put("T", "t").put("F", "f").merge()
    found["two sides of an If"] = calling(child(sides, "Start > If > T > Merge, If.1 > F > Merge.1"))
    apart = Sheet().branch(above=1).put("T", "t").put("F", "f")
    found["an If without a merge"] = calling(child(apart, "Start > If > T, If.1 > F"))
    found["the last output is the second"] = calling(child(Sheet().branch(above=9), "Start > If"))
    both = Sheet().branch(above=1)
    parted = calling(child(Sheet().branch(above=1), "Start > If"))
    for node_ in parted["document"]["nodes"]:
        if node_["name"] == "Call":
            node_["onError"] = "continueErrorOutput"
    found["both outputs at the end, error output"] = parted
    found["both outputs at the end"] = calling(child(both, "Start > If"))
    loop = Sheet().loop(size=2).put("Body", "={{ $json.n }}").put("Done", "d")
    found["loop"] = calling(child(loop, "Start > Loop > Done, Loop.1 > Body > Loop"))
    left = Sheet().loop(size=2).put("Body", "={{ $json.n }}")
    found["loop at the end"] = calling(child(left, "Start > Loop, Loop.1 > Body > Loop"))
    twice = Sheet().pass_on("A", "B").put("Z", "={{ $json.n }}")
    found["a last node that ran twice"] = calling(child(twice, "Start > A > Z, Start > B > Z"))
    for order in ("v0", "v1"):
        two = Sheet().put("A", "a").code("B", _TWO_EACH)
        found[f"two ends {order}"] = calling(child(two, "Start > A, Start > B", order))
    wait = Sheet().add("W", "wait", 1.1, {"resume": "timeInterval", "amount": 0.05, "unit": "seconds"})
    found["wait"] = calling(child(wait.code("A", _TWO_EACH), "Start > W > A"))
    failing = Sheet().put("A", "={{ $json.n === 2 ? DateTime.fromISO(1).foo.bar : $json.n }}", **_GOES_ON)
    found["an item failed"] = calling(child(failing, "Start > A"))


def _calls(found: dict[str, Case]) -> None:
    """How the child is called."""
    two = child(Sheet().code("A", _TWO_EACH), "Start > A")
    lost = child(Sheet().code("A", "return [0, 1].map(i => ({json: {i}}))"), "Start > A")
    for mode in ("once", "each"):
        found[f"not waited for, {mode}"] = calling(two, mode=mode, options={"waitForSubWorkflow": False})
        found[f"first of what came, {mode}"] = calling(two, after="={{ $('Call').item.json.k }}", mode=mode)
    stated = {"workflowInputs": {"values": [{"name": "n", "type": "number"}]}}
    fields = {
        "mappingMode": "defineBelow",
        "value": {"n": "={{ $json.n }}"},
        "schema": [{"id": "n", "type": "number"}],
    }
    typed = child(Sheet().code("A", _TWO_EACH), "Start > A", start=stated)
    found["stated inputs"] = calling(typed, workflowInputs=fields)
    for tag, inner in (("kept", two), ("lost", lost)):
        middle = child(
            Sheet().add(
                "Inner",
                "executeWorkflow",
                1.2,
                {"source": "parameter", "workflowJson": json.dumps(inner), "options": {}},
            ),
            "Start > Inner",
        )
        found[f"nested, {tag}"] = calling(middle)
        further = child(
            Sheet()
            .add(
                "Inner",
                "executeWorkflow",
                1.2,
                {"source": "parameter", "workflowJson": json.dumps(inner), "options": {}},
            )
            .put("B", "={{ $json.k }}"),
            "Start > Inner > B",
        )
        found[f"nested and edited, {tag}"] = calling(further)
    target = {"workflowId": {"__rl": True, "mode": "id", "value": "CHILD"}, "mode": "once", "options": {}}
    between = (
        Sheet()
        .add("Keep", "limit", 1, {"maxItems": 2, "keep": "lastItems"})
        .add("Call", "executeWorkflow", 1.2, target)
        .put("Mid", "={{ $('Keep').item.json.n }}", **_GOES_ON)
        .put("End", "={{ $('Trigger').item.json.n }}", "w", **_GOES_ON)
    )
    found["items that were filtered before"] = {
        **between.wired("Trigger > Keep > Call > Mid > End", rows=ROWS),
        "workflows": {"CHILD": two},
    }
    looped = (
        Sheet()
        .loop(size=2)
        .add("Call", "executeWorkflow", 1.2, target)
        .put("Mid", "={{ $('Trigger').item.json.n }}", **_GOES_ON)
        .put("Done", "={{ $('Trigger').item.json.n }}", "w", **_GOES_ON)
    )
    found["called in a loop"] = {
        **looped.wired("Trigger > Loop > Done, Loop.1 > Call > Mid > Loop", rows=ROWS),
        "workflows": {"CHILD": two},
    }
    branches = (
        Sheet()
        .branch(above=2)
        .add("Call", "executeWorkflow", 1.2, target)
        .put("End", "={{ $('Trigger').item.json.n }}", **_GOES_ON)
    )
    found["called on the second output"] = {
        **branches.wired("Trigger > If, If.1 > Call > End", rows=ROWS),
        "workflows": {"CHILD": two},
    }
    for extra in ("alwaysOutputData", "executeOnce"):
        sheet = (
            Sheet()
            .add("Call", "executeWorkflow", 1.2, target, **{extra: True})
            .put("End", "={{ $('Trigger').item.json.n }}", **_GOES_ON)
        )
        for tag, inner in (("two", two), ("none", child(Sheet().code("A", "return []"), "Start > A"))):
            found[f"{extra}, {tag}"] = {
                **sheet.wired("Trigger > Call > End", rows=ROWS),
                "workflows": {"CHILD": inner},
            }


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, Case] = {}
    _shapes(found)
    _ways(found)
    _calls(found)
    return {"calls": found}

"""Merge and Compare Datasets."""

from typing import Any

from tests.compat.cases.build import Case, named, two

A = [
    {"id": 1, "a": "one", "o": {"x": 1, "y": 1}},
    {"id": 2, "a": "two"},
    {"id": 2, "a": "again"},
    {"id": 3, "a": None},
]
B = [
    {"id": 2, "b": "zwei", "a": "clash"},
    {"id": 1, "b": "eins", "o": {"x": 9}},
    {"id": 4, "b": "vier"},
    {"id": "3", "b": "text"},
]


def fields(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"mergeByFields": {"values": [{"field1": a, "field2": b} for a, b in pairs]}}


def _merge_three() -> dict[str, dict[str, Any]]:
    clash = {"clashHandling": {"values": {"resolveClash": "preferInput1", "mergeMode": "shallowMerge"}}}
    suffix = {"clashHandling": {"values": {"resolveClash": "addSuffix"}}}
    empty = {
        "clashHandling": {
            "values": {"resolveClash": "preferLast", "mergeMode": "deepMerge", "overrideEmpty": True}
        }
    }
    found: dict[str, dict[str, Any]] = {
        "append": {"mode": "append"},
        "position": {"mode": "combine", "combineBy": "combineByPosition"},
        "position unpaired": {
            "mode": "combine",
            "combineBy": "combineByPosition",
            "options": {"includeUnpaired": True},
        },
        "position prefer 1": {"mode": "combine", "combineBy": "combineByPosition", "options": clash},
        "all": {"mode": "combine", "combineBy": "combineAll"},
        "all suffix": {"mode": "combine", "combineBy": "combineAll", "options": suffix},
        "choose 1": {"mode": "chooseBranch"},
        "choose 2": {"mode": "chooseBranch", "useDataOfInput": 2},
        "choose empty": {"mode": "chooseBranch", "output": "empty"},
        "sql": {
            "mode": "combineBySql",
            "query": "SELECT * FROM input1 LEFT JOIN input2 ON input1.id = input2.id",
        },
    }
    for join in ("keepMatches", "keepNonMatches", "keepEverything", "enrichInput1", "enrichInput2"):
        by = {"mode": "combine", "fieldsToMatchString": "id", "joinMode": join}
        found[f"fields {join}"] = by
        found[f"fields {join} fuzzy"] = {**by, "options": {"fuzzyCompare": True}}
        if join in ("keepMatches", "keepNonMatches"):
            found |= {
                f"fields {join} {side}": {**by, "outputDataFrom": side} for side in ("input1", "input2")
            }
        if join != "keepNonMatches":
            found[f"fields {join} first"] = {**by, "options": {"multipleMatches": "first"}}
            found[f"fields {join} suffix"] = {**by, "options": suffix}
            found[f"fields {join} override"] = {**by, "options": empty}
    found["fields two"] = {"mode": "combine", "advanced": True, **fields(("id", "id"), ("a", "b"))}
    found["fields nested"] = {"mode": "combine", "advanced": True, **fields(("o.x", "o.x"))}
    return found


def _merge_two() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {
        "append": {"mode": "append"},
        "position": {"mode": "combine", "combinationMode": "mergeByPosition"},
        "position unpaired": {
            "mode": "combine",
            "combinationMode": "mergeByPosition",
            "options": {"includeUnpaired": True},
        },
        "multiplex": {"mode": "combine", "combinationMode": "multiplex"},
        "choose 1": {"mode": "chooseBranch"},
        "choose 2": {"mode": "chooseBranch", "output": "input2"},
        "choose empty": {"mode": "chooseBranch", "output": "empty"},
    }
    for join in ("keepMatches", "keepNonMatches", "keepEverything", "enrichInput1", "enrichInput2"):
        found[f"fields {join}"] = {"mode": "combine", **fields(("id", "id")), "joinMode": join}
    return found


def _merge_one() -> dict[str, dict[str, Any]]:
    keys = {"propertyName1": "id", "propertyName2": "id"}
    found: dict[str, dict[str, Any]] = {
        "append": {"mode": "append"},
        "multiplex": {"mode": "multiplex"},
        "wait": {"mode": "wait"},
    }
    found |= {f"index {join}": {"mode": "mergeByIndex", "join": join} for join in ("inner", "left", "outer")}
    found |= {f"pass {side}": {"mode": "passThrough", "output": side} for side in ("input1", "input2")}
    found |= {
        f"key {over}": {"mode": "mergeByKey", **keys, "overwrite": over}
        for over in ("always", "blank", "undefined")
    }
    found |= {mode: {"mode": mode, **keys} for mode in ("keepKeyMatches", "removeKeyMatches")}
    return found


def cases() -> dict[str, dict[str, Case]]:
    merge: dict[str, Case] = {}
    for version, table in (
        (3.2, _merge_three()),
        (3, {"append": {"mode": "append"}}),
        (2.1, _merge_two()),
        (1, _merge_one()),
    ):
        for name, parameters in table.items():
            merge[f"{name} v{version:g}"] = two("merge", version, parameters, A, B)
    compare: dict[str, Case] = {}
    for resolve in ("preferInput1", "preferInput2", "mix", "includeBoth"):
        for version in (2, 2.3):
            compare[f"{resolve} v{version:g}"] = two(
                "compareDatasets", version, {**fields(("id", "id")), "resolve": resolve}, A, B
            )
    for name, more in named(
        {
            "fuzzy": {"fuzzyCompare": True},
            "all matches": {"options": {"multipleMatches": "all"}},
            "skip": {"options": {"skipFields": "b, o"}},
        }
    ):
        compare[f"{name} v2.3"] = two("compareDatasets", 2.3, {**fields(("id", "id")), **more}, A, B)
    compare["same v2.3"] = two("compareDatasets", 2.3, fields(("id", "id")), A[:2], A[:2])
    return {"merge": merge, "compareDatasets": compare}

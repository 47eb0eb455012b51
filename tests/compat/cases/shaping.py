"""Nodes that make other lists out of a list: Split Out, Aggregate, Summarize, Sort, Limit, Remove Duplicates, Item
Lists, Rename Keys, No Operation, Stop and Error, Wait."""

from collections.abc import Sequence
from typing import Any

from tests.compat.cases.build import Case, named, versions

ROWS: list[dict[str, Any]] = [
    {"g": "a", "n": 3, "s": "x", "tags": ["t1", "t2"], "sub": {"k": 1, "list": [{"v": 1}, {"v": 2}]}},
    {"g": "b", "n": "7", "s": "", "tags": [], "sub": {"k": 2, "list": []}},
    {"g": "a", "n": 5, "s": "Y", "tags": "bare", "sub": {"k": 3}},
    {"g": "b", "n": 3, "s": None, "tags": None, "sub": None},
    {"g": "a", "n": 3, "s": "x", "tags": {"k": "v", "l": [1]}, "sub": {"k": 1, "list": [{"v": 1}, {"v": 2}]}},
]
UNIFORM = [
    {"g": "a", "n": 3, "s": "x"},
    {"g": "b", "n": 1, "s": "y"},
    {"g": "a", "n": 3, "s": "x"},
    {"g": "a", "n": 2, "s": "x"},
]


def _split(found: dict[str, dict[str, Case]]) -> None:
    for name, parameters in named(
        {
            "one": {"fieldToSplitOut": "tags"},
            "nested": {"fieldToSplitOut": "sub.list"},
            "two": {"fieldToSplitOut": "tags, sub.list"},
            "others": {"fieldToSplitOut": "tags", "include": "allOtherFields"},
            "selected": {
                "fieldToSplitOut": "tags",
                "include": "selectedOtherFields",
                "fieldsToInclude": "g, n",
            },
            "renamed": {"fieldToSplitOut": "tags", "options": {"destinationFieldName": "tag"}},
            "no dots": {"fieldToSplitOut": "sub.list", "options": {"disableDotNotation": True}},
            "missing": {"fieldToSplitOut": "nothing"},
        }
    ):
        versions(found, "splitOut", name, "splitOut", (1,), parameters, ROWS)
        versions(
            found,
            "itemLists",
            f"split {name}",
            "itemLists",
            (3.1,),
            {"operation": "splitOutItems", **parameters},
            ROWS,
        )
    versions(
        found,
        "splitOut",
        "uniform",
        "splitOut",
        (1,),
        {"fieldToSplitOut": "l"},
        [{"l": [{"a": 1}, {"a": 2}]}, {"l": [3]}],
    )


def _aggregate(found: dict[str, dict[str, Case]]) -> None:
    def fields(*names: str, **renamed: str) -> dict[str, Any]:
        rows: list[dict[str, Any]] = [{"fieldToAggregate": name} for name in names]
        rows += [
            {"fieldToAggregate": a, "renameField": True, "outputFieldName": b} for a, b in renamed.items()
        ]
        return {"fieldsToAggregate": {"fieldToAggregate": rows}}

    for name, parameters in {
        "fields": fields("n", "s"),
        "renamed": fields("g", n="numbers"),
        "nested": fields("sub.k"),
        "merge lists": {**fields("tags"), "options": {"mergeLists": True}},
        "keep missing": {**fields("s", "tags"), "options": {"keepMissing": True}},
        "no dots": {**fields("sub.k"), "options": {"disableDotNotation": True}},
        "all": {"aggregate": "aggregateAllItemData"},
        "all renamed": {"aggregate": "aggregateAllItemData", "destinationFieldName": "rows"},
        "all specified": {
            "aggregate": "aggregateAllItemData",
            "include": "specifiedFields",
            "fieldsToInclude": "g,n",
        },
        "all except": {
            "aggregate": "aggregateAllItemData",
            "include": "allFieldsExcept",
            "fieldsToExclude": "sub",
        },
    }.items():
        versions(found, "aggregate", name, "aggregate", (1,), parameters, ROWS)
        old = {"operation": "concatenateItems", "options": {}, **parameters}
        versions(found, "itemLists", f"concatenate {name}", "itemLists", (3,), old, ROWS)


def _summarize(found: dict[str, dict[str, Case]]) -> None:
    def of(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"fieldsToSummarize": {"values": list(rows)}, **more}

    for operation in ("append", "average", "concatenate", "count", "countUnique", "max", "min", "sum"):
        row = {"aggregation": operation, "field": "n"}
        versions(found, "summarize", operation, "summarize", (1.1,), of(row), ROWS)
        versions(
            found,
            "summarize",
            f"{operation} split",
            "summarize",
            (1.1,),
            of(row, fieldsToSplitBy="g"),
            UNIFORM,
        )
        versions(
            found,
            "itemLists",
            f"summarize {operation}",
            "itemLists",
            (3.1,),
            {"operation": "summarize", **of(row)},
            ROWS,
        )
    count, total = {"aggregation": "count", "field": "s"}, {"aggregation": "sum", "field": "n"}
    for name, parameters in {
        "several": of(count, total, fieldsToSplitBy="g"),
        "single item": of(total, fieldsToSplitBy="g", options={"outputFormat": "singleItem"}),
        "two groups": of(total, fieldsToSplitBy="g, s"),
        "two groups single": of(total, fieldsToSplitBy="g, s", options={"outputFormat": "singleItem"}),
        "empty counted": of({**count, "includeEmpty": True}),
        "empty appended": of({"aggregation": "append", "field": "s", "includeEmpty": True}),
        "separator": of(
            {"aggregation": "concatenate", "field": "g", "separateBy": "other", "customSeparator": " + "}
        ),
        "new line": of({"aggregation": "concatenate", "field": "g", "separateBy": "\n"}),
        "nested": of({"aggregation": "sum", "field": "sub.k"}),
        "skip empty split": of(total, fieldsToSplitBy="s", options={"skipEmptySplitFields": True}),
        "missing field": of({"aggregation": "sum", "field": "nothing"}),
    }.items():
        versions(found, "summarize", name, "summarize", (1, 1.1), parameters, ROWS)


def _sort(found: dict[str, dict[str, Case]]) -> None:
    def by(*fields: tuple[str, str], **more: Any) -> dict[str, Any]:
        return {"sortFieldsUi": {"sortField": [{"fieldName": f, "order": o} for f, o in fields]}, **more}

    odd = [{"v": 10}, {"v": None}, {"v": "9"}, {"w": 1}, {"v": 2}, {"v": "b"}, {"v": "B"}, {"v": True}]
    tables: dict[str, tuple[dict[str, Any], Sequence[Any]]] = {
        "up": (by(("n", "ascending")), UNIFORM),
        "down": (by(("n", "descending")), UNIFORM),
        "two": (by(("g", "descending"), ("n", "ascending")), UNIFORM),
        "nested": (by(("sub.k", "descending")), ROWS),
        "no dots": (by(("sub.k", "descending"), options={"disableDotNotation": True}), ROWS),
        "odd values": (by(("v", "ascending")), odd),
        "odd values down": (by(("v", "descending")), odd),
        "texts": (
            by(("v", "ascending")),
            [{"v": "b"}, {"v": "A"}, {"v": "a"}, {"v": "10"}, {"v": "9"}, {"v": "ä"}],
        ),
        "missing field": (by(("nothing", "ascending")), UNIFORM),
        "null between": (by(("w", "ascending")), [{"w": 1}, {"w": None}, {"w": 2}]),
        "missing between": (by(("w", "ascending")), [{"w": 1}, {}, {"w": 2}, {"w": 0}]),
        "code": ({"type": "code", "code": "return b.json.n - a.json.n"}, UNIFORM),
    }
    for name, (parameters, rows) in tables.items():
        versions(found, "sort", name, "sort", (1,), parameters, rows)
        versions(
            found, "itemLists", f"sort {name}", "itemLists", (3.1,), {"operation": "sort", **parameters}, rows
        )


def _duplicates(found: dict[str, dict[str, Case]]) -> None:
    except_n = {"compare": "allFieldsExcept", "fieldsToExclude": "n"}
    for name, parameters in named(
        {
            "all": {},
            "except": except_n,
            "selected": {"compare": "selectedFields", "fieldsToCompare": "g"},
            "selected two": {"compare": "selectedFields", "fieldsToCompare": "g, n"},
            "only compared": {
                "compare": "selectedFields",
                "fieldsToCompare": "g",
                "options": {"removeOtherFields": True},
            },
            "except only compared": {**except_n, "options": {"removeOtherFields": True}},
            "missing field": {"compare": "selectedFields", "fieldsToCompare": "nothing"},
        }
    ):
        versions(found, "removeDuplicates", name, "removeDuplicates", (1, 1.1, 2), parameters, UNIFORM)
        versions(
            found,
            "itemLists",
            f"duplicates {name}",
            "itemLists",
            (3.1,),
            {"operation": "removeDuplicates", **parameters},
            UNIFORM,
        )
    mixed = [{"v": 1}, {"v": "1"}, {"v": 1}]
    versions(
        found,
        "removeDuplicates",
        "mixed types",
        "removeDuplicates",
        (1, 2),
        {"compare": "selectedFields", "fieldsToCompare": "v"},
        mixed,
    )
    versions(
        found,
        "removeDuplicates",
        "nested",
        "removeDuplicates",
        (2,),
        {"compare": "selectedFields", "fieldsToCompare": "o.a"},
        [{"o": {"a": 1}}, {"o": {"a": 1}, "z": 2}],
    )


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {}
    _split(found)
    _aggregate(found)
    _summarize(found)
    _sort(found)
    _duplicates(found)
    for name, parameters in named(
        {
            "one": {},
            "two": {"maxItems": 2},
            "last": {"maxItems": 2, "keep": "lastItems"},
            "many": {"maxItems": 99},
        }
    ):
        versions(found, "limit", name, "limit", (1,), parameters, UNIFORM)
        versions(
            found,
            "itemLists",
            f"limit {name}",
            "itemLists",
            (3, 3.1),
            {"operation": "limit", **parameters},
            UNIFORM,
        )
    for name, keys, more in (
        ("one", [("g", "group")], {}),
        ("two", [("g", "a"), ("n", "b")], {}),
        ("swap", [("g", "n"), ("n", "g")], {}),
        ("nested", [("sub.k", "k")], {}),
        ("into nested", [("g", "deep.g")], {}),
        ("missing", [("nothing", "x")], {}),
        (
            "regular expression",
            [],
            {
                "regexReplacement": {
                    "replacements": [{"searchRegex": "^(.)$", "replaceRegex": "key_$1", "options": {}}]
                }
            },
        ),
        (
            "regular expression, any case",
            [],
            {
                "regexReplacement": {
                    "replacements": [
                        {
                            "searchRegex": "SUB",
                            "replaceRegex": "z",
                            "options": {"caseInsensitive": True, "depth": -1},
                        }
                    ]
                }
            },
        ),
    ):
        parameters = {
            "keys": {"key": [{"currentKey": a, "newKey": b} for a, b in keys]},
            "additionalOptions": more,
        }
        versions(found, "renameKeys", name, "renameKeys", (1,), parameters, ROWS[:2])
    versions(found, "noOp", "passes", "noOp", (1,), {}, ROWS)
    versions(
        found,
        "stopAndError",
        "message",
        "stopAndError",
        (1,),
        {"errorMessage": "={{ $json.g }} stops"},
        ROWS[:1],
    )
    versions(
        found,
        "stopAndError",
        "object",
        "stopAndError",
        (1,),
        {"errorType": "errorObject", "errorObject": '{"code": 5, "message": "five"}'},
        ROWS[:1],
    )
    versions(
        found,
        "stopAndError",
        "goes on",
        "stopAndError",
        (1,),
        {"errorMessage": "no"},
        ROWS[:1],
        onError="continueRegularOutput",
    )
    for version in (1, 1.1):
        parameters = (
            {"amount": 0.05, "unit": "seconds"}
            if version == 1
            else {"resume": "timeInterval", "amount": 0.05, "unit": "seconds"}
        )
        versions(found, "wait", "short", "wait", (version,), parameters, UNIFORM)
    return found

"""Edit Fields, If, Switch, Filter: one node, one table."""

from typing import Any

from tests.compat.cases.build import Case, named, versions

ROWS: list[dict[str, Any]] = [
    {"n": 1, "s": "one", "b": True, "d": "2024-03-01", "l": [1, 2], "o": {"x": 1}, "e": ""},
    {"n": 20, "s": "Twenty", "b": False, "d": "2025-01-31T10:00:00Z", "l": [], "o": {}, "e": None},
    {"n": -3.5, "s": "", "d": "2023-12-31", "l": ["a"], "o": {"x": {"y": 2}}},
]
SET_TYPES = [
    ("string", "={{ $json.n }}"), ("string", "={{ $json.o }}"), ("string", "={{ $json.missing }}"),
    ("string", "={{ $json.l }} and {{ $json.o }}"), ("string", "={{ $json.e }}-{{ $json.missing }}"),
    ("string", "plain"), ("string", "={{ $json.s.toUpperCase() }}!"), ("number", "={{ $json.n }}"),
    ("number", "12.5"), ("number", "={{ $json.e }}"), ("number", "={{ $json.s }}"), ("boolean", "={{ $json.b }}"),
    ("boolean", "true"), ("boolean", "={{ $json.n > 0 }}"), ("boolean", "={{ $json.s }}"),
    ("array", "={{ $json.l }}"), ("array", "[1, 2, {\"a\": 3}]"), ("array", "={{ $json.o }}"),
    ("object", "={{ $json.o }}"), ("object", "{\"a\": {\"b\": [1]}}"), ("object", "={{ $json.l }}"),
]  # fmt: skip
STRINGS = [
    ("equals", "one"), ("notEquals", "one"), ("contains", "n"), ("notContains", "n"), ("startsWith", "T"),
    ("notStartsWith", "T"), ("endsWith", "y"), ("notEndsWith", "y"), ("regex", "^[a-z]+$"), ("notRegex", "/TWENTY/i"),
    ("exists", ""), ("notExists", ""), ("empty", ""), ("notEmpty", ""),
]  # fmt: skip
NUMBERS = [
    ("equals", 1),
    ("notEquals", 1),
    ("gt", 1),
    ("lt", 1),
    ("gte", 1),
    ("lte", 1),
    ("exists", ""),
    ("empty", ""),
]
DATES = [
    ("equals", "2024-03-01"), ("notEquals", "2024-03-01"), ("after", "2024-01-01"), ("before", "2024-03-01"),
    ("afterOrEquals", "2024-03-01"), ("beforeOrEquals", "2024-03-01"),
]  # fmt: skip
LISTS = [
    ("contains", "={{ 1 }}"), ("notContains", "={{ 1 }}"), ("lengthEquals", 2), ("lengthNotEquals", 2),
    ("lengthGt", 0), ("lengthLt", 1), ("lengthGte", 1), ("lengthLte", 1), ("empty", ""), ("notEmpty", ""),
]  # fmt: skip
OLD_STRINGS = [
    ("equal", "one"), ("notEqual", "one"), ("contains", "n"), ("notContains", "n"), ("startsWith", "T"),
    ("notStartsWith", "T"), ("endsWith", "y"), ("notEndsWith", "y"), ("regex", "^[a-z]+$"), ("notRegex", "/TWENTY/i"),
    ("isEmpty", None), ("isNotEmpty", None), ("larger", "a"),
]  # fmt: skip
OLD_NUMBERS = [
    "equal",
    "notEqual",
    "larger",
    "largerEqual",
    "smaller",
    "smallerEqual",
    "isEmpty",
    "isNotEmpty",
]
SINGLE = ("exists", "notExists", "empty", "notEmpty", "true", "false")


def condition(kind: str, operation: str, left: Any, right: Any) -> dict[str, Any]:
    operator: dict[str, Any] = {"type": kind, "operation": operation}
    if operation in SINGLE:
        operator["singleValue"] = True
    if kind == "array" and operation not in SINGLE:
        operator["rightType"] = "number" if operation.startswith("length") else "any"
    return {"id": operation, "operator": operator, "leftValue": left, "rightValue": right}


def conditions(
    *rows: dict[str, Any], both: str = "and", strict: bool = True, case: bool = True
) -> dict[str, Any]:
    options = {
        "caseSensitive": case,
        "leftValue": "",
        "typeValidation": "strict" if strict else "loose",
        "version": 2,
    }
    return {"options": options, "conditions": list(rows), "combinator": both}


def operators() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for kind, field, table in (
        ("string", "s", STRINGS),
        ("number", "n", NUMBERS),
        ("dateTime", "d", DATES),
        ("array", "l", LISTS),
    ):
        found += [
            (f"{kind} {op}", condition(kind, op, f"={{{{ $json.{field} }}}}", right)) for op, right in table
        ]
    for op in ("true", "false", "exists", "notExists", "empty", "equals", "notEquals"):
        found.append((f"boolean {op}", condition("boolean", op, "={{ $json.b }}", True)))
    for op in ("empty", "notEmpty", "exists", "notExists"):
        found.append((f"object {op}", condition("object", op, "={{ $json.o }}", "")))
    return found


def _edit_fields(found: dict[str, dict[str, Case]]) -> None:
    for number, (kind, value) in enumerate(SET_TYPES):
        row = {"id": "1", "name": "v", "type": kind, "value": value}
        parameters = {"assignments": {"assignments": [row]}, "options": {}}
        versions(
            found,
            "set",
            f"{kind} {number}",
            "set",
            (3.4,),
            parameters,
            ROWS[:2],
            onError="continueErrorOutput",
        )
    field = {"name": "v", "type": "stringValue", "stringValue": "={{ $json.n }}"}
    amount = {"name": "w", "type": "numberValue", "numberValue": "={{ $json.n }}"}
    three = {"fields": {"values": [field, amount]}, "options": {}}
    versions(found, "set", "fields", "set", (3, 3.1, 3.2), three, ROWS)
    versions(found, "set", "fields none", "set", (3, 3.2), {**three, "include": "none"}, ROWS)
    versions(
        found,
        "set",
        "fields selected",
        "set",
        (3, 3.2),
        {**three, "include": "selected", "includeFields": "s, b"},
        ROWS,
    )
    versions(
        found,
        "set",
        "fields except",
        "set",
        (3, 3.2),
        {**three, "include": "except", "excludeFields": "s,o,l"},
        ROWS,
    )
    dotted = {"assignments": {"assignments": [{"id": "1", "name": "o.x", "type": "number", "value": 9}]}}
    for name, more in named(
        {
            "dots": {"includeOtherFields": True},
            "no dots": {"includeOtherFields": True, "options": {"dotNotation": False}},
            "alone": {},
            "include selected": {"includeOtherFields": True, "include": "selected", "includeFields": "n, o"},
            "include except": {"includeOtherFields": True, "include": "except", "excludeFields": "l, o"},
        }
    ):
        versions(found, "set", name, "set", (3.3, 3.4), {**dotted, **more}, ROWS)
    for name, text in {
        "json": '{"a": 1, "b": {"c": [true, null]}}',
        "json expression": '={"a": {{ $json.n }}, "s": "{{ $json.s }}"}',
        "json object": "={{ ({a: $json.l}) }}",
        "json wrong": "{a: 1}",
        "json list": "[1, 2]",
    }.items():
        versions(
            found,
            "set",
            name,
            "set",
            (3.4,),
            {"mode": "raw", "jsonOutput": text},
            ROWS,
            onError="continueErrorOutput",
        )
    loose = {"assignments": {"assignments": [{"id": "1", "name": "v", "type": "number", "value": "abc"}]}}
    versions(
        found,
        "set",
        "ignore errors",
        "set",
        (3.4,),
        {**loose, "options": {"ignoreConversionErrors": True}},
        ROWS,
    )
    versions(
        found,
        "set",
        "duplicate",
        "set",
        (3.4,),
        {**dotted, "duplicateItem": True, "duplicateCount": 2},
        ROWS[:1],
    )
    values = {
        "values": {
            "string": [{"name": "v", "value": "={{ $json.n }}"}, {"name": "a.b", "value": "x"}],
            "number": [{"name": "w", "value": "={{ $json.s }}"}],
            "boolean": [{"name": "t", "value": "={{ $json.b }}"}],
        },
        "options": {},
    }
    texts = {"number": [{"name": "n", "value": "4"}, {"name": "m", "value": "={{ '5' }}"}]}
    texts["boolean"] = [{"name": "b", "value": "true"}, {"name": "c", "value": "={{ 'false' }}"}]
    versions(found, "set", "values as texts", "set", (1, 2), {"values": texts, "keepOnlySet": True}, ROWS[:1])
    versions(found, "set", "values", "set", (1, 2), values, ROWS)
    versions(found, "set", "values only", "set", (1, 2), {**values, "keepOnlySet": True}, ROWS)
    versions(
        found, "set", "values no dots", "set", (1, 2), {**values, "options": {"dotNotation": False}}, ROWS
    )


def _old_conditions() -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for operation, right in OLD_STRINGS:
        row = {"value1": "={{ $json.s }}", "operation": operation, "value2": right or ""}
        found.append((f"string {operation}", {"string": [row]}))
    found += [
        (f"number {op}", {"number": [{"value1": "={{ $json.n }}", "operation": op, "value2": 1}]})
        for op in OLD_NUMBERS
    ]
    found += [
        ("boolean equal", {"boolean": [{"value1": "={{ $json.b }}", "value2": True}]}),
        (
            "boolean notEqual",
            {"boolean": [{"value1": "={{ $json.b }}", "operation": "notEqual", "value2": True}]},
        ),
        (
            "date after",
            {"dateTime": [{"value1": "={{ $json.d }}", "operation": "after", "value2": "2024-06-01"}]},
        ),
        (
            "date before",
            {"dateTime": [{"value1": "={{ $json.d }}", "operation": "before", "value2": "2024-06-01"}]},
        ),
    ]
    return found


def _branches(found: dict[str, dict[str, Case]]) -> None:
    for number, (name, row) in enumerate(operators()):
        kind, at = (("if", (2.2,)), ("filter", (2.2,)))[number % 2]
        parameters = {"conditions": conditions(row), "options": {}}
        versions(found, kind, name, kind, at, parameters, ROWS, onError="continueRegularOutput")
        loose = {
            "conditions": conditions(row, strict=False, case=False),
            "looseTypeValidation": True,
            "options": {},
        }
        versions(found, kind, f"{name} loose", kind, (2.3 if kind == "filter" else 2.2,), loose, ROWS)
    several = [
        condition("number", "gt", "={{ $json.n }}", 0),
        condition("string", "equals", "={{ $json.s }}", "one"),
    ]
    for both in ("and", "or"):
        for kind in ("if", "filter"):
            versions(
                found, kind, both, kind, (2, 2.1, 2.2), {"conditions": conditions(*several, both=both)}, ROWS
            )
    ignored = {
        "conditions": conditions(condition("string", "equals", "={{ $json.s }}", "TWENTY"), case=False)
    }
    versions(found, "if", "ignore case", "if", (2, 2.2), {**ignored, "options": {"ignoreCase": True}}, ROWS)
    wrong = {"conditions": conditions(condition("number", "gt", "={{ $json.s }}", 0))}
    versions(found, "if", "wrong type stops", "if", (2, 2.2), wrong, ROWS)
    for number, (name, old) in enumerate(_old_conditions()):
        kind = ("if", "filter")[number % 2]
        versions(found, kind, name, kind, (1,), {"conditions": old}, ROWS)
    mixed = {
        "string": [{"value1": "={{ $json.s }}", "value2": "one"}],
        "number": [{"value1": "={{ $json.n }}", "value2": 0}],
    }
    for both in ("all", "any"):
        versions(found, "if", both, "if", (1,), {"conditions": mixed, "combineOperation": both}, ROWS)


def _switch(found: dict[str, dict[str, Case]]) -> None:
    rules = [
        {
            "conditions": conditions(condition("number", "gt", "={{ $json.n }}", 10)),
            "renameOutput": True,
            "outputKey": "big",
        },
        {"conditions": conditions(condition("number", "gt", "={{ $json.n }}", 0))},
    ]
    three = {"mode": "rules", "rules": {"values": rules}}
    for name, options in {
        "rules": {},
        "fallback": {"fallbackOutput": "extra"},
        "fallback first": {"fallbackOutput": 0},
        "all matching": {"allMatchingOutputs": True},
    }.items():
        versions(found, "switch", name, "switch", (3, 3.2), {**three, "options": options}, ROWS)
    expression = {"mode": "expression", "numberOutputs": 3, "output": "={{ $json.n > 10 ? 2 : 0 }}"}
    versions(found, "switch", "expression", "switch", (3, 3.2), expression, ROWS)
    versions(found, "switch", "no such output", "switch", (3.2,), {**expression, "output": "={{ 7 }}"}, ROWS)
    two = {"mode": "expression", "outputsAmount": 3, "output": "={{ $json.n > 10 ? 2 : 0 }}"}
    versions(found, "switch", "expression", "switch", (2,), two, ROWS)
    versions(
        found,
        "switch",
        "expression",
        "switch",
        (1,),
        {"mode": "expression", "output": "={{ $json.n > 10 ? 2 : 0 }}"},
        ROWS,
    )
    old: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("number", "={{ $json.n }}", [{"operation": "larger", "value2": 10}, {"operation": "smaller", "value2": 0}]),
        ("string", "={{ $json.s }}", [{"operation": "equal", "value2": "one"}, {"operation": "contains", "value2": "w"}]),
        ("boolean", "={{ $json.b }}", [{"value2": True}, {"operation": "notEqual", "value2": True}]),
        ("dateTime", "={{ $json.d }}", [{"operation": "after", "value2": "2024-06-01"}, {"operation": "before", "value2": "2024-01-01"}]),
    ]  # fmt: skip
    for kind, left, table in old:
        for version in (1, 2):
            output = "output" if version == 1 else "outputKey"
            rows = [
                {**row, output: number if version == 1 else f"o{number}"} for number, row in enumerate(table)
            ]
            parameters = {"dataType": kind, "value1": left, "rules": {"rules": rows}}
            versions(found, "switch", f"{kind}", "switch", (version,), parameters, ROWS)
            fall = {**parameters, "fallbackOutput": 3 if version == 1 else 1}
            versions(found, "switch", f"{kind} fallback", "switch", (version,), fall, ROWS)


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {}
    _edit_fields(found)
    _branches(found)
    _switch(found)
    return found

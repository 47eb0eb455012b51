"""Every operation of filter parameters, strict and loose, and those of the first versions."""

from typing import Any

import pytest
from weft_node_sdk.conditions import OPERATIONS, Matcher
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.legacy_conditions import fulfilled


def condition(kind: str, operation: str, left: Any, right: Any = "", **options: Any) -> dict[str, Any]:
    return {
        "options": {"caseSensitive": True, "typeValidation": "strict", **options},
        "conditions": [
            {"leftValue": left, "rightValue": right, "operator": {"type": kind, "operation": operation}}
        ],
        "combinator": "and",
    }


TABLE: list[tuple[str, str, Any, Any, bool]] = [
    ("string", "exists", "", "", True),
    ("string", "exists", None, "", False),
    ("string", "notExists", None, "", True),
    ("string", "empty", "", "", True),
    ("string", "empty", None, "", True),
    ("string", "notEmpty", "x", "", True),
    ("string", "equals", "é", "é", True),
    ("string", "equals", None, "", False),
    ("string", "equals", "5", "5", True),
    ("string", "notEquals", None, "x", True),
    ("string", "contains", "abc", "bc", True),
    ("string", "contains", None, "x", False),
    ("string", "notContains", None, "x", True),
    ("string", "startsWith", "abc", "ab", True),
    ("string", "notStartsWith", "abc", "b", True),
    ("string", "endsWith", "abc", "bc", True),
    ("string", "notEndsWith", "abc", "c", False),
    ("string", "regex", "abc", "^a", True),
    ("string", "notRegex", "abc", "/^A/i", False),
    ("number", "exists", 0, "", True),
    ("number", "notExists", None, "", True),
    ("number", "empty", None, "", True),
    ("number", "notEmpty", 0, "", True),
    ("number", "equals", 1, 1.0, True),
    ("number", "equals", 1, 1.0, True),
    ("number", "notEquals", 1, 2, True),
    ("number", "gt", 2, 1, True),
    ("number", "lt", None, 1, False),
    ("number", "lt", 1, 2, True),
    ("number", "gte", 2, 2, True),
    ("number", "lte", 3, 2, False),
    ("dateTime", "exists", "2024-01-01", "", True),
    ("dateTime", "notExists", None, "", True),
    ("dateTime", "empty", None, "", True),
    ("dateTime", "notEmpty", "2024-01-01", "", True),
    ("dateTime", "equals", "2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00Z", True),
    ("dateTime", "notEquals", "2024-01-01", "2024-01-02", True),
    ("dateTime", "after", "2024-01-02", "2024-01-01", True),
    ("dateTime", "before", "2024-01-02", "2024-01-01", False),
    ("dateTime", "afterOrEquals", "2024-01-01", "2024-01-01", True),
    ("dateTime", "beforeOrEquals", "2024-01-01", "2024-01-01", True),
    ("boolean", "exists", False, "", True),
    ("boolean", "notExists", None, "", True),
    ("boolean", "empty", None, "", True),
    ("boolean", "notEmpty", False, "", True),
    ("boolean", "true", True, "", True),
    ("boolean", "false", False, "", True),
    ("boolean", "false", None, "", True),
    ("boolean", "equals", True, True, True),
    ("boolean", "notEquals", True, False, True),
    ("array", "exists", [], "", True),
    ("array", "notExists", None, "", True),
    ("array", "empty", [], "", True),
    ("array", "notEmpty", [None], "", True),
    ("array", "contains", ["a", 1], 1, True),
    ("array", "contains", [1], True, False),
    ("array", "contains", [{"a": 1}], {"a": 1}, True),
    ("array", "notContains", ["a"], "b", True),
    ("array", "lengthEquals", [1, 2], 2, True),
    ("array", "lengthNotEquals", [1], 2, True),
    ("array", "lengthGt", [1], 0, True),
    ("array", "lengthLt", [1], 1, False),
    ("array", "lengthGte", [1], 1, True),
    ("array", "lengthLte", None, 1, True),
    ("object", "exists", {}, "", True),
    ("object", "notExists", None, "", True),
    ("object", "empty", {}, "", True),
    ("object", "notEmpty", {"a": None}, "", True),
]


@pytest.mark.parametrize(("kind", "operation", "left", "right", "expected"), TABLE)
def test_operations(kind: str, operation: str, left: Any, right: Any, expected: bool) -> None:
    assert Matcher().matches(condition(kind, operation, left, right)) is expected


def test_every_operation_has_a_row() -> None:
    rows = {(kind, operation) for kind, operation, *_ in TABLE}
    assert rows == {(kind, operation) for kind, tests in OPERATIONS.items() for operation in tests}


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("string", 5),
        ("string", {}),
        ("number", "5"),
        ("number", True),
        ("number", ""),
        ("boolean", "true"),
        ("boolean", 1),
        ("array", "[]"),
        ("object", []),
        ("dateTime", "soon"),
        ("dateTime", 5),
    ],
)
def test_strict_refuses_other_types(kind: str, left: Any) -> None:
    operation = "empty" if kind in ("object", "array") else "equals"
    with pytest.raises(NodeRunError) as caught:
        Matcher().matches(condition(kind, operation, left, left))
    assert "(condition 1)" in caught.value.message


@pytest.mark.parametrize(
    ("kind", "operation", "left", "right", "expected"),
    [
        ("string", "equals", 5, "5", True),
        ("string", "contains", {"a": 1}, '"a":1', True),
        ("number", "equals", "5", 5, True),
        ("number", "equals", "", "0", True),
        ("boolean", "true", "TRUE", "", True),
        ("boolean", "true", "abc", "", True),
        ("boolean", "equals", 0, "", True),
        ("boolean", "true", [], "", True),
        ("array", "lengthEquals", "[1,2]", 2, True),
        ("object", "notEmpty", '{"a":1}', "", True),
        ("dateTime", "after", 1704164645678, "2024-01-01", True),
    ],
)
def test_loose_converts(kind: str, operation: str, left: Any, right: Any, expected: bool) -> None:
    assert Matcher().matches(condition(kind, operation, left, right, typeValidation="loose")) is expected
    assert Matcher(loose=True).matches(condition(kind, operation, left, right)) is expected


@pytest.mark.parametrize(("version", "expected"), [(1, True), (2, False)])
@pytest.mark.parametrize("text", ["false", "FALSE", "0"])
def test_texts_that_are_false_since_version_2(version: int, text: str, expected: bool) -> None:
    given = condition("boolean", "true", text, "", typeValidation="loose", version=version)
    assert Matcher().matches(given) is expected


@pytest.mark.parametrize(
    ("kind", "operation", "left", "right"),
    [
        ("number", "gt", "abc", 1),
        ("number", "equals", 5, "abc"),
        ("array", "contains", "abc", 1),
        ("object", "notEmpty", "[1]", ""),
        ("dateTime", "after", "soon", "2024-01-01"),
        ("dateTime", "after", "2024-01-01", "soon"),
    ],
)
def test_loose_refuses_what_it_can_t_convert(kind: str, operation: str, left: Any, right: Any) -> None:
    with pytest.raises(NodeRunError, match=r"Conversion error.*condition 1"):
        Matcher(loose=True).matches(condition(kind, operation, left, right))


def test_case_and_combinators() -> None:
    assert Matcher().matches(condition("string", "equals", "A", "a", caseSensitive=False))
    assert Matcher(ignore_case=True).matches(condition("string", "startsWith", "ÄB", "ä"))
    assert Matcher(ignore_case=True).matches(condition("string", "regex", "AB", "ab")), "as n8n does"
    assert not Matcher().matches(condition("string", "regex", "AB", "ab"))
    both = condition("number", "equals", 1, 1)
    both["conditions"].append(
        {"leftValue": "x", "rightValue": 1, "operator": {"type": "number", "operation": "gt"}}
    )
    both["combinator"] = "or"
    assert Matcher().matches(both), "the second condition is not asked"
    assert Matcher().matches({})
    assert Matcher().matches(None)


@pytest.mark.parametrize(
    ("kind", "left", "right"), [("number", 1, "1"), ("string", "5", 5), ("boolean", True, 1)]
)
def test_strict_refuses_a_right_value_of_another_type(kind: str, left: Any, right: Any) -> None:
    with pytest.raises(NodeRunError, match="Wrong type"):
        Matcher().matches(condition(kind, "equals", left, right))


def test_hidden_expression_texts_stay_data() -> None:
    assert Matcher().matches(condition("string", "equals", "={{ 1 }}", "={{ 1 }}"))


@pytest.mark.parametrize(
    ("kind", "operation", "left", "right", "expected"),
    [
        ("string", "equal", None, "", True),
        ("string", "notEqual", 5, "6", True),
        ("string", "notContains", "abc", "x", True),
        ("string", "notStartsWith", "abc", "a", False),
        ("string", "notEndsWith", "abc", "x", True),
        ("string", "isNotEmpty", "x", "", True),
        ("string", "regex", "abc", "/B/i", True),
        ("string", "notRegex", "abc", "b", False),
        ("number", "smaller", "1", 2, True),
        ("number", "equal", "abc", "abc", False),
        ("number", "notEqual", 1, 1, False),
        ("number", "isEmpty", None, 0, True),
        ("number", "isNotEmpty", 0, 0, True),
        ("boolean", "notEqual", 1, False, True),
        ("dateTime", "after", "2024-01-02", "2024-01-01", True),
    ],
)
def test_first_versions(kind: str, operation: str, left: Any, right: Any, expected: bool) -> None:
    assert fulfilled(kind, operation, left, right) is expected


def test_first_versions_refuse_what_they_don_t_know() -> None:
    with pytest.raises(NodeRunError):
        fulfilled("string", "sounds", "a", "a")
    with pytest.raises(NodeRunError):
        fulfilled("dateTime", "after", "soon", "2024-01-01")

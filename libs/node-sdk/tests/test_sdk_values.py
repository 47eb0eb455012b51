"""Conversions, paths, JSON texts, dates and patterns."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from weft_node_sdk import dates, paths, patterns, values
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.json_text import json_bytes, parse_json
from weft_node_sdk.testing.cases import FailedExpression


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        (" 12 ", 12),
        ("1.50", 1.5),
        ("1e3", 1000),
        (".5", 0.5),
        ("0x1F", 31),
        ("-7", -7),
        ("1,5", None),
        ("1_000", None),
        ("nan", None),
        ("12px", None),
        ("5.", 5),
        # tried in one way only, else this takes hours
        pytest.param("1" * 200_000 + "x", None, id="many digits"),
    ],
)
def test_numbers_from_texts(text: str, number: Any) -> None:
    parsed = values.parse_number(text)
    assert parsed == number
    assert type(parsed) is type(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1"),
        (1.5, "1.5"),
        (2.0, "2"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("inf"), "Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers_print_as_in_javascript(number: float, text: str) -> None:
    assert values.number_text(number) == text


def test_conversions_refuse_what_does_not_fit() -> None:
    for convert, given in (
        (values.to_number, "abc"),
        (values.to_number, []),
        (values.to_boolean, "maybe"),
        (values.to_boolean, 2),
        (values.to_array, "{}"),
        (values.to_array, {}),
        (values.to_object, "[1]"),
        (values.to_object, 5),
    ):
        with pytest.raises(values.NotConvertible):
            convert(given)
    assert values.to_object('{"a": 1.0}') == {"a": 1}
    assert values.to_array(None) is None


def test_a_failed_expression_is_raised_when_it_is_read() -> None:
    with pytest.raises(NodeRunError) as caught:
        values.value(FailedExpression(), 3)
    assert (caught.value.code, caught.value.item_index) == ("EXPRESSION_ERROR", 3)
    with pytest.raises(NodeRunError):
        values.checked({"a": [1, {"b": FailedExpression()}]})
    assert values.checked({"a": [1, None, "x"]}) == {"a": [1, None, "x"]}


def test_json_as_javascript_holds_it() -> None:
    text = "[1.0, 12345678901234567890, 9007199254740993, 1e3, 1.5, 1e21, -0.0, 123456789012345680000]"
    parsed = parse_json(text)
    assert parsed == [1, 12345678901234567000, 9007199254740992, 1000, 1.5, 1e21, 0, 123456789012345680000]
    assert [type(number) for number in parsed] == [int, int, int, int, float, float, int, int]
    for broken in ("{a}", "NaN", "", "[1,]"):
        with pytest.raises(ValueError):
            parse_json(broken)


def test_what_orjson_refuses_is_written_too() -> None:
    given = {"b": [10**20, 1.5, None], "a": "\ud800é"}
    assert json_bytes(given) == b'{"b":[100000000000000000000,1.5,null],"a":"\\ud800\\u00e9"}'
    assert json_bytes([10**20], orjson.OPT_INDENT_2) == b"[\n  100000000000000000000\n]"
    assert values.compact_json({"a": 10**20, "d": datetime(2026, 1, 2, tzinfo=UTC)}) == (
        '{"a":100000000000000000000,"d":"2026-01-02 00:00:00+00:00"}'
    )
    assert json_bytes({"a": "é"}) == '{"a":"é"}'.encode()
    with pytest.raises(TypeError):
        json_bytes({"a": object()})


def test_paths() -> None:
    json = {"a": {"b": [{"c": 1}]}, "x.y": 2, "": 3, "l": [1, 2]}
    assert paths.get(json, "a.b[0].c") == 1
    assert paths.get(json, "a.b.0.c") == 1
    assert paths.get(json, 'a["b"][0].c') == 1
    assert paths.get(json, "x.y") == 2
    assert paths.get(json, "x.y.z") is paths.MISSING
    assert paths.get(json, "a.b[1].c") is paths.MISSING
    assert paths.get(json, "a.b", dots=False) is paths.MISSING
    assert paths.get(json, "...") is paths.MISSING


def test_setting_never_changes_what_belongs_to_others() -> None:
    inner = {"b": [{"c": 1}]}
    json: dict[str, Any] = {"a": inner}
    paths.put(json, "a.b[0].d", 2)
    assert json == {"a": {"b": [{"c": 1, "d": 2}]}}
    assert inner == {"b": [{"c": 1}]}
    paths.drop(json, "a.b[0].c")
    assert json == {"a": {"b": [{"d": 2}]}}
    paths.put(json, "n[2]", 1)
    assert json["n"] == [None, None, 1]
    with pytest.raises(ValueError):
        paths.put(json, "n[999999999]", 1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2024-01-02T03:04:05.678Z", datetime(2024, 1, 2, 3, 4, 5, 678000, UTC)),
        ("2024-01-02T03:04:05+02:00", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2024-01-02 03:04", datetime(2024, 1, 2, 3, 4, tzinfo=UTC)),
        ("2024-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-W01-1", datetime(2024, 1, 1, tzinfo=UTC)),
        ("Tue, 02 Jan 2024 03:04:05 GMT", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (1704164645678, datetime(2024, 1, 2, 3, 4, 5, 678000, UTC)),
        ("1704164645678", datetime(2024, 1, 2, 3, 4, 5, 678000, UTC)),
        ("02.01.2024", datetime(2024, 1, 2, tzinfo=UTC)),
        ("2024-02-30", None),
        ("2024-366", datetime(2024, 12, 31, tzinfo=UTC)),
        ("2023-366", None),
        ("9999-366", None),
        ("9999-12-31T24:00", None),
        ("Invalid DateTime", None),
        ("", None),
        (True, None),
        (None, None),
        ({}, None),
    ],
)
def test_dates(given: Any, expected: datetime | None) -> None:
    assert dates.parse(given) == expected


def test_dates_without_an_offset_are_in_the_workflow_s_zone() -> None:
    moment = dates.parse("2024-07-01T12:00:00", "Europe/Berlin")
    assert moment is not None
    assert moment.astimezone(UTC).hour == 10
    assert dates.parse("2024-07-01", "No/Where") == datetime(2024, 7, 1, tzinfo=UTC)


def test_patterns() -> None:
    assert patterns.found("/^a.c$/s", "a\nc")
    assert not patterns.found(r"^\d+$", "٣")
    assert patterns.replaced(r"(\w+) (\w+)", "$2 $1 $9", "a b") == "b a "
    with pytest.raises(NodeRunError):
        patterns.compiled("[")


def test_a_pattern_that_explodes_is_stopped() -> None:
    with pytest.raises(NodeRunError) as caught:
        patterns.found(r"^(a|a|aa)+$", "a" * 60 + "b")
    assert "took longer" in caught.value.message


@pytest.mark.parametrize("path", ["a[100000]", "a[-1]", f"a[{'9' * 5000}]", f"a[0][{'9' * 20}]"])
def test_a_place_that_no_list_has_is_an_error_of_the_item(path: str) -> None:
    with pytest.raises(NodeRunError, match="is no index of a list"):
        paths.put({}, path, 1)
    assert paths.get({"a": [1]}, path) is paths.MISSING

"""Items whose data is no object."""

from typing import Any

import pytest
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.paths import MISSING, get
from weft_node_sdk.whole import Whole, readable, told


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ([{"id": 1}, 2], {"0": {"id": 1}, "1": 2}),
        ("né", {"0": "n", "1": "é"}),
        (5, {}),
        (None, {}),
        (True, {}),
    ],
)
def test_it_has_the_fields_that_javascript_spreads(value: Any, fields: dict[str, Any]) -> None:
    assert {**Whole(value)} == fields


def test_items_of_objects_stay_as_they_are() -> None:
    items: list[dict[str, Any]] = [{"json": {"a": 1}}, {"json": {}}]
    assert readable(items) is items


def test_the_value_comes_out_again() -> None:
    items: list[dict[str, Any]] = [{"json": {"a": 1}}, {"json": [1], "binary": {"data": {}}}]
    read = readable(items)
    assert [told(item["json"]) for item in read] == [{"a": 1}, [1]]
    assert read[1]["binary"] == {"data": {}}
    assert items[1]["json"] == [1]
    assert readable(read)[1]["json"] is read[1]["json"]


def test_paths_lead_into_it() -> None:
    whole = Whole([{"id": 1}])
    assert get(whole, "0.id") == get(whole, "[0].id") == 1
    assert get(whole, "id") is MISSING


def test_it_is_written_as_its_value() -> None:
    assert json_bytes({"rows": [Whole([1]), Whole(None)]}) == b'{"rows":[[1],null]}'
    with pytest.raises(TypeError):
        json_bytes(object())

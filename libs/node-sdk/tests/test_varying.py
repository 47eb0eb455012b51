"""Parameters apart: what is prepared once gives what every item alone gave."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from weft_node_sdk.conditions import OPERATIONS, Matcher
from weft_node_sdk.context import NodeRunError, Varying

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text("aA1-/", max_size=3)
)
OPERATORS = [(kind, operation) for kind, known in OPERATIONS.items() for operation in known] + [
    ("number", "?")
]


def outcome(call: Any) -> Any:
    try:
        return call()
    except NodeRunError as error:
        return error.message


@given(
    st.lists(st.tuples(st.sampled_from(OPERATORS), VALUES, VALUES), max_size=3),
    st.sampled_from(["and", "or"]),
    st.booleans(),
    st.booleans(),
)
def test_a_prepared_filter_decides_as_one_with_its_values_in_place(
    parts: list[Any], combinator: str, loose: bool, folded: bool
) -> None:
    listed = [
        {"operator": {"type": kind, "operation": operation}, "leftValue": left, "rightValue": right}
        for (kind, operation), left, right in parts
    ]
    rule = {
        "combinator": combinator,
        "options": {"typeValidation": "loose" if loose else "strict", "caseSensitive": not folded},
    }
    empty = [{"operator": each["operator"], "leftValue": None, "rightValue": None} for each in listed]
    columns = {
        (number, side): 2 * number + at
        for number in range(len(parts))
        for at, side in enumerate(("leftValue", "rightValue"))
    }
    row = [value for _, left, right in parts for value in (left, right)]
    matcher = Matcher()
    apart = outcome(lambda: matcher.prepared({**rule, "conditions": empty}, columns)(row))
    assert apart == outcome(lambda: matcher.matches({**rule, "conditions": listed}))


def test_columns_are_named_by_what_follows_and_refused_elsewhere() -> None:
    varying = Varying({}, [("conditions", "conditions", 0, "leftValue")], [[1]])
    assert varying.inside("conditions", "conditions") == {(0, "leftValue"): 0}
    assert varying.inside("options") is None
    assert Varying({}, [], []).inside("options") == {}

"""Queries that are JSON: a text `"$1"` stands for a value."""

import re
from collections.abc import Sequence
from typing import Any

from weft_node_sdk.context import NodeRunError

_HELD = re.compile(r"\$(\d+)")


def filled(given: Any, values: Sequence[Any]) -> Any:
    """The query with the values in their places; as it is where there are none. Raises NodeRunError for a number
    without a value."""
    if not values:
        return given
    if isinstance(given, dict):
        return {name: filled(member, values) for name, member in given.items()}
    if isinstance(given, list):
        return [filled(member, values) for member in given]
    found = _HELD.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        return given
    number = int(found[1])
    if not 1 <= number <= len(values):
        raise NodeRunError(f"The query asks for ${number}, but there are {len(values)} parameters")
    return values[number - 1]

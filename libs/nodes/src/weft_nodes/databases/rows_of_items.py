"""Nodes whose columns are names of the items' fields: the rows that they write."""

from collections.abc import Mapping, Sequence
from typing import Any

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import names_in, value


def names(parameters: Mapping[str, Any], name: str) -> list[str]:
    """Raises NodeRunError where there are none."""
    found = names_in(value(parameters.get(name)))
    if not found:
        raise NodeRunError("There is nothing to write: no column is named", parameter=(name,))
    return list(dict.fromkeys(found))


def chunks(rows: Sequence[Any], columns: int, *, most_values: int, most_rows: int) -> list[range]:
    """Which rows go together, so that a statement has no more values and rows than the database takes."""
    size = max(1, min(most_rows, most_values // max(columns, 1)))
    return [range(first, min(first + size, len(rows))) for first in range(0, len(rows), size)]

"""What earlier runs have seen, manual ones too: values, or the highest number or date."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from weft_node_sdk import dates
from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.values import NotConvertible, compact_json, members, shown, to_number, value

_PARAMETERS = {
    "removeItemsWithAlreadySeenKeyValues": "dedupeValue",
    "removeItemsUpToStoredIncrementalKey": "incrementalDedupeValue",
    "removeItemsUpToStoredDate": "dateDedupeValue",
}


def _read(given: Any, logic: str, timezone: str) -> Any:
    """The value that identifies an item: a text, a number, or microseconds since the epoch. Raises
    NodeRunError."""
    if logic == "removeItemsUpToStoredIncrementalKey":
        try:
            number = to_number(given)
        except NotConvertible:
            number = None
        if number is None:
            raise NodeRunError(f"{shown(given)} is not a number")
        return number
    if logic == "removeItemsUpToStoredDate":
        moment: datetime | None = dates.parse(given, timezone)
        if moment is None:
            raise NodeRunError(f"{shown(given)} can't be read as a date")
        return dates.micros(moment)
    return given if isinstance(given, str) else compact_json(given)


def values_of(parameters: Sequence[Mapping[str, Any]], logic: str, timezone: str) -> list[Any]:
    """The value of every item. Raises NodeRunError with the item's index."""
    name = _PARAMETERS.get(logic)
    if name is None:
        raise NodeRunError(f"'{logic}' is no known way to tell items apart")
    found: list[Any] = []
    for index, own in enumerate(parameters):
        try:
            found.append(_read(value(own.get(name)), logic, timezone))
        except NodeRunError as error:
            error.item_index = index
            raise
    return found


class History:
    """One scope's memory. `stored` is changed in place."""

    def __init__(self, stored: dict[str, Any], size: int) -> None:
        self._stored = stored
        self._size = size

    @classmethod
    async def open(cls, ctx: RunContext, parameters: Mapping[str, Any]) -> "History":
        options = members(parameters)
        shared = options.get("scope", "node") == "workflow"
        data = await ctx.history("global" if shared else "node")
        size = value(options.get("historySize", 10_000))
        if not isinstance(size, int | float) or size < 1:
            raise NodeRunError("The history size must be a number from 1 on")
        return cls(data, int(size))

    def clear(self) -> None:
        self._stored.clear()

    def unseen(self, found: list[Any], logic: str) -> list[int]:
        """Indexes of what no earlier run has seen; it is remembered now. Twins of one run are all new. Raises
        NodeRunError where the history has no place for so many values."""
        if logic == "removeItemsWithAlreadySeenKeyValues":
            if len(found) > self._size:
                raise NodeRunError(
                    f"The history keeps {self._size} values, and there are {len(found)} items",
                    description="Make the history larger, or process fewer items at a time.",
                )
            seen: list[str] = self._stored.get("values", [])
            known = set(seen)
            new = [index for index, text in enumerate(found) if text not in known]
            self._stored["values"] = [*seen, *dict.fromkeys(found[index] for index in new)][-self._size :]
            return new
        name = "number" if logic == "removeItemsUpToStoredIncrementalKey" else "date"
        highest = self._stored.get(name)
        new = [index for index, mark in enumerate(found) if highest is None or mark > highest]
        if new:
            self._stored[name] = max(found[index] for index in new)
        return new

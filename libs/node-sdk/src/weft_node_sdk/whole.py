"""Items whose `json` is no object but a list, text, number or null, as HTTP Request makes of such answers.

Expressions and scripts see the value itself. A node written for fields sees a Whole: what JavaScript's `{...value}`
has, so that a list's entries are the fields "0", "1", … An item that is passed on keeps its value.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class Whole(Mapping[str, Any]):
    """A value that stands for an item's fields."""

    __slots__ = ("_fields", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        entries: Iterable[Any] = value if isinstance(value, list | str) else ()
        self._fields = {str(index): entry for index, entry in enumerate(entries)}

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def readable(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items as nodes read them; the same list where every `json` is an object."""
    if all(type(item["json"]) is dict for item in items):
        return items
    return [
        item if isinstance(item["json"], Mapping) else {**item, "json": Whole(item["json"])} for item in items
    ]


def told(value: Any) -> Any:
    """The value of a Whole; anything else as it is."""
    return value.value if isinstance(value, Whole) else value

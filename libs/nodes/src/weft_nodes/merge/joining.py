"""Merge by fields: which items of two inputs belong together, and which of them stay."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from weft_node_sdk.context import Item
from weft_node_sdk.items import passed
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.paths import MISSING, get

from weft_nodes.merge.combining import Clash

Pairs = Sequence[tuple[str, str]]
"""Names of the fields to match, in input 1 and input 2."""


def _strict(value: Any) -> Hashable:
    """Equal only for equal JSON values of one type."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, dict | list):
        return ("json", json_bytes(value, orjson.OPT_SORT_KEYS))
    return value  # type: ignore[no-any-return]


def _fuzzy(value: Any) -> Hashable:
    """1 and "1" are equal, so are empty, null and missing."""
    if value is None or value is MISSING:
        return ""
    if isinstance(value, str):
        return value
    return json_bytes(value, orjson.OPT_SORT_KEYS).decode()


def equal(left: Any, right: Any, *, fuzzy: bool) -> bool:
    """Whether two values (MISSING where there is none) count as the same."""
    key = _fuzzy if fuzzy else _strict
    return key(left) == key(right)


@dataclass
class Matches:
    """`partners[i]`: indexes in input 2 of what matches item i of input 1."""

    first: list[Item]
    second: list[Item]
    partners: list[list[int]]

    @classmethod
    def find(
        cls, first: list[Item], second: list[Item], pairs: Pairs, *, fuzzy: bool, dots: bool
    ) -> "Matches":
        def key(item: Item, side: int) -> tuple[Hashable, ...] | None:
            found = [get(item["json"], pair[side], dots=dots) for pair in pairs]
            if fuzzy:
                return tuple(_fuzzy(value) for value in found)
            return None if MISSING in found else tuple(_strict(value) for value in found)

        by_key: dict[tuple[Hashable, ...], list[int]] = {}
        for index, item in enumerate(second):
            if (wanted := key(item, 1)) is not None:
                by_key.setdefault(wanted, []).append(index)
        partners = [by_key.get(wanted, []) if (wanted := key(item, 0)) is not None else [] for item in first]
        return cls(first, second, partners)

    def merged(self, clash: Clash, *, only_first: bool) -> list[Item]:
        return [
            clash.combine([(0, index, self.first[index]), (1, partner, self.second[partner])])
            for index, partners in enumerate(self.partners)
            for partner in (partners[:1] if only_first else partners)
        ]

    def of_first(self, *, matched: bool, clash: Clash | None = None) -> list[Item]:
        """With `clash`, named as if there were a partner."""
        found = [index for index, partners in enumerate(self.partners) if bool(partners) is matched]
        return [_alone(clash, 0, index, self.first[index]) for index in found]

    def of_second(self, *, matched: bool, clash: Clash | None = None) -> list[Item]:
        known = {partner for partners in self.partners for partner in partners}
        return [
            _alone(clash, 1, index, item)
            for index, item in enumerate(self.second)
            if (index in known) is matched
        ]


def _alone(clash: Clash | None, number: int, index: int, item: Item) -> Item:
    return passed(item, index, number) if clash is None else clash.combine([(number, index, item)])


def _with_source(items: list[Item], source: str) -> list[Item]:
    return [{**item, "json": {**item["json"], "_source": source}} for item in items]


def join(matches: Matches, mode: str, data_from: str, clash: Clash, *, only_first: bool) -> list[Item]:
    """The output of a join mode; matches come first, then the rest of input 1, then that of input 2."""
    if mode == "keepNonMatches":
        left, right = matches.of_first(matched=False), matches.of_second(matched=False)
        if data_from == "both":
            if not (matches.first and matches.second):
                return left + right
            return _with_source(left, "input1") + _with_source(right, "input2")
        return left if data_from == "input1" else right
    if mode == "keepMatches" and data_from != "both":
        return matches.of_first(matched=True) if data_from == "input1" else matches.of_second(matched=True)
    output = matches.merged(clash, only_first=only_first)
    if mode in ("keepEverything", "enrichInput1"):
        output += matches.of_first(matched=False, clash=clash)
    if mode in ("keepEverything", "enrichInput2"):
        output += matches.of_second(matched=False, clash=clash)
    return output

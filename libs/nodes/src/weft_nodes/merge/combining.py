"""Two or more items made into one: which value wins where names clash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weft_node_sdk.context import Item
from weft_node_sdk.values import entries

Part = tuple[int, int, Item]
"""Input (from 0), index in it, item."""


@dataclass(frozen=True)
class Clash:
    """`prefer`: "last", "suffix" (every name gets its input's number), or an input's index from 0."""

    prefer: str | int = "last"
    deep: bool = True
    override_empty: bool = False

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> "Clash":
        found = entries(options, "clashHandling", "values")
        given = found[0] if found else {}
        resolve = str(given.get("resolveClash", "preferLast"))
        prefer: str | int = "last"
        if resolve == "addSuffix":
            prefer = "suffix"
        elif (number := resolve.removeprefix("preferInput")).isdigit():
            prefer = int(number) - 1
        return cls(prefer, given.get("mergeMode") != "shallowMerge", given.get("overrideEmpty") is True)

    def combine(self, parts: Sequence[Part]) -> Item:
        """One item; later parts win, the preferred input last of all."""
        ordered = sorted(parts, key=lambda part: part[0] == self.prefer)
        json: dict[str, Any] = {}
        binary: dict[str, Any] = {}
        for number, _, item in ordered:
            if self.prefer == "suffix":
                json.update((f"{name}_{number + 1}", value) for name, value in item["json"].items())
            elif json:
                json = self._merged(json, item["json"])
            else:
                json = dict(item["json"])
            binary.update(item.get("binary", {}))
        lineage = [{"item": index, "input": number} for number, index, _ in parts]
        combined: Item = {"json": json, "pairedItem": lineage if len(lineage) > 1 else lineage[0]}
        if binary:
            combined["binary"] = binary
        return combined

    def _merged(self, under: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
        merged = dict(under)
        for name, value in over.items():
            if name not in merged:
                merged[name] = value
            elif not (self.override_empty and value in (None, "")):
                merged[name] = self._deep(merged[name], value) if self.deep else value
        return merged

    def _deep(self, under: Any, over: Any) -> Any:
        """Objects by name and lists by index, as lodash merges them."""
        if isinstance(under, dict) and isinstance(over, dict):
            return self._merged(under, over)
        if isinstance(under, list) and isinstance(over, list):
            both = [self._deep(low, high) for low, high in zip(under, over, strict=False)]
            return both + (under if len(under) > len(over) else over)[len(both) :]
        return over

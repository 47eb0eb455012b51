"""Compare Datasets: items only in A, the same in both, different, only in B."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed
from weft_node_sdk.paths import MISSING, drop, get, put
from weft_node_sdk.values import entries, members, names_in, value

from weft_nodes.merge.joining import Matches, Pairs, equal


class Comparison:
    """How two items that belong together are compared, and what comes out where they differ."""

    def __init__(self, parameters: Mapping[str, Any], version: float) -> None:
        options = members(parameters)
        self.pairs: Pairs = [
            (str(value(entry.get("field1")) or "").strip(), str(value(entry.get("field2")) or "").strip())
            for entry in entries(parameters, "mergeByFields", "values")
        ]
        if not self.pairs or not all(first and second for first, second in self.pairs):
            raise NodeRunError("No field to match is given", description="Name a field of each input.")
        self.fuzzy = (parameters if version >= 2 else options).get("fuzzyCompare") is True
        self.dots = options.get("disableDotNotation") is not True
        self.every = options.get("multipleMatches") == "all"
        self._skipped = names_in(value(options.get("skipFields")))
        if not self.dots and (dotted := next((name for name in self._skipped if "." in name), None)):
            raise NodeRunError(f"The field to skip '{dotted}' has a dot, but dot notation is off")
        self._resolve = parameters.get("resolve", "includeBoth" if version > 2 else "preferInput2")
        self._first_wins = parameters.get("preferWhenMix", "input1") == "input1"
        self._except = names_in(value(parameters.get("exceptWhenMix")))
        self._names = ("inputA", "inputB") if version >= 2 else ("input1", "input2")

    def _seen(self, json: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that are compared."""
        seen = dict(json)
        for name in self._skipped:
            drop(seen, name, dots=self.dots)
        return seen

    def _differing(self, left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
        return [
            name
            for name in dict.fromkeys([*left, *right])
            if not equal(left.get(name, MISSING), right.get(name, MISSING), fuzzy=self.fuzzy)
        ]

    def difference(self, first: tuple[int, Item], second: tuple[int, Item]) -> Item | None:
        """What comes out of two items; None where they are the same."""
        left, right = self._seen(first[1]["json"]), self._seen(second[1]["json"])
        differing = self._differing(left, right)
        if not differing:
            return None
        if self._resolve == "preferInput1":
            return passed(first[1], first[0])
        if self._resolve == "preferInput2":
            return passed(second[1], second[0], 1)
        if self._resolve == "mix":
            return self._mixed(first, second)
        json = {
            "keys": {name: first[1]["json"][name] for name, _ in self.pairs if name in first[1]["json"]},
            "same": {name: member for name, member in left.items() if name not in differing},
            "different": self._both(left, right, differing),
        }
        out_left, out_right = self._left_out(first[1]["json"]), self._left_out(second[1]["json"])
        if out_left or out_right:
            json["skipped"] = self._both(out_left, out_right, list({**out_left, **out_right}))
        return {"json": json, "pairedItem": [{"item": first[0]}, {"item": second[0], "input": 1}]}

    def _both(self, left: Mapping[str, Any], right: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        return {name: {self._names[0]: left.get(name), self._names[1]: right.get(name)} for name in names}

    def _left_out(self, json: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that are not compared, where they lie."""
        left_out: dict[str, Any] = {}
        for name in self._skipped:
            if (found := get(json, name, dots=self.dots)) is not MISSING:
                put(left_out, name, found, dots=self.dots)
        return left_out

    def _mixed(self, first: tuple[int, Item], second: tuple[int, Item]) -> Item:
        (index, base), (_, other) = (first, second) if self._first_wins else (second, first)
        made = passed(base, index, 0 if self._first_wins else 1)
        made["json"] = {**base["json"], **{name: other["json"].get(name) for name in self._except}}
        return made


def compared(first: list[Item], second: list[Item], comparison: Comparison) -> Outputs:
    matches = Matches.find(first, second, comparison.pairs, fuzzy=comparison.fuzzy, dots=comparison.dots)
    same: list[Item] = []
    different: list[Item] = []
    known: set[int] = set()
    for index, partners in enumerate(matches.partners):
        for partner in partners if comparison.every else partners[:1]:
            known.add(partner)
            made = comparison.difference((index, first[index]), (partner, second[partner]))
            if made is None:
                same.append(passed(first[index], index))
            else:
                different.append(made)
    only_second = [passed(item, index, 1) for index, item in enumerate(second) if index not in known]
    return [matches.of_first(matched=False), same, different, only_second]


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    first, second = [*ctx.inputs, [], []][:2]
    if not first and not second:
        return [[], [], [], []]
    try:
        comparison = Comparison(await ctx.parameters_for(0), ctx.node.version)
        return compared(first, second, comparison)
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)], [], [], []]

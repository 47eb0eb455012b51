"""The modes of Merge's first version."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError
from weft_node_sdk.items import passed_all
from weft_node_sdk.values import text_of, value

from weft_nodes.merge.combining import Clash
from weft_nodes.merge.joining import Matches


def _by_index(first: list[Item], second: list[Item], join: str) -> list[Item]:
    length = {"inner": min(len(first), len(second)), "outer": max(len(first), len(second))}.get(
        text_of(join), len(first)
    )
    clash = Clash(deep=False)
    return [
        clash.combine(
            [(number, row, items[row]) for number, items in enumerate((first, second)) if row < len(items)]
        )
        for row in range(length)
    ]


def _enriched(matches: Matches, key: str, overwrite: str) -> list[Item]:
    """Input 1 with the fields of its first match, but its own key; `overwrite`: always, blank (fields that are
    empty), undefined."""
    output: list[Item] = []
    for index, partners in enumerate(matches.partners):
        parts = [(0, index, matches.first[index])]
        if partners:
            parts.append((1, partners[0], matches.second[partners[0]]))
        made = Clash(deep=False).combine(parts)
        made["pairedItem"] = {"item": index}
        kept = matches.first[index]["json"]
        if key in kept:
            made["json"][key] = kept[key]
        if overwrite != "always":
            empty = (None, "") if overwrite == "blank" else ()
            made["json"].update((name, held) for name, held in kept.items() if held not in empty)
        output.append(made)
    return output


def combine_version_1(inputs: list[list[Item]], parameters: Mapping[str, Any]) -> list[Item]:
    """Raises NodeRunError for an unknown mode."""
    first, second = inputs[0], inputs[1]
    mode = parameters.get("mode")
    if mode == "mergeByIndex":
        return _by_index(first, second, parameters.get("join", "left"))
    if mode == "multiplex":
        clash = Clash(deep=False)
        pairs = ((i, left, j, right) for i, left in enumerate(first) for j, right in enumerate(second))
        return [clash.combine([(0, i, left), (1, j, right)]) for i, left, j, right in pairs]
    if mode == "passThrough":
        return passed_all(second, 1) if parameters.get("output") == "input2" else passed_all(first)
    if mode == "wait":
        return [{"json": {}, "pairedItem": [{"item": row} for row in range(len(first))]}]
    if mode not in ("mergeByKey", "keepKeyMatches", "removeKeyMatches"):
        raise NodeRunError(f"'{mode}' is no mode of this version")
    names = (str(value(parameters.get("propertyName1", ""))), str(value(parameters.get("propertyName2", ""))))
    matches = Matches.find(first, second, [names], fuzzy=True, dots=True)
    if mode == "mergeByKey":
        return _enriched(matches, names[0], parameters.get("overwrite", "always"))
    return matches.of_first(matched=mode == "keepKeyMatches")

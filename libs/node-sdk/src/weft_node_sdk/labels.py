"""Paths of parameters, as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

Path = Sequence[str | int]


def path_text(path: Path) -> str:
    """`rules.values[0].outputKey`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def label(properties: Sequence[Mapping[str, Any]], path: Path) -> str:
    """Display names from the outermost inward, entries of lists counted from 1: "Rules › Rule 2 › Name". What lies
    deeper than the definition knows is left out."""
    names: list[str] = []
    for part in path:
        if isinstance(part, int):
            if names:
                names[-1] += f" {part + 1}"
            continue
        found = next((each for each in properties if each["name"] == part), None)
        if found is not None:
            names.append(str(found["display_name"]))
        properties = [] if found is None else [*found.get("fields", ()), *found.get("groups", ())]
    return " › ".join(names)

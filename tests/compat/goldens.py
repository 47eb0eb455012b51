"""What is kept of a run, the same of n8n's and of ours, and how the two are compared."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("recorded")
Golden = dict[str, Any]
"""{"of": mark of the case, "status", "failed": node or absent, "runs": [[node, [output, …]], …] in the order of
running}; an item is [json] or [json, lineage], lineage a list of [input, item]."""


def mark(case: Mapping[str, Any]) -> str:
    """Tells a recording from a case that has changed since."""
    return hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:12]


def read(group: str) -> dict[str, Golden]:
    path = FOLDER / f"{group}.json"
    cases: dict[str, Golden] = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else {}
    return cases


def write(group: str, peer: str, cases: Mapping[str, Golden]) -> None:
    """One case a line."""
    rows = ",\n".join(f"{json.dumps(name)}: {_line(cases[name])}" for name in sorted(cases))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{group}.json").write_text(
        f'{{"peer": "{peer}", "cases": {{\n{rows}\n}}}}\n', encoding="utf-8"
    )


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def outputs(found: Any) -> list[list[list[Any]]]:
    """Without empty outputs at the end."""
    return _kept([[item(each) for each in output or []] for output in found or []])


def _kept(outputs: list[list[list[Any]]]) -> list[list[list[Any]]]:
    while outputs and not outputs[-1]:
        outputs = outputs[:-1]
    return outputs


def item(found: Mapping[str, Any]) -> list[Any]:
    paired = lineage(found.get("pairedItem"))
    json_ = found.get("json")
    return [json_] if paired is None else [json_, paired]


def lineage(found: Any) -> list[list[int]] | None:
    if found is None:
        return None
    each = found if isinstance(found, list) else [found]
    rows = [row if isinstance(row, Mapping) else {"item": row} for row in each]
    return [[row.get("input") or 0, row.get("item") or 0] for row in rows]


def differences(case: Mapping[str, Any], wanted: Golden, found: Golden) -> Iterator[str]:
    """Loose in five things. Texts of errors: an `error` beside other fields needs to be there, and of a failed run
    only the node counts. Lineage of triggers and pinned items, which came from nowhere. Items that the case says to be
    unlike. What a Filter discards, and what a node that fails the run is said to have put out.
    """
    document = case["document"]
    nodes = {node["name"] for node in document["nodes"]}
    for key in ("status", "failed"):
        in_a_child = key == "failed" and wanted.get(key) not in nodes and found.get(key)
        if wanted.get(key) != found.get(key) and not in_a_child:
            yield f"{key}: {wanted.get(key)!r} there, {found.get(key)!r} here"
    names = [[run[0] for run in golden["runs"]] for golden in (wanted, found)]
    if names[0] != names[1]:
        yield f"runs: {' '.join(names[0])} there, {' '.join(names[1])} here"
        return
    rootless = {"Trigger", *document["pinData"]}
    filters = {node["name"] for node in document["nodes"] if node["type"].endswith(".filter")}
    for (name, there), (_, here) in zip(wanted["runs"], found["runs"], strict=True):
        if name == wanted.get("failed") or name in case.get("unlike", ()):
            continue
        most = 1 if name in filters else None
        yield from _of_outputs(name, _kept(there[:most]), _kept(here[:most]), lineage=name not in rootless)


def _of_outputs(name: str, there: Any, here: Any, *, lineage: bool) -> Iterator[str]:
    if [len(output) for output in there] != [len(output) for output in here]:
        yield f"{name}: items {[len(o) for o in there]} there, {[len(o) for o in here]} here"
        return
    for number, (wanted, found) in enumerate(zip(there, here, strict=True)):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            if not same(one[0], other[0]):
                yield f"{name}.{number}[{index}]: {_line(one[0])[:160]} there, {_line(other[0])[:160]} here"
            elif lineage and _ancestors(one) != _ancestors(other):
                yield f"{name}.{number}[{index}]: from {one[1:]} there, {other[1:]} here"


def _ancestors(item: list[Any]) -> set[tuple[int, int]] | None:
    return {(place, number) for place, number in item[1]} if len(item) > 1 else None


def same(a: Any, b: Any) -> bool:
    """Equal as JSON; numbers are doubles."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return float(a) == float(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(
            (key == "error" and _told(a[key], b[key])) or same(a[key], b[key]) for key in a
        )
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def _told(a: Any, b: Any) -> bool:
    """Texts of errors, and of those that are objects the message, the class and the code, are each program's own."""
    if isinstance(a, dict) and isinstance(b, dict) and isinstance(b.get("message"), str):
        own = dict.fromkeys(("message", "name", "code"), "")
        return same({**a, **own}, {**b, **own})
    return isinstance(a, str) and isinstance(b, str)

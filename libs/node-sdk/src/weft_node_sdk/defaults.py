"""Default parameters of one version of a node, compiled once from its properties."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from weft_node_sdk.display import Rule, compile_rule

Properties = Iterable[Mapping[str, Any]]
Fill = Callable[[Any, Mapping[str, Any]], Any]
"""(a value that is there, root parameters) -> the value with the defaults inside it."""

EMPTY_VALUES: Mapping[str, Any] = {
    "number": 0,
    "boolean": False,
    "multiOptions": [],
    "collection": {},
    "fixedCollection": {},
    "filter": {},
    "assignmentCollection": {},
    "resourceLocator": {"mode": "list", "value": ""},
    "resourceMapper": {"mappingMode": "defineBelow", "value": None},
    "workflowSelector": {"mode": "list", "value": ""},
}
"""An empty text for the types that are not listed."""


class _Slot:
    __slots__ = ("default", "fill", "name", "rule", "scalar")

    def __init__(self, name: str, default: Any, rule: Rule | bool, fill: Fill | None) -> None:
        self.name = name
        self.default = default
        self.rule = rule
        self.fill = fill
        self.scalar = not isinstance(default, list | dict)


def default_of(declared: Mapping[str, Any]) -> Any:
    """The default that a property declares, else the empty value of its type."""
    default = declared.get("default")
    if default is None:
        default = EMPTY_VALUES.get(declared["type"], "")
    return default


def _ordered(properties: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Properties after those that their conditions look at, otherwise as declared."""
    names = {declared["name"] for declared in properties}
    done: set[str] = set()
    rest = properties
    ordered: list[Mapping[str, Any]] = []
    while rest:
        waiting: list[Mapping[str, Any]] = []
        left = {declared["name"] for declared in rest}
        for declared in rest:
            keys = {*declared.get("show", ()), *declared.get("hide", ())}
            wanted = {key.lstrip("/") for key in keys if not key.startswith("@")} & names & left
            (waiting if wanted - {declared["name"]} - done else ordered).append(declared)
        done |= left - {declared["name"] for declared in waiting}
        if len(waiting) == len(rest):
            return ordered + waiting
        rest = waiting
    return ordered


def _slots(properties: Properties, version: float) -> list[_Slot]:
    slots = []
    for declared in _ordered(list(properties)):
        rule = compile_rule(declared.get("show", {}), declared.get("hide", {}), version)
        if rule is False or declared["type"] in {"notice", "credentials"}:
            continue
        slots.append(_Slot(declared["name"], default_of(declared), rule, _fill_inside(declared, version)))
    return slots


def _fill_inside(declared: Mapping[str, Any], version: float) -> Fill | None:
    """How to fill what a collection holds; None for everything else."""
    if declared["type"] == "collection":
        members = _slots(declared.get("fields", ()), version)
        nested = [member for member in members if member.fill is not None]
        return (lambda value, root: _fill_members(value, nested, root)) if nested else None
    if declared["type"] == "fixedCollection":
        groups = {group["name"]: _slots(group["fields"], version) for group in declared.get("groups", ())}
        return lambda value, root: _fill_groups(value, groups, root)
    return None


def _fill_members(value: Any, nested: list[_Slot], root: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    filled = dict(value)
    for slot in nested:
        if (
            slot.name in filled
            and slot.fill is not None
            and (slot.rule is True or _shows(slot, filled, root))
        ):
            filled[slot.name] = slot.fill(filled[slot.name], root)
    return filled


def _fill_groups(value: Any, groups: Mapping[str, list[_Slot]], root: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    filled = dict(value)
    for name, slots in groups.items():
        held = filled.get(name)
        if isinstance(held, list):
            filled[name] = [_fill(entry, slots, root) if isinstance(entry, dict) else entry for entry in held]
        elif isinstance(held, dict):
            filled[name] = _fill(held, slots, root)
    return filled


def _shows(slot: _Slot, beside: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    return slot.rule is True or (slot.rule is not False and slot.rule(beside, root))


def _fill(given: Mapping[str, Any], slots: list[_Slot], root: Mapping[str, Any] | None) -> dict[str, Any]:
    filled = dict(given)
    top = filled if root is None else root
    for slot in slots:
        name = slot.name
        if name in filled:
            if slot.fill is not None and _shows(slot, filled, top):
                filled[name] = slot.fill(filled[name], top)
        elif _shows(slot, filled, top):
            default = slot.default if slot.scalar else copy.deepcopy(slot.default)
            filled[name] = default if slot.fill is None else slot.fill(default, top)
    return filled


class Defaults:
    """Fills in what a node's parameters leave out. Thread-safe, immutable."""

    __slots__ = ("_slots",)

    def __init__(self, properties: Properties, version: float) -> None:
        self._slots = _slots(properties, version)

    def fill(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A new tree: what is given, and the default of every parameter that shows and is not given. Members
        of a collection stay optional; entries of a fixed collection are filled."""
        return _fill(parameters, self._slots, None)

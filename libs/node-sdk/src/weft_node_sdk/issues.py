"""What is wrong with a workflow's nodes, as far as their definitions tell. Issues never stop an import."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Issue:
    """`code`: UNKNOWN_NODE_TYPE, UNKNOWN_VERSION, UNKNOWN_PARAMETER, MISSING_CREDENTIAL, INVALID_SCHEDULE."""

    code: str
    node: str
    node_type: str
    message: str
    parameter: str = ""


def unknown_parameters(
    given: Mapping[str, Any], properties: list[Mapping[str, Any]], prefix: str = ""
) -> Iterator[str]:
    """Paths of parameters that no property of the version has, inside collections too. Empty texts are passed over: n8n
    writes one for each notice and callout that its form shows (`infoMessage`, `httpVariantWarning`, even ``)."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for declared in properties:
        by_name.setdefault(declared["name"], []).append(declared)
    for name, value in given.items():
        path = f"{prefix}{name}"
        declared_here = by_name.get(name)
        if declared_here is None:
            if value != "":
                yield path
            continue
        if not isinstance(value, Mapping):
            continue
        kinds = {declared["type"] for declared in declared_here}
        if kinds == {"collection"}:
            fields = [field for declared in declared_here for field in declared.get("fields", ())]
            yield from unknown_parameters(value, fields, f"{path}.")
        elif kinds == {"fixedCollection"}:
            yield from _unknown_in_groups(value, declared_here, path)


def _unknown_in_groups(
    value: Mapping[str, Any], declared_here: list[Mapping[str, Any]], path: str
) -> Iterator[str]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for declared in declared_here:
        for group in declared.get("groups", ()):
            groups.setdefault(group["name"], []).extend(group["fields"])
    for name, held in value.items():
        fields = groups.get(name)
        if fields is None:
            yield f"{path}.{name}"
            continue
        entries = held if isinstance(held, list) else [held]
        for entry in entries:
            if isinstance(entry, Mapping):
                yield from unknown_parameters(entry, fields, f"{path}.{name}.")

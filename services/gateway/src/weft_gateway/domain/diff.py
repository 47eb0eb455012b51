"""What changed between two versions of a workflow document."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
_UNSHOWN = ("id", "name")


def difference(before: Json, after: Json) -> dict[str, Any]:
    """`nodes`: `added` and `removed` names, `changed` as `{name, was?, fields}` with dotted paths of what differs;
    nodes are the same by their id, else by name. `connections`: `added` and `removed` as `{from, output, type, to,
    input}`. `settings`: names of those that differ. `name`: `{before, after}` where it changed, else null."""
    old, new = _nodes(before), _nodes(after)
    links = [dict.fromkeys(_links(document)) for document in (before, after)]
    names = before.get("name"), after.get("name")
    return {
        "name": None if names[0] == names[1] else {"before": names[0], "after": names[1]},
        "nodes": {
            "added": [new[key]["name"] for key in new if key not in old],
            "removed": [old[key]["name"] for key in old if key not in new],
            "changed": [
                change for key in new if key in old and (change := _change(old[key], new[key])) is not None
            ],
        },
        "connections": {
            "added": [_shown(link) for link in links[1] if link not in links[0]],
            "removed": [_shown(link) for link in links[0] if link not in links[1]],
        },
        "settings": sorted(_paths(before.get("settings") or {}, after.get("settings") or {}, "")),
    }


def _nodes(document: Json) -> dict[str, Json]:
    return {str(node.get("id") or node["name"]): node for node in document.get("nodes") or ()}


def _change(old: Json, new: Json) -> dict[str, Any] | None:
    fields = sorted(path for path in _paths(old, new, "") if path not in _UNSHOWN)
    renamed = old["name"] != new["name"]
    if not fields and not renamed:
        return None
    was = {"was": old["name"]} if renamed else {}
    return {"name": new["name"], **was, "fields": fields}


def _paths(old: Any, new: Any, path: str) -> Iterator[str]:
    """The deepest paths at which the two differ; lists differ as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _paths(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new or type(old) is not type(new):
        yield path


def _links(document: Json) -> Iterator[tuple[str, str, int, str, int]]:
    for source, by_type in (document.get("connections") or {}).items():
        for kind, outputs in (by_type or {}).items() if isinstance(by_type, Mapping) else ():
            for output, ends in enumerate(outputs or ()):
                for end in ends or ():
                    yield source, kind, output, str(end.get("node")), int(end.get("index") or 0)


def _shown(link: tuple[str, str, int, str, int]) -> dict[str, Any]:
    return dict(zip(("from", "type", "output", "to", "input"), link, strict=True))

"""Drafts a node's definition.json from an interface description.

    python scripts/draft_node.py INTERFACE.json FOLDER [--texts TEXTS.json] [--versions 1 2]

An interface description has facts only: names, types, values, defaults, conditions. What it lacks, display
names and descriptions, comes from (1) the definition that FOLDER has already, by the path of the property,
(2) TEXTS: `{path or name: description or [display name, description]}`, options as `path=value`, the node
itself as `@node: {display_name, description, categories, keywords}`; (3) the name, put into words. Run
it again after a change; what was corrected by hand stays. Ports that depend on parameters and long defaults
(`…`) are left to the author and reported.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

WIDTH = 110
Json = dict[str, Any]
_ACRONYMS = {
    "id",
    "url",
    "json",
    "html",
    "xml",
    "csv",
    "sql",
    "http",
    "ssl",
    "api",
    "css",
    "utc",
    "jwt",
    "ui",
}
_PASSED = ("required", "multiple", "show", "hide")


def words(name: str) -> str:
    """`fieldToSplitOut` -> `Field to split out`."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", re.sub(r"[_\-.]+", " ", name)).split()
    lowered = [part.upper() if part.lower() in _ACRONYMS else part.lower() for part in parts]
    text = " ".join(part for part in lowered if part != "UI") or name
    return text[:1].upper() + text[1:]


def sentence(name: str, kind: str) -> str:
    """A description where nobody has written one."""
    text = words(name)
    inner = text if text[:2].isupper() else text[0].lower() + text[1:]
    if name == "options":
        return "Settings that are seldom needed."
    if name in {"operation", "resource"}:
        return "What to do." if name == "operation" else "What to work on."
    if kind == "boolean":
        return f"Whether to {inner}." if not inner.startswith(("is ", "has ")) else f"Whether it {inner}."
    patterns = {
        "collection": f"Further settings: {inner}.",
        "fixedCollection": f"The entries of {inner}.",
        "multiOptions": f"One or more of: {inner}.",
        "notice": "A remark on how to use the node.",
    }
    return patterns.get(kind, f"The {inner}.")


class Texts:
    """What is known about properties by path, by name, and from an earlier draft."""

    def __init__(self, texts: Mapping[str, Any], earlier: Json) -> None:
        self._texts = texts
        self._earlier: dict[str, Json] = {}
        for group in earlier.get("versions", ()):
            for path, declared in _walk(group.get("properties", [])):
                self._earlier.setdefault(path, declared)

    def _given(self, path: str) -> tuple[str, str]:
        held = self._texts.get(path, self._texts.get(path.rpartition(".")[2]))
        if isinstance(held, list):
            return held[0], held[1]
        return "", held if isinstance(held, str) else ""

    def of(self, path: str, name: str, kind: str) -> tuple[str, str]:
        """(display name, description)."""
        display, description = self._given(path)
        earlier = self._earlier.get(path, {})
        return (
            display or earlier.get("display_name") or words(name),
            description or earlier.get("description") or sentence(name, kind),
        )

    def kept(self, path: str) -> Json:
        """What only an author adds to a property."""
        earlier = self._earlier.get(path, {})
        return {key: earlier[key] for key in ("placeholder", "language", "rows", "secret") if key in earlier}

    def option(self, path: str, value: Any) -> Json:
        leaf = path.rpartition(".")[2]
        for option in self._earlier.get(path, {}).get("options", ()):
            if option["value"] == value and type(option["value"]) is type(value):
                return dict(option)
        held = self._texts.get(f"{path}={value}", self._texts.get(f"{leaf}={value}"))
        return {"name": held or words(str(value)).strip() or json.dumps(value), "value": value}


def _walk(properties: list[Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    for declared in properties:
        path = prefix + declared["name"]
        yield path, declared
        yield from _walk(declared.get("fields", []), f"{path}.")
        for group in declared.get("groups", ()):
            yield f"{path}.{group['name']}", group
            yield from _walk(group["fields"], f"{path}.{group['name']}.")


def _elided(value: Any) -> bool:
    return isinstance(value, str) and "…" in value


def drafted(fact: Json, texts: Texts, prefix: str = "") -> Json:
    """A property from its facts."""
    path, kind = prefix + fact["name"], fact["type"]
    display, description = texts.of(path, fact["name"], kind)
    made: Json = {"name": fact["name"], "type": kind, "display_name": display, "description": description}
    made.update((key, fact[key]) for key in _PASSED if fact.get(key))
    if _elided(fact.get("default")):
        sys.stderr.write(f"{path}: the default is too long for the facts\n")
    elif fact.get("default") not in (None, "", {}, []):
        made["default"] = fact["default"]
    if fact.get("fixed_only"):
        made["no_expression"] = True
    made.update(texts.kept(path))
    if kind in {"options", "multiOptions"}:
        made["options"] = [texts.option(path, value) for value in fact.get("values", ())]
        if fact.get("dynamic_options") or not made["options"]:
            made["loader"] = fact["name"]
            del made["options"]
        elif kind == "options" and made.get("default", "") not in fact["values"]:
            made.pop("default", None)
    if kind == "collection":
        made["fields"] = [drafted(inner, texts, f"{path}.") for inner in fact.get("fields", ())]
    if kind == "fixedCollection":
        made["groups"] = [_group(group, texts, path) for group in fact.get("fields", ())]
    return made


def _group(fact: Json, texts: Texts, prefix: str) -> Json:
    path = f"{prefix}.{fact['name']}"
    return {
        "name": fact["name"],
        "display_name": texts.of(path, fact["name"], "group")[0],
        "fields": [drafted(inner, texts, f"{path}.") for inner in fact.get("fields", ())],
    }


def _ports(fact: Any, side: str) -> list[Json]:
    if fact == "dynamic":
        sys.stderr.write(f"the {side} depend on parameters\n")
    if isinstance(fact, list):
        return [{"labels": [""] * len(fact)}]
    if side == "inputs" and fact is None:
        return []
    return [{"labels": [""]}]


def _version_group(fact: Json, texts: Texts) -> Json:
    made: Json = {
        "versions": fact["versions"],
        "inputs": _ports(fact.get("inputs"), "inputs"),
        "outputs": _ports(fact.get("outputs"), "outputs"),
    }
    uses = [
        {
            "type": use["name"],
            **({"required": True} if use.get("required") else {}),
            **({"show": show} if (show := use.get("displayOptions", {}).get("show")) else {}),
        }
        for use in fact.get("credentials", ())
    ]
    if uses:
        made["credentials"] = uses
    made["properties"] = [drafted(declared, texts) for declared in fact.get("properties", ())]
    return made


def _same_but_versions(left: Json, right: Json) -> bool:
    return {**left, "versions": []} == {**right, "versions": []}


def draft(facts: Json, earlier: Json, texts: Json, versions: list[float]) -> Json:
    """The definition; `earlier` (may be empty) keeps what isn't derived."""
    known = Texts(texts, earlier)
    groups = [dict(group) for group in facts["versions"]]
    if versions:
        for group in groups:
            group["versions"] = [version for version in group["versions"] if version in versions]
    made: list[Json] = []
    for group in groups:
        drafted_group = _version_group(group, known)
        twin = next((other for other in made if _same_but_versions(other, drafted_group)), None)
        if twin:
            twin["versions"] = sorted(twin["versions"] + group["versions"])
        elif group["versions"]:
            made.append(drafted_group)
    by_versions = {tuple(group["versions"]): group for group in earlier.get("versions", ())}
    for group in made:
        before = by_versions.get(tuple(group["versions"]))
        if before:
            group["inputs"], group["outputs"] = before["inputs"], before["outputs"]
    short = facts["type"].rpartition(".")[2]
    own = texts.get("@node", texts)
    head: Json = {
        "type": short,
        "aliases": [facts["type"]],
        "display_name": own.get("display_name", words(short)),
        "description": own.get("description", f"{words(short)}."),
        "categories": own.get("categories", ["transform"]),
        "keywords": own.get("keywords", []),
    }
    kept = {key: value for key, value in earlier.items() if key not in {"versions", "default_version"}}
    newest = facts["versions"][0].get("default_version") or max(
        v for group in made for v in group["versions"]
    )
    return {**head, **kept, "default_version": newest, "versions": made}


def written(value: Any, indent: int = 0, used: int = 0) -> str:
    """JSON in which what fits on a line stands on a line. `used`: characters before it on its line."""
    flat = json.dumps(value, ensure_ascii=False)
    holder = isinstance(value, dict | list) and value
    if not holder or (len(flat) + indent + used <= WIDTH and not _deep(value)):
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [
            f"{pad}{json.dumps(key)}: {written(member, indent + 2, len(key) + 5)}"
            for key, member in value.items()
        ]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    return (
        "[\n" + ",\n".join(pad + written(member, indent + 2) for member in value) + "\n" + " " * indent + "]"
    )


def _deep(value: Any) -> bool:
    """What reads better on lines of its own: properties, groups, the head of a definition."""
    if isinstance(value, list):
        return any(isinstance(member, dict) and ("value" not in member) for member in value) and any(
            _deep(member) for member in value
        )
    return "display_name" in value or "properties" in value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("interface", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--versions", type=float, nargs="*", default=[])
    given = parser.parse_args()
    target = given.folder / "definition.json"
    earlier = json.loads(target.read_text()) if target.exists() else {}
    texts = json.loads(given.texts.read_text()) if given.texts else {}
    made = draft(json.loads(given.interface.read_text()), earlier, texts, given.versions)
    given.folder.mkdir(parents=True, exist_ok=True)
    target.write_text(written(made) + "\n")


if __name__ == "__main__":
    main()

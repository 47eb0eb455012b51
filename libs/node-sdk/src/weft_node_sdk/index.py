"""Builds `index.json` of a package of nodes: `python -m weft_node_sdk.index PACKAGE [--check]`."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import orjson

from weft_node_sdk.defaults import default_of
from weft_node_sdk.definition import CredentialDefinition, NodeDefinition, VersionGroup

_SUMMARY = {
    "type",
    "aliases",
    "display_name",
    "description",
    "icon",
    "categories",
    "keywords",
    "trigger",
    "pool",
    "executable",
    "default_version",
}


def _looked_at(rules: list[dict[str, Any]]) -> set[str]:
    """Root names of the parameters that rules look at."""
    paths: set[str] = set()
    for rule in rules:
        paths.update(rule.get("when", ()))
        paths.update(path for key in ("number_of", "list_of") if (path := rule.get(key)))
        for extra in rule.get("extra", ()):
            paths.update(extra["when"])
    return {path.split(".")[0] for path in paths if not path.startswith("@")}


def _group(group: VersionGroup, traits: list[dict[str, Any]]) -> dict[str, Any]:
    inputs, outputs = (
        [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]
        for rules in (group.inputs, group.outputs)
    )
    names = _looked_at([*traits, *inputs, *outputs])
    defaults: dict[str, Any] = {}
    for name in sorted(names):
        found = [default_of(part.model_dump(mode="json")) for part in group.properties if part.name == name]
        # where conditions decide between several, the rule's own default stands
        if found and all(default == found[0] for default in found):
            defaults[name] = found[0]
    return {"versions": group.versions, "inputs": inputs, "outputs": outputs, "defaults": defaults}


def _whole(kind: CredentialDefinition, kinds: dict[str, CredentialDefinition]) -> CredentialDefinition:
    """With what it takes from the kind that it extends. Raises KeyError where there is none of that name."""
    if not kind.extends:
        return kind
    base = _whole(kinds[kind.extends], kinds)
    own = {field.name for field in kind.fields}
    rest = {field.name for field in base.fields} - own
    fields = [field for field in base.fields if field.name in rest]
    return kind.model_copy(
        update={
            "fields": [*kind.fields, *fields],
            "authenticate": kind.authenticate or base.authenticate,
            "test": kind.test or base.test,
            "sign_in": kind.sign_in or base.sign_in,
            "hosts": kind.hosts or base.hosts,
        }
    )


def build(folder: Path) -> bytes:
    """The index of the package that lies in `folder`. Raises pydantic.ValidationError for a faulty
    definition."""
    nodes: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*/definition.json")):
        definition = NodeDefinition.model_validate_json(path.read_bytes())
        entry = definition.model_dump(mode="json", include=_SUMMARY)
        entry["folder"] = path.parent.name
        entry["versions"] = sorted(version for group in definition.versions for version in group.versions)
        entry["traits"] = [
            change.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
            for change in definition.traits
        ]
        entry["groups"] = [_group(group, entry["traits"]) for group in definition.versions]
        nodes.append(entry)
    kinds = [
        CredentialDefinition.model_validate_json(path.read_bytes())
        for path in sorted((folder / "credentials").glob("*.json"))
    ]
    by_type = {kind.type: kind for kind in kinds}
    credentials = [
        _whole(kind, by_type).model_dump(mode="json", exclude_defaults=True, exclude={"extends"})
        for kind in kinds
    ]
    return orjson.dumps({"nodes": nodes, "credentials": credentials}, option=orjson.OPT_APPEND_NEWLINE)


def main(arguments: list[str]) -> int:
    package = arguments[0]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.stderr.write(f"{package} is not installed\n")
        return 2
    folder = Path(spec.submodule_search_locations[0])
    built = build(folder)
    target = folder / "index.json"
    if "--check" in arguments:
        fresh = target.exists() and target.read_bytes() == built
        if not fresh:
            sys.stderr.write(f"{target} is stale; run: python -m weft_node_sdk.index {package}\n")
        return 0 if fresh else 1
    target.write_bytes(built)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

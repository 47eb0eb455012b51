"""All installed node types, from indexes that were built ahead. No node is imported before it runs.

A package joins by the entry point `weft.nodes` (its value is the import name of a package that holds
`index.json`).
"""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import orjson
from weft_contracts.messages import Route, ScheduleRule
from weft_contracts.traits import UNKNOWN, Traits

from weft_node_sdk.context import Outputs, RunContext, Suspend
from weft_node_sdk.credentials import Check
from weft_node_sdk.defaults import Defaults
from weft_node_sdk.display import compile_rule
from weft_node_sdk.facts import NodeFacts
from weft_node_sdk.issues import Issue, unknown_parameters
from weft_node_sdk.labels import Path as ParameterPath
from weft_node_sdk.labels import label
from weft_node_sdk.triggers import routes_of, schedules_of

Implementation = Callable[[RunContext], Awaitable[Outputs | Suspend]]

Records = list[dict[str, Any]]
Labels = list[str]
Issues = list[Issue]

_Parts = tuple[str, Path]


def installed_packages() -> Iterator[_Parts]:
    """(import name, folder) of every installed package of nodes, found without importing it."""
    for name in sorted({point.value for point in entry_points(group="weft.nodes")}):
        spec = importlib.util.find_spec(name)
        if spec is not None:
            for folder in spec.submodule_search_locations or ():
                yield name, Path(folder)


def node_version(node: Mapping[str, Any]) -> float:
    """The `typeVersion` of a node; documents that leave it out mean 1. Raises ValueError where it is no
    number."""
    version = node.get("typeVersion", 1)
    if isinstance(version, bool) or not isinstance(version, int | float):
        raise ValueError(f"typeVersion must be a number, not {version!r}")
    return float(version)


class Catalogue:
    """Every method takes a type under any of its names."""

    def __init__(self, packages: Iterable[_Parts]) -> None:
        self._entries: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._credentials: dict[str, dict[str, Any]] = {}
        self._credential_packages: dict[str, str] = {}
        self._facts: dict[tuple[str, float], NodeFacts | None] = {}
        self._definitions: dict[str, dict[str, Any]] = {}
        self._defaults: dict[tuple[str, float], Defaults] = {}
        self._implementations: dict[str, Implementation] = {}
        for package, folder in packages:
            index = orjson.loads((folder / "index.json").read_bytes())
            for entry in index["nodes"]:
                entry["package"], entry["path"] = package, folder / entry["folder"]
                self._entries[entry["type"]] = entry
                for name in (entry["type"], *entry["aliases"]):
                    self._names[name] = entry["type"]
            for entry in index["credentials"]:
                self._credentials[entry["type"]] = entry
                self._credential_packages[entry["type"]] = package

    @classmethod
    def load(cls) -> "Catalogue":
        """Reads the index of every installed package of nodes."""
        return cls(installed_packages())

    # --- types -------------------------------------------------------------------------------------

    def _entry(self, type_name: str) -> dict[str, Any]:
        """Raises KeyError for a type that is not installed."""
        return self._entries[self._names[type_name]]

    def resolve(self, type_name: str) -> str | None:
        """The name that documents use (`n8n-nodes-base.set`), or None for a type that is not installed."""
        short = self._names.get(type_name)
        return None if short is None else str(self._entries[short]["aliases"][0])

    def short_name(self, type_name: str) -> str | None:
        """Our own name (`set`), as paths of the API use it."""
        return self._names.get(type_name)

    def list(self) -> Records:
        """One summary per type, by display name: `type`, `aliases`, `display_name`, `description`, `icon`,
        `categories`, `keywords`, `trigger`, `executable`, `versions`, `default_version`; `inputs` and
        `outputs` are the labels of the main ports of the default version before anything is set."""
        keys = (
            "type",
            "aliases",
            "display_name",
            "description",
            "icon",
            "categories",
            "keywords",
            "trigger",
            "executable",
            "versions",
            "default_version",
        )
        entries = sorted(self._entries.values(), key=lambda entry: str(entry["display_name"]))
        found = []
        for entry in entries:
            inputs, outputs = self.ports({"type": entry["type"], "typeVersion": entry["default_version"]})
            found.append({**{key: entry[key] for key in keys}, "inputs": inputs, "outputs": outputs})
        return found

    def versions(self, type_name: str) -> tuple[float, ...]:
        """Rising. Empty for a type that is not installed."""
        short = self._names.get(type_name)
        return () if short is None else tuple(self._entries[short]["versions"])

    def definition(self, type_name: str) -> dict[str, Any]:
        """The full definition (`NodeDefinition` as JSON), read at the first call. Raises KeyError."""
        entry = self._entry(type_name)
        short = entry["type"]
        if short not in self._definitions:
            self._definitions[short] = orjson.loads((entry["path"] / "definition.json").read_bytes())
        return self._definitions[short]

    def icon(self, type_name: str) -> bytes:
        """The icon as an SVG document. Raises KeyError."""
        entry = self._entry(type_name)
        return bytes((entry["path"] / entry["icon"]).read_bytes())

    def implementation(self, type_name: str) -> Implementation:
        """The node's `run`, imported at the first call. Raises KeyError for a type that is not installed or
        that only decorates the canvas."""
        short = self._names[type_name]
        run = self._implementations.get(short)
        if run is None:
            entry = self._entries[short]
            if not entry["executable"]:
                raise KeyError(type_name)
            module = importlib.import_module(f"{entry['package']}.{entry['folder']}.node")
            run = self._implementations[short] = module.run
        return run

    # --- one node of a workflow ------------------------------------------------------------------------

    def _facts_of(self, node: Mapping[str, Any]) -> NodeFacts | None:
        short = self._names.get(node.get("type", ""))
        if short is None:
            return None
        try:
            key = (short, node_version(node))
        except ValueError:
            return None
        if key not in self._facts:
            entry = self._entries[short]
            group = next((group for group in entry["groups"] if key[1] in group["versions"]), None)
            self._facts[key] = None if group is None else NodeFacts(entry, group, key[1])
        return self._facts[key]

    def traits(self, node: Mapping[str, Any]) -> Traits:
        """Scheduling facts of a node as it stands in a document; UNKNOWN for a type or version we don't
        have."""
        facts = self._facts_of(node)
        return UNKNOWN if facts is None else facts.traits(node.get("parameters") or {})

    def ports(self, node: Mapping[str, Any]) -> tuple[Labels, Labels]:
        """Labels of the main inputs and outputs, an empty text for a plain one."""
        facts = self._facts_of(node)
        if facts is None:
            return [""], [""]
        parameters = node.get("parameters") or {}
        return facts.inputs(parameters), facts.outputs(parameters)

    def executable(self, type_name: str) -> bool:
        """False for what only decorates the canvas and for types that are not installed."""
        short = self._names.get(type_name)
        return short is not None and bool(self._entries[short]["executable"])

    # --- parameters ---------------------------------------------------------------------------------------

    def _group(self, type_name: str, version: float) -> dict[str, Any]:
        definition = self.definition(type_name)
        for group in definition["versions"]:
            if version in group["versions"]:
                return dict(group)
        raise KeyError(f"{type_name} has no version {version:g}")

    def _compiled(self, type_name: str, version: float) -> Defaults:
        key = (self._names[type_name], version)
        compiled = self._defaults.get(key)
        if compiled is None:
            properties = self._group(type_name, version).get("properties", [])
            compiled = self._defaults[key] = Defaults(properties, version)
        return compiled

    def defaults(self, type_name: str, version: float) -> dict[str, Any]:
        """The parameters of a node that was just put on the canvas. Raises KeyError."""
        return self._compiled(type_name, version).fill({})

    def fill_defaults(self, type_name: str, version: float, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """A new tree with the default of every parameter that shows and is not given. Raises KeyError for a
        type or version we don't have. Constant cost per node, not per item: call it once per workflow
        version."""
        return self._compiled(type_name, version).fill(parameters)

    def parameter_label(self, type_name: str, version: float, path: ParameterPath) -> str:
        """The display names on the way to a parameter. Raises KeyError for a type or version we don't have."""
        return label(self._group(type_name, version).get("properties", []), path)

    # --- whole documents ----------------------------------------------------------------------------------

    def check(self, document: Mapping[str, Any]) -> Issues:
        """What the nodes of a workflow say that their definitions don't know. Disabled nodes are not
        asked."""
        return [
            issue
            for node in document.get("nodes") or ()
            if isinstance(node, Mapping) and not node.get("disabled")
            for issue in self._check_node(node)
        ]

    def _check_node(self, node: Mapping[str, Any]) -> Iterator[Issue]:
        name, kind = str(node.get("name", "")), str(node.get("type", ""))
        if kind not in self._names:
            yield Issue("UNKNOWN_NODE_TYPE", name, kind, f"The node type {kind!r} is not installed.")
            return
        try:
            version = node_version(node)
            group = self._group(kind, version)
        except (ValueError, KeyError):
            known = ", ".join(f"{version:g}" for version in self.versions(kind))
            shown = node.get("typeVersion", 1)
            yield Issue("UNKNOWN_VERSION", name, kind, f"{kind} has no version {shown}; known: {known}.")
            return
        given = node.get("parameters")
        given = given if isinstance(given, Mapping) else {}
        for path in unknown_parameters(given, group.get("properties", [])):
            yield Issue(
                "UNKNOWN_PARAMETER", name, kind, f"{kind} {version:g} has no parameter {path!r}.", path
            )
        filled = self.fill_defaults(kind, version, given)
        held = node.get("credentials") or {}
        for use in group.get("credentials", ()):
            rule = compile_rule(use.get("show", {}), {}, version)
            needed = use.get("required") and (rule is True or (rule is not False and rule(filled, filled)))
            if needed and use["type"] not in held:
                yield Issue(
                    "MISSING_CREDENTIAL", name, kind, f"A credential of type {use['type']!r} is needed."
                )
        if self._entry(kind)["trigger"] == "schedule":
            try:
                tuple(schedules_of(node, filled))
            except ValueError as error:
                yield Issue("INVALID_SCHEDULE", name, kind, f"The schedule can't run: {error}.", "rule")

    def scripts(self, node: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """(parameter, source, language) of what a node would run; a language is "javascript" or "python"."""
        kind, given = str(node.get("type", "")), node.get("parameters")
        if self._facts_of(node) is None or not isinstance(given, Mapping):
            return
        version = node_version(node)
        properties = [
            each
            for each in self._group(kind, version)["properties"]
            if each.get("language") in ("javascript", "python")
        ]
        filled = self.fill_defaults(kind, version, given) if properties else {}
        for each in properties:
            source = given.get(each["name"])
            rule = compile_rule(each.get("show", {}), each.get("hide", {}), version)
            if isinstance(source, str) and (rule is True or (rule is not False and rule(filled, filled))):
                yield each["name"], source, each["language"]

    def _triggers(
        self, document: Mapping[str, Any], kind: str
    ) -> Iterator[tuple[Mapping[str, Any], float, dict[str, Any]]]:
        for node in document.get("nodes") or ():
            if not isinstance(node, Mapping) or node.get("disabled"):
                continue
            short = self._names.get(str(node.get("type", "")))
            if short is None or self._entries[short]["trigger"] != kind or self._facts_of(node) is None:
                continue
            version = node_version(node)
            yield node, version, self.fill_defaults(short, version, node.get("parameters") or {})

    def routes(self, document: Mapping[str, Any]) -> tuple[Route, ...]:
        """Production webhooks of the enabled trigger nodes. `Route.parameters` has the defaults filled in."""
        return tuple(
            route
            for node, version, parameters in self._triggers(document, "webhook")
            for route in routes_of(node, parameters, version)
        )

    def schedules(self, document: Mapping[str, Any]) -> tuple[ScheduleRule, ...]:
        """Rules of the enabled schedule nodes; those that make no sense are left out (`check` names them)."""
        rules: list[ScheduleRule] = []
        for node, _, parameters in self._triggers(document, "schedule"):
            try:
                rules += schedules_of(node, parameters)
            except ValueError:
                continue
        return tuple(rules)

    # --- credentials ----------------------------------------------------------------------------------------

    def credential_types(self) -> Records:
        """All kinds of credentials with their fields (`CredentialDefinition` as JSON), by display name."""
        return sorted(self._credentials.values(), key=lambda entry: str(entry["display_name"]))

    def credential_type(self, type_name: str) -> dict[str, Any] | None:
        return self._credentials.get(type_name)

    def credential_check(self, type_name: str) -> Check | None:
        """The function that tries a credential of the kind, imported now; None where a request does, or nothing.
        Raises KeyError for a kind that is not installed."""
        place = (self._credentials[type_name].get("test") or {}).get("run", "")
        if not place:
            return None
        module, _, name = place.partition(":")
        check: Check = getattr(
            importlib.import_module(f"{self._credential_packages[type_name]}.{module}"), name
        )
        return check

"""A workflow version made ready to run: per node, everything that does not change from run to run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from weft_contracts.errors import WeftError
from weft_engine.graph import Graph, Node
from weft_expressions.template import Compiled, compile_value
from weft_node_sdk.catalogue import Catalogue, Implementation
from weft_node_sdk.context import NodeInfo


@dataclass(slots=True)
class NodePlan:
    """`run` is None where the type is not installed; `constant` holds the parameters where no expression is in
    them."""

    node: Node
    info: NodeInfo
    run: Implementation | None
    parameters: dict[str, Any]
    compiled: Compiled
    fixed: dict[str, Any]
    """The parameters, with None for expressions."""
    outputs: int
    uses_variables: bool
    kept: tuple[Any, ...] = ()
    """What the node has worked out of its parameters (`RunContext.once`)."""

    @property
    def constant(self) -> bool:
        return self.compiled.constant


class Plan:
    """Of one version."""

    __slots__ = ("_catalogue", "_plans", "document", "graph", "name", "pins", "timezone", "version_id")

    def __init__(self, version_id: str, document: bytes, catalogue: Catalogue, timezone: str) -> None:
        self.version_id = version_id
        self.document: Mapping[str, Any] = orjson.loads(document)
        self.graph = Graph.compile(self.document, catalogue.traits)
        self.name = str(self.document.get("name") or "")
        zone = self.graph.settings.get("timezone")
        self.timezone = zone if isinstance(zone, str) and zone not in ("", "DEFAULT") else timezone
        self.pins: Mapping[str, Any] = self.document.get("pinData") or {}
        self._catalogue = catalogue
        self._plans: dict[str, NodePlan] = {}

    def node(self, name: str) -> NodePlan:
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._make(self.graph.nodes[name])
        return plan

    def parameter_name(self, node: Node, path: Sequence[str | int]) -> str:
        """The parameter's display names; empty where there are none."""
        try:
            return self._catalogue.parameter_label(node.type, node.version, path)
        except KeyError:
            return ""

    def _make(self, node: Node) -> NodePlan:
        raw = node.json.get("parameters")
        given: dict[str, Any] = raw if isinstance(raw, dict) else {}
        run: Implementation | None = None
        filled = dict(given)
        if node.traits.known:
            try:
                filled = self._catalogue.fill_defaults(node.type, node.version, given)
                run = self._catalogue.implementation(node.type)
            except (KeyError, WeftError):
                run = None
        compiled = compile_value(filled)
        return NodePlan(
            node=node,
            info=NodeInfo(
                name=node.name,
                id=str(node.json.get("id") or ""),
                type=node.type,
                version=node.version,
                parameters=given,
                credentials=node.json.get("credentials") or {},
                webhook_id=str(node.json.get("webhookId") or ""),
                on_error=node.on_error,
            ),
            run=run,
            parameters=filled,
            compiled=compiled,
            fixed=compiled.build([None] * len(compiled.leaves)),
            outputs=max(1, node.traits.outputs),
            uses_variables=any("$vars" in leaf.names.roots for leaf in compiled.leaves),
        )

"""What an expression or a Code node's script may see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]
"""`{"json": {...}, "binary"?: {...}, "pairedItem"?: ...}`; values as JavaScript's JSON has them."""
Outputs = list[list[Item]]
"""Items by output of one run of one node."""


def _nothing(*_: Any) -> None:
    return None


def _zero(_: str) -> int:
    return 0


@dataclass(slots=True)
class Scope:
    """All data of one node run, by reference: nothing here is copied unless an expression names it.

    The callables must answer at once; a caller fetches what `Compiled.references` names before it evaluates.
    """

    items: Sequence[Item]
    """The input items: `$json`, `$input`, `$itemIndex` index them."""
    run_index: int = 0
    now: int = 0
    """Microseconds since the epoch; `$now` and `$today`. 0: the clock's."""
    timezone: str = "UTC"
    """IANA name of the workflow's zone."""
    outputs: Callable[[str, int | None], Outputs | None] = _nothing
    """`(node, run)` to that run's outputs; run None is the last one. None: it has not run."""
    exists: Callable[[str], bool] = bool
    """Whether the workflow has a node of that name."""
    node_names: Sequence[str] = ()
    """All nodes of the workflow, for texts that compute a name."""
    run_count: Callable[[str], int] = _zero
    """How many runs of the node there are; needed only for `Compiled.past_runs`."""
    output_index: Callable[[str], int] = _zero
    """The output of the node over which its items reach this one: what `.all()` means by default."""
    ancestor: Callable[[str, int], Item | None] = _nothing
    """`(node, item index)` to the item of that node from which the input item came. None: no path."""
    parameters_of: Callable[[str], Mapping[str, Any] | None] = _nothing
    """A node's own parameters, expressions unevaluated: `$('X').params`, `$node["X"].parameter`."""
    context_of: Callable[[str], Mapping[str, Any] | None] = _nothing
    """What the node keeps between its runs: `$('X').context`, `$node["X"].context`."""
    node_name: str = ""
    """The node whose parameters these are: `$input.params` and `$input.context` are its previous node's."""
    node_id: str = ""
    """`$nodeId`."""
    node_version: float = 1
    parameters: dict[str, Any] = field(default_factory=dict)
    """`$parameter`: this node's, unevaluated."""
    previous: dict[str, Any] = field(default_factory=dict)
    """`$prevNode`: `{"name", "outputIndex", "runIndex"}`."""
    execution: dict[str, Any] = field(default_factory=dict)
    """`$execution`: `{"id", "mode", "resumeUrl", "resumeFormUrl"}`."""
    custom_data: dict[str, str] = field(default_factory=dict)
    """`$execution.customData`; scripts and expressions add to it."""
    workflow: dict[str, Any] = field(default_factory=dict)
    """`$workflow`: `{"id", "name", "active"}`."""
    variables: dict[str, Any] = field(default_factory=dict)
    """`$vars`."""
    environment: dict[str, str] | None = None
    """`$env`; None refuses it."""
    static_data: dict[str, Any] = field(default_factory=dict)
    """`$getWorkflowStaticData(kind)` by kind, `global` and `node`; scripts change it, expressions only read."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further names, with the dollar: `$response`, `$request`, `$pageCount`, `$secrets`; `$fromAIArguments` is what
    an agent gave for `$fromAI(key)`, by key."""
    strict: bool = False
    """What JavaScript itself throws (a missing part of a path, an unknown name) is a failure, as an editor shows it.
    Else it is undefined, as in n8n; a failure is what no run can repair: syntax, unknown nodes, wrong arguments."""

"""What crosses to V8: the data that the expressions name, once, and the pairs of expression and item to evaluate.

A request's text is an operation (E expressions, C a script), library names with commas, a line end, and JSON. The
shapes of the JSON are those that js/runtime.js and js/code.js read.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from weft_expressions.analysis import Names
from weft_expressions.custom_data import note_all
from weft_expressions.errors import ExpressionFailure
from weft_expressions.scope import Scope

if TYPE_CHECKING:
    from weft_expressions.template import Leaf

Unit = tuple[int, int]
"""(place of the leaf, item index)."""

_ITEM_ROOTS: Final = frozenset({"$json", "$binary", "$input", "$items", "$item", "$data", "$thisItem"})
_WITHOUT_OUTPUTS: Final = frozenset({"item", "pairedItem", "params", "context", "isExecuted"})
HASHES: Final = ("md5", "sha")
_METHODS: Final = {"hash": HASHES, "replaceSpecialChars": ("transliteration",)}


def build(leaves: Sequence["Leaf"], units: Sequence[Unit], scope: Scope) -> bytes:
    """One request for all units."""
    used = sorted({leaf for leaf, _ in units})
    place = {leaf: number for number, leaf in enumerate(used)}
    groups: list[list[int]] = []
    for leaf, item in units:
        if groups and groups[-1][0] == place[leaf]:
            groups[-1].append(item)
        else:
            groups.append([place[leaf], item])
    names = [leaves[leaf].names for leaf in used]
    body = {
        "x": [
            {
                "s": leaves[leaf].script,
                "r": sorted(leaves[leaf].names.roots),
                "m": not leaves[leaf].names.shared_safe,
            }
            for leaf in used
        ],
        "u": groups,
        "q": not scope.strict,
        "d": data_of(names, scope),
    }
    libraries = {library for each in names for library in each.libraries}
    libraries.update(for_methods("".join(leaves[leaf].script for leaf in used)))
    return b"E" + ",".join(sorted(libraries)).encode() + b"\n" + _dumps(body)


def for_methods(script: str) -> set[str]:
    """The libraries behind n8n's methods that the (rewritten) script calls."""
    return {each for name, needed in _METHODS.items() if f"[$$.{name}]" in script for each in needed}


def answers(reply: bytes, count: int, scope: Scope) -> list[Any]:
    """The values of `count` units in their order; failures as ExpressionFailure. The scope's custom data becomes what
    the expressions made of it."""
    values, failures, *custom = orjson.loads(reply)
    for each in custom:
        note_all(scope.custom_data, each)
    for position, message, description in failures:
        values[position] = ExpressionFailure(message, description=description)
    if len(values) != count:
        raise ValueError(f"{len(values)} answers to {count} expressions")
    result: list[Any] = values
    return result


def data_of(names: Sequence[Names], scope: Scope) -> dict[str, Any]:
    """The data that any of the texts may read."""
    roots = {root for each in names for root in each.roots}
    uses: dict[str, set[str]] = {}
    for each in names:
        for node, kinds in each.nodes.items():
            uses.setdefault(node, set()).update(kinds)
    if any(each.dynamic for each in names):
        for node in scope.node_names:
            uses.setdefault(node, set()).update(("all", "item", "legacy"))
    past = any(each.past_runs for each in names)
    return {
        "i": _items(names, roots, scope),
        "n": {
            node: _node(node, kinds, scope, past=past) for node, kinds in uses.items() if scope.exists(node)
        },
        "r": _roots(roots, scope),
    }


def _items(names: Sequence[Names], roots: set[str], scope: Scope) -> list[Any]:
    """The input, as much of it as is read."""
    if not roots & _ITEM_ROOTS and roots:
        return []
    if roots & _ITEM_ROOTS != {"$json"} or any(each.whole for each in names):
        return list(scope.items)
    fields = sorted({name for each in names for name in each.fields})
    return [
        {"json": {name: json[name] for name in fields if name in json} if type(json) is dict else json}
        for json in [item["json"] for item in scope.items]
    ]


def _node(name: str, uses: Iterable[str], scope: Scope, *, past: bool) -> dict[str, Any]:
    about: dict[str, Any] = {"p": scope.parameters_of(name) or {}, "c": scope.context_of(name) or {}}
    outputs = scope.outputs(name, None)
    if outputs is None:
        about["e"] = [
            f"Referenced node '{name}' hasn't been executed",
            f"Connect '{name}' so that it runs before this node, or check $('{name}').isExecuted first.",
        ]
        return about
    last = max(scope.run_count(name) - 1, 0)
    runs = {str(last): outputs}
    if past:
        for run in range(last):
            earlier = scope.outputs(name, run)
            if earlier is not None:
                runs[str(run)] = earlier
    kinds = {use.removesuffix("()") for use in uses}
    about |= {"o": runs if kinds - _WITHOUT_OUTPUTS else {}, "l": last, "b": scope.output_index(name)}
    if kinds & {"item", "itemMatching", "pairedItem"}:
        about["i"] = [scope.ancestor(name, index) for index in range(len(scope.items))]
    return about


def _roots(roots: set[str], scope: Scope) -> dict[str, Any]:
    previous = str(scope.previous.get("name") or "")
    makers: dict[str, Any] = {
        "$runIndex": lambda: scope.run_index,
        "$prevNode": lambda: scope.previous,
        "$parameter": lambda: scope.parameters,
        "$execution": lambda: {**scope.execution, "customData": scope.custom_data},
        "$workflow": lambda: scope.workflow,
        "$vars": lambda: scope.variables,
        "$env": lambda: scope.environment,
        "$nodeVersion": lambda: scope.node_version,
        "$nodeId": lambda: scope.node_id,
        "$mode": lambda: "manual" if scope.execution.get("mode") == "test" else scope.execution.get("mode"),
        "$executionId": lambda: scope.execution.get("id"),
        "$resumeWebhookUrl": lambda: scope.execution.get("resumeUrl"),
        "$thisRunIndex": lambda: scope.run_index,
    }
    found = {root: makers[root]() for root in roots if root in makers}
    found["$timezone"] = scope.timezone
    if scope.now:
        found["$now"] = scope.now // 1000
    if "$input" in roots:
        found["$inputParams"] = scope.parameters_of(previous) or {}
        found["$inputContext"] = scope.context_of(previous) or {}
    if "$getWorkflowStaticData" in roots:
        found["$static"] = {"global": {}, "node": {}, **scope.static_data}
    found.update(scope.extra)
    return found


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        import json

        return json.dumps(value).encode()

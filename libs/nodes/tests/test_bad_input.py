"""Bad input: whatever parameters and items hold, a node gives items or says in words what is wrong, item by item.

Nothing here connects: addresses are refused and no server answers.
"""

import asyncio
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Item, NodeRunError, Suspend
from weft_node_sdk.defaults import default_of
from weft_node_sdk.display import compile_rule
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.testing.fake import FakeContext

CATALOGUE = Catalogue.load()
TYPES = sorted(entry["type"] for entry in CATALOGUE.list() if entry["executable"])
EXAMPLES = 8
"""Of each type of node and kind of fault; the same ones every time."""
MOST_BASES = 60
"""Of a type; of more combinations of choices these, spread over them."""
SECONDS = 20.0
"""No run may take longer, on a busy machine and with its imports."""

Path = tuple[str | int, ...]


def _nested(depth: int) -> Any:
    value: Any = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


ODD: Sequence[Any] = (
    None, True, False, 0, -1, 1.5, 7, 2**53, 10**20, 1.5e308, -5e-324,
    "", " ", "NaN", "-Infinity", "1e999", "9" * 400, "abc", "2024-13-45T99:99:99Z", "0000-00-00", "+275760-09-13",
    "\ud800", "\x00", "👩‍👩‍👧 \u202e", "[", "{}", "[1, {}]", "(?<", "a.b[0]['", "={{", "{{ }}", "../../..", "x" * 5000,
    "http://[", "%zz",
    [], [None], [[]], [1, "a", {"b": 2}], {}, {"a": 1}, {"": ""}, {"__proto__": {"b": [1]}},
    {"__rl": True, "mode": "list", "value": []}, {"value": {"value": None}}, _nested(60), _nested(190),
)  # fmt: skip
"""What may stand in the place of any parameter, and in any field: JSON values, and the halves of surrogate pairs that
texts of scripts may hold."""

ITEMS: Sequence[Sequence[Item]] = (
    [{"json": {"a": 1, "b": "x"}}, {"json": {"a": 2, "b": "y"}}, {"json": {"a": "3"}}],
    [{"json": {}}, {"json": {"": None, "a": [], "b": {}}}],
    [{"json": {"a": odd, "b": {"c": odd}, "data": odd}} for odd in ODD],
    [
        {
            "json": {
                "\ud800": 1,
                "a.b": {"[0]": 2},
                "a": {"b": {"c": None}},
                "constructor": 3,
                "x" * 300: 10**20,
            }
        }
    ],
    [
        {"json": {"a": 1}, "binary": {"data": {"mimeType": "text/plain", "data": "bm90IGEgZmlsZQ=="}}},
        {
            "json": {"a": 2},
            "binary": {"data": {"mimeType": "application/pdf", "data": "AP/+gA==", "fileName": "\ud800"}},
        },
        {"json": {"a": 3}, "binary": {"data": {"data": "no base64!"}, "a": {"id": "gone", "mimeType": 5}}},
        {"json": {"a": 4, "data": "text"}, "binary": {"other": {"mimeType": "", "data": ""}}},
    ],
)


@dataclass(frozen=True)
class Base:
    """Parameters that make sense, of one version."""

    type: str
    version: float
    parameters: dict[str, Any]


def _sample(declared: Mapping[str, Any]) -> Any:
    """A value with everything in it that the declaration knows."""
    kind = declared["type"]
    if kind == "collection":
        return {each["name"]: _sample(each) for each in declared["fields"]}
    if kind == "fixedCollection":
        entries = {
            group["name"]: {each["name"]: _sample(each) for each in group["fields"]}
            for group in declared["groups"]
        }
        return {name: [entry] if declared.get("multiple") else entry for name, entry in entries.items()}
    default = default_of(declared)
    if kind == "filter":
        operator = {"type": "string", "operation": "equals"}
        return {
            "conditions": [{"leftValue": "a", "rightValue": "b", "operator": operator}],
            "combinator": "and",
        }
    if kind == "assignmentCollection":
        return {"assignments": [{"name": "a", "value": "1", "type": "string"}]}
    if kind == "resourceLocator":
        return {"__rl": True, "mode": "id", "value": "a"}
    return "a" if default == "" else copy.deepcopy(default)


def _bases(kind: str) -> Iterator[Base]:
    """Each choice that other parameters depend on, everything that shows then filled in."""
    for group in CATALOGUE.definition(kind)["versions"]:
        properties = group.get("properties", [])
        named = {
            key.lstrip("/") for each in properties for key in (*each.get("show", ()), *each.get("hide", ()))
        }
        for version in sorted({group["versions"][0], group["versions"][-1]}):
            seen = []
            for chosen in _choices(kind, version, properties, named, {}):
                filled = CATALOGUE.fill_defaults(kind, version, chosen)
                shown = {
                    each["name"]: _sample(each)
                    for each in properties
                    if each["name"] in filled and each["name"] not in chosen
                }
                parameters = {**filled, **shown}
                if parameters not in seen:
                    seen.append(parameters)
                    yield Base(kind, version, parameters)


def _choices(
    kind: str, version: float, properties: list[dict[str, Any]], named: set[str], chosen: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    filled = CATALOGUE.fill_defaults(kind, version, chosen)
    for each in properties:
        name = each["name"]
        if name not in named or name in chosen or name not in filled:
            continue
        rule = compile_rule(each.get("show", {}), each.get("hide", {}), version)
        if rule is False or (rule is not True and not rule(filled, filled)):
            continue
        values = [option["value"] for option in each.get("options", ())]
        if each["type"] == "boolean":
            values = [False, True]
        if each["type"] != "multiOptions" and values:
            for value in values:
                yield from _choices(kind, version, properties, named, {**chosen, name: value})
            return
    yield chosen


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield from _paths(member, (*path, key))


def _some(bases: list[Base]) -> list[Base]:
    return bases[:: -(-len(bases) // MOST_BASES)]


BASES = {kind: _some(list(_bases(kind))) for kind in TYPES}
PATHS = {kind: [list(_paths(base.parameters)) for base in BASES[kind]] for kind in TYPES}


def _replaced(value: Any, path: Path, odd: Any) -> Any:
    if not path:
        return odd
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _replaced(value[path[0]], path[1:], odd)
    return changed


def _credentials(kind: str) -> dict[str, dict[str, Any]]:
    return {
        use["type"]: {
            field["name"]: _sample(field)
            for field in (CATALOGUE.credential_type(use["type"]) or {})["fields"]
        }
        for group in CATALOGUE.definition(kind)["versions"]
        for use in group.get("credentials", ())
    }


class Refusing(FakeContext):
    """No address may be connected to."""

    async def connect_address(self, host: str, port: int) -> str:
        raise NodeRunError("The address belongs to a private network", code="ADDRESS_REFUSED")


def context(
    base: Base, parameters: Mapping[str, Any], items: Sequence[Item], on_error: str, **more: Any
) -> Refusing:
    node = {"type": base.type, "typeVersion": base.version, "parameters": parameters}
    inputs = [copy.deepcopy(list(items)) for _ in range(max(1, CATALOGUE.traits(node).inputs))]
    return Refusing(
        CATALOGUE.fill_defaults(base.type, base.version, parameters),
        inputs,
        version=base.version,
        type=base.type,
        on_error=on_error,
        credentials=_credentials(base.type),
        permitted=False,
        **more,
    )


async def run(ctx: Refusing) -> NodeRunError | None:
    """Raises AssertionError where the node gave no items, and whatever else leaves it."""
    try:
        async with asyncio.timeout(SECONDS):
            outputs = await CATALOGUE.implementation(ctx.type)(ctx)
    except NodeRunError as error:
        assert error.message  # noqa: PT017 - a node may refuse, in words
        return error
    if not isinstance(outputs, Suspend):
        for items in outputs:
            for item in items:
                assert type(item["json"]) is dict
        json_bytes(outputs)
    return None


def _settled(error: NodeRunError | None, ctx: Refusing) -> None:
    """Where the node continues, an item's failure is an item."""
    if error is not None and ctx.continues() and not error.fatal:
        assert error.item_index is None, f"item {error.item_index} ended the run: {error.message}"


every_time = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
ON_ERROR = st.sampled_from(("stopWorkflow", "continueRegularOutput", "continueErrorOutput"))
ODD_JSON = st.recursive(
    st.one_of(st.sampled_from(ODD), st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(("", "a", "b", "data", "\ud800")), inner)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", TYPES)
@every_time
@given(data=st.data())
async def test_wrong_parameters_are_refused_in_words(kind: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BASES[kind]) - 1))
    base, parameters = BASES[kind][at], BASES[kind][at].parameters
    if PATHS[kind][at]:
        path = data.draw(st.sampled_from(PATHS[kind][at]))
        parameters = _replaced(parameters, path, data.draw(st.one_of(st.sampled_from(ODD), ODD_JSON)))
    ctx = context(base, parameters, data.draw(st.sampled_from(ITEMS)), data.draw(ON_ERROR))
    _settled(await run(ctx), ctx)


@pytest.mark.parametrize("kind", TYPES)
@every_time
@given(data=st.data())
async def test_odd_items_are_refused_in_words(kind: str, data: st.DataObject) -> None:
    base = data.draw(st.sampled_from(BASES[kind]))
    fields = st.dictionaries(st.sampled_from(("a", "b", "data", "", "a.b", "x" * 300, "\ud800")), ODD_JSON)
    items = data.draw(
        st.one_of(st.sampled_from(ITEMS), st.lists(fields.map(lambda json: {"json": json}), max_size=3))
    )
    ctx = context(base, base.parameters, items, data.draw(ON_ERROR))
    _settled(await run(ctx), ctx)


@pytest.mark.parametrize("kind", TYPES)
@every_time
@given(data=st.data())
async def test_a_wrong_value_is_its_own_item_s_failure(kind: str, data: st.DataObject) -> None:
    """One parameter is an expression; of one item alone its value is odd."""
    at = data.draw(st.integers(0, len(BASES[kind]) - 1))
    base = BASES[kind][at]
    if not PATHS[kind][at]:
        return
    path, odd = data.draw(st.sampled_from(PATHS[kind][at])), data.draw(st.sampled_from(ODD))
    plain: Any = base.parameters
    for key in path:
        plain = plain[key]

    def evaluated(value: Any, _: Item, index: int) -> Any:
        if value != "={{ odd }}":
            return value
        return odd if index == 1 else plain

    parameters = _replaced(base.parameters, path, "={{ odd }}")
    ctx = context(base, parameters, ITEMS[0], data.draw(ON_ERROR), evaluate_value=evaluated)
    _settled(await run(ctx), ctx)


@pytest.mark.parametrize("output", ["1e999", float("inf"), float("nan"), 0.5, -1])
async def test_an_output_that_is_no_index_is_an_error_of_the_item(output: Any) -> None:
    given = {"mode": "expression", "numberOutputs": 2, "output": output}
    ctx = FakeContext(given, [[{"json": {}}]], type="switch", version=3.2, on_error="continueRegularOutput")
    outputs = await CATALOGUE.implementation("switch")(ctx)
    assert isinstance(outputs, list)
    assert "does not exist" in str(outputs[0][0]["json"]["error"])

"""The native path gives what V8 gives, for every recorded expression and for generated ones."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft_expressions.errors import ExpressionFailure
from weft_expressions.evaluate import evaluate, native_values
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import Compiled, compile_value

from tests.compat.expressions_scope import scope_of

TABLE = json.loads(Path("tests/compat/expressions.json").read_text(encoding="utf-8"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, timeout=60.0)
    await made.start()
    yield made
    await made.stop()


def by_v8(compiled: Compiled) -> Compiled:
    """The same, its native path taken away."""
    return replace(compiled, leaves=tuple(replace(leaf, native=None) for leaf in compiled.leaves))


def shown(value: Any) -> Any:
    """A value with numbers as doubles (true is not 1, 1.0 is 1), a failure by its words."""
    if isinstance(value, ExpressionFailure):
        return ("failure", value.message)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, list):
        return [shown(part) for part in value]
    return {key: shown(part) for key, part in value.items()}


async def differences(pool: EvaluatorPool, texts: list[str], scope: Scope) -> list[Any]:
    """(text, native, V8) where they differ, over all items; texts without a native path can't."""
    compiled = [compile_value(text) for text in texts]
    kept = [(text, each) for text, each in zip(texts, compiled, strict=True) if each.leaves]
    count = len(scope.items)
    native, _ = native_values([each.leaves[0] for _, each in kept], scope, count)
    bailed = set(native_values([each.leaves[0] for _, each in kept], scope, count)[1])
    rows = await evaluate([by_v8(each) for _, each in kept], scope, count, pool, "project")
    return [
        (kept[at][0], native[item][at], rows[item][at])
        for item in range(count)
        for at in range(len(kept))
        if (at, item) not in bailed and shown(native[item][at]) != shown(rows[item][at])
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("strict", [False, True])
async def test_recorded_expressions(pool: EvaluatorPool, strict: bool) -> None:
    texts = [row["expression"] for row in TABLE["rows"] if "$parameter" not in row["expression"]]
    scope = scope_of(TABLE, "")
    scope.strict = strict
    assert await differences(pool, texts, scope) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_field_with_a_method_s_name_is_a_field(pool: EvaluatorPool) -> None:
    item = {"first": {"a": 1}, "length": {"a": False}, "s": "text"}
    texts = [
        "={{ $json.first?.a }}",
        "={{ $json.length?.a }}",
        "={{ $json.s?.length }}",
        "={{ [3, 4].last?.() }}",
    ]
    values = await evaluate(
        [by_v8(compile_value(text)) for text in texts], Scope(items=[{"json": item}]), 1, pool, "p"
    )
    assert values == [[1, False, 4, 4]]
    assert await differences(pool, texts, Scope(items=[{"json": item}])) == []


names = st.sampled_from(["a", "b", "s", "n", "list", "none", "missing", "length"])
numbers = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**53), 2**53),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([0.1, 0.5, 1e21, 1e-7]),
)
strings = st.one_of(
    st.text(max_size=6), st.sampled_from(["", " a ", "1", "-1.5", "true", "ß", "😀", "a-b-a", "Z"])
)
leaves = st.one_of(st.none(), st.booleans(), numbers, strings)
data = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)
atoms = st.one_of(
    names.map("$json.{}".format),
    st.tuples(names, names).map(lambda pair: f"$json.{pair[0]}.{pair[1]}"),
    st.tuples(names, names).map(lambda pair: f"$json.{pair[0]}?.{pair[1]}"),
    st.tuples(names, st.integers(-1, 3)).map(lambda pair: f"$json.{pair[0]}[{pair[1]}]"),
    numbers.map(lambda number: f"({number!r})"),
    strings.map(json.dumps),
    st.sampled_from(["null", "undefined", "true", "false", "$itemIndex", "[]", "[1, 'a', null]", "$json"]),
)
METHODS = [
    "toUpperCase()", "toLowerCase()", "trim()", "trimStart()", "trimEnd()", "split('-')", "split('')", "includes('a')",
    "startsWith('a')", "endsWith('a')", "indexOf('a')", "lastIndexOf('a')", "slice(1)", "slice(-2, -1)", "slice(0, 9)",
    "substring(1)", "substring(2, 0)", "charAt(0)", "charAt(9)", "at(-1)", "at(0)", "padStart(6, '0')", "padEnd(6)",
    "replace('a', 'x')", "replaceAll('a', 'x')", "repeat(2)", "concat('z')", "toString()", "join('+')", "join()",
    "includes(1)", "indexOf(1)", "first()", "last()", "toFixed(2)", "toFixed()", "isEmpty()", "isNotEmpty()",
    "map(v => v + 1)", "filter(v => v)", "find(v => v === 1)", "findIndex((v, i) => i > 0)", "some(v => !v)",
    "every(v => v != null)", "map((v, i) => `${i}:${v}`)", "length", "nope", "nope()", "toTitleCase()",
]  # fmt: skip
FUNCTIONS = [
    "String", "Number", "Boolean", "Math.round", "Math.floor", "Math.ceil", "Math.abs", "Math.min", "Math.max",
    "JSON.stringify", "Object.keys", "Object.values", "Array.isArray", "typeof ", "!", "-", "+",
]  # fmt: skip
OPERATORS = [
    "+", "-", "*", "/", "%", "===", "!==", "==", "!=", "<", ">", "<=", ">=", "&&", "||",
]  # fmt: skip
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(
            lambda three: f"({three[0]} {three[1]} {three[2]})"
        ),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} ?? {two[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} ? {three[1]} : {three[2]})"),
        st.tuples(inner, st.sampled_from(METHODS)).map(lambda two: f"({two[0]}).{two[1]}"),
        st.tuples(inner, st.sampled_from(METHODS)).map(lambda two: f"({two[0]})?.{two[1]}"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda two: f"{two[0]}({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]})[{two[1]}]"),
        st.tuples(inner, inner).map(lambda two: f"`${{{two[0]}}}-${{{two[1]}}}`"),
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
    ),
    max_leaves=6,
)


@pytest.mark.asyncio(loop_scope="module")
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    texts=st.lists(expressions, min_size=4, max_size=8),
    items=st.lists(st.dictionaries(names, data, max_size=6), min_size=1, max_size=3),
    strict=st.booleans(),
)
async def test_generated_expressions(
    pool: EvaluatorPool, texts: list[str], items: list[Any], strict: bool
) -> None:
    scope = Scope(items=[{"json": item} for item in items], strict=strict)
    wrapped = [f"={{{{ {text} }}}}" for text in texts] + [f"=<{{{{ {text} }}}}>" for text in texts]
    assert await differences(pool, wrapped, scope) == []

"""Expressions and scripts in real evaluator processes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from weft_expressions.code import references, run_javascript
from weft_expressions.errors import CodeFailure, ExpressionFailure
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.syntax import Written, check
from weft_expressions.template import compile_leaf, compile_value

ITEMS = [
    {
        "json": {
            "name": "ada lovelace",
            "n": 3,
            "tags": ["a", "b"],
            "deep": {"x": [1, {"y": 2}]},
            "none": None,
        }
    },
    {"json": {"name": "grace", "n": -1.5, "tags": []}},
]


def scope(**more: Any) -> Scope:
    before = [[{"json": {"id": 7}}, {"json": {"id": 8}}]]
    return Scope(
        items=ITEMS,
        now=1_767_225_600_000_000,
        timezone="Europe/Berlin",
        outputs=lambda name, run: before if name == "Before" else None,
        exists={"Before", "Later"}.__contains__,
        run_count=lambda name: 1,
        ancestor=lambda name, index: before[0][index],
        variables={"city": "Paris"},
        execution={"id": "e1", "mode": "test"},
        **more,
    )


@pytest.fixture
async def pool() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, timeout=5.0)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def jail() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, "code")
    await made.start()
    yield made
    await made.stop()


CASES = [
    ("={{ $json.name }}", "ada lovelace"),
    ("={{ $json.name.toUpperCase() }}", "ADA LOVELACE"),
    ("={{ $json.name.toTitleCase() }}", "Ada Lovelace"),
    ("=Hello {{ $json.name }}, {{ $json.n + 1 }}", "Hello ada lovelace, 4"),
    ("={{ $json.tags.map(t => t + '!').join(',') }}", "a!,b!"),
    ("={{ $json.missing?.deeper ?? 'none' }}", "none"),
    ("={{ $json.deep.x[1].y }}", 2),
    ("={{ $json.n > 2 ? 'big' : 'small' }}", "big"),
    ("={{ $json.n ** 2 }}", 9),
    ("={{ Math.max(...[1, 5, 3]) }}", 5),
    ("={{ $('Before').item.json.id }}", 7),
    ("={{ $('Before').first().json.id + $('Before').last().json.id }}", 15),
    ("={{ $('Before').all().length }}", 2),
    ("={{ $node['Before'].json.id }}", 7),
    ("={{ $input.all().length }}", 2),
    (
        "={{ [3, 9].map(max => max + 1).concat(max(4, 2), min(4, 2), average(1, 2), numberList(3, 1)) }}",
        [4, 10, 4, 2, 1.5, 3, 2, 1],
    ),
    ("={{ zip(['a', 'b'], [1, 2]) }}", {"a": 1, "b": 2}),
    ("={{ $mode }}", "manual"),
    ("={{ 'x'.toDateTime('yyyy') }} {{ 'x'.toDateTime('yyyy').isValid }}", "Invalid DateTime false"),
    ("={{ $vars.city }}", "Paris"),
    ("={{ $execution.id }}", "e1"),
    ("={{ $now.toFormat('yyyy-LL-dd HH:mm') }}", "2026-01-01 01:00"),
    ("={{ $now.plus({ days: 1 }).toISODate() }}", "2026-01-02"),
    ("={{ '2024-02-29'.toDateTime().plus(1, 'year').toFormat('yyyy-MM-dd') }}", "2025-02-28"),
    ("={{ $jmespath($json, 'deep.x[1].y') }}", 2),
    ("={{ [1, 2, 3].sum() }}", 6),
    ("={{ $json.none }}", None),
    ("={{ JSON.stringify({ a: 1 }) }}", '{"a":1}'),
    ("={{ $itemIndex }}", 0),
    ("={{ $if($json.n > 2, 'yes', 'no') }}", "yes"),
    ("={{ 'abc'.hash('md5') }}", "900150983cd24fb0d6963f7d28e17f72"),
    ("={{ (() => { let s = 0; for (const i of [1, 2]) s += i; return s; })() }}", 3),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
async def test_a_case(pool: EvaluatorPool, text: str, expected: Any) -> None:
    rows = await evaluate([compile_value(text)], scope(), 2, pool, "p")
    assert rows[0][0] == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
async def test_v8_says_the_same_as_the_native_path(
    pool: EvaluatorPool, text: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = compile_leaf(text[1:])
    assert not isinstance(leaf, str)
    object.__setattr__(leaf, "native", None)
    try:
        rows = await evaluate([compile_value(text)], scope(), 1, pool, "p")
    finally:
        compile_leaf.cache_clear()
    assert rows[0][0] == expected


async def test_failures_are_per_item(pool: EvaluatorPool) -> None:
    rows = await evaluate(
        [compile_value("={{ $json.deep.x.map(v => v) }}")], scope(strict=True), 2, pool, "p"
    )
    assert rows[0][0] == [1, {"y": 2}]
    assert isinstance(rows[1][0], ExpressionFailure)
    assert "Cannot read properties of undefined" in rows[1][0].message
    assert rows[1][0].item_index == 1


async def test_unknown_and_unexecuted_nodes_are_named(pool: EvaluatorPool) -> None:
    for text, words in (("={{ $('Nope').all() }}", "doesn't exist"), ("={{ $('Later').all() }}", "executed")):
        rows = await evaluate([compile_value(text)], scope(), 1, pool, "p")
        assert isinstance(rows[0][0], ExpressionFailure)
        assert words in rows[0][0].message


async def test_a_hanging_expression_is_cut_off_and_the_rest_goes_on(pool: EvaluatorPool) -> None:
    hang = compile_value("={{ (() => { while ($json.n > 0) {} return 1; })() }}")
    rows = await evaluate([hang, compile_value("={{ [$json.n].map(v => v)[0] }}")], scope(), 2, pool, "p")
    assert isinstance(rows[0][0], ExpressionFailure)
    assert rows[1][0] == 1
    assert [row[1] for row in rows] == [3, -1.5]


async def test_a_killed_process_is_replaced(pool: EvaluatorPool) -> None:
    for process in pool._all:
        process._child.kill()  # type: ignore[union-attr]
        process._child.wait()  # type: ignore[union-attr]
    rows = await evaluate([compile_value("={{ [1].map(v => v + 1)[0] }}")], scope(), 1, pool, "p")
    assert rows[0][0] == 2


@pytest.mark.parametrize(
    "text",
    [
        "={{ (() => {}).constructor('return 1')() }}",
        "={{ [].constructor.constructor('return globalThis')() }}",
        "={{ Function('return 1')() }}",
        "={{ eval('1') }}",
        "={{ process.exit() }}",
        "={{ require('fs') }}",
    ],
)
async def test_there_is_no_way_out(pool: EvaluatorPool, text: str) -> None:
    rows = await evaluate([compile_value(text)], scope(strict=True), 1, pool, "p")
    assert isinstance(rows[0][0], ExpressionFailure)


async def test_names_of_other_runtimes_are_there_and_empty(pool: EvaluatorPool) -> None:
    text = "={{ [process.env, typeof require, typeof document, Object.keys(process)] }}"
    rows = await evaluate([compile_value(text)], scope(strict=True), 1, pool, "p")
    assert rows == [[[{}, "object", "object", ["env"]]]]


async def test_the_environment_is_named_but_not_read_where_it_is_off(pool: EvaluatorPool) -> None:
    texts = ["={{ typeof $env }}", "={{ $env.HOME }}", "={{ JSON.stringify($env) }}"]
    (row,) = await evaluate([compile_value(text) for text in texts], scope(), 1, pool, "p")
    assert row[0] == "object"
    assert all(isinstance(value, ExpressionFailure) for value in row[1:])
    assert "denied" in str(row[1])


async def test_instants_are_read_as_luxon_reads_them(pool: EvaluatorPool) -> None:
    """The quick way of toDateTime() gives what DateTime.fromISO() gives."""
    texts = [
        "2024-02-29T10:00:00Z",
        "2024-02-29T10:00:00.5+05:30",
        "2024-12-31T23:59-14:00",
    ]
    ways = (
        [f"'{each}'.toDateTime()" for each in texts],
        [f"DateTime.fromISO('{each}', {{ setZone: true }})" for each in texts],
    )
    shown = "={{{{ {}.isValid ? [{}.toISO(), {}.zoneName] : null }}}}"
    for first, second in zip(*ways, strict=True):
        rows = await evaluate(
            [compile_value(shown.format(*[each] * 3)) for each in (first, second)], scope(), 1, pool, "p"
        )
        assert rows[0][0] == rows[0][1]


async def test_nothing_stays_from_one_evaluation_to_the_next(pool: EvaluatorPool) -> None:
    for text in (
        "={{ globalThis.x = 1 }}",
        "={{ Array.prototype.map = 1 }}",
        "={{ Object.prototype.y = 2 }}",
    ):
        await evaluate([compile_value(text)], scope(), 1, pool, "p")
    rows = await evaluate(
        [compile_value("={{ [typeof globalThis.x, typeof [].map, typeof ({}).y].map(v => v).join() }}")],
        scope(),
        1,
        pool,
        "p",
    )
    assert rows[0][0] == "undefined,function,undefined"


async def test_a_script_over_all_items(jail: EvaluatorPool) -> None:
    source = "console.log('hi', {a: 1});\nreturn $input.all().map(i => ({json: {n: i.json.n * 2}}));"
    made, logs = await run_javascript(jail, "p", source, False, scope())
    assert [item["json"] for item in made] == [{"n": 6}, {"n": -3}]
    assert [item["pairedItem"] for item in made] == [{"item": 0}, {"item": 1}]
    assert logs == ['hi {"a":1}']


async def test_syntax_is_judged_and_nothing_is_run(pool: EvaluatorPool) -> None:
    texts: list[tuple[str, Written]] = [
        ("={{ $json.a + }}", "expression"),
        ("={{ $json.a.map(x => x + 1) }} and {{ 1 2 }}", "expression"),
        ("={{ (() => { throw new Error('x') })() }}", "expression"),
        ("={{ $('Nowhere').first() }}", "expression"),
        ("=no expression", "expression"),
        ("const a = ;", "javascript"),
        ("return [", "javascript"),
        ("for (;;) {}", "javascript"),
        ("const x = await f();\nreturn x.isEmpty()", "javascript"),
        ("throw new Error('not run')", "javascript"),
        ("let a; let a;", "javascript"),
    ]
    found = await check(texts, pool, "p")
    assert [bool(error) for error in found] == [
        True,
        True,
        False,
        False,
        False,
        True,
        True,
        False,
        False,
        False,
        True,
    ]
    assert found[5] == "Syntax error: Unexpected token ';'"
    assert await check([], pool, "p") == []


async def test_python_is_judged_and_not_run(pool: EvaluatorPool) -> None:
    sources = [
        "return [1]",
        "x = 1\nif x\n    pass",
        "while True: pass",
        "raise SystemExit(1)",
        "import os\nos._exit(0)",
        "(" * 5000,
        "x = " + "-" * 200_000 + "1",
        "\0",
        "",
        "yield 1; return [None]",
    ]
    found = await check([(source, "python") for source in sources] + [("return [", "javascript")], pool, "p")
    assert [bool(error) for error in found] == [
        False, True, False, False, False, True, True, True, False, False, True,
    ]  # fmt: skip
    assert found[1] == "Syntax error: expected ':' [line 2]"


async def test_expressions_keep_custom_data(pool: EvaluatorPool) -> None:
    given = scope(custom_data={"old": "1"})
    texts = [
        "={{ $execution.customData.set('n', $json.n) }}{{ $execution.customData.get('old') }}",
        "={{ $execution.customData.getAll() }}",
        "={{ $execution.customData.set('a b', '') }}",
        "={{ $execution.id }}",
    ]
    rows = await evaluate([compile_value(text) for text in texts], given, 2, pool, "p")
    assert [row[0] for row in rows] == ["1", "1"]
    assert rows[1][1] == {"old": "1", "n": str(ITEMS[1]["json"]["n"])}
    assert "letters, digits" in rows[0][2].message
    assert rows[0][3] == "e1"
    assert given.custom_data == rows[1][1]


async def test_a_script_per_item(jail: EvaluatorPool) -> None:
    made, _ = await run_javascript(jail, "p", "return { up: $json.name.toUpperCase() };", True, scope())
    assert [item["json"]["up"] for item in made] == ["ADA LOVELACE", "GRACE"]


async def test_a_script_waits_for_promises(jail: EvaluatorPool) -> None:
    source = "await new Promise(r => setTimeout(r, 20));\nreturn [{json: {ok: $('Before').first().json.id}}];"
    made, _ = await run_javascript(jail, "p", source, False, scope())
    assert made[0]["json"] == {"ok": 7}


async def test_a_scripts_error_has_its_line(jail: EvaluatorPool) -> None:
    with pytest.raises(CodeFailure) as caught:
        await run_javascript(jail, "p", "const a = 1;\nnull.x;", False, scope())
    assert caught.value.line == 2


async def test_a_script_that_does_not_end_is_ended(jail: EvaluatorPool) -> None:
    with pytest.raises(CodeFailure):
        await run_javascript(jail, "p", "while (true) {}", False, scope(), timeout=0.5)
    made, _ = await run_javascript(jail, "p", "return [];", False, scope())
    assert made == []


@pytest.mark.parametrize("source", ["", "return 5;", "return [1];", "return [{json: 1}];"])
async def test_what_is_no_item_is_refused(jail: EvaluatorPool, source: str) -> None:
    with pytest.raises(CodeFailure):
        await run_javascript(jail, "p", source, False, scope())


def test_references_of_a_script() -> None:
    assert references("return $('A').all().concat($node['B'].json)") == (frozenset({"A", "B"}), False)
    assert references("const n = 'A'; return $(n).all()")[1]


async def test_data_that_is_a_list_is_read_as_one(pool: EvaluatorPool) -> None:
    rows = [{"a": 1}, {"a": 2}, "b"]
    texts = [
        "={{ $json[0].a }}",
        "={{ $json[0].a ** 2 }}",
        "={{ $json.length }}",
        "={{ $json.length ** 1 }}",
        "={{ $json.b ** 2 }}",
        "={{ $json[2] }}",
        "={{ $input.item.json.first().a }}",
        "={{ $json.map(x => x.a ?? x) }}",
    ]
    given = Scope(items=[{"json": rows}])
    (found,) = await evaluate([compile_value(text) for text in texts], given, 1, pool, "p")
    assert found == [1, 1, 3, 3, None, "b", 1, [1, 2, "b"]]

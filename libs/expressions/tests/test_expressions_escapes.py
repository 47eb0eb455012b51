"""What an expression may not do: reach the host, change what others see, run without end, take all memory."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from weft_expressions.errors import ExpressionFailure
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import compile_value

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEMS = [{"json": {"name": "ada", "tags": ["b", "a"], "deep": {"x": 1}}}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, timeout=60.0, memory_mb=64)
    await made.start()
    yield made
    await made.stop()


async def values(pool: EvaluatorPool, *texts: str, project: str = "p", items: Any = ITEMS) -> list[Any]:
    scope = Scope(items=items, strict=True)
    rows = await evaluate(
        [compile_value(f"={{{{ {text} }}}}") for text in texts], scope, len(items), pool, project
    )
    return rows[0]


REFUSED = [
    "(() => {}).constructor('return 1')()",
    "(async () => {}).constructor('return 1')()",
    "(function* () {}).constructor('return 1')()",
    "(async function* () {}).constructor('return 1')()",
    "[].constructor.constructor('return globalThis')()",
    "''['constructor']['constructor']('return 1')()",
    "$json['con' + 'structor'].constructor('return 1')()",
    "Reflect.construct((() => {}).constructor, ['return 1'])()",
    "Object.getPrototypeOf(() => {}).constructor('return 1')()",
    "$jmespath.constructor('return 1')()",
    "$now.constructor.constructor('return 1')()",
    "$if.constructor('return 1')()",
    "''.isEmpty.constructor('return 1')()",
    "Function('return 1')()",
    "eval('1')",
    "globalThis.eval('1')",
    "setTimeout('1')",
    "process.exit()",
    "process.binding('fs')",
    "require('fs')",
    "fetch('http://127.0.0.1')",
    "new WebAssembly.Module(new Uint8Array(8))",
    "new SharedArrayBuffer(8)",
    "Atomics.wait",
    "new WeakRef({})",
    "compile('return 1')()",
    "libraries.clear()",
    "SYMBOLS.x",
    "progress[0]",
    "dispatch('E[]')",
    "$env.HOME",
    "arguments[0]",
    "$$null(1)",
    "(function () { return arguments.callee.caller })()",
    "(() => {}).caller",
    "Error.prepareStackTrace = (e, s) => s",
    "Object.setPrototypeOf(Array.prototype, null)",
    "Object.prototype.__defineGetter__('x', () => 1)",
    "Object.defineProperty(Object.prototype, 'x', { value: 1 })",
    "Array.prototype.map = null",
    "Array.prototype.push.call(Array.prototype, 1)",
    "JSON.parse = null",
    "Math.max = null",
    "String.prototype.trim = null",
    "Object.prototype.toString = null",
    "DateTime.now = null",
    "DateTime.prototype.toISO = null",
    "DateTime.fromMillis(0).constructor.prototype.x = 1",
    "$json.__proto__.polluted = 1",
    "[].__proto__.polluted = 1",
    "({}).constructor.prototype.polluted = 1",
    "Symbol.iterator.constructor.prototype.polluted = 1",
    "globalThis.leak = 1",
    "this.leak = 1",
    "leak = 1",
    "Intl.DateTimeFormat.prototype.format = null",
    "Promise.prototype.then = null",
    "[][Symbol.iterator]().__proto__.next = null",
    "(function* () {})().__proto__.__proto__.next = null",
    "/a/.__proto__.exec = null",
    "new Map().__proto__.get = null",
    "Error.stackTraceLimit = { valueOf() { return 1 } }",
    "$input.all = null",
    "$('x').all = null",
]


@pytest.mark.parametrize("text", REFUSED)
async def test_it_is_refused_and_leaves_nothing(pool: EvaluatorPool, text: str) -> None:
    before = await values(pool, PROBE)
    found = await values(pool, text)
    assert isinstance(found[0], ExpressionFailure) or found[0] is None
    assert await values(pool, PROBE) == before
    assert not isinstance(before[0], ExpressionFailure)


PROBE = (
    "[typeof leak, typeof ({}).polluted, typeof ({}).x, [3, 1].map(v => v + 1).sort().join(), JSON.parse('[1]')[0], "
    "Math.max(1, 2), ' a '.trim(), String({}), DateTime.fromMillis(0, { zone: 'utc' }).toISO(), typeof DateTime.now, "
    "[...new Map([[1, 2]])].join(), /b/.exec('abc').index, Object.keys(globalThis).length, [...'ab'].join('-'), "
    "new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format(0), [].length, Error.stackTraceLimit, "
    "Object.getOwnPropertyNames(Object.prototype).length, $json.name, $json.tags.join()]"
)


async def test_data_that_one_changes_is_whole_for_the_next(pool: EvaluatorPool) -> None:
    changed = await values(
        pool, "$json.tags.sort().join()", "($json.name = 'eve') + $json.name", "delete $json.deep.x"
    )
    assert changed[:2] == ["a,b", "eveeve"]
    assert (await values(pool, "$json.tags.map(t => t).join() + $json.name + $json.deep.x"))[0] == "b,aada1"


async def test_projects_share_no_isolate(pool: EvaluatorPool) -> None:
    secret = [{"json": {"secret": "s3cret"}}]
    assert await values(pool, "[$json.secret].map(v => v)[0]", project="one", items=secret) == ["s3cret"]
    found = await values(
        pool, "JSON.stringify(Object.getOwnPropertyNames(globalThis)) + JSON.stringify($json)", project="two"
    )
    assert "s3cret" not in str(found[0])


@pytest.mark.parametrize(
    "text",
    [
        "(() => { for (;;) {} })()",
        "(() => { while (true) { [1].map(v => v) } })()",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "[...(function* () { for (;;) yield 1 })()].length",
        "'x'.padEnd(2 ** 29, 'y').split('').map(v => v + v).length",
        "(() => { const held = []; for (;;) held.push('x'.repeat(1e6) + held.length) })()",
        "(() => { const held = []; for (;;) held.push(new Uint8Array(1e7).fill(1)) })()",
        "Array.from({ length: 1e9 }, (_, at) => [at]).length",
        "JSON.stringify(Array(2 ** 27).fill('abcdefgh')).length",
    ],
)
async def test_no_end_and_no_bound_are_cut_off(pool: EvaluatorPool, text: str) -> None:
    pool._timeout = 1.0
    found = await values(pool, text)
    pool._timeout = 60.0
    assert isinstance(found[0], ExpressionFailure)
    assert (await values(pool, "[1, 2].map(v => v * 2).join()"))[0] == "2,4"


async def test_deep_recursion_is_an_error(pool: EvaluatorPool) -> None:
    found = await values(pool, "(function f() { return f() })()")
    assert isinstance(found[0], ExpressionFailure)
    assert "call stack" in found[0].message


HEADS = ["$json", "[]", "''", "(() => {})", "Object", "Array", "Math", "JSON", "DateTime", "$now", "globalThis",
         "this", "Reflect", "Symbol", "(5)", "/a/", "new Map()", "Promise", "$input", "Intl", "Error", "Proxy",
         "$jmespath"]  # fmt: skip
STEPS = [".constructor", ".__proto__", ".prototype", "['constructor']", ".call", ".bind", ".apply", ".toString",
         "[Symbol.iterator]", ".valueOf", ".map", ".name", ".__lookupGetter__", ".isEmpty", ".first"]  # fmt: skip
ENDS = ["", "('return 1')()", "()", " = 1", ".polluted = 1", ".leak = () => 1", "(globalThis)", "?.('return this')?.()",
        "({}, 'polluted', { value: 1 })", ".toString = null", "++", "(Object.prototype, { polluted: 1 })"]  # fmt: skip
WRAPS = ["{}", "delete ({})", "Object.freeze({})", "Object.assign({}, {{ polluted: 1 }})", "[{}].map(v => v)[0]",
         "Object.setPrototypeOf({}, null)", "new ({})", "(() => {{ with_ = {} }})()", "Reflect.set({}, 'polluted', 1)",
         "Object.defineProperty({}, 'polluted', {{ value: 1 }})", "typeof ({})", "`${{{}}}`"]  # fmt: skip


def walk(chance: random.Random) -> str:
    """A random way through the built-ins that ends in a call or a write."""
    steps = "".join(chance.choice(STEPS) for _ in range(chance.randint(0, 4)))
    return (
        chance.choice(WRAPS)
        .replace("{}", chance.choice(HEADS) + steps + chance.choice(ENDS), 1)
        .replace("{{", "{ ")
        .replace("}}", " }")
    )


@pytest.mark.parametrize("seed", range(8))
async def test_random_walks_change_nothing(pool: EvaluatorPool, seed: int) -> None:
    chance = random.Random(seed)
    before = await values(pool, PROBE)
    await values(pool, *[walk(chance) for _ in range(150)])
    assert await values(pool, PROBE) == before

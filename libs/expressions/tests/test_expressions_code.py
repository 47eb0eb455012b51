"""Code nodes' scripts in real jails: JavaScript and Python."""

# ruff: noqa: E501, ISC004 - tables of scripts

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from weft_expressions.code import HelpRefused, python_references, references, run_javascript, run_python
from weft_expressions.errors import CodeFailure, EvaluatorUnavailable
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jail() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, "code", memory_mb=128)
    await made.start()
    yield made
    await made.stop()


def scope(count: int = 2, **more: Any) -> Scope:
    outputs = [[{"json": {"id": 7}}, {"json": {"id": 8}}], [{"json": {"id": 9}}]]
    return Scope(
        items=[{"json": {"i": i, "sub": {"n": i * 10}}} for i in range(count)],
        outputs=lambda name, run: outputs if name == "Before" else None,
        exists={"Before", "Later"}.__contains__,
        run_count=lambda name: int(name == "Before"),
        ancestor=lambda name, index: outputs[0][index] if index < 2 else None,
        workflow={"id": "w", "name": "Flow", "active": True},
        timezone="Europe/Berlin",
        **more,
    )


async def javascript(
    jail: EvaluatorPool, source: str, *, each: bool = False, count: int = 2, **more: Any
) -> Any:
    return await run_javascript(jail, "p", source, each, scope(count, **more), 30.0)


async def python(jail: EvaluatorPool, source: str, *, each: bool = False, count: int = 2, **more: Any) -> Any:
    return await run_python(jail, source, each, scope(count, **more), 30.0)


PAIRS = [
    # items in, items out, where they come from
    (2, 1, [0]),
    (1, 3, [0, 0, 0]),
    (3, 3, [0, 1, 2]),
    (3, 2, [None, None]),
]


@pytest.mark.parametrize(("count", "made", "pairs"), PAIRS)
async def test_where_items_come_from(jail: EvaluatorPool, count: int, made: int, pairs: list[Any]) -> None:
    wanted = [None if pair is None else {"item": pair} for pair in pairs]
    source = f"return Array.from({{ length: {made} }}, (_, n) => ({{ json: {{ n }} }}))"
    items, _ = await javascript(jail, source, count=count)
    assert [item.get("pairedItem") for item in items] == wanted
    items, _ = await python(jail, f"return [{{'n': n}} for n in range({made})]", count=count)
    assert [item.get("pairedItem") for item in items] == wanted


GIVEN = [
    # script, each item, the items' json (the peer's)
    ("return { a: 1 }", False, [{"a": 1}]),
    ("return { json: { a: 1 } }", False, [{"a": 1}]),
    ("return []", False, []),
    ("return null", False, []),
    ("return { error: 'e', message: 'm' }", False, [{"error": "e", "message": "m"}]),
    ("return [{ binary: {} }]", False, [{}]),
    ("return items", False, [{"i": 0, "sub": {"n": 0}}, {"i": 1, "sub": {"n": 10}}]),
    ("x = 5; for (y of [1]) { x += y } return [{ x }]", False, [{"x": 6}]),
    ("return [{ a: NaN, b: undefined, c: new Date(0), d: new Map([[1, 2]]), e: /a/ }]", False,
     [{"a": None, "c": "1970-01-01T00:00:00.000Z", "d": {}, "e": {}}]),
    ("return { a: $itemIndex }", True, [{"a": 0}, {"a": 1}]),
    ("return { json: { a: $json.i } }", True, [{"a": 0}, {"a": 1}]),
    ("return null", True, []),
    ("", True, []),
    ("return $itemIndex ? null : { a: 1 }", True, [{"a": 1}]),
    ("return item", True, [{"i": 0, "sub": {"n": 0}}, {"i": 1, "sub": {"n": 10}}]),
    ("$json.i = 5; return $json", True, [{"i": 5, "sub": {"n": 0}}, {"i": 5, "sub": {"n": 10}}]),
    ("await null; return { a: $itemIndex }", True, [{"a": 0}, {"a": 1}]),
    ("return [{ a: $('Before').first().json.id, b: $node['Before'].json.id, c: $('Before').all(1).length }]", False,
     [{"a": 7, "b": 7, "c": 1}]),
    ("return { a: $('Before').item.json.id, w: $workflow.name }", True, [{"a": 7, "w": "Flow"}, {"a": 8, "w": "Flow"}]),
    ("return [{ e: $jmespath($input.all(), '[*].json.i'), d: 'ada b'.toTitleCase(), h: 'a'.hash() }]", False,
     [{"e": [0, 1], "d": "Ada B", "h": "0cc175b9c0f1b6a831c399e269772661"}]),
    ("return [{ z: DateTime.fromMillis(0).toISO() }]", False, [{"z": "1970-01-01T01:00:00.000+01:00"}]),
    ("return this.getInputData().length + this.helpers.httpRequest.length ? [{ ok: 1 }] : 0", False, [{"ok": 1}]),
    ("return new Promise(r => setTimeout(r, 1, [{ ok: 1 }]))", False, [{"ok": 1}]),
    ("const t = setTimeout(() => { throw 1 }, 0); clearTimeout(t); await new Promise(setImmediate); return []", False, []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "each", "wanted"), GIVEN)
async def test_what_javascript_gives(jail: EvaluatorPool, source: str, each: bool, wanted: Any) -> None:
    items, _ = await javascript(jail, source, each=each)
    assert [item["json"] for item in items] == wanted


PLATFORM = [
    ("Buffer.from('hé').toString('base64')", "aMOp"),
    ("Buffer.from('aMOp', 'base64').toString()", "hé"),
    ("Buffer.from('68c3a9', 'hex').toString('utf-8')", "hé"),
    ("Buffer.from('hé', 'latin1').toString('hex')", "68e9"),
    ("Buffer.from([255, 104]).toString()", "\ufffdh"),
    ("Buffer.from('😀').toString('base64url')", "8J-YgA"),
    ("Buffer.from([104]).toString('latin1')", "h"),
    ("Buffer.concat([Buffer.from('a'), Buffer.alloc(1, 98)]).toString()", "ab"),
    ("[Buffer.isBuffer(Buffer.alloc(1)), Buffer.isBuffer('x'), Buffer.byteLength('é')]", [True, False, 2]),
    ("Buffer.from(JSON.parse(JSON.stringify(Buffer.from('a')))).equals(Buffer.from('a'))", True),
    ("Buffer.from(new ArrayBuffer(2)).length", 2),
    ("Buffer.from('abc').subarray(1).toString()", "bc"),
    ("(() => { try { Buffer.from('a', 'nope') } catch (e) { return e.message } })()", "Unknown encoding: nope"),
    ("(() => { try { Buffer.from('a').toString('nope') } catch (e) { return e.message } })()", "Unknown encoding: nope"),
    ("[btoa('hi'), atob('aGk=')]", ["aGk=", "hi"]),
    ("new TextDecoder().decode(new TextEncoder().encode('é😀'))", "é😀"),
    ("new TextDecoder().decode(new ArrayBuffer(1))", "\0"),
    ("structuredClone({ a: [1, { b: new Date(0) }], m: new Map([[1, new Set([2])]]) }).a", [1, {"b": "1970-01-01T00:00:00.000Z"}]),
    ("(() => { try { structuredClone(() => 1) } catch (e) { return e.name } })()", "TypeError"),
    ("(() => { const a = {}; a.a = a; const b = structuredClone(a); return b.a === b && b !== a })()", True),
    ("new URL('HTTPS://u:p@Example.org:443/a/../b c?x=1&y=%20#h').href", "https://u:p@example.org/b%20c?x=1&y=%20#h"),
    ("new URL('../c?d', 'http://x.org:81/a/b/').href", "http://x.org:81/a/c?d"),
    ("['/p', '?q', '#f', '//y.org/z', 'n'].map(v => new URL(v, 'http://x.org/a/b?c#d').href)",
     ["http://x.org/p", "http://x.org/a/b?q", "http://x.org/a/b?c#f", "http://y.org/z", "http://x.org/a/n"]),
    ("(u => [u.hostname, u.port, u.host, u.pathname, u.search, u.hash, u.protocol, u.origin])(new URL('http://x.org:81/a?b#c'))",
     ["x.org", "81", "x.org:81", "/a", "?b", "#c", "http:", "http://x.org:81"]),
    ("(u => { u.searchParams.set('a', '2 3'); u.searchParams.append('b', '&'); u.searchParams.delete('c'); return String(u) })"
     "(new URL('http://x.org/?a=1&a=2&c=3'))", "http://x.org/?a=2+3&b=%26"),
    ("JSON.stringify([new URL('mailto:a@b.c')])", '["mailto:a@b.c"]'),
    ("['x', 'http://', '/a'].map(v => URL.canParse(v))", [False, False, False]),
    ("(p => [p.get('a'), p.get('z'), p.getAll('a'), p.has('b'), [...p.keys()], [...p.values()], [...p]])"
     "(new URLSearchParams('?a=1&a=%zz&b=+c'))",
     ["1", None, ["1", "%zz"], True, ["a", "a", "b"], ["1", "%zz", " c"], [["a", "1"], ["a", "%zz"], ["b", " c"]]]),
    ("new URLSearchParams({ a: 1, b: \"it's\" }).toString()", "a=1&b=it%27s"),
    ("(() => { const p = new URLSearchParams([['a', 1]]); p.set('b', 2); let s = ''; p.forEach((v, k) => { s += k + v }); return s })()",
     "a1b2"),
    ("(() => { try { require('fs') } catch (e) { return e.message } })()", "The module 'fs' is not available"),
]  # fmt: skip


async def test_what_scripts_expect_of_node(jail: EvaluatorPool) -> None:
    source = "return [{ all: [" + ",\n".join(source for source, _ in PLATFORM) + "] }]"
    items, _ = await javascript(jail, source)
    found = items[0]["json"]["all"]
    assert [pair for pair in zip(PLATFORM, found, strict=True) if pair[0][1] != pair[1]] == []


FAILURES = [
    # language, script, each item, words, line, item
    ("js", "return", False, "returned nothing", None, None),
    ("js", "return 'x'", False, "not an object", None, 0),
    ("js", "return [1]", False, "not an object", None, 0),
    ("js", "return [{ json: 1 }]", False, "`json`", None, 0),
    ("js", "return [{ a: 1 }, { json: {} }]", False, "'a'", None, 0),
    ("js", "return [{ json: {}, extra: 1 }]", False, "'extra'", None, 0),
    ("js", "return []", True, "a list", None, 0),
    ("js", "return 5", True, "not an object", None, 0),
    ("js", "const a = 1;\nnull.x", False, "Cannot read properties", 2, None),
    ("js", "throw new Error('boom')", False, "boom", 1, None),
    ("js", "throw 'text'", False, "text", None, None),
    ("js", "if ($itemIndex) throw new Error('second'); return {}", True, "second", 1, 1),
    ("js", "await null;\nif ($itemIndex) throw new Error('later'); return {}", True, "later", 2, 1),
    ("js", "await null; throw new Error('late')", False, "late", 1, None),
    ("js", "return [", False, "Syntax error", None, None),
    ("js", "return 'never closed", False, "Syntax error", None, None),
    ("js", "await new Promise(() => {})", False, "promise that nothing can settle", None, None),
    ("js", "const v = {}; v.v = v; return [v]", False, "circular", None, None),
    ("js", "return $('Nope').all()", False, "doesn't exist", 1, None),
    (
        "js",
        "await $helpers.httpRequest({ url: 'http://x' }); return []",
        False,
        "not possible here",
        None,
        None,
    ),
    ("py", "pass", False, "", None, None),
    ("py", "return 'x'", False, "not an object", None, 0),
    ("py", "return [1]", True, "a list", None, 0),
    ("py", "x = 1\nreturn nope", False, "NameError: name 'nope' is not defined", 2, None),
    ("py", "x =", False, "SyntaxError", 1, None),
    ("py", "if _item.json.i: raise ValueError('second')\nreturn {}", True, "ValueError: second", 1, 1),
    ("py", "import requests", False, "ModuleNotFoundError", 1, None),
    ("py", "raise SystemExit(3)", False, "SystemExit: 3", 1, None),
    ("py", "return [{'a': object()}]", False, "type object can't be part", None, None),
    ("py", "v = {}\nv['v'] = v\nreturn [v]", False, "Circular", None, None),
    ("py", "return [_item]", False, "'_item' is not defined", 1, None),
    ("py", "return [{'v': _items[0].json.nope}]", False, "no field 'nope'", 1, None),
    ("py", "return _('Nope').all()", False, "doesn't exist", 1, None),
    ("py", "return _('Later').all()", False, "hasn't been executed", 1, None),
]


@pytest.mark.parametrize(("language", "source", "each", "words", "line", "item"), FAILURES)
async def test_failures_say_what_and_where(
    jail: EvaluatorPool,
    language: str,
    source: str,
    each: bool,
    words: str,
    line: int | None,
    item: int | None,
) -> None:
    run = javascript if language == "js" else python
    if not words:
        assert (await run(jail, source, each=each))[0] == []
        return
    with pytest.raises(CodeFailure) as caught:
        await run(jail, source, each=each)
    assert words in caught.value.message
    assert (caught.value.line, caught.value.item_index) == (line, item)


async def test_what_is_printed_is_kept(jail: EvaluatorPool) -> None:
    source = "console.log('a', { b: 1 }, undefined); console.error(new Error('no')); console.info(() => 1); return []"
    assert (await javascript(jail, source))[1] == ['a {"b":1} undefined', "Error: no", "() => 1"]
    with pytest.raises(CodeFailure) as caught:
        await javascript(jail, "const c = {}; c.c = c; console.log(c); throw new Error('x')")
    assert caught.value.logs == ("[object Object]",)
    _, logs = await python(
        jail, "print('a', 1)\nimport sys\nprint('b', file=sys.stderr)\nprint('c', end='')\nreturn []"
    )
    assert logs == ["a 1", "b", "c"]
    _, logs = await python(jail, "for n in range(5000): print('x' * 30000)\nreturn []")
    assert (len(logs), len(logs[0])) == (1000, 20000)
    _, logs = await javascript(
        jail, "for (let n = 0; n < 5000; n += 1) console.log('x'.repeat(30000)); return []"
    )
    assert (len(logs), len(logs[0])) == (1000, 20000)


async def test_requests_go_through_the_helper(jail: EvaluatorPool) -> None:
    asked: list[Any] = []

    async def helper(kind: str, options: dict[str, Any]) -> Any:
        asked.append((kind, options))
        if options["url"].endswith("refused"):
            raise HelpRefused("Request failed with status code 404", {"httpCode": "404"})
        if options.get("encoding"):
            return {"body": {"type": "Buffer", "data": [104, 105]}}
        return (
            {"type": "Buffer", "data": [104]} if options["url"].endswith("raw") else {"path": options["url"]}
        )

    source = """
      const one = await this.helpers.httpRequest({ url: 'http://a/1', qs: { x: 1 } });
      const more = await Promise.all([2, 3].map((n) => $helpers.httpRequest('http://a/' + n, { method: 'POST' })));
      const old = await this.helpers.request({ url: 'http://a/4' });
      const raw = await helpers.httpRequest('http://a/raw');
      const full = await helpers.httpRequest({ url: 'http://a/5', encoding: 'arraybuffer' });
      let error;
      try { await $helpers.httpRequest('http://a/refused') } catch (e) { error = [e.message, e.httpCode] }
      let wrong;
      try { await $helpers.httpRequest(5) } catch (e) { wrong = e.message }
      return [{ one, more, old, raw: raw.toString(), full: full.body.toString(), error, wrong }];
    """
    items, _ = await run_javascript(jail, "p", source, False, scope(1), 30.0, helper)
    assert items[0]["json"] == {
        "one": {"path": "http://a/1"},
        "more": [{"path": "http://a/2"}, {"path": "http://a/3"}],
        "old": {"path": "http://a/4"},
        "raw": "h",
        "full": "hi",
        "error": ["Request failed with status code 404", "404"],
        "wrong": "The options of a request are an object: { url: 'https://…' }",
    }
    assert asked[0] == ("httpRequest", {"url": "http://a/1", "qs": {"x": 1}})
    assert asked[1] == ("httpRequest", {"url": "http://a/2", "method": "POST"})
    assert asked[3] == ("request", {"url": "http://a/4"})


async def test_static_data_is_changed_in_place(jail: EvaluatorPool) -> None:
    static = {"global": {"n": 1, "old": True}, "node": {}}
    source = "const d = $getWorkflowStaticData('global'); d.n += 1; delete d.old; return [{ n: d.n }]"
    items, _ = await javascript(jail, source, static_data=static)
    assert (items[0]["json"], static) == ({"n": 2}, {"global": {"n": 2}, "node": {}})
    source = "d = _getWorkflowStaticData('node')\nd['seen'] = 3\nreturn [{'g': _getWorkflowStaticData('global').n}]"
    items, _ = await python(jail, source, static_data=static)
    assert (items[0]["json"], static) == ({"g": 2}, {"global": {"n": 2}, "node": {"seen": 3}})


EACH = [
    # how a script fails at item 1 of three, message, line
    ("if ($json.i === 1) throw new Error('boom'); return { n: $json.i }", "boom", 1),
    ("await null;\nif ($json.i === 1) throw 'text'; return { n: $json.i }", "text", None),
    ("if ($json.i === 1) return [1]; return { n: $json.i }", "The code returned a list for one item", None),
    (
        "const f = async () => {\nif ($json.i === 1) null.x;\nreturn { n: $json.i } };\nreturn f()",
        "Cannot read properties of null (reading 'x')",
        2,
    ),
]


@pytest.mark.parametrize(("source", "message", "line"), EACH)
async def test_one_items_failure_leaves_the_others_alone(
    jail: EvaluatorPool, source: str, message: str, line: int | None
) -> None:
    made, _ = await run_javascript(jail, "p", source, True, scope(3), 30.0, keep_failures=True)
    failed = made[1]
    assert isinstance(failed, CodeFailure)
    assert (failed.message, failed.line, failed.item_index) == (message, line, 1)
    assert [made[0], made[2]] == [{"json": {"n": n}, "pairedItem": {"item": n}} for n in (0, 2)]
    with pytest.raises(CodeFailure) as caught:
        await javascript(jail, source, each=True, count=3)
    assert caught.value.item_index == 1


async def test_one_items_failure_in_python(jail: EvaluatorPool) -> None:
    source = "if _json.i == 1:\n    raise KeyError('boom')\nreturn {'n': _json.i}"
    made, _ = await run_python(jail, source, True, scope(3), 30.0, keep_failures=True)
    failed = made[1]
    assert isinstance(failed, CodeFailure)
    assert (failed.message, failed.line, failed.item_index) == ("KeyError: 'boom'", 2, 1)
    assert [made[0], made[2]] == [{"json": {"n": n}, "pairedItem": {"item": n}} for n in (0, 2)]


MODULES = [
    # what is evaluated, its value in Node.js
    (
        "require('crypto').createHash('sha256').update('a').digest('hex')",
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    ),
    (
        "require('node:crypto').createHash('md5').update('ä').update(Buffer.from([255, 0])).digest('base64')",
        "Dc9TeqKlDNSqQsruTZhCOw==",
    ),
    (
        "require('crypto').createHmac('sha1', 'key').update('data').digest('hex')",
        "104152c5bfdca07bc633eebd46199f0255c9f49d",
    ),
    (
        "require('crypto').createHmac('md5', 'key').update('data').digest('hex')",
        "9d5c73ef85594d34ec4438b7c97e51d8",
    ),
    (
        "require('crypto').createHmac('md5', 'k'.repeat(65)).update('data').digest('hex')",
        "b7d1158ae12147f7faa37bc828cc7321",
    ),
    ("require('crypto').createHash('SHA512').update('').digest().length", 64),
    ("require('crypto').timingSafeEqual(Buffer.from('a'), Buffer.from('b'))", False),
    (
        "/^[\\da-f]{8}-[\\da-f]{4}-4[\\da-f]{3}-[89ab][\\da-f]{3}-[\\da-f]{12}$/.test(require('crypto').randomUUID())",
        True,
    ),
    ("new Set(Array.from({ length: 50 }, () => require('crypto').randomBytes(70).toString('hex'))).size", 50),
    (
        "Array.from({ length: 200 }, () => require('crypto').randomInt(3, 6)).every((n) => n >= 3 && n < 6)",
        True,
    ),
    (
        "require('util').inspect({ a: [1, { b: 2 }], 'c-d': 'x', e: null })",
        "{ a: [ 1, { b: 2 } ], 'c-d': 'x', e: null }",
    ),
    ("require('util').format('%s is %d, %j %%', 'a', 5, { b: 1 }, 'more')", 'a is 5, {"b":1} % more'),
    ("require('util').isDeepStrictEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })", True),
    (
        "require('url').parse('http://u:p@H:8/a?b=1#c')",
        {
            "protocol": "http:",
            "slashes": True,
            "auth": "u:p",
            "host": "h:8",
            "port": "8",
            "hostname": "h",
            "hash": "#c",
            "search": "?b=1",
            "query": "b=1",
            "pathname": "/a",
            "path": "/a?b=1",
            "href": "http://u:p@H:8/a?b=1#c",
        },
    ),
    ("new (require('url').URL)('/b', 'http://x/a').href", "http://x/b"),
    ("require('querystring').parse('a=1&a=2&b=%20&c')", {"a": ["1", "2"], "b": " ", "c": ""}),
    ("require('querystring').stringify({ a: [1, 'x y'], b: true, c: null })", "a=1&a=x%20y&b=true&c="),
    ("require('buffer').Buffer.from('hi').toString('hex')", "6869"),
]


@pytest.mark.parametrize(("source", "value"), MODULES)
async def test_allowed_modules(jail: EvaluatorPool, source: str, value: Any) -> None:
    made, _ = await run_javascript(
        jail, "p", f"return {{ v: {source} }}", False, scope(), 30.0, modules=("*",)
    )
    assert made == [{"json": {"v": value}, "pairedItem": {"item": 0}}]


@pytest.mark.parametrize("modules", [(), ("util",)])
async def test_modules_are_off_unless_allowed(jail: EvaluatorPool, modules: tuple[str, ...]) -> None:
    with pytest.raises(CodeFailure, match="module 'crypto' is not allowed here") as caught:
        await run_javascript(jail, "p", "return require('crypto')", False, scope(), 30.0, modules=modules)
    assert "WEFT_CODE_MODULES" in caught.value.description


MODULE_ESCAPES = [
    "require('util').inspect.constructor('return 1')()",
    "require('crypto').createHash('sha1').update.constructor('return 1')()",
    "require.constructor('return 1')()",
    "require('util').promisify(() => {}).constructor('return 1')()",
    "require('child_process')",
    "require('fs')",
    "require('../fs')",
    "require('constructor')",
    "require('__proto__')",
    "require({ toString: () => 'process' })",
    "require.cache.fs",
    "require('util').types.isDate = () => 1",
    "require('url').URL.prototype.toString = () => 1",
    "require('crypto').randomBytes(1e9)",
    "(() => { throw require('crypto').createHash('sha1').constructor.constructor('return 1')() })()",
]


@pytest.mark.parametrize("source", MODULE_ESCAPES)
async def test_modules_are_no_way_out(jail: EvaluatorPool, source: str) -> None:
    with pytest.raises(CodeFailure):
        await run_javascript(jail, "p", f"return {{ v: {source} }}", False, scope(), 30.0, modules=("*",))


async def test_what_one_script_does_to_a_module_the_next_does_not_see(jail: EvaluatorPool) -> None:
    change = "const u = require('util'); u.inspect = () => 'changed'; require('crypto').own = 1; return []"
    await run_javascript(jail, "p", change, False, scope(), 30.0, modules=("*",))
    look = "return { i: require('util').inspect('a'), o: require('crypto').own ?? null }"
    made, _ = await run_javascript(jail, "p", look, False, scope(), 30.0, modules=("*",))
    assert made[0] == {"json": {"i": "'a'", "o": None}, "pairedItem": {"item": 0}}


CUSTOM_DATA = [
    # script, what is kept beside the "old" that was there
    ("c.set('a', 'b'); c.setAll({ d: 1.5, old: 'new' })", {"a": "b", "d": "1.5", "old": "new"}),
    ("c.set('k'.repeat(60), 'v\\0'.repeat(600))", {"k" * 50: "v" * 256}),
    (
        "for (let i = 0; i < 14; i++) c.set('k' + i, 'v'); c.set('old', 'new')",
        {**{f"k{i}": "v" for i in range(9)}, "old": "new"},
    ),
    ("c.set('__proto__', 'x'); c.set('', 'empty')", {"__proto__": "x", "": "empty"}),
]


@pytest.mark.parametrize(("script", "kept"), CUSTOM_DATA)
async def test_custom_data_is_kept_within_limits(
    jail: EvaluatorPool, script: str, kept: dict[str, str]
) -> None:
    held = {"old": "1"}
    source = f"const c = $execution.customData; {script}; return {{ all: c.getAll(), old: c.get('old'), no: c.get('no') === undefined }}"
    items, _ = await javascript(jail, source, execution={"id": "1"}, custom_data=held)
    assert held == {"old": "1", **kept}
    assert items[0]["json"]["old"] == held["old"]
    assert items[0]["json"]["all"].keys() == held.keys()
    assert items[0]["json"]["no"] is True


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("set(1, 'x')", "is a text"),
        ("set('a b', 'x')", "letters, digits and underscores"),
        ("set('a', true)", "that of 'a' is none"),
        ("set('a', { b: 1 })", "that of 'a' is none"),
        ("setAll({ b: '1', a: null })", "that of 'a' is none"),
    ],
)
async def test_what_is_no_custom_data_is_refused(jail: EvaluatorPool, call: str, told: str) -> None:
    held: dict[str, str] = {}
    source = f"$execution.customData.set('first', 'kept'); $execution.customData.{call}"
    with pytest.raises(CodeFailure, match=told):
        await javascript(jail, source, execution={"id": "1"}, custom_data=held)
    assert held["first"] == "kept"  # as in n8n, what came before the failure stays


async def test_custom_data_of_python(jail: EvaluatorPool) -> None:
    held = {"old": "1"}
    source = "c = _execution.customData\nc.set('a', 'b' * 600)\nc.setAll({'n': 2})\nreturn [{'g': c.get('old'), 'all': c.getAll(), 'e': _execution}]"
    items, _ = await python(jail, source, execution={"id": "7"}, custom_data=held)
    assert held == {"old": "1", "a": "b" * 512, "n": "2"}
    assert items[0]["json"] == {"g": "1", "all": held, "e": {"id": "7", "customData": held}}
    with pytest.raises(CodeFailure, match="ValueError: A value of custom data"):
        await python(
            jail,
            "_execution.customData.set('b', '1')\n_execution.customData.set('a', None)",
            execution={"id": "7"},
            custom_data=held,
        )
    assert held["b"] == "1"


PYTHON = [
    ("return [{'n': item.json.i + item['json']['sub'].n} for item in _items]", False, [{"n": 0}, {"n": 11}]),
    ("return [{'n': len(_input.all()), 'f': _input.first().json.i, 'l': _input.last().json.i}]", False,
     [{"n": 2, "f": 0, "l": 1}]),
    ("_json.i = 7\nreturn [_json]", False, [{"i": 7, "sub": {"n": 0}}]),
    ("return {'a': _item.json.i, 'b': _json['i'], 'c': _input.item.json.i}", True,
     [{"a": 0, "b": 0, "c": 0}, {"a": 1, "b": 1, "c": 1}]),
    ("return None if _item.json.i else {'a': 1}", True, [{"a": 1}]),
    ("return {'x': _('Before').item.json.id, 'y': _node['Before'].json.id}", True, [{"x": 7, "y": 7}, {"x": 8, "y": 8}]),
    ("b = _('Before')\nreturn [{'f': b.first().json.id, 'l': b.last(0, 0).json.id, 's': b.all(1)[0].json.id}]", False,
     [{"f": 7, "l": 8, "s": 9}]),
    ("n = 'Before'\nreturn [{'n': len(_(n).all()), 'z': _(n).all(9)}]", False, [{"n": 2, "z": []}]),
    ("import math, json as j\nfrom datetime import date\nreturn [{'p': math.floor(3.5), 'd': date(2024, 2, 29), 'j': j.dumps([1])}]",
     False, [{"p": 3, "d": "2024-02-29", "j": "[1]"}]),
    ("import re, hashlib, base64\nreturn [{'h': hashlib.md5(b'a').hexdigest(), 'b': base64.b64encode(b'hi').decode()}]", False,
     [{"h": "0cc175b9c0f1b6a831c399e269772661", "b": "aGk="}]),
    ("return [{'s': {1}, 'n': float('nan'), 'i': float('inf'), 't': (1, 2)}]", False,
     [{"s": [1], "n": None, "i": None, "t": [1, 2]}]),
    ("def f(x):\n    return x * 2\ntext = '''a\n  b'''\nreturn [{'f': f(2), 't': text, 'w': _workflow.name}]", False,
     [{"f": 4, "t": "a\n  b", "w": "Flow"}]),
    ("return [{'z': str(_now.tzinfo), 'h': _today.hour, 'v': isinstance(_now.isoformat(), str)}]", False,
     [{"z": "Europe/Berlin", "h": 0, "v": True}]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "each", "wanted"), PYTHON)
async def test_what_python_gives(jail: EvaluatorPool, source: str, each: bool, wanted: Any) -> None:
    items, _ = await python(jail, source, each=each, node_names=("Before",))
    assert [item["json"] for item in items] == wanted


REFUSED = [
    "open('/etc/passwd')",
    "open('/proc/self/environ')",
    "open('x', 'w')",
    "import os\nos.listdir('/')",
    "import os\nos.fork()",
    "import os\nos.execv('/bin/sh', ['sh'])",
    "import os\nos.kill(os.getppid(), 9)",
    "import os\nos.mkdir('/tmp/x')",
    "import os\nos.system('id') and (_ for _ in ()).throw(OSError('no shell'))",
    "import socket\nsocket.socket()",
    "import socket\nsocket.create_connection(('127.0.0.1', 80))",
    "import socket\nsocket.getaddrinfo('localhost', 80)",
    "import subprocess",
    "import ctypes\nif ctypes.CDLL(None).fork() < 0: raise OSError('not forked')",
    "import os\nos.setuid(0)",
    "import os\nos.chroot('/')",
    "import os\nos.pipe() and os.socketpair()",
    "import os\nos.memfd_create('x')",
]


@pytest.mark.parametrize("source", REFUSED)
async def test_python_does_not_get_out(jail: EvaluatorPool, source: str) -> None:
    with pytest.raises(CodeFailure) as caught:
        await python(jail, source)
    assert any(word in caught.value.message for word in ("Error", "no shell"))


async def test_python_sees_no_environment_and_no_other_task(
    jail: EvaluatorPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_SECRET", "s3cret")
    leave = "import sys, builtins, os\nbuiltins.left = 's3cret'\nsys.modules['left'] = os\nsys.left = 1\nreturn []"
    await python(jail, leave)
    source = (
        "import os, sys, builtins\n"
        "return [{'env': dict(os.environ), 'left': hasattr(builtins, 'left') or 'left' in sys.modules or hasattr(sys, 'left'),"
        " 'uid': os.getuid() == 0, 'argv': [a for a in sys.argv if 'cret' in a]}]"
    )
    items, _ = await python(jail, source)
    assert items[0]["json"] == {"env": {}, "left": False, "uid": False, "argv": []}


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("py", "while True: pass"),
        ("py", "import time\ntime.sleep(600)"),
        ("py", "try:\n    while True: pass\nfinally:\n    while True: pass"),
        ("py", "a = []\nwhile True: a.append('x' * 10_000_000)"),
        ("py", "return [{'x': 'y' * (1 << 30)}]"),
        (
            "py",
            "import threading\nfor n in range(50): threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()",
        ),
        ("py", "import os\nos._exit(1)"),
        ("py", "import os\nos.write(0, b'\\xff\\xff\\xff\\xff\\x00')\nimport time\ntime.sleep(600)"),
        ("py", "import os\nos.write(0, b'\\x00\\x00\\x00\\x02\\x00{}')\nimport time\ntime.sleep(600)"),
        ("js", "while (true) {}"),
        ("js", "const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)"),
        ("js", "await new Promise(r => setTimeout(r, 600000))"),
        ("js", "return [{ x: Array(2 ** 27).fill('abcdefgh').map(v => v + v) }]"),
    ],
)
async def test_no_end_and_no_bound_are_cut_off(jail: EvaluatorPool, language: str, source: str) -> None:
    python_run = run_python(jail, source, False, scope(), 2.0) if language == "py" else None
    with pytest.raises((CodeFailure, EvaluatorUnavailable)):
        await (python_run or run_javascript(jail, "p", source, False, scope(), 2.0))
    assert (await javascript(jail, "return [{ ok: 1 }]"))[0][0]["json"] == {"ok": 1}
    assert (await python(jail, "return [{'ok': 1}]"))[0][0]["json"] == {"ok": 1}


async def test_one_projects_script_leaves_nothing_to_another(jail: EvaluatorPool) -> None:
    with pytest.raises(CodeFailure):
        await run_javascript(jail, "one", "globalThis.left = 's3cret'; return []", False, scope())
    items, _ = await run_javascript(jail, "two", "return [{ t: typeof left }]", False, scope())
    assert items[0]["json"] == {"t": "undefined"}


async def test_references() -> None:
    assert references("return $('A').all().concat($node['B'].json)") == (frozenset({"A", "B"}), False)
    assert references("const n = 'A'; return $(n).all()")[1]
    assert references("`never closed $") == (frozenset(), True)
    assert references("") == (frozenset(), False)
    assert python_references("a = _('A').all(); b = _node[\"B b\"].json") == (frozenset({"A", "B b"}), False)
    assert python_references("_(name)") == (frozenset(), True)


async def test_a_stopped_pool_runs_nothing() -> None:
    pool = EvaluatorPool(1, "code")
    with pytest.raises(EvaluatorUnavailable):
        await run_python(pool, "return []", False, scope())
    await pool.start()
    await pool.stop()
    with pytest.raises(EvaluatorUnavailable):
        await run_javascript(pool, "p", "return []", False, scope())


async def test_halves_of_characters_are_replaced(jail: EvaluatorPool) -> None:
    """As a text is that was cut within one."""
    made, logs = await javascript(
        jail, r"console.log('a\u{1f600}'.slice(0, 2)); return [{json: {a: '\ud83dx'}}]"
    )
    assert (made[0]["json"], logs) == ({"a": "\ufffdx"}, ["a\ufffd"])
    source = r"return [{'json': {'a': '\ud83dx', 'b': '\U0001f600ä', 'n': float('nan')}}]"
    made, logs = await python(jail, "print('a\\ud83d')\n" + source)
    assert made[0]["json"] == {"a": "\ufffdx", "b": "\U0001f600ä", "n": None}
    assert [line.strip() for line in logs] == ["a\ufffd"]
    with pytest.raises(CodeFailure, match="\ufffdb"):
        await python(jail, r"raise ValueError('\ud83db')")

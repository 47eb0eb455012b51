"""Edges that neither recorded nor generated expressions reach."""

# ruff: noqa: E501 - tables of expressions

import asyncio
import struct
import sys
from typing import Any

import pytest
from weft_expressions import evaluator as evaluators
from weft_expressions.analysis import analyse, rewritten
from weft_expressions.code import _checked, _result
from weft_expressions.custom_data import note, note_all
from weft_expressions.errors import EvaluatorUnavailable, ExpressionFailure, first_failure
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.lexer import tokenize
from weft_expressions.native import Frame, compile_native
from weft_expressions.parser import Parser, Unsupported
from weft_expressions.request import _dumps, answers, data_of
from weft_expressions.scope import Scope
from weft_expressions.template import compile_text, compile_value, split
from weft_expressions.values import Bail
from weft_expressions.worker import frames

SPAWN = evaluators._spawn
UNICODE = {
    "s": "a😀",
    "big": 2**60,
    "huge": 1e300,
    "wide": 1e16,
    "tiny": 1e-9,
    "list": [1, {"a": 2}],
    "o": {"k": 1},
    "n": 1.5,
    "t": "text",
}


def native(source: str, json: Any = None) -> Any:
    """The native path alone; Bail where it leaves the matter to V8."""
    run = compile_native(Parser(tokenize(source)[0]).parse())
    return run(Frame(Scope(items=[{"json": json or UNICODE}]), 0))


@pytest.mark.parametrize(
    "source",
    [
        "$json.t.includes(5)", "$json.t.slice('1')", "$json.t.at('1')", "$json.t.at(1.5)", "$json.list.join(5)",
        "$json.huge.toFixed(1)", "Math.round($json.wide)", "Math.round($json.big)", "Math.abs('1')",
        "JSON.stringify($json, null, 4)", "JSON.stringify(undefined)", "JSON.stringify($json.huge)", "Object.keys($json.list)",
        "Object.values($json.t)", "$json.s.length", "$json.s[0]", "$json.s.charAt(0)", "$json.t.trim", "$json.t['0']",
        "$json.big + 1", "$json.huge * $json.huge", "$json.list === $json.list", "$json.o.toString", "$json.n.toFixed",
        "$json.list.map", "$json.list['0']", "$json.list[-1]", "5 / 0", "5 % 0", "'1' * 2", "'a' < 1", "1 == '1'",
        "String($json.huge)", "String($json.tiny)", "$json.t.slice(1, 2, 3)", "$json.t.replace('', 'x')",
        "$json.t.padStart(20000)", "$json.t.repeat(-1)", "'É'.toUpperCase()", "Number('0x1f')", "$json.n.isEmpty()",
        "Math.min()", "Math.max('1')", "$json.t.filter(v => v)", "Math.floor(1, 2)", "$json.t.split()",
    ],
)  # fmt: skip
def test_what_is_left_to_v8(source: str) -> None:
    with pytest.raises(Bail):
        native(source)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$json.t.padStart(2, 'x')", "text"), ("$json.t.padEnd(9, '')", "text"), ("$json.t.slice()", "text"),
        ("$json.t.length", 4), ("0x1F + 0b11 + 1_0", 44), (r"'\u0041\x42\q'", "ABq"), ("`a\r\nb`", "a\nb"),
        ("typeof $json.o", "object"), ("[$json.n, null].length", 2), ("$json.list[1].a", 2), ("$json.o == null", False),
        ("null == $json.missing", True), ("$json.o === 1", False), ("!($json.t)", False), ("$json?.o?.k", 1),
        ("$json.missing?.x.y.z === undefined", True), ("($json.missing ?? 1) || 2", 1), ("`a${1}b`", "a1b"),
    ],
)  # fmt: skip
def test_what_is_exact_natively(source: str, value: Any) -> None:
    assert native(source) == value


@pytest.mark.parametrize(
    "source",
    [
        "1 ?? 2 || 3", "tag`x`", "'\\01'", "'\\ud800'", "'\\uzzzz'", "'\\x4'", "010", "5n", "9007199254740993", "a b",
        "{a:1}", "1 +", "", "x => { return 1 }", "class {}", "#x", "f?.(1)", "nope", "new Date()", "a++",
        "$json.a = 1", "((a, b, c) => a)(1)", "$json.list.map((a, a) => a)", "async", "...a", "$input.nope", "~1", "1 | 2",
    ],
)  # fmt: skip
def test_what_has_no_native_path(source: str) -> None:
    with pytest.raises(Unsupported):
        native(source)


def test_names_that_are_computed_or_odd() -> None:
    def names(source: str) -> Any:
        return analyse(tokenize(source)[0])

    assert names("$('\\ud800').item").dynamic
    assert names("$(`a${1}`).item").dynamic
    assert names("$node[name].json").dynamic
    assert names("$").dynamic
    assert names("$node.X.json").nodes == {"X": {"legacy", "all"}}
    assert names("$items('X', 0, 1)").past_runs
    assert names("x`y`").shared_safe is False
    assert names("f()()").shared_safe is False


def test_an_if_that_is_never_closed_stays_as_it_is() -> None:
    source = "$if(1, 2"
    tokens, _ = tokenize("$if(1, 2)")
    assert rewritten("$if(1, 2)", tokens) == "((1)?( 2):undefined)"
    assert rewritten(source, tokens[:-1]) == source
    tokens, _ = tokenize("$if(1)")
    assert rewritten("$if(1)", tokens) == "$if(1)"


def test_texts_that_never_end_are_failures_or_text() -> None:
    assert split("a {{ `x${ }} b") != []
    assert [failure.message for failure in compile_value("={{ `x${1 }}").failures] != []
    deep = compile_value("={{ " + "`${" * 3000 + "1" + "}`" * 3000 + " }}")
    assert deep.failures
    assert compile_value(["={{ 1 }}", {"a": ["=plain", 5]}, "x"]).build([7]) == [7, {"a": ["plain", 5]}, "x"]
    nested: Any = "={{ 1 }}"
    for _ in range(150):
        nested = [nested]
    assert str(compile_value(nested).build([7])) == "[" * 150 + "7" + "]" * 150
    assert compile_text("no segment").value == "no segment"


async def test_constants_need_no_evaluator() -> None:
    rows = await evaluate(
        [compile_value("a"), compile_value(["=b"])], Scope(items=[]), 2, EvaluatorPool(1), "p"
    )
    assert rows == [["a", ["b"]], ["a", ["b"]]]
    rows = await evaluate(
        [compile_value("a"), compile_value("={{ $itemIndex }}")], Scope(items=[]), 2, EvaluatorPool(1), "p"
    )
    assert rows == [["a", 0], ["a", 1]]


async def test_html_prints_what_is_missing() -> None:
    pool = EvaluatorPool(1, timeout=60.0)
    await pool.start()
    template = compile_text("<p>{{ $json.a }} {{ $json.b.c }} {{ [null].map(v => v)[0] }}</p>")
    rows = await evaluate([template], Scope(items=[{"json": {"a": None}}]), 1, pool, "p")
    await pool.stop()
    assert rows[0][0] == "<p>null undefined null</p>"


async def test_without_an_evaluator_each_item_says_so() -> None:
    rows = await evaluate(
        [compile_value("={{ 1 ** 2 }}")], Scope(items=[{"json": {}}]), 2, EvaluatorPool(1), "p"
    )
    assert [row[0].code for row in rows] == ["EVALUATOR_UNAVAILABLE"] * 2
    assert first_failure({"a": [1, {"b": rows[0][0]}]}) is rows[0][0]
    assert first_failure({"a": [1, "x"]}) is None


async def test_the_environment_is_given_where_it_is_allowed() -> None:
    pool = EvaluatorPool(1, timeout=60.0)
    await pool.start()
    given = Scope(items=[{"json": {}}], environment={"CITY": "Paris"})
    rows = await evaluate([compile_value("={{ $env.CITY }}")], given, 1, pool, "p")
    refused = await evaluate([compile_value("={{ $env.CITY }}")], Scope(items=[{"json": {}}]), 1, pool, "p")
    await pool.stop()
    assert rows == [["Paris"]]
    assert isinstance(refused[0][0], ExpressionFailure)


def test_requests_carry_what_is_named() -> None:
    runs = [[[{"json": {"r": run}}]] for run in range(3)]
    scope = Scope(
        items=[{"json": {}}],
        outputs=lambda name, run: None if run == 1 else runs[2 if run is None else run],
        exists={"X"}.__contains__,
        run_count=lambda _: 3,
        node_names=("X",),
        now=5_000_000,
        static_data={"global": {"a": 1}},
    )

    def data(source: str) -> Any:
        return data_of([analyse(tokenize(source)[0])], scope)

    assert set(data("$('X').all(0, 0)")["n"]["X"]["o"]) == {"0", "2"}
    assert set(data("$(name).item")["n"]) == {"X"}
    assert data("$getWorkflowStaticData('global')")["r"]["$static"]["global"] == {"a": 1}
    assert data("$now")["r"]["$now"] == 5000
    assert _dumps({"a": "\ud800"}) == b'{"a": "\\ud800"}'
    with pytest.raises(ValueError, match="1 answers to 2"):
        answers(b"[[1],[]]", 2, Scope([]))


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"nonsense"])
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(EvaluatorUnavailable):
        _checked(answer)


def test_an_answer_is_not_believed() -> None:
    scope = Scope(items=[], static_data={"global": {"a": 1}})
    odd = b'{"result":5,"logs":"x","static":{"global":5,"other":{"b":1}},"line":"x"}'
    assert _result(_checked(odd), each_item=True, scope=scope) == ([], [])
    assert scope.static_data == {"global": {"a": 1}}
    assert _checked(b'{"error":5,"static":5}')["static"] == {}


class Frames:
    """A process that says what the test wants: frames are answered in turn, b"" ends it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *told: bytes) -> None:
        program = (
            "import sys,socket,struct,time\n"
            "s=socket.socket(fileno=0)\n"
            f"for n,f in enumerate({list(told)!r}):\n"
            "    if n:\n"
            "        (z,)=struct.unpack('>I',s.recv(4,socket.MSG_WAITALL)); s.recv(z,socket.MSG_WAITALL)\n"
            "    if not f: sys.exit(1)\n"
            "    s.sendall(f)\n"
            "s.recv(1)\n"
        )
        command = [sys.executable, "-c", program]
        monkeypatch.setattr(evaluators, "_spawn", lambda _, connection: SPAWN(command, connection))


def told(status: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body), status) + body


READY = told(frames.OK, b"a wall")


async def started(monkeypatch: pytest.MonkeyPatch, *answers: bytes) -> EvaluatorPool:
    Frames(monkeypatch, READY, *answers)
    pool = EvaluatorPool(1)
    await pool.start()
    return pool


async def test_a_pool_names_missing_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = await started(monkeypatch)
    assert pool.missing == ["a wall"]
    await pool.stop()


async def test_no_process_is_no_evaluator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(EvaluatorUnavailable, match="No evaluator could be started"):
        await EvaluatorPool(1).start()


async def test_a_process_that_ends_at_once_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    Frames(monkeypatch, b"")
    with pytest.raises(EvaluatorUnavailable, match="did not start"):
        await EvaluatorPool(1).start()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "ended while it worked"),
        (struct.pack(">IB", 1 << 30, 0), "ended while it worked"),
        (told(frames.BROKEN, b"broken in two"), "broken in two"),
        (told(frames.ASKED, b"[]"), "broken|\\[\\]"),
    ],
)
async def test_a_process_that_misbehaves(monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str) -> None:
    pool = await started(monkeypatch, answer)
    with pytest.raises(EvaluatorUnavailable, match=words):
        await pool.run("p", b"C\n{}")
    await pool.stop()


async def test_expressions_that_are_broken_or_hang_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = await started(monkeypatch, told(frames.BROKEN, b"no luxon"))
    with pytest.raises(EvaluatorUnavailable, match="no luxon"):
        await pool.run("p", b"E\n{}")
    await pool.stop()
    hung = [told(frames.HUNG, b"%d" % at) for at in range(4)]
    pool = await started(monkeypatch, *hung)
    with pytest.raises(EvaluatorUnavailable, match="take too long"):
        await pool.run("p", b"E\n{}")
    await pool.stop()


async def test_who_is_cancelled_leaves_no_answer_behind() -> None:
    pool = EvaluatorPool(1, "code", timeout=60.0)
    await pool.start()
    script = b'C\n{"source":"while (true) {}","each":false,"w":[],"r":[],"d":{"i":[],"n":{},"r":{}}}'
    task = asyncio.create_task(pool.run("p", script))
    while not pool._all[0].alive:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not pool._all[0].alive
    done = await pool.run("p", script.replace(b"while (true) {}", b"return []"))
    assert b'"result":[]' in done
    await pool.stop()


async def test_another_project_gets_another_process() -> None:
    pool = EvaluatorPool(1, "code", timeout=60.0)
    await pool.start()
    script = b'C\n{"source":"return []","each":false,"w":[],"r":[],"d":{"i":[],"n":{},"r":{}}}'
    seen = []
    for project in ("one", "one", "two"):
        await pool.run(project, script)
        seen.append(pool._all[0]._child.pid)  # type: ignore[union-attr]
    await pool.stop()
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(("key", "value"), [(1, "x"), ("a b", "x"), ("a", True), ("a", None), ("a", {})])
def test_what_is_no_custom_data(key: Any, value: Any) -> None:
    held: dict[str, str] = {}
    with pytest.raises(ValueError, match="of custom data"):
        note(held, key, value)
    assert held == {}


def test_what_a_process_says_of_custom_data_is_checked() -> None:
    held = {f"k{n}": "" for n in range(9)}
    note_all(held, {"a b": "x", "n": 5, "k0": "new\0", "l" * 60: "v" * 600, "more": "x"})
    assert held == {"k0": "new", **{f"k{n}": "" for n in range(1, 9)}, "l" * 50: "v" * 512}
    note_all(held, ["no", "object"])
    assert len(held) == 10

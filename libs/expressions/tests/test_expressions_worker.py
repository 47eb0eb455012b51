"""The evaluator process's parts, called here without its jail; the jail's steps on a kernel that refuses them all."""

import ctypes
import json
import os
import platform
import resource
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from weft_expressions.worker import __main__ as worker
from weft_expressions.worker import frames, jail, python, seccomp, v8

LIBRARY = v8.load()


def frame(
    operation: bytes, body: bytes, project: bytes = b"p", names: bytes = b"", timeout: float = 30.0
) -> bytes:
    return frames.HEADER.pack(operation, timeout, len(project), len(names)) + project + names + body


def request(script: str, *, roots: list[str] | None = None) -> bytes:
    leaf = {"s": script, "r": roots or [], "m": False}
    body = {"x": [leaf], "u": [[0, 0]], "q": False, "d": {"i": [], "n": {}, "r": {"$timezone": "UTC"}}}
    return b"[[0,1e9,{},%s]]" % json.dumps(body).encode()


@pytest.fixture
def asked() -> list[bytes]:
    return []


@pytest.fixture
def made(asked: list[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[worker.Worker]:
    monkeypatch.setattr(v8, "load", lambda: LIBRARY)

    def ask(wanted: bytes) -> bytes:
        asked.append(wanted)
        return json.dumps([[number, {"got": value}] for number, _, value in json.loads(wanted)]).encode()

    made = worker.Worker(64 << 20, ask)
    yield made
    for isolate in made._isolates.values():
        isolate.close()


def test_expressions_are_answered(made: worker.Worker) -> None:
    made.warm_up()
    assert made.answer(frame(b"E", request("[1,2].map(v => v + 1)"))) == (frames.OK, b"[[[2,3]],[]]")
    status, body = made.answer(
        frame(b"E", request("DateTime.fromMillis(0).toISO()", roots=["DateTime"]), names=b"luxon")
    )
    assert (status, json.loads(body)[0]) == (frames.OK, ["1970-01-01T00:00:00.000Z"])
    assert next(iter(made._isolates.values())).libraries == {"luxon"}
    next(iter(made._isolates.values())).collect()


def test_what_hangs_is_told_by_its_place(made: worker.Worker) -> None:
    assert made.answer(frame(b"E", request("(() => { for (;;) {} })()"), timeout=0.2)) == (frames.HUNG, b"0")
    assert made._isolates == {}


def test_a_body_that_is_no_request_is_broken(made: worker.Worker) -> None:
    status, body = made.answer(frame(b"E", b"{"))
    assert status == frames.BROKEN
    assert b"JSON" in body
    assert made.answer(frame(b"?", b""))[0] == frames.BROKEN


def test_a_library_that_fails_is_broken(made: worker.Worker) -> None:
    made._sources["luxon"] = b"throw new Error('no luxon')"
    status, body = made.answer(frame(b"E", request("1"), names=b"luxon"))
    assert (status, b"no luxon" in body) == (frames.BROKEN, True)


def test_the_oldest_isolate_gives_way(made: worker.Worker) -> None:
    for number in range(worker._WARM_ISOLATES + 2):
        assert made.answer(frame(b"E", request("1"), project=b"%d" % number))[0] == frames.OK
    assert b"0" not in made._isolates
    assert len(made._isolates) == worker._WARM_ISOLATES


def test_too_much_memory_is_told(made: worker.Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    made.answer(frame(b"E", request("1")))

    def full(*_: Any) -> bytes:
        raise v8.OutOfMemory("full")

    monkeypatch.setattr(made._isolates[b"p"], "call", full)
    assert made.answer(frame(b"E", request("1"))) == (frames.OUT_OF_MEMORY, b"0")


def code(source: str, items: int = 1) -> bytes:
    data = {"i": [{"json": {}}] * items, "n": {}, "r": {"$timezone": "UTC"}}
    return json.dumps({"source": source, "each": False, "w": [], "r": [], "d": data}).encode()


def test_a_script_waits_for_timers_and_asks(made: worker.Worker, asked: list[bytes]) -> None:
    source = "await new Promise(r => setTimeout(r, 20)); return [await helpers.httpRequest({ url: 'u' })]"
    status, body = made.answer(frame(b"C", code(source)))
    assert status == frames.OK
    assert json.loads(body)["result"] == [{"got": {"url": "u"}}]
    assert json.loads(asked[0]) == [[1, "httpRequest", {"url": "u"}]]


def test_a_promise_that_nothing_settles_is_an_error(made: worker.Worker) -> None:
    _, body = made.answer(frame(b"C", code("await new Promise(() => {})")))
    assert "nothing can settle" in json.loads(body)["error"]


def test_a_timer_beyond_the_end_hangs(made: worker.Worker) -> None:
    assert (
        made.answer(frame(b"C", code("await new Promise(r => setTimeout(r, 60000))"), timeout=0.2))[0]
        == frames.HUNG
    )


def test_a_prelude_that_is_no_prelude_is_refused() -> None:
    for prelude in (b"(function(){ return 5 })", b"(function(){ return 'text' })"):
        with pytest.raises(v8.JavaScriptError):
            v8.Isolate(LIBRARY, prelude, 64 << 20)
    with pytest.raises(v8.JavaScriptError, match=r"syntax|Unexpected"):
        v8.Isolate(LIBRARY, b")", 64 << 20)
    isolate = v8.Isolate(
        LIBRARY, b"(function(){ return this == 'B' ? new SharedArrayBuffer(4) : 5 })", 64 << 20
    )
    with pytest.raises(v8.JavaScriptError, match="no text"):
        isolate.call(b"E", 30.0)
    isolate.close()


def test_one_processor_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *given: kept.append(given), raising=False)
    worker._stay(3)
    assert kept == [(0, {5})]


class Ended(BaseException):
    """Stands for the end of the process."""


@contextmanager
def running(
    main: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch, module: Any
) -> Iterator[socket.socket]:
    """Runs a process's main in a thread, with the other end of the socket in the place of standard input. The thread
    ends before this does: it must not meet the real `os._exit`."""
    ours, theirs = socket.socketpair()

    def end(_: int) -> None:
        raise Ended

    real = socket.socket
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(jail, "close", lambda _: ["a wall", "another"])
    monkeypatch.setattr(
        module.socket, "socket", lambda fileno: theirs if fileno == 0 else real(fileno=fileno)
    )
    monkeypatch.setattr(sys, "argv", ["-c", *arguments])

    def run() -> None:
        with pytest.raises(Ended):
            main()
        theirs.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ours.settimeout(60)
    try:
        yield ours
    finally:
        ours.close()
        thread.join()


def told(connection: socket.socket) -> tuple[int, bytes]:
    head = connection.recv(5, socket.MSG_WAITALL)
    length, status = struct.unpack(">IB", head)
    return status, connection.recv(length, socket.MSG_WAITALL)


def send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(struct.pack(">I", len(data)) + data)


def test_the_main_of_javascript(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v8, "load", lambda: LIBRARY)
    monkeypatch.setattr(worker, "_stay", lambda _: None)
    with running(worker.main, ["0", str(64 << 20), "0"], monkeypatch, worker) as ours:
        assert told(ours) == (frames.OK, b"a wall\nanother")
        send(ours, frame(b"E", request("1 + 1")))
        assert told(ours) == (frames.OK, b"[[2],[]]")
        send(ours, frame(b"C", code("return [await helpers.httpRequest('u')]")))
        status, body = told(ours)
        assert (status, json.loads(body)) == (frames.ASKED, [[1, "httpRequest", {"url": "u"}]])
        send(ours, frame(b"A", b'[[1,{"a":1}]]', project=b""))
        status, body = told(ours)
        assert (status, json.loads(body)["result"]) == (frames.OK, [{"a": 1}])


@pytest.mark.parametrize("zone", ["", "Europe/Berlin"])
def test_the_main_of_python(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    with running(python.main, ["0", zone, "math,json"], monkeypatch, python) as ours:
        assert told(ours) == (frames.OK, b"a wall\nanother")
        send(ours, frame(b"Y", script("import math\nreturn [{'a': math.floor(1.5), 'z': str(_now.tzinfo)}]")))
        status, body = told(ours)
        assert (status, json.loads(body)["result"]) == (frames.OK, [{"a": 1, "z": zone or "UTC"}])


def script(source: str, *, each: bool = False, items: Any = None, nodes: Any = None, **given: Any) -> bytes:
    data = {"i": [{"json": {"i": 0}}, {"json": {"i": 1}}] if items is None else items, "n": nodes or {}}
    return json.dumps({"source": source, "each": each, "d": data, "r": given}).encode()


BEFORE = {
    "o": {"0": [[{"json": {"a": 1}}, {"json": {"a": 2}}]]},
    "l": 0,
    "b": 0,
    "i": [{"json": {"a": 2}}, None],
}


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (script("return [{'a': i.json.i} for i in _items]"), [{"a": 0}, {"a": 1}]),
        (script("return {'a': _item.json.i}", each=True), [[{"a": 0}], [{"a": 1}]]),
        (script("_json.new = 1\nreturn _json"), {"i": 0, "new": 1}),
        (script("return _input.first() or _input.last() or _input.item or {'j': _json}", items=[]), {"j": {}}),
        (script("return [_input.all()[0], _input.first(), _input.last()]"), [{"json": {"i": n}} for n in (0, 0, 1)]),
        (script("return [_('B').item, _('B').first(), _('B').last(run=0), _('B').all(0, -1)[0], _node['B'].json]",
                nodes={"B": BEFORE}),
         [{"json": {"a": 2}}, {"json": {"a": 1}}, {"json": {"a": 2}}, {"json": {"a": 1}}, {"a": 1}]),
        (script("return [{'v': _runIndex, 'h': _today.hour}]", runIndex=3), [{"v": 3, "h": 0}]),
        (script("_getWorkflowStaticData('global').n = 5\nreturn []", static={"global": {}}), []),
        (script("return [{'s': frozenset([1]), 'f': float('inf')}]"), [{"s": [1], "f": None}]),
        (script(""), None),
    ],
)  # fmt: skip
def test_python_scripts(monkeypatch: pytest.MonkeyPatch, body: bytes, result: Any) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    status, answer = python.answer(body, python.UTC)
    assert status == frames.OK
    assert json.loads(answer)["result"] == result


@pytest.mark.parametrize(
    ("body", "words", "line", "item"),
    [
        (script("\nreturn nope"), "NameError", 2, None),
        (script("if _item.json.i: raise KeyError('k')", each=True), "KeyError", 1, 1),
        (script("x = ("), "SyntaxError", 1, None),
        (script("return _items[0].nope"), "no field", 1, None),
        (script("import nothing_of_that_name"), "ModuleNotFoundError", 1, None),
        (script("return object"), "can't be part", None, None),
        (script("return _('B').item", nodes={"B": {**BEFORE, "i": [None]}}), "no path back", 1, None),
        (script("return _('B').all()", nodes={"B": {"e": ["has not run"]}}), "has not run", 1, None),
        (script("return _('C').all()"), "doesn't exist", 1, None),
        (b"{", "JSONDecodeError", None, None),
    ],
)  # fmt: skip
def test_python_failures(
    monkeypatch: pytest.MonkeyPatch, body: bytes, words: str, line: int | None, item: int | None
) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    status, answer = python.answer(body, python.UTC)
    found = json.loads(answer)
    assert status == frames.OK
    assert words in found["error"]
    assert (found["line"], found["item"]) == (line, item)


def test_python_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    assert python.answer(script("raise MemoryError"), python.UTC) == (frames.OUT_OF_MEMORY, b"")


def test_what_python_prints() -> None:
    printed = python.Printed()
    print("a", 1, file=printed, flush=True)
    print("b", end="", file=printed)
    assert printed.all() == ["a 1", "b"]
    for number in range(2000):
        print(number, file=printed)
    assert len(printed.all()) == 1000


class Kernel:
    """Stands for the C library: answers `result` to every call and keeps the names."""

    def __init__(self, result: int) -> None:
        self.result = result
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*_: Any) -> int:
            self.calls.append(name)
            return self.result

        return call


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the jail would do to this process, kept instead of done."""
    done: dict[str, Any] = {"limits": {}, "closed": [], "files": [], "ids": []}
    monkeypatch.setattr(os, "closerange", lambda *given: done["closed"].append(given))
    monkeypatch.setattr(os, "dup2", lambda *given: done["closed"].append(given))
    monkeypatch.setattr(os, "chdir", done["files"].append)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(os, name, lambda *given: done["ids"].append(given))
    monkeypatch.setattr(resource, "setrlimit", done["limits"].setdefault)
    monkeypatch.setattr(jail, "_write", lambda path, text: done["files"].append((path, text)))
    return done


def test_a_kernel_that_gives_every_wall(untouched: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(0)
    monkeypatch.setattr(jail, "_libc", kernel)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: kernel)
    assert jail.close(1 << 20) == []
    assert os.environ == {}
    assert {"unshare", "mount", "umount2", "prctl", "syscall"} <= set(kernel.calls)
    assert untouched["limits"][resource.RLIMIT_DATA] == (1 << 20, 1 << 20)
    assert untouched["limits"][resource.RLIMIT_FSIZE] == (0, 0)
    assert untouched["ids"] == [([],), (65534,) * 3, (65534,) * 3]
    assert ("/proc/self/setgroups", "deny") in untouched["files"]


def test_a_kernel_that_refuses_is_named_wall_by_wall(
    untouched: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(-1)
    monkeypatch.setattr(jail, "_libc", kernel)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: kernel)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    missing = jail.close(1 << 20)
    assert [wall.split(":")[0] for wall in missing] == [
        "namespaces (no network, no files)",
        "unprivileged user",
        "no new privileges",
        "system call filter",
    ]
    assert untouched["ids"] == []


def test_a_file_is_written(tmp_path: Any) -> None:
    jail._write(str(tmp_path / "map"), "0 0 1")
    assert (tmp_path / "map").read_text() == "0 0 1"


def test_the_filter_is_a_whole_program(monkeypatch: pytest.MonkeyPatch) -> None:
    program = seccomp._program(4711)
    lines = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    for at, (operation, yes, no, _) in enumerate(lines):
        assert operation & 7 != 5 or at + 1 + max(yes, no) < len(lines)
    assert lines[-1][0] == seccomp._RETURN
    assert lines[-1][3] == seccomp._ERRNO | seccomp._EPERM
    monkeypatch.setattr(seccomp, "_ARCHITECTURE", 0)
    with pytest.raises(OSError, match=platform.machine()):
        seccomp.install()

"""A process for one Python script: reads what it may need, closes the jail, runs the script, says what came of it.

A language-level sandbox is no boundary, so there is none: the jail is the wall, and the process ends with the script.
"""

import ast
import builtins
import json
import os
import socket
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from types import CodeType
from typing import Any, Final

from weft_expressions.custom_data import note
from weft_expressions.worker import frames, jail

FILE: Final = "code.py"
_MOST_LINES: Final = 1000
_LONGEST_LINE: Final = 20_000


class Record(dict[str, Any]):
    """A JSON object whose fields can be reached by dot as well, where dict has no such name."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no field '{name}'") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Printed:
    """Stands for standard output: lines, as many as are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._open = ""

    def write(self, text: str) -> int:
        *whole, self._open = (self._open + text).split("\n")
        for line in whole:
            self._keep(line)
        self._open = self._open[:_LONGEST_LINE]
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    def all(self) -> list[str]:
        if self._open:
            self._keep(self._open)
            self._open = ""
        return self.lines

    def _keep(self, line: str) -> None:
        if len(self.lines) < _MOST_LINES:
            self.lines.append(line[:_LONGEST_LINE])


class Input:
    """`_input`"""

    def __init__(self, items: list[Record]) -> None:
        self._items = items
        self.item: Record | None = items[0] if items else None

    def all(self) -> list[Record]:
        return self._items

    def first(self) -> Record | None:
        return self._items[0] if self._items else None

    def last(self) -> Record | None:
        return self._items[-1] if self._items else None


class Node:
    """`_("Name")` and `_node["Name"]`. `about` is what request.py says of a node."""

    def __init__(self, name: str, about: Record | None, at: Callable[[], int]) -> None:
        self._name, self._about, self._at = name, about, at

    def _executed(self) -> Record:
        if self._about is None:
            raise LookupError(f"Referenced node '{self._name}' doesn't exist")
        if "e" in self._about:
            raise LookupError(self._about["e"][0])
        return self._about

    def all(self, output: int | None = None, run: int | None = None) -> list[Record]:
        about = self._executed()
        outputs = about["o"][str(about["l"] if run is None or run < 0 else run)]
        number = about["b"] if output is None else output
        found: list[Record] = outputs[number] if number < len(outputs) else []
        return found

    def first(self, output: int | None = None, run: int | None = None) -> Record:
        return self.all(output, run)[0]

    def last(self, output: int | None = None, run: int | None = None) -> Record:
        return self.all(output, run)[-1]

    @property
    def item(self) -> Record:
        found: Record | None = self._executed()["i"][self._at()]
        if found is None:
            raise LookupError(f"There is no path back from item {self._at()} to '{self._name}'")
        return found

    @property
    def json(self) -> Record:
        items = self.all()
        return items[min(self._at(), len(items) - 1)]["json"]  # type: ignore[no-any-return]


class Nodes:
    """`_node` and `_`"""

    def __init__(self, known: Record, at: Callable[[], int]) -> None:
        self._known, self._at = known, at

    def __getitem__(self, name: str) -> Node:
        return Node(name, self._known.get(name), self._at)

    __call__ = __getitem__


class CustomData:
    """`_execution.customData`"""

    def __init__(self, held: dict[str, str]) -> None:
        self._held = held
        self._before = dict(held)

    def get(self, key: str) -> str | None:
        return self._held.get(key)

    def getAll(self) -> dict[str, str]:  # noqa: N802 - n8n's name
        return dict(self._held)

    def set(self, key: str, value: str | float) -> None:
        note(self._held, key, value)

    def setAll(self, values: dict[str, str | float]) -> None:  # noqa: N802
        for key, value in values.items():
            self.set(key, value)

    def fresh(self) -> dict[str, str]:
        return {key: text for key, text in self._held.items() if self._before.get(key) != text}


class Script:
    """`request`: source, each, d (data), r (further names by name without the underscore)."""

    def __init__(self, request: Record, zone: Any) -> None:
        self.request = request
        self._zone = zone
        self.place: int | None = None
        execution = request["r"].get("execution", {})
        self.custom = CustomData(execution.get("customData", {}))
        if execution:
            execution["customData"] = self.custom

    def run(self) -> dict[str, Any]:
        """{result, static}; `result` in each-item mode is a list of lists of one, as of JavaScript."""
        names = self._names()
        run = self._compiled(names)
        items = self.request["d"]["i"]
        if not self.request["each"]:
            names |= {"_items": items}
            result = run()
            return {"result": result, "kind": "null" if result is None else "object"}
        results: list[Any] = []
        for self.place, item in enumerate(items):
            names |= {"_item": item, "_json": item["json"]}
            names["_input"].item = item
            try:
                results.append([run()])
            except Exception as error:
                if not self.request.get("k"):
                    raise
                results.append({"e": [*told(error), line_of(error)]})
        return {"result": results, "kind": "object"}

    def _names(self) -> dict[str, Any]:
        data, given = self.request["d"], self.request["r"]
        items = data["i"]
        nodes = Nodes(data["n"], lambda: self.place or 0)
        now = datetime.now(self._zone)
        static = given.pop("static", {})
        return {
            "__name__": "__main__",
            "__builtins__": builtins,
            "_input": Input(items),
            "_json": items[0]["json"] if items else Record(),
            "_node": nodes,
            "_": nodes,
            "_now": now,
            "_today": now.replace(hour=0, minute=0, second=0, microsecond=0),
            "_getWorkflowStaticData": lambda kind: static.setdefault(kind, Record()),
            **{f"_{name}": value for name, value in given.items()},
        }

    def _compiled(self, names: dict[str, Any]) -> Callable[[], Any]:
        exec(compiled(self.request["source"]), names)  # noqa: S102 - in the jail
        return names["code"]  # type: ignore[no-any-return]


def compiled(source: str) -> CodeType:
    """The source as the body of a function `code`, lines kept. Raises SyntaxError, ValueError, RecursionError,
    MemoryError."""
    module = ast.parse(source, FILE)
    shell = ast.parse("def code(): pass", FILE)
    function = shell.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = module.body or function.body
    return compile(shell, FILE, "exec")


def wrong(source: str) -> str:
    """What keeps it from being compiled; empty where nothing does."""
    try:
        compiled(source)
    except SyntaxError as error:
        return f"{error.msg} [line {error.lineno}]"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or "the script is nested too deep"
    return ""


def shown(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, CustomData):
        return value.getAll()
    raise TypeError(f"A value of type {type(value).__name__} can't be part of an item")


def dumped(value: Any) -> bytes:
    """JSON; NaN and the infinities are null, lone surrogates, which no UTF-8 has, U+FFFD."""
    try:
        text = json.dumps(value, default=shown, allow_nan=False, ensure_ascii=False)
    except ValueError:
        plain = json.loads(json.dumps(value, default=shown), parse_constant=lambda _: None)
        text = json.dumps(plain, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def line_of(error: BaseException) -> int | None:
    """The last line of the script that the error came by."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def told(error: BaseException) -> tuple[str, str]:
    """What happened, and what to do."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    description = ""
    if isinstance(error, ImportError):
        description = (
            "Code may import modules of Python's standard library that need no files and no network."
        )
    return f"{type(error).__name__}: {text}", description


def failure(error: BaseException, script: Script | None, logs: list[str]) -> bytes:
    message, description = told(error)
    place, custom = (script.place, script.custom.fresh()) if script else (None, {})
    found = {"error": message, "description": description, "line": line_of(error), "item": place}
    return dumped({**found, "logs": logs, "custom": custom})


def answer(body: bytes, zone: Any) -> tuple[int, bytes]:
    """(status, body) of the run."""
    printed = Printed()
    sys.stdout = sys.stderr = printed
    script = None
    try:
        request = json.loads(body, object_hook=Record)
        if "check" in request:
            return frames.OK, dumped({"result": [wrong(source) for source in request["check"]]})
        script = Script(request, zone)
        static = script.request["r"].get("static")
        done = script.run()
        if static is not None:
            done["static"] = static
        return frames.OK, dumped({**done, "logs": printed.all(), "custom": script.custom.fresh()})
    except MemoryError:
        return frames.OUT_OF_MEMORY, b""
    except BaseException as error:  # noqa: BLE001 - a script may raise anything, also SystemExit
        return frames.OK, failure(error, script, printed.all())


def main() -> None:
    """Arguments: bytes of memory, name of the time zone, modules to import before the jail closes, with commas."""
    memory, zone_name, modules = int(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
    for name in filter(None, modules):
        __import__(name)
    zone: Any = UTC
    if zone_name:
        from zoneinfo import ZoneInfo

        zone = ZoneInfo(zone_name)
    connection = socket.socket(fileno=0)
    missing = jail.close(memory)
    frames.reply(connection, frames.OK, "\n".join(missing).encode())
    frame = frames.receive(connection)
    _, _, project, names = frames.HEADER.unpack_from(frame)
    status, body = answer(frame[frames.HEADER.size + project + names :], zone)
    frames.reply(connection, status, body)
    os._exit(0)

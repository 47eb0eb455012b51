"""Scripts of Code nodes."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from secrets import token_hex
from typing import Any, Final

import orjson

from weft_expressions.analysis import Names, analyse, assigned, rewritten
from weft_expressions.custom_data import note_all
from weft_expressions.errors import CodeFailure, EvaluatorUnavailable
from weft_expressions.evaluator import EvaluatorPool, Interrupted
from weft_expressions.lexer import LexicalError, Token, tokenize
from weft_expressions.request import HASHES, data_of, for_methods
from weft_expressions.returned import Made, items_of_all, items_of_each
from weft_expressions.scope import Scope
from weft_expressions.turns import give_way

Help = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""(kind, options) of what a script wants from outside to a JSON value: kind "httpRequest" or "request", as of
`this.helpers`; "getBinaryDataBuffer" with {item, name} to {data}, "prepareBinaryData" with {data, fileName, mimeType}
to an entry of `binary`, data in base64. Raises HelpRefused."""
_MODULES: Final = frozenset(
    [
        "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections",
        "collections.abc", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib",
        "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "html", "html.parser", "io",
        "ipaddress", "itertools", "json", "math", "numbers", "operator", "os", "pprint", "random", "re",
        "secrets", "socket", "statistics", "string", "struct", "sys", "textwrap", "time", "traceback",
        "types", "typing", "unicodedata", "urllib.parse", "uuid", "xml.etree.ElementTree", "zlib",
        "zoneinfo",
    ]
)  # fmt: skip
"""What Python code may import: imported before the jail closes, since there are no files in it."""
_MOST_LINES: Final = 1000
_LONG: Final = 100_000
"""Bytes of an answer that took long to read."""
_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([\w., \t]+))", re.MULTILINE
)
_PYTHON_NODE: Final = re.compile(r"""\b_(?:\(|node\[)\s*(?:"([^"\n]*)"|'([^'\n]*)')\s*[)\]]""")
_PYTHON_COMPUTED: Final = re.compile(r"""\b_(?:\(|node\[)\s*[^"'\s]""")
_PYTHON_NAMES: Final = {
    "_runIndex": "$runIndex", "_prevNode": "$prevNode", "_execution": "$execution", "_workflow": "$workflow",
    "_vars": "$vars", "_parameter": "$parameter", "_nodeVersion": "$nodeVersion", "_env": "$env",
    "_getWorkflowStaticData": "$getWorkflowStaticData",
}  # fmt: skip


class HelpRefused(Exception):
    """The script gets it as an error. `fields` are further ones of the error, for example `httpCode`."""

    def __init__(self, message: str, fields: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}


async def run_javascript(
    pool: EvaluatorPool,
    project_id: str,
    source: str,
    each_item: bool,
    scope: Scope,
    timeout: float = 60.0,
    helper: Help | None = None,
    *,
    keep_failures: bool = False,
    modules: Collection[str] = (),
) -> tuple[list[Made], list[str]]:
    """Runs the script once over all items, or once per item. Gives validated items, with `pairedItem` where the
    script or the counts say so, and the lines printed by `console`; entries of `scope.static_data` become what the
    script made of them, as `scope.custom_data` does even where it fails. Raises CodeFailure. `timeout` in seconds of
    wall time for the whole run. `keep_failures`: per item, a failure is in the place of the item that it belongs to.
    `modules`: what it may `require`, "*" for all that there are (modules.js)."""
    names, script, undeclared = _read(source)
    body: dict[str, Any] = {
        "source": script,
        "each": each_item,
        "k": keep_failures,
        "w": undeclared,
        "r": sorted(names.roots),
        "d": {**data_of([names], scope), "i": list(scope.items)},
    }
    libraries = names.libraries | for_methods(script)
    if modules and "require" in source:
        body |= {"modules": sorted(modules), "seed": token_hex(32)}
        libraries |= set(HASHES) if "crypto" in source else set()
    request = (
        b"C"
        + ",".join(sorted(libraries)).encode()
        + b"\n"
        + orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    )

    async def ask(wanted: bytes) -> bytes:
        return orjson.dumps(await asyncio.gather(*[_helped(helper, *each) for each in orjson.loads(wanted)]))

    try:
        answer = await pool.run(project_id, request, timeout=timeout, ask=ask)
    except Interrupted as stop:
        raise CodeFailure(str(stop)) from None
    checked = _checked(answer)
    if len(answer) > _LONG:
        await give_way()
    return _result(checked, each_item, scope, keep_failures=keep_failures)


async def _helped(helper: Help | None, number: int, kind: str, options: Any) -> list[Any]:
    """[number, value], or [number, null, message, fields]."""
    try:
        if helper is None:
            raise HelpRefused("Requests are not possible here")
        if not isinstance(options, dict):
            raise HelpRefused("The options of a request are an object: { url: 'https://…' }")
        return [number, await helper(kind, options)]
    except HelpRefused as refused:
        return [number, None, refused.message, refused.fields]


async def run_python(
    pool: EvaluatorPool,
    source: str,
    each_item: bool,
    scope: Scope,
    timeout: float = 60.0,
    *,
    keep_failures: bool = False,
) -> tuple[list[Made], list[str]]:
    """The same in Python. Raises CodeFailure."""
    found, computed = python_references(source)
    roots = {root for name, root in _PYTHON_NAMES.items() if name in source}
    names = Names(roots=roots, nodes={name: {"all", "item"} for name in found}, dynamic=computed)
    data = data_of([names], scope)
    given = {root[1:]: value for root, value in data["r"].items() if root in roots}
    if "$getWorkflowStaticData" in roots:
        given["static"] = data["r"]["$static"]
    body = {
        "source": source,
        "each": each_item,
        "k": keep_failures,
        "d": {"i": list(scope.items), "n": data["n"]},
        "r": given,
    }
    zone = scope.timezone if "_now" in source or "_today" in source else ""
    request = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    try:
        answer = await pool.run_python(request, zone, _imported(source), timeout)
    except Interrupted as stop:
        raise CodeFailure(str(stop)) from None
    return _result(_checked(answer), each_item, scope, keep_failures=keep_failures)


def _imported(source: str) -> list[str]:
    wanted = {
        name.split()[0]
        for module, modules in _IMPORT.findall(source)
        for name in (module or modules).split(",")
        if name.strip()
    }
    return sorted(wanted & _MODULES)


def _checked(answer: bytes) -> dict[str, Any]:
    """The answer as an object. A script can write what it likes in its process's name, so nothing is taken for
    granted. Raises EvaluatorUnavailable, CodeFailure for what is nested too deep to be read."""
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:
            raise CodeFailure("The code returned items nested over 200 levels deep") from None
        found = None
    if not isinstance(found, dict) or not ("error" in found or "result" in found):
        raise EvaluatorUnavailable("The code's process gave no answer.")
    logs = found.get("logs")
    found["logs"] = [str(line) for line in logs[:_MOST_LINES]] if isinstance(logs, list) else []
    if not isinstance(found.get("static"), dict):
        found["static"] = {}
    return found


def _result(
    answer: dict[str, Any], each_item: bool, scope: Scope, *, keep_failures: bool = False
) -> tuple[list[Made], list[str]]:
    logs: list[str] = answer["logs"]
    note_all(scope.custom_data, answer.get("custom"))
    if "error" in answer:
        line, item = answer.get("line"), answer.get("item")
        raise CodeFailure(
            str(answer["error"]),
            description=str(answer.get("description") or ""),
            line=line if isinstance(line, int) else None,
            item_index=item if isinstance(item, int) else None,
            logs=tuple(logs),
        )
    for kind, entry in answer["static"].items():
        held = scope.static_data.get(kind)
        if held is not None and isinstance(entry, dict):
            held.clear()
            held.update(entry)
    result = answer["result"]
    if each_item:
        return items_of_each(result, tuple(logs), keep_failures=keep_failures), logs
    return [*items_of_all(result, answer.get("kind", ""), len(scope.items), tuple(logs))], logs


def references(source: str) -> tuple[frozenset[str], bool]:
    """(names of nodes that the script reads, whether it computes one)."""
    names, _, _ = _read(source)
    return frozenset(names.nodes), names.dynamic


def python_references(source: str) -> tuple[frozenset[str], bool]:
    """The same for Python."""
    found = frozenset(a or b for a, b in _PYTHON_NODE.findall(source))
    return found, _PYTHON_COMPUTED.search(source) is not None


@lru_cache(maxsize=512)
def _read(source: str) -> tuple[Names, str, tuple[str, ...]]:
    """What the script names, the script with n8n's methods made calls by symbol, and names that it may assign to
    without having declared them."""
    tokens: tuple[Token, ...]
    try:
        tokens, _ = tokenize(source)
    except (LexicalError, RecursionError):
        return Names(dynamic="$" in source), source, ()
    if not tokens:
        return Names(), source, ()
    return analyse(tokens), rewritten(source, tokens), tuple(sorted(assigned(tokens)))

"""Scripts of Code nodes."""

from functools import lru_cache
from typing import Any, Final

import orjson

from weft_expressions.analysis import Names, analyse, rewritten
from weft_expressions.errors import CodeFailure
from weft_expressions.evaluator import EvaluatorPool, Interrupted
from weft_expressions.lexer import LexicalError, Token, tokenize
from weft_expressions.request import data_of
from weft_expressions.scope import Item, Scope

_EACH_HINT: Final = (
    "In this mode a script returns one item: an object, for example { json: { name: $json.name } }."
)
_ALL_HINT: Final = "Return a list of items: return [{ json: { name: 'Ada' } }]."
_KEYS: Final = frozenset({"json", "binary", "pairedItem", "error", "index"})


async def run_javascript(
    pool: EvaluatorPool, project_id: str, source: str, each_item: bool, scope: Scope, timeout: float = 60.0
) -> tuple[list[Item], list[str]]:
    """Runs the script once over all items, or once per item. Gives validated items, with `pairedItem` where the
    script or the counts say so, and the lines printed by `console`; entries of `scope.static_data` become what the
    script made of them. Raises CodeFailure. `timeout` in seconds of wall
    time for the whole run."""
    names, script = _read(source)
    body = {
        "source": script,
        "each": each_item,
        "r": sorted(names.roots),
        "d": {**data_of([names], scope), "i": list(scope.items)},
    }
    libraries = ",".join(sorted({*names.libraries, *(("md5", "sha") if "[$$.hash]" in script else ())}))
    request = b"C" + libraries.encode() + b"\n" + orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    try:
        answer = orjson.loads(await pool.run(project_id, request, timeout=timeout))
    except Interrupted as stop:
        raise CodeFailure(str(stop)) from None
    logs = list(answer.get("logs") or ())
    if "error" in answer:
        raise CodeFailure(
            answer["error"],
            description=answer.get("description") or "",
            line=answer.get("line"),
            item_index=answer.get("item"),
            logs=tuple(logs),
        )
    for kind, entry in (answer.get("static") or {}).items():
        held = scope.static_data.get(kind)
        if held is not None and isinstance(entry, dict):
            held.clear()
            held.update(entry)
    result = answer["result"]
    made = _each(result, logs) if each_item else _all(result, answer.get("kind", ""), logs, len(scope.items))
    return made, logs


def references(source: str) -> tuple[frozenset[str], bool]:
    """(names of nodes that the script reads, whether it computes one)."""
    names, _ = _read(source)
    return frozenset(names.nodes), names.dynamic


@lru_cache(maxsize=512)
def _read(source: str) -> tuple[Names, str]:
    """What the script names, and the script with n8n's methods made calls by symbol."""
    tokens: tuple[Token, ...]
    try:
        tokens, _ = tokenize(source)
    except (LexicalError, RecursionError):
        return Names(dynamic="$" in source), source
    names = analyse(tokens)
    return names, rewritten(source, tokens) if tokens else source


def _all(result: Any, kind: str, logs: list[str], width: int) -> list[Item]:
    if kind in ("undefined", "null"):
        raise CodeFailure("The code returned nothing", description=_ALL_HINT, logs=tuple(logs))
    values = result if isinstance(result, list) else [result]
    made = [_item(value, index, logs, _ALL_HINT) for index, value in enumerate(values)]
    if any(_KEYS & value.keys() for value in values) and not all("json" in value for value in values):
        text = "Some of the returned items have `json` and some have not"
        raise CodeFailure(text, description=_ALL_HINT, logs=tuple(logs))
    if len(made) == width:
        for index, item in enumerate(made):
            item.setdefault("pairedItem", {"item": index})
    return made


def _each(result: Any, logs: list[str]) -> list[Item]:
    """Results in lists of one, an empty one for undefined."""
    made = []
    for index, held in enumerate(result or ()):
        if not held or held[0] is None:
            text = "The code returned nothing for an item"
            raise CodeFailure(text, description=_EACH_HINT, item_index=index, logs=tuple(logs))
        if isinstance(held[0], list):
            text = "The code returned a list for one item"
            raise CodeFailure(text, description=_EACH_HINT, item_index=index, logs=tuple(logs))
        item = _item(held[0], index, logs, _EACH_HINT)
        item["pairedItem"] = {"item": index}
        made.append(item)
    return made


def _item(value: Any, index: int, logs: list[str], hint: str) -> Item:
    if not isinstance(value, dict):
        text = "A returned item is not an object"
        raise CodeFailure(text, description=hint, item_index=index, logs=tuple(logs))
    if "json" not in value and not ("binary" in value and value.keys() <= _KEYS):
        return {"json": value}
    json = value.get("json", {})
    if not isinstance(json, dict):
        text = "The `json` of a returned item is not an object"
        raise CodeFailure(text, description=hint, item_index=index, logs=tuple(logs))
    item: Item = {"json": json}
    for name in ("binary", "pairedItem"):
        if value.get(name) is not None:
            item[name] = value[name]
    return item

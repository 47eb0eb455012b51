"""Query parameters: what is asked for by `$1`, `$2`, …"""

import re
from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import RunContext
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import compact_json, members, text_of, value

from weft_nodes.databases.sql_text import parameters_in

_PIECE = re.compile(r"\s*(\{\{.*?\}\})\s*(?:,|\Z)", re.DOTALL)


async def replacements(
    ctx: RunContext, index: int, parameters: Mapping[str, Any], *, typed: bool
) -> list[Any]:
    """The values of an item: a list, or texts between commas. Expressions between commas are a value each, as n8n has
    it: `typed` as they are, else as texts, in which commas divide again unless they are JSON."""
    given = value(members(parameters).get("queryReplacement"))
    raw = members(ctx.node.parameters).get("queryReplacement")
    pieces = _pieces(raw)
    if not pieces or isinstance(given, list):
        return parameters_in(given)
    values = await ctx.evaluate([f"={each}" for each in pieces], index) if len(pieces) > 1 else [given]
    return list(values) if typed else [text for each in values for text in _texts(each)]


def _pieces(raw: Any) -> list[str]:
    """The expressions of a text that has nothing else but commas."""
    if not isinstance(raw, str) or not raw.startswith("="):
        return []
    found = list(_PIECE.finditer(raw, 1))
    ends = [1, *(each.end() for each in found)]
    whole = all(each.start() == end for each, end in zip(found, ends, strict=False)) and ends[-1] == len(raw)
    return [each[1] for each in found] if whole else []


def _texts(given: Any) -> list[Any]:
    if given is None:
        return [None]
    if isinstance(given, dict | list):
        return [compact_json(given)]
    text = text_of(given)
    try:
        if isinstance(parse_json(text), dict | list):
            return [text]
    except ValueError:
        pass
    return parameters_in(text) or [""]

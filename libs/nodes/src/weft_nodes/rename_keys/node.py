"""Rename Keys: by name, and by regular expressions."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.paths import MISSING, drop, get, put
from weft_node_sdk.patterns import replaced
from weft_node_sdk.values import entries, members, value


def _rename(json: dict[str, Any], original: dict[str, Any], current: str, new: str) -> None:
    """The value is the one that the name had in the beginning, so that two names can change places."""
    if current == new or not current or not new:
        return
    found = get(original, current)
    if found is not MISSING:
        drop(json, current)
        put(json, new, found)


def _by_pattern(held: Any, entry: dict[str, Any], depth: int) -> Any:
    """Names of objects changed, down to `depth` levels below (-1: all)."""
    if isinstance(held, list):
        return [_by_pattern(member, entry, depth) for member in held]
    if not isinstance(held, dict):
        return held
    pattern, replacement = str(value(entry.get("searchRegex", ""))), str(value(entry.get("replaceRegex", "")))
    ignore_case = members(entry).get("caseInsensitive") is True
    return {
        replaced(pattern, replacement, name, ignore_case=ignore_case): (
            member if depth == 0 else _by_pattern(member, entry, depth - 1)
        )
        for name, member in held.items()
    }


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        json = dict(item["json"])
        for entry in entries(parameters, "keys", "key"):
            current, new = (str(value(entry.get(name, ""))) for name in ("currentKey", "newKey"))
            _rename(json, item["json"], current, new)
        for entry in entries(members(parameters, "additionalOptions"), "regexReplacement", "replacements"):
            depth = members(entry).get("depth", -1)
            json = _by_pattern(json, entry, int(depth) if isinstance(depth, int | float) else -1)
        output.append(made(json, index, item))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]

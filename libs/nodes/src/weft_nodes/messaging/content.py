"""What is sent: texts and headers from the parameters that nodes of brokers have in common."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import compact_json, entries, text_of, value


def message_of(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> str:
    """The item's fields as JSON, or the message that the parameters give."""
    if parameters.get("sendInputData", True) is not False:
        return compact_json(ctx.items[index]["json"])
    return text_of(parameters.get("message"))


def named_values(parameters: Mapping[str, Any], collection: str, group: str) -> dict[str, Any]:
    """Entries of `key` and `value`; a later one of the same name counts."""
    found = {
        text_of(each.get("key")): value(each.get("value")) for each in entries(parameters, collection, group)
    }
    return {name: held for name, held in found.items() if name}


def object_of(given: Any, what: str) -> dict[str, Any]:
    """An object, or its JSON; nothing is the empty object. Raises NodeRunError for anything else."""
    given = value(given)
    if given in (None, ""):
        return {}
    if isinstance(given, str):
        try:
            given = parse_json(given)
        except ValueError as error:
            raise NodeRunError(f"{what} are not valid JSON: {error}") from None
    if not isinstance(given, dict):
        raise NodeRunError(f"{what} must be an object")
    return given

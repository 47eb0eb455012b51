"""OpenThesaurus: German synonyms, by its public API: https://www.openthesaurus.de/about/api."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, text_of, value

from weft_nodes.network.rest import Rest

_BASE: Final = "https://www.openthesaurus.de/synonyme"
_OPTIONS: Final = (
    "baseform",
    "similar",
    "startswith",
    "substring",
    "substringFromResults",
    "substringMaxResults",
    "subsynsets",
    "supersynsets",
)


async def _synonyms(api: Rest, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    text = text_of(parameters.get("text")).strip()
    if not text:
        raise NodeRunError("The text must be given", parameter=("text",))
    options = members(parameters)
    more = {name: value(options[name]) for name in _OPTIONS if name in options}
    found = await api.ask("GET", "/search", {"q": text, "format": "application/json", **more})
    return list(found.get("synsets") or [])


async def run(ctx: RunContext) -> Outputs:
    api = Rest(ctx.http, "OpenThesaurus", _BASE, Authentication(), {})

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        return [made(row, index) for row in await _synonyms(api, parameters)]

    return [await map_items(ctx, handle)]

"""Hacker News, by its public search: https://hn.algolia.com/api."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, names_in, text_of, value, well_formed

from weft_nodes.network.rest import Rest

_BASE: Final = "https://hn.algolia.com/api/v1"
_PAGE: Final = 100


def _named(parameters: Mapping[str, Any], name: str, label: str) -> str:
    text = well_formed(text_of(parameters.get(name)).strip())
    if not text:
        raise NodeRunError(f"{label} must be given", parameter=(name,))
    return quote(text, safe="")


async def _found(api: Rest, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    more = members(parameters, "additionalFields")
    limit = value(parameters.get("limit", 100))
    everything = parameters.get("returnAll") is True
    if not everything and (not isinstance(limit, int | float) or limit < 0):
        raise NodeRunError(f"The limit {limit!r} is no number", parameter=("limit",))
    query = {
        "query": text_of(more.get("keyword")) or None,
        "tags": ",".join(names_in(value(more.get("tags")))) or None,
        "hitsPerPage": _PAGE if everything else min(int(limit), 1000),
    }
    hits: list[dict[str, Any]] = []
    number = 0
    while everything or len(hits) < limit:
        page = await api.ask("GET", "/search", {**query, "page": number})
        hits += page.get("hits") or []
        number += 1
        if not page.get("hits") or number >= (page.get("nbPages") or 0):
            break
    return hits if everything else hits[: int(limit)]


async def _rows(api: Rest, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    match parameters.get("resource", "article"):
        case "all":
            return await _found(api, parameters)
        case "article":
            found = await api.ask("GET", f"/items/{_named(parameters, 'articleId', 'The article')}")
            if members(parameters, "additionalFields").get("includeComments") is not True:
                found.pop("children", None)
            return [found]
        case "user":
            name = _named(parameters, "username", "The user's name")
            return [await api.ask("GET", f"/users/{name}")]
        case other:
            raise NodeRunError(f"The resource '{other}' is not known", code="UNSUPPORTED")


async def run(ctx: RunContext) -> Outputs:
    api = Rest(ctx.http, "Hacker News", _BASE, Authentication(), {})

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        return [made(row, index) for row in await _rows(api, parameters)]

    return [await map_items(ctx, handle)]

"""Workflows of the instance that the credential leads to."""

from weft_node_sdk.options import Choice, Choices, LoadContext, Loaders

from weft_nodes.n8n.client import service


async def workflows(ctx: LoadContext) -> Choices:
    """One page; the API looks for whole names only, so that a search looks through the page."""
    added = await ctx.authentication("n8nApi")
    query = {"limit": 100, "excludePinnedData": True, "cursor": ctx.cursor or None}
    page = await service(ctx.http, added, {"timeout": 8000}).ask("GET", "/workflows", query)
    wanted = ctx.search.casefold()
    found = [
        Choice(str(each.get("name")), str(each.get("id")))
        for each in page.get("data") or []
        if wanted in str(each.get("name")).casefold()
    ]
    return Choices(found, str(page.get("nextCursor") or ""))


LOADERS: Loaders = {"workflow": workflows}

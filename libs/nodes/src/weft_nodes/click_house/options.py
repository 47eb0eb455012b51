"""Tables of the credential's database."""

from weft_node_sdk.options import PAGE, Choice, Choices, LoadContext, Loaders, offset, paged

from weft_nodes.click_house.client import client_of

_TABLES = """SELECT name FROM system.tables WHERE database = currentDatabase()
AND positionCaseInsensitiveUTF8(name, {search:String}) > 0 ORDER BY name LIMIT {most:UInt32} OFFSET {first:UInt32}"""


async def tables(ctx: LoadContext) -> Choices:
    settings = {
        "default_format": "JSON",
        "param_search": ctx.search.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n"),
        "param_most": PAGE + 1,
        "param_first": offset(ctx),
    }
    found = await (await client_of(ctx, 8.0)).ask(settings, _TABLES.encode())
    return paged([Choice(row["name"], row["name"]) for row in found["data"]], offset(ctx))


LOADERS: Loaders = {"table": tables}

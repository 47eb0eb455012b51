"""Collections of the database that a node is connected to."""

from weft_node_sdk.options import Choice, Choices, LoadContext, Loaders, filtered

from weft_nodes.mongo_db.connection import connect, said


async def collections(ctx: LoadContext) -> Choices:
    async with connect(ctx, await ctx.credential("mongoDb")) as database:
        with said():
            names = await database.list_collection_names()
    return filtered([Choice(name, name) for name in sorted(names)], ctx)


LOADERS: Loaders = {"collection": collections}

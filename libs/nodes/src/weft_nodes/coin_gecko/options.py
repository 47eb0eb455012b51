"""Choices of CoinGecko: coins, currencies, exchanges."""

from weft_node_sdk.credentials import Authentication
from weft_node_sdk.options import Choice, Choices, LoadContext, Loaders, filtered

from weft_nodes.coin_gecko.node import BASE
from weft_nodes.network.rest import Rest


async def _named(ctx: LoadContext, place: str) -> Choices:
    found = await Rest(ctx.http, "CoinGecko", BASE, Authentication(), {}).ask("GET", place)
    return filtered((Choice(str(each["name"]), str(each["id"])) for each in found), ctx)


async def coins(ctx: LoadContext) -> Choices:
    return await _named(ctx, "/coins/list")


async def exchanges(ctx: LoadContext) -> Choices:
    return await _named(ctx, "/exchanges/list")


async def currencies(ctx: LoadContext) -> Choices:
    place = "/simple/supported_vs_currencies"
    found = await Rest(ctx.http, "CoinGecko", BASE, Authentication(), {}).ask("GET", place)
    return filtered((Choice(str(code).upper(), str(code)) for code in found), ctx)


LOADERS: Loaders = {"coin": coins, "currency": currencies, "exchange": exchanges}

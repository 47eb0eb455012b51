"""Choices of CoinGecko: coins, currencies, exchanges."""

from typing import Any

from weft_node_sdk.credentials import Authentication
from weft_node_sdk.options import Choice, Choices, LoadContext, Loaders, filtered

from weft_nodes.coin_gecko.node import BASE
from weft_nodes.network.rest import Rest


async def _asked(ctx: LoadContext, place: str) -> Any:
    return await Rest(ctx.http, "CoinGecko", BASE, Authentication(), {}).ask("GET", place)


async def coins(ctx: LoadContext) -> Choices:
    found = await _asked(ctx, "/coins/list")
    return filtered((Choice(str(each["name"]), str(each["id"])) for each in found), ctx)


async def exchanges(ctx: LoadContext) -> Choices:
    found = await _asked(ctx, "/exchanges/list")
    return filtered((Choice(str(each["name"]), str(each["id"])) for each in found), ctx)


async def currencies(ctx: LoadContext) -> Choices:
    found = await _asked(ctx, "/simple/supported_vs_currencies")
    return filtered((Choice(str(code).upper(), str(code)) for code in found), ctx)


LOADERS: Loaders = {"coin": coins, "currency": currencies, "exchange": exchanges}

"""CoinGecko: the requests of its API, and the items."""

from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, Item, NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.coin_gecko.options import LOADERS

CATALOGUE = Catalogue.load()
BASE = "https://api.coingecko.com/api/v3"


async def ran(
    parameters: dict[str, Any], *answers: Any
) -> tuple[list[Any], list[tuple[str, dict[str, str]]]]:
    """The items' JSON, and (place, query) of each request."""
    left = list(answers)
    ctx = FakeContext(
        CATALOGUE.fill_defaults("coinGecko", 1, parameters),
        [[Item(json={})]],
        type="coinGecko",
        serve=lambda _: HttpAnswer(200, "", [], orjson.dumps(left.pop(0))),
    )
    (items,) = await CATALOGUE.implementation("coinGecko")(ctx)
    asked = [(request.url.removeprefix(BASE), dict(request.query)) for request in ctx.server.requests]
    return [item["json"] for item in items], asked


async def test_prices_of_several_coins() -> None:
    given = {
        "operation": "price",
        "baseCurrencies": ["bitcoin", "ethereum"],
        "quoteCurrencies": ["usd", "eur"],
    }
    given["options"] = {"include_market_cap": True}
    answer = {"bitcoin": {"usd": 1}}
    expected = {"ids": "bitcoin,ethereum", "vs_currencies": "usd,eur", "include_market_cap": "true"}
    assert await ran(given, answer) == ([answer], [("/simple/price", expected)])


async def test_a_chart_is_a_row_for_each_moment() -> None:
    given = {"operation": "marketChart", "baseCurrency": "bitcoin", "quoteCurrency": "usd", "days": "1"}
    moment = 1_700_000_000_000
    answer = {"prices": [[moment, 1.5]], "market_caps": [[moment, 10]], "total_volumes": [[moment, 100]]}
    rows, asked = await ran(given, answer)
    assert rows == [{"time": "2023-11-14T22:13:20.000Z", "price": 1.5, "marketCaps": 10, "totalVolume": 100}]
    assert asked == [("/coins/bitcoin/market_chart", {"vs_currency": "usd", "days": "1"})]


async def test_candles() -> None:
    given = {"operation": "candlestick", "baseCurrency": "bitcoin", "quoteCurrency": "usd", "days": "7"}
    rows, _ = await ran(given, [[1_700_000_000_000, 1, 4, 0.5, 2]])
    assert rows == [{"time": "2023-11-14T22:13:20.000Z", "open": 1, "high": 4, "low": 0.5, "close": 2}]


async def test_a_coin_by_its_contract() -> None:
    given = {"operation": "get", "searchBy": "contractAddress", "contractAddress": "0x/A"}
    _, ((place, query),) = await ran(given, {"id": "x"})
    assert place == "/coins/ethereum/contract/0x%2FA"
    assert query["tickers"] == "false"


async def test_the_day_of_a_history() -> None:
    given = {"operation": "history", "coinId": "bitcoin", "date": "2024-02-29T10:00:00"}
    _, asked = await ran(given, {"id": "bitcoin"})
    assert asked == [("/coins/bitcoin/history", {"date": "29-02-2024"})]


async def test_all_pages_of_a_market() -> None:
    given = {"operation": "market", "baseCurrency": "usd", "returnAll": True}
    rows, asked = await ran(given, [{"id": "a"}, {"id": "b"}], [{"id": "c"}], [])
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [query["page"] for _, query in asked] == ["1", "2", "3"]


async def test_a_limit_of_tickers_and_events() -> None:
    rows, asked = await ran(
        {"operation": "ticker", "coinId": "bitcoin", "limit": 1}, {"tickers": [{"last": 1}, {"last": 2}]}
    )
    assert (rows, asked[0][1]) == ([{"last": 1}], {})
    rows, asked = await ran(
        {"resource": "event", "operation": "getAll", "limit": 1}, {"data": [{"title": "t"}]}
    )
    assert (rows, asked) == ([{"title": "t"}], [("/events", {"per_page": "1"})])


async def test_a_date_that_is_none() -> None:
    with pytest.raises(NodeRunError, match="no date"):
        await ran({"operation": "history", "coinId": "bitcoin", "date": "soon"})


@pytest.mark.parametrize(
    ("loader", "answer", "found"),
    [
        ("coin", [{"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"}], [("Bitcoin", "bitcoin")]),
        ("currency", ["usd", "eur"], [("USD", "usd"), ("EUR", "eur")]),
        ("exchange", [{"id": "kraken", "name": "Kraken"}], [("Kraken", "kraken")]),
    ],
)
async def test_choices(loader: str, answer: Any, found: list[tuple[str, str]]) -> None:
    ctx: Any = FakeContext({}, serve=lambda _: HttpAnswer(200, "", [], orjson.dumps(answer)))
    ctx.parameters, ctx.search, ctx.cursor = {}, "", ""
    assert [(each.name, each.value) for each in (await LOADERS[loader](ctx)).options] == found

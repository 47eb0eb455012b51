"""CoinGecko: prices and markets of coins, by its public API: https://docs.coingecko.com."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.dates import parse
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, names_in, text_of, value

from weft_nodes.network.rest import Rest

BASE: Final = "https://api.coingecko.com/api/v3"
_PAGE: Final = 250
_PAGES: Final = 400
_PARTS: Final = ("community_data", "developer_data", "localization", "market_data", "sparkline", "tickers")
_CANDLE: Final = ("time", "open", "high", "low", "close")
_CHART: Final = {"price": "prices", "marketCaps": "market_caps", "totalVolume": "total_volumes"}


def _text(parameters: Mapping[str, Any], name: str) -> str:
    text = text_of(parameters.get(name)).strip()
    if not text:
        raise NodeRunError(f"The parameter '{name}' must be given", parameter=(name,))
    return text


def _part(parameters: Mapping[str, Any], name: str) -> str:
    return quote(_text(parameters, name), safe="")


def _names(parameters: Mapping[str, Any], name: str) -> str:
    listed = ",".join(names_in(value(parameters.get(name))))
    if not listed:
        raise NodeRunError(f"The parameter '{name}' must be given", parameter=(name,))
    return listed


def _moment(milliseconds: Any) -> Any:
    if not isinstance(milliseconds, int | float):
        return milliseconds
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def _query(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the API names them; lists with commas."""
    found = {name: value(held) for name, held in members(parameters, "options").items()}
    return {
        name: ",".join(names_in(held)) if isinstance(held, list) else held for name, held in found.items()
    }


def _limit(parameters: Mapping[str, Any]) -> int | None:
    """None for all."""
    if parameters.get("returnAll") is True:
        return None
    limit = value(parameters.get("limit", 100))
    if not isinstance(limit, int | float) or limit < 0:
        raise NodeRunError(f"The limit {limit!r} is no number", parameter=("limit",))
    return int(limit)


async def _pages(api: Rest, place: str, query: Mapping[str, Any], member: str) -> list[Any]:
    rows: list[Any] = []
    for page in range(1, _PAGES + 1):
        found = await api.ask("GET", place, {**query, "per_page": _PAGE, "page": page})
        more = found.get(member) if member else found
        if not more:
            break
        rows += more
    return rows


async def _listed(
    api: Rest,
    parameters: Mapping[str, Any],
    place: str,
    query: Mapping[str, Any],
    *,
    member: str = "",
    size: bool,
) -> list[Any]:
    """`size`: the API is told how many are wanted."""
    limit = _limit(parameters)
    if limit is None:
        return await _pages(api, place, query, member)
    found = await api.ask("GET", place, {**query, **({"per_page": limit} if size else {})})
    return list((found.get(member) if member else found) or [])[:limit]


def _by_id(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters.get("searchBy", "coinId") == "coinId")


def _contract(parameters: Mapping[str, Any]) -> str:
    return f"/coins/{_part(parameters, 'platformId')}/contract/{_part(parameters, 'contractAddress')}"


async def _chart(api: Rest, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    coin = f"/coins/{_part(parameters, 'baseCurrency')}" if _by_id(parameters) else _contract(parameters)
    query = {"vs_currency": _text(parameters, "quoteCurrency"), "days": _text(parameters, "days")}
    found = await api.ask("GET", f"{coin}/market_chart", query)
    columns = {name: found.get(member) or [] for name, member in _CHART.items()}
    return [
        {"time": _moment(point[0]), **{name: rows[at][1] for name, rows in columns.items() if at < len(rows)}}
        for at, point in enumerate(columns["price"])
    ]


async def _price(api: Rest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    query = {"vs_currencies": _names(parameters, "quoteCurrencies"), **_query(parameters)}
    if _by_id(parameters):
        return dict(
            await api.ask("GET", "/simple/price", {**query, "ids": _names(parameters, "baseCurrencies")})
        )
    place = f"/simple/token_price/{_part(parameters, 'platformId')}"
    addresses = _text(parameters, "contractAddresses")
    return dict(await api.ask("GET", place, {**query, "contract_addresses": addresses}))


async def _coin(api: Rest, parameters: Mapping[str, Any], timezone: str) -> list[Any]:
    match parameters.get("operation", "getAll"):
        case "getAll":
            return list(await api.ask("GET", "/coins/list"))[: _limit(parameters)]
        case "get":
            place = f"/coins/{_part(parameters, 'coinId')}" if _by_id(parameters) else _contract(parameters)
            return [await api.ask("GET", place, {**dict.fromkeys(_PARTS, False), **_query(parameters)})]
        case "candlestick":
            query = {"vs_currency": _text(parameters, "quoteCurrency"), "days": _text(parameters, "days")}
            rows = await api.ask("GET", f"/coins/{_part(parameters, 'baseCurrency')}/ohlc", query)
            return [dict(zip(_CANDLE, (_moment(row[0]), *row[1:]), strict=False)) for row in rows]
        case "history":
            day = parse(_text(parameters, "date"), timezone)
            if day is None:
                raise NodeRunError(f"'{parameters['date']}' is no date", parameter=("date",))
            place = f"/coins/{_part(parameters, 'coinId')}/history"
            return [await api.ask("GET", place, {**_query(parameters), "date": f"{day:%d-%m-%Y}"})]
        case "market":
            query = {"vs_currency": _text(parameters, "baseCurrency"), **_query(parameters)}
            return await _listed(api, parameters, "/coins/markets", query, size=True)
        case "marketChart":
            return await _chart(api, parameters)
        case "price":
            return [await _price(api, parameters)]
        case "ticker":
            place = f"/coins/{_part(parameters, 'coinId')}/tickers"
            return await _listed(api, parameters, place, _query(parameters), member="tickers", size=False)
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


async def _rows(api: Rest, parameters: Mapping[str, Any], timezone: str) -> list[Any]:
    match parameters.get("resource", "coin"):
        case "coin":
            return await _coin(api, parameters, timezone)
        case "event":
            return await _listed(api, parameters, "/events", _query(parameters), member="data", size=True)
        case other:
            raise NodeRunError(f"The resource '{other}' is not known", code="UNSUPPORTED")


async def run(ctx: RunContext) -> Outputs:
    api = Rest(ctx.http, "CoinGecko", BASE, Authentication(), {})

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        return [made(row, index) for row in await _rows(api, parameters, ctx.execution.timezone)]

    return [await map_items(ctx, handle)]

"""ClickHouse: queries and rows of tables. Values are bound by the server."""

from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import json_bytes
from weft_node_sdk.values import entries, members, names_in, text_of, value

from weft_nodes.click_house.client import Client, client_of
from weft_nodes.databases.building import table_name
from weft_nodes.databases.running import query_text

_ROWS: Final = 10_000
_BYTES: Final = 8 * 1024 * 1024


def quoted(name: str) -> str:
    return f"`{name.replace(chr(92), chr(92) * 2).replace('`', chr(92) + '`')}`"


def _bound(given: Any) -> str:
    """A query parameter, in the form of tab-separated values: null is \\N."""
    if value(given) is None:
        return "\\N"
    text = text_of(given)
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return text


async def _queried(ctx: RunContext, client: Client, index: int, parameters: Mapping[str, Any]) -> list[Item]:
    options = members(parameters)
    text = await query_text(ctx, index, parameters)
    settings: dict[str, Any] = {
        "default_format": "JSON",
        "output_format_json_quote_64bit_integers": 0 if options.get("largeNumbersAsNumbers") is True else 1,
    }
    for entry in entries(options, "queryParameters", "values"):
        settings[f"param_{text_of(entry.get('name'))}"] = _bound(entry.get("value"))
    found = await client.ask(settings, text.encode())
    if isinstance(found, Mapping) and isinstance(found.get("data"), list):
        return [made(row, index) for row in found["data"]]
    if isinstance(found, str) and found.strip():
        return [made({"data": found}, index)]  # the query names a format of its own
    return [made({"success": True} if not found else {"data": found}, index)]


def _row(item: Item, columns: list[str]) -> dict[str, Any]:
    json = item["json"]
    return {name: json.get(name) for name in columns} if columns else dict(json)


async def _inserted(ctx: RunContext, client: Client) -> list[Item]:
    """The rows of many items at a time; what the server refuses, it refuses for all of them."""
    parameters = await ctx.parameters_for(0)
    options = members(parameters)
    columns = names_in(value(parameters.get("columns")))
    table = ".".join(quoted(part) for part in table_name(parameters).split(".", 1))
    listed = f" ({', '.join(map(quoted, columns))})" if columns else ""
    settings = {
        "query": f"INSERT INTO {table}{listed} FORMAT JSONEachRow",
        "input_format_skip_unknown_fields": 1 if options.get("skipUnknownFields") is True else 0,
        "date_time_input_format": "best_effort",
    }
    if options.get("asynchronous") is True:
        settings |= {"async_insert": 1, "wait_for_async_insert": 1}
    output: list[Item] = []
    waiting: list[bytes] = []
    size = 0

    async def send(end: int) -> None:
        await ctx.checkpoint()
        indices = range(end - len(waiting), end)
        try:
            await client.ask(settings, b"\n".join(waiting))
        except NodeRunError as error:
            if not ctx.continues():
                error.item_index = indices[0]
                raise
            output.extend(ctx.failed_item(error, index) for index in indices)
        else:
            output.extend(made(_row(ctx.items[index], columns), index) for index in indices)
        waiting.clear()

    for index, item in enumerate(ctx.items):
        waiting.append(json_bytes(_row(item, columns)))
        size += len(waiting[-1])
        if len(waiting) >= _ROWS or size >= _BYTES:
            await send(index + 1)
            size = 0
    if waiting:
        await send(len(ctx.items))
    return output


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    operation = text_of(first.get("operation", "executeQuery"))
    if operation not in {"executeQuery", "insert"}:
        raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
    seconds = value(members(first).get("timeout", 300))
    client = await client_of(
        ctx, float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 300.0
    )
    if operation == "insert":
        return [await _inserted(ctx, client)]

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        return await _queried(ctx, client, index, parameters)

    return [await map_items(ctx, handle)]

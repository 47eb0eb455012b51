"""Statements of all items: independently, in a transaction, or as one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.values import located, value

from weft_nodes.databases.sql_text import Statement

Rows = list[dict[str, Any]]
Build = Callable[[int, dict[str, Any]], Awaitable[list[Statement]]]
Execute = Callable[[Statement], Awaitable[Rows | None]]
"""None for a statement that has no rows by its nature."""
Fail = Callable[[NodeRunError, int], Item]
"""The item that stands for a failure, by the index of the item that it is of."""


MOST_ROWS = 500_000
"""Of one node; they are in memory until it ends."""


def too_many() -> NodeRunError:
    return NodeRunError(
        f"There are more than {MOST_ROWS} rows",
        description="Narrow the conditions, or get them in parts: with a limit, in a loop.",
        code="TOO_LARGE",
    )


async def query_text(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> str:
    """The query; `{{ }}` in it are evaluated also where the text as a whole is no expression."""
    text = str(value(parameters.get("query", "")) or "")
    raw = ctx.node.parameters.get("query", "")
    if "{{" in text and not (isinstance(raw, str) and raw.startswith("=")):
        text = str((await ctx.evaluate([text], index))[0])
    if not text.strip():
        raise NodeRunError("The query is empty")
    return text


async def run_statements(
    ctx: RunContext,
    batching: str,
    build: Build,
    execute: Execute,
    transaction: Callable[[], AbstractAsyncContextManager[Any]],
    fail: Fail | None = None,
) -> Outputs:
    """Rows as items, each paired to the item that asked; `{success: true}` where no statement of it has rows.

    `independently` and `single` go item by item, and a failure is the item's own where the node continues;
    `transaction` undoes everything at the first failure.
    """
    output: list[Item] = []
    parameters = await ctx.parameters()
    fail = fail or ctx.failed_item

    async def one(index: int) -> list[Item]:
        results = [await execute(statement) for statement in await build(index, parameters[index])]
        rows = [row for found in results for row in found or ()]
        if len(output) + len(rows) > MOST_ROWS:
            raise too_many()
        if not rows and None in results:
            rows = [{"success": True}]
        return [made(row, index) for row in rows]

    if batching == "transaction":
        return [await _together(ctx, one, transaction, fail)]
    for index in range(len(ctx.items)):
        await ctx.checkpoint()
        try:
            output += await one(index)
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if not ctx.continues():
                raise
            output.append(fail(error, index))
    return [output]


async def run_as_one(
    ctx: RunContext,
    build: Build,
    execute: Execute,
    transaction: Callable[[], AbstractAsyncContextManager[Any]],
    fail: Fail | None = None,
) -> Outputs:
    """As if all statements were one: the first failure is that of the node, and `{success: true}` stands once for all
    items with statements where nothing has rows. `transaction` goes around more than one statement."""
    parameters = await ctx.parameters()
    built: list[list[Statement]] = []
    silent = False
    fail = fail or ctx.failed_item

    async def prepare(index: int) -> list[Item]:
        built.append(await build(index, parameters[index]))
        return []

    async def one(index: int) -> list[Item]:
        nonlocal silent
        results = [await execute(statement) for statement in built[index]]
        silent = silent or None in results
        return [made(row, index) for found in results for row in found or ()]

    if failed := await _together(ctx, prepare, nothing_to_undo, fail):
        return [failed]
    around = transaction if sum(map(len, built)) > 1 else nothing_to_undo
    output = await _together(ctx, one, around, fail)
    if silent and not output:
        asked = [{"item": index} for index, statements in enumerate(built) if statements]
        output = [{"json": {"success": True}, "pairedItem": asked}]
    return [output]


async def _together(
    ctx: RunContext,
    one: Callable[[int], Awaitable[list[Item]]],
    transaction: Callable[[], AbstractAsyncContextManager[Any]],
    fail: Fail,
) -> list[Item]:
    output: list[Item] = []
    index = 0
    try:
        async with transaction():
            for index in range(len(ctx.items)):
                await ctx.checkpoint()
                output += await one(index)
                if len(output) > MOST_ROWS:
                    raise too_many()
    except NodeRunError as error:
        if error.item_index is None:
            error.item_index = index
        if not ctx.continues():
            raise
        return [fail(error, index)]
    return output


def failure(ctx: RunContext, error: NodeRunError, index: int, *, all_of_them: bool) -> Item:
    """With the error as an object, as n8n's nodes of databases give it; where it is that of all items, with its message
    beside it and without the fields of an item."""
    item = ctx.failed_item(error, index)
    told = {"name": "NodeOperationError", "message": error.message, "description": error.description}
    fields = {"message": error.message} if all_of_them else item["json"]
    return {**item, "json": {**fields, "error": told}}


@asynccontextmanager
async def nothing_to_undo() -> AsyncIterator[None]:
    """For databases and tables without transactions."""
    yield


def name_in(parameters: Mapping[str, Any], name: str, default: str) -> str:
    return str(value(located(parameters.get(name, default))) or default)

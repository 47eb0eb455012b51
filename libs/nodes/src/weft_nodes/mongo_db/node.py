"""MongoDB: documents and search indexes of a collection."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.paths import MISSING, get, put
from weft_node_sdk.values import NotConvertible, members, names_in, to_number, value

from weft_nodes.databases.running import MOST_ROWS, Rows, too_many
from weft_nodes.mongo_db.connection import connect, said
from weft_nodes.mongo_db.values import identifier, moment, plain, query

Operation = Callable[[Any, dict[str, Any]], Awaitable[Rows]]


def _object(given: Any, label: str) -> Any:
    if not isinstance(given, dict):
        raise NodeRunError(f"{label} must be an object")
    return given


def _whole(options: Mapping[str, Any], name: str) -> int:
    try:
        number = to_number(value(options.get(name, 0)))
    except NotConvertible as error:
        raise NodeRunError(f"The option '{name}': {error}") from None
    if not isinstance(number, int | float) or number < 0:
        raise NodeRunError(f"The option '{name}' is no number: {number!r}")
    return int(number)


async def _rows(cursor: Any) -> Rows:
    found: Rows = []
    async for document in cursor:
        found.append(plain(document))
        if len(found) > MOST_ROWS:
            raise too_many()
    return found


async def _find(collection: Any, parameters: dict[str, Any]) -> Rows:
    wanted = _object(query(parameters, "query", "queryParameters", "The query"), "The query")
    if "_id" in wanted:
        wanted = {**wanted, "_id": identifier(wanted["_id"])}
    options = members(parameters)
    found = collection.find(wanted)
    if "projection" in options:
        shown = query(options, "projection", "projectionParameters", "The projection")
        found = collection.find(wanted, _object(shown, "The projection") or None)
    if "sort" in options:
        order = _object(query(options, "sort", "sortParameters", "The order"), "The order")
        found = found.sort(list(order.items())) if order else found
    return await _rows(found.skip(_whole(options, "skip")).limit(_whole(options, "limit")))


async def _aggregate(collection: Any, parameters: dict[str, Any]) -> Rows:
    pipeline = query(parameters, "query", "queryParameters", "The query")
    if not isinstance(pipeline, list):
        raise NodeRunError("An aggregation is a list of stages")
    return await _rows(await collection.aggregate(pipeline))


async def _delete(collection: Any, parameters: dict[str, Any]) -> Rows:
    wanted = _object(query(parameters, "query", "queryParameters", "The query"), "The query")
    return [{"deletedCount": (await collection.delete_many(wanted)).deleted_count}]


async def _list_indexes(collection: Any, parameters: dict[str, Any]) -> Rows:
    name = str(value(parameters.get("indexName", "")) or "")
    return await _rows(await collection.list_search_indexes(name or None))


async def _create_index(collection: Any, parameters: dict[str, Any]) -> Rows:
    from pymongo.operations import SearchIndexModel

    kind = str(value(parameters.get("indexType", "vectorSearch")))
    model = SearchIndexModel(_definition(parameters), name=_index_name(parameters), type=kind)
    return [{"indexName": await collection.create_search_index(model)}]


async def _update_index(collection: Any, parameters: dict[str, Any]) -> Rows:
    name = _index_name(parameters)
    await collection.update_search_index(name, _definition(parameters))
    return [{"indexName": name}]


async def _drop_index(collection: Any, parameters: dict[str, Any]) -> Rows:
    name = _index_name(parameters)
    await collection.drop_search_index(name)
    return [{"indexName": name}]


def _definition(parameters: Mapping[str, Any]) -> Any:
    label = "The definition of the index"
    return _object(query(parameters, "indexDefinition", "indexDefinitionParameters", label), label)


def _index_name(parameters: Mapping[str, Any]) -> str:
    name = str(value(parameters.get("indexNameRequired", "")) or "")
    if not name:
        raise NodeRunError("An index needs a name")
    return name


_READING: Mapping[str, Operation] = {"find": _find, "aggregate": _aggregate, "delete": _delete}
_INDEXES: Mapping[str, Operation] = {
    "listSearchIndexes": _list_indexes,
    "createSearchIndex": _create_index,
    "updateSearchIndex": _update_index,
    "dropSearchIndex": _drop_index,
}


class _Fields:
    """The fields of items that are written: `fields`, dates among them, dots as paths or not."""

    def __init__(self, ctx: RunContext, parameters: Mapping[str, Any]) -> None:
        options = members(parameters)
        self._ctx = ctx
        self._names = names_in(value(parameters.get("fields", "")))
        self._dates = set(names_in(value(options.get("dateFields", ""))))
        self._dots = options.get("useDotNotation") is True

    def _value(self, index: int, name: str) -> Any:
        found = get(self._ctx.items[index]["json"], name, dots=self._dots)
        held = None if found is MISSING else found
        return moment(held, self._ctx.execution.timezone) if name in self._dates else held

    def document(self, index: int, *, key: str = "") -> dict[str, Any]:
        """As it is stored; the field `key` is in it, too."""
        made: dict[str, Any] = {}
        for name in dict.fromkeys([*self._names, key] if key else self._names):
            put(made, name, self._value(index, name), dots=self._dots)
        return made

    def changes(self, index: int, key: str) -> dict[str, Any]:
        """By path, for `$set`."""
        return {name: self._value(index, name) for name in dict.fromkeys([*self._names, key])}

    def has(self, index: int, key: str) -> bool:
        return key in self._ctx.items[index]["json"]


def _stored(document: dict[str, Any], identity: Any) -> dict[str, Any]:
    return {**plain(document), "_id": plain(identity), "id": plain(identity)}


async def _insert(ctx: RunContext, collection: Any, parameters: list[dict[str, Any]]) -> Rows:
    """All documents at once, in the order of the items."""
    documents = [_Fields(ctx, each).document(index) for index, each in enumerate(parameters)]
    with said():
        ids = (await collection.insert_many(documents)).inserted_ids
    return [_stored(document, identity) for document, identity in zip(documents, ids, strict=True)]


async def _write(
    ctx: RunContext, collection: Any, operation: str, index: int, parameters: Mapping[str, Any]
) -> Rows:
    """One document; nothing where the item has no key and the version is old."""
    fields = _Fields(ctx, parameters)
    key = str(value(parameters.get("updateKey", "id")) or "").strip()
    if not key:
        raise NodeRunError("No field to find documents by")
    if not fields.has(index, key):
        if ctx.node.version < 1.3:
            return []
        raise NodeRunError(f"The item has no field '{key}' to find its document by")
    held = ctx.items[index]["json"][key]
    wanted = {key: identifier(held) if key == "_id" else held}
    upsert = parameters.get("upsert") is True
    if operation == "findOneAndReplace":
        document = fields.document(index, key=key)
        document.pop("_id", None)
        await collection.find_one_and_replace(wanted, document, upsert=upsert)
        return [plain(document)]
    # before 1.2 an object is replaced as a whole
    changed = fields.changes(index, key) if ctx.node.version >= 1.2 else fields.document(index, key=key)
    changed.pop("_id", None)
    if not changed:
        raise NodeRunError("There is nothing to update: no field has a value")
    write = collection.find_one_and_update if operation == "findOneAndUpdate" else collection.update_one
    await write(wanted, {"$set": changed}, upsert=upsert)
    return [plain(changed)]


def _all(ctx: RunContext) -> list[dict[str, int]]:
    return [{"item": index} for index in range(len(ctx.items))]


def _to_all(ctx: RunContext, rows: Rows) -> list[Item]:
    """Items that come from all items."""
    return [{"json": row, "pairedItem": _all(ctx)} for row in rows]


async def _together(ctx: RunContext, perform: Callable[[], Awaitable[list[Item]]]) -> list[Item]:
    try:
        return await perform()
    except NodeRunError as error:
        if not ctx.continues():
            raise
        if ctx.node.version >= 1.3:
            return [ctx.failed_item(error, index) for index in range(len(ctx.items))]
        return [{**ctx.failed_item(error, 0), "pairedItem": _all(ctx)}]


async def _output(ctx: RunContext, database: Any, first: Mapping[str, Any]) -> list[Item]:
    """What the operation of the node gives. Version 1 reads once for all items, before 1.3 what is written comes from
    all items."""
    version, operation = ctx.node.version, str(first.get("operation", "find"))
    known = _INDEXES if first.get("resource", "document") == "searchIndexes" else _READING

    def collection(parameters: Mapping[str, Any]) -> Any:
        name = str(value(parameters.get("collection", "")) or "")
        if not name:
            raise NodeRunError("A collection must be chosen")
        with said():
            return database[name]

    async def read(index: int, parameters: dict[str, Any]) -> list[Item]:
        with said():
            return [made(row, index) for row in await known[operation](collection(parameters), parameters)]

    async def read_once() -> list[Item]:
        parameters = await ctx.parameters_for(0)
        with said():
            return _to_all(ctx, await known[operation](collection(parameters), parameters))

    async def insert() -> list[Item]:
        parameters = await ctx.parameters()
        rows = await _insert(ctx, collection(parameters[0]), parameters)
        return [made(row, index) for index, row in enumerate(rows)] if version >= 1.3 else _to_all(ctx, rows)

    async def write(index: int, parameters: dict[str, Any]) -> list[Item]:
        with said():
            rows = await _write(ctx, collection(parameters), operation, index, parameters)
        return [made(row, index) for row in rows] if version >= 1.3 else _to_all(ctx, rows)

    if operation in known:
        return await (_together(ctx, read_once) if version < 1.1 else map_items(ctx, read))
    if operation == "insert":
        return await _together(ctx, insert)
    if operation in {"update", "findOneAndUpdate", "findOneAndReplace"}:
        return await map_items(ctx, write)
    raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    async with connect(ctx, await ctx.credential("mongoDb")) as database:
        return [await _output(ctx, database, await ctx.parameters_for(0))]

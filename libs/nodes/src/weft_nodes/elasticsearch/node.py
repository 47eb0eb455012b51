"""Elasticsearch: documents and indices."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import json_bytes, parse_json
from weft_node_sdk.values import entries, members, names_in, value

from weft_nodes.databases.placeholders import filled
from weft_nodes.elasticsearch.client import Client, client_of, path, reason

Rows = list[dict[str, Any]]
_PAGE: Final = 10_000
"""Documents in one answer at most: the server's own limit."""
_BULK: Final = 4 * 1024 * 1024
"""Bytes of changes that are sent at once."""
_KEPT: Final = "1m"
"""How long the server keeps the place in a search."""
_BODY: Final = ("aliases", "mappings", "settings")


def _text(parameters: Mapping[str, Any], name: str, label: str) -> str:
    text = str(value(parameters.get(name, "")) or "")
    if not text:
        raise NodeRunError(f"{label} must be given")
    return text


def _index(parameters: Mapping[str, Any]) -> str:
    return _text(parameters, "indexId", "The index")


def _document_id(parameters: Mapping[str, Any]) -> str:
    return _text(parameters, "documentId", "The document's id")


def _json(given: Any, label: str) -> Any:
    given = value(given)
    if not isinstance(given, str):
        return given
    try:
        return parse_json(given)
    except ValueError as error:
        raise NodeRunError(f"{label} is not valid JSON: {error}") from None


def _query(options: Mapping[str, Any], *without: str) -> dict[str, Any]:
    """Options by the names that the server has for them."""
    found = {name: value(held) for name, held in options.items() if name not in without}
    found = {name: held for name, held in found.items() if held not in (None, "")}
    if found.keys() & {"_source_includes", "_source_excludes"}:
        found["_source"] = True
    return found


def _document(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if parameters.get("dataToSend", "defineBelow") == "autoMapInputData":
        left_out = set(names_in(value(parameters.get("inputsToIgnore", ""))))
        return {name: held for name, held in ctx.items[index]["json"].items() if name not in left_out}
    sent = entries(parameters, "fieldsUi", "fieldValues")
    return {str(value(entry.get("fieldId", ""))): value(entry.get("fieldValue")) for entry in sent}


def _shown(hit: dict[str, Any], *, simple: bool) -> dict[str, Any]:
    return {"_id": hit.get("_id"), **(hit.get("_source") or {})} if simple else hit


class _Change(NamedTuple):
    """What is done to one document."""

    operation: str
    target: str
    identity: str
    document: dict[str, Any] | None
    query: dict[str, Any]

    async def send(self, client: Client) -> dict[str, Any]:
        match self.operation:
            case "create":
                place = path(self.target, "_doc", *([self.identity] if self.identity else []))
                method = "PUT" if self.identity else "POST"
                found = await client.ask(method, place, self.query, self.document)
            case "update":
                place = path(self.target, "_update", self.identity)
                found = await client.ask("POST", place, self.query, {"doc": self.document})
            case _:
                found = await client.ask("DELETE", path(self.target, "_doc", self.identity), self.query)
        return dict(found)

    def lines(self) -> bytes:
        """As it stands among others."""
        kind = "index" if self.operation == "create" else self.operation
        head = {"_index": self.target, **({"_id": self.identity} if self.identity else {})}
        head |= {name: self.query[name] for name in ("routing", "pipeline") if name in self.query}
        rest = {"doc": self.document} if kind == "update" else self.document
        parts = [{kind: head}, *([rest] if rest is not None else [])]
        return b"".join(json_bytes(part) + b"\n" for part in parts)


def _change(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> _Change:
    operation = str(parameters["operation"])
    more = members(parameters, "additionalFields")
    query = _query({**more, **members(parameters)}, "documentId", "bulkOperation")
    made_anew = operation == "create"
    identity = str(value(more.get("documentId", "")) or "") if made_anew else _document_id(parameters)
    document = None if operation == "delete" else _document(ctx, index, parameters)
    return _Change(operation, _index(parameters), identity, document, query)


class _Bulk:
    """Changes that are sent together; each succeeds or fails for itself."""

    def __init__(self, ctx: RunContext, client: Client) -> None:
        self.output: list[Item] = []
        self._ctx = ctx
        self._client = client
        self._waiting: list[tuple[int, bytes]] = []
        self._size = 0
        self._settings: dict[str, Any] = {}

    def failed(self, error: NodeRunError, index: int) -> None:
        error.item_index = index
        if not self._ctx.continues():
            raise error
        self.output.append(self._ctx.failed_item(error, index))

    async def add(self, change: _Change, index: int) -> None:
        self._settings = {name: change.query[name] for name in ("refresh", "timeout") if name in change.query}
        self._waiting.append((index, change.lines()))
        self._size += len(self._waiting[-1][1])
        if self._size >= _BULK:
            await self.send()

    async def send(self) -> None:
        """What is waiting."""
        sent, self._waiting, self._size = self._waiting, [], 0
        if not sent:
            return
        await self._ctx.checkpoint()
        body = b"".join(lines for _, lines in sent)
        try:
            found = await self._client.ask("POST", "/_bulk", self._settings, body)
        except NodeRunError as error:
            for index, _ in sent:
                self.failed(error, index)
            return
        for (index, _), told in zip(sent, found.get("items") or [], strict=False):
            result = dict(next(iter(told.values())))
            if text := reason(result):
                self.failed(NodeRunError(f"Elasticsearch: {text}", code="DATABASE_ERROR"), index)
            else:
                self.output.append(made(result, index))


async def _in_bulk(ctx: RunContext, client: Client) -> list[Item]:
    """The changes of all items, in the order of the items."""
    bulk = _Bulk(ctx, client)
    for index, parameters in enumerate(await ctx.parameters()):
        try:
            change = _change(ctx, index, parameters)
        except NodeRunError as error:
            bulk.failed(error, index)
        else:
            await bulk.add(change, index)
    await bulk.send()
    return sorted(bulk.output, key=lambda item: item["pairedItem"]["item"])


async def _found(client: Client, parameters: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The hits of a search, all of them or as many as are asked for."""
    options = members(parameters)
    query = _query(options, "query", "queryParameters")
    body = None
    if value(options.get("query")) not in (None, ""):
        given = value(options.get("queryParameters"))
        body = filled(_json(options["query"], "The query"), given if isinstance(given, list) else [])
    place = path(_index(parameters), "_search")
    if parameters.get("returnAll") is not True:
        limit = value(parameters.get("limit", 50))
        if not isinstance(limit, int | float) or limit < 0:
            raise NodeRunError(f"The limit {limit!r} is no number")
        page = await client.ask("POST", place, {**query, "size": int(limit)}, body)
        for hit in _hits(page):
            yield hit
        return
    query.pop("request_cache", None)  # not together with what follows
    page = await client.ask("POST", place, {**query, "size": _PAGE, "scroll": _KEPT}, body)
    try:
        while hits := _hits(page):
            for hit in hits:
                yield hit
            if len(hits) < _PAGE:
                break
            more = {"scroll": _KEPT, "scroll_id": page.get("_scroll_id")}
            page = await client.ask("POST", "/_search/scroll", body=more)
    finally:
        if page.get("_scroll_id"):
            await client.ask("DELETE", "/_search/scroll", body={"scroll_id": page["_scroll_id"]})


def _hits(page: Mapping[str, Any]) -> Rows:
    hits = (page.get("hits") or {}).get("hits") or []
    return [dict(hit) for hit in hits]


async def _of_document(ctx: RunContext, client: Client, index: int, parameters: dict[str, Any]) -> Rows:
    simple = parameters.get("simple", True) is not False
    match parameters.get("operation", "get"):
        case "get":
            place = path(_index(parameters), "_doc", _document_id(parameters))
            found = await client.ask("GET", place, _query(members(parameters)))
            return [_shown(dict(found), simple=simple)]
        case "getAll":
            return [_shown(hit, simple=simple) async for hit in _found(client, parameters)]
        case "create" | "update" | "delete":
            return [await _change(ctx, index, parameters).send(client)]
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


async def _of_index(client: Client, parameters: dict[str, Any]) -> Rows:
    more = members(parameters, "additionalFields")
    match parameters.get("operation", "create"):
        case "create":
            name = _index(parameters)
            body = {part: _json(more[part], f"The {part}") for part in _BODY if more.get(part)}
            return [{"id": name, **await client.ask("PUT", path(name), _query(more, *_BODY), body or None)}]
        case "get":
            found = await client.ask("GET", path(_index(parameters)), _query(more))
            return [{"id": name, **about} for name, about in found.items()]
        case "getAll":
            names = sorted(await client.ask("GET", "/_aliases"))
            most = None if parameters.get("returnAll") is True else int(value(parameters.get("limit", 50)))
            return [{"indexId": name} for name in names[:most]]
        case "delete":
            await client.ask("DELETE", path(_index(parameters)))
            return [{"success": True}]
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    client = await client_of(ctx)
    first = await ctx.parameters_for(0)
    documents = first.get("resource", "document") == "document"
    if documents and members(first).get("bulkOperation") is True:
        return [await _in_bulk(ctx, client)]

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        rows = await (
            _of_document(ctx, client, index, parameters) if documents else _of_index(client, parameters)
        )
        return [made(row, index) for row in rows]

    return [await map_items(ctx, handle)]

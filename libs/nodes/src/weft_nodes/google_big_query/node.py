"""Google BigQuery: queries, rows of tables."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import entries, located, members, names_in, text_of, value

from weft_nodes.google_big_query.client import Client, client_of, path
from weft_nodes.google_big_query.rows import row

Rows = list[dict[str, Any]]
_WAIT: Final = 10_000
"""Milliseconds that the service waits for a query before it says that it still runs."""
_LONGEST: Final = 6 * 3600.0
"""Seconds: BigQuery ends queries after six hours itself."""


def _chosen(parameters: Mapping[str, Any], name: str, label: str) -> str:
    """An id, or the address of the console that names it."""
    held = parameters.get(name)
    text = str(value(located(held)) or "").strip()
    if isinstance(held, Mapping) and held.get("mode") == "url":
        _, found, rest = text.partition("project=")
        text = rest.partition("&")[0] if found else ""
    if not text:
        raise NodeRunError(f"{label} must be chosen", parameter=(name,))
    return text


def _table(parameters: Mapping[str, Any]) -> str:
    project = _chosen(parameters, "projectId", "A project")
    dataset = _chosen(parameters, "datasetId", "A dataset")
    return path("projects", project, "datasets", dataset, "tables", _chosen(parameters, "tableId", "A table"))


async def _query_text(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> str:
    """`{{ }}` are evaluated also where the text as a whole is no expression."""
    text = text_of(parameters.get("sqlQuery"))
    raw = ctx.node.parameters.get("sqlQuery", "")
    if "{{" in text and not (isinstance(raw, str) and raw.startswith("=")):
        text = str((await ctx.evaluate([text], index))[0])
    if not text.strip():
        raise NodeRunError("The query is empty", parameter=("sqlQuery",))
    return text


def _configuration(text: str, project: str, options: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {"query": text, "useLegacySql": options.get("useLegacySql") is True}
    if dataset := text_of(options.get("defaultDataset")):
        query["defaultDataset"] = {"projectId": project, "datasetId": dataset}
    if most := text_of(options.get("maximumBytesBilled")):
        query["maximumBytesBilled"] = most
    named = [each for each in entries(options, "queryParameters", "namedParameters") if each.get("name")]
    if named and not query["useLegacySql"]:
        query["parameterMode"] = "NAMED"
        query["queryParameters"] = [
            {
                "name": text_of(each["name"]).removeprefix("@"),
                "parameterType": {"type": "STRING"},
                "parameterValue": {"value": text_of(each.get("value"))},
            }
            for each in named
        ]
    return {"query": query, **({"dryRun": True} if options.get("dryRun") is True else {})}


async def _queried(ctx: RunContext, client: Client, index: int, parameters: Mapping[str, Any]) -> Rows:
    options = {name: value(held) for name, held in members(parameters).items()}
    project = _chosen(parameters, "projectId", "A project")
    text = await _query_text(ctx, index, parameters)
    request: dict[str, Any] = {"configuration": _configuration(text, project, options)}
    if location := text_of(options.get("location")):
        request["jobReference"] = {"projectId": project, "location": location}
    job = await client.ask("POST", path("projects", project, "jobs"), body=request)
    if options.get("dryRun") is True:
        return [job]
    reference = job.get("jobReference") or {}
    place = path("projects", project, "queries", str(reference.get("jobId")))
    query = {
        "location": reference.get("location"),
        "maxResults": _number(options, "maxResults", 1000),
        "timeoutMs": _number(options, "timeoutMs", _WAIT),
    }
    page = await _finished(ctx, client, place, query)
    pages = [page]
    while page.get("pageToken"):
        await ctx.checkpoint()
        page = await client.ask("GET", place, {**query, "pageToken": page["pageToken"]})
        pages.append(page)
    return _shown(pages, options)


async def _finished(ctx: RunContext, client: Client, place: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """The first page, once the query is done. Raises NodeRunError where it failed."""
    clock = asyncio.get_running_loop()
    end, pause = clock.time() + _LONGEST, 0.5
    while True:
        await ctx.checkpoint()
        page = await client.ask("GET", place, query)
        if page.get("jobComplete") is not False:
            return page
        if clock.time() > end:
            raise NodeRunError("The query takes longer than BigQuery lets queries run", code="TIMEOUT")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 10.0)


def _number(options: Mapping[str, Any], name: str, default: int) -> int:
    given = options.get(name, default)
    if not isinstance(given, int | float) or given < 0:
        raise NodeRunError(f"{given!r} is no number", parameter=("options", name))
    return int(given)


def _shown(pages: list[dict[str, Any]], options: Mapping[str, Any]) -> Rows:
    if options.get("rawOutput") is True:
        return pages
    fields = (pages[0].get("schema") or {}).get("fields") or []
    numbers = options.get("returnAsNumbers") is True
    rows = [row(fields, each, numbers=numbers) for page in pages for each in page.get("rows") or []]
    if options.get("includeSchema") is True:
        rows = [{**each, "_schema": fields} for each in rows]
    if not rows and not fields:
        return [{"success": True}]
    return rows


def _fields(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    json = ctx.items[index]["json"]
    if ctx.node.version < 2:
        return {name: json.get(name) for name in names_in(value(parameters.get("columns")))}
    if parameters.get("dataMode", "autoMap") == "autoMap":
        return dict(json)
    given = entries(parameters, "fieldsUi", "values")
    return {text_of(entry.get("fieldId")): value(entry.get("fieldValue")) for entry in given}


class _Inserting:
    """Rows of one table that go together; a refused row is its item's failure."""

    def __init__(self, ctx: RunContext, client: Client) -> None:
        self.output: list[Item] = []
        self._ctx = ctx
        self._client = client

    def failed(self, error: NodeRunError, index: int) -> None:
        error.item_index = index
        if not self._ctx.continues():
            raise error
        self.output.append(self._ctx.failed_item(error, index))

    async def send(
        self, place: str, options: Mapping[str, Any], rows: list[tuple[int, dict[str, Any]]]
    ) -> None:
        await self._ctx.checkpoint()
        body: dict[str, Any] = {"rows": [{"json": fields} for _, fields in rows]}
        for name in ("ignoreUnknownValues", "skipInvalidRows", "templateSuffix", "traceId"):
            if held := value(options.get(name)):
                body[name] = held
        try:
            answer = await self._client.ask("POST", f"{place}/insertAll", body=body)
        except NodeRunError as error:
            for index, _ in rows:
                self.failed(
                    NodeRunError(error.message, code=error.code, http_status=error.http_status), index
                )
            return
        refused = {
            int(each.get("index", 0)): each.get("errors") or [] for each in answer.get("insertErrors") or []
        }
        for position, (index, _) in enumerate(rows):
            if position in refused:
                self.failed(
                    NodeRunError(f"BigQuery: {_reason(refused[position])}", code="DATABASE_ERROR"), index
                )
            else:
                self.output.append(made({"success": True}, index))


def _reason(errors: list[dict[str, Any]]) -> str:
    told = [str(each.get("message") or each.get("reason") or "") for each in errors]
    return ", ".join(text for text in told if text) or "the row was refused"


async def _inserted(ctx: RunContext, client: Client) -> list[Item]:
    parameters = await ctx.parameters()
    options = members(parameters[0])
    size = value(options.get("batchSize", 100))
    size = max(1, int(size)) if isinstance(size, int | float) else 100
    inserting = _Inserting(ctx, client)
    waiting: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for index, each in enumerate(parameters):
        try:
            place, fields = _table(each), _fields(ctx, index, each)
        except NodeRunError as error:
            inserting.failed(error, index)
            continue
        rows = waiting.setdefault(place, [])
        rows.append((index, fields))
        if len(rows) >= size:
            await inserting.send(place, options, waiting.pop(place))
    for place, rows in waiting.items():
        await inserting.send(place, options, rows)
    return sorted(inserting.output, key=lambda item: item["pairedItem"]["item"])


async def _listed(client: Client, parameters: Mapping[str, Any]) -> Rows:
    place = _table(parameters)
    limit = value(parameters.get("limit", 50))
    everything = parameters.get("returnAll") is True
    if not everything and (not isinstance(limit, int | float) or limit < 0):
        raise NodeRunError(f"The limit {limit!r} is no number", parameter=("limit",))
    query = {
        "maxResults": 1000 if everything else int(limit),
        "selectedFields": text_of(members(parameters).get("selectedFields")) or None,
    }
    page = await client.ask("GET", f"{place}/data", query)
    found = list(page.get("rows") or [])
    while page.get("pageToken") and (everything or len(found) < limit):
        page = await client.ask("GET", f"{place}/data", {**query, "pageToken": page["pageToken"]})
        found += page.get("rows") or []
    if not everything:
        found = found[: int(limit)]
    if parameters.get("simple", True) is False:
        return found
    fields = ((await client.ask("GET", place)).get("schema") or {}).get("fields") or []
    if chosen := names_in(query["selectedFields"]):
        fields = [field for field in fields if field.get("name") in chosen]
    return [row(fields, each, numbers=False) for each in found]


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    first = await ctx.parameters_for(0)
    operation = first.get("operation", "create" if ctx.node.version < 2 else "executeQuery")
    if operation not in {"executeQuery", "insert", "create", "getAll"}:
        raise NodeRunError(f"The operation '{operation}' is not known", code="UNSUPPORTED")
    client = await client_of(ctx, first)
    if operation in {"insert", "create"}:
        return [await _inserted(ctx, client)]

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        rows = await (
            _listed(client, parameters) if operation == "getAll" else _queried(ctx, client, index, parameters)
        )
        return [made(each, index) for each in rows]

    return [await map_items(ctx, handle)]

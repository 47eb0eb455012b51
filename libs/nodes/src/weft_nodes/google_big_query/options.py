"""Projects, datasets, tables and columns that the credential may see."""

from typing import Any

from weft_node_sdk.options import Choice, Choices, FieldType, LoadContext, Loaders, filtered, fixed

from weft_nodes.google_big_query.client import client_of, path

_TYPES: dict[str, FieldType] = {
    **dict.fromkeys(("INTEGER", "INT64", "FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC"), "number"),
    **dict.fromkeys(("BOOLEAN", "BOOL"), "boolean"),
    **dict.fromkeys(("TIMESTAMP", "DATETIME", "DATE"), "dateTime"),
    **dict.fromkeys(("RECORD", "STRUCT", "JSON"), "object"),
}


async def _page(ctx: LoadContext, place: str, name: str) -> tuple[list[dict[str, Any]], str]:
    client = await client_of(ctx, ctx.parameters)
    found = await client.ask("GET", place, {"maxResults": 100, "pageToken": ctx.cursor or None})
    return found.get(name) or [], str(found.get("nextPageToken") or "")


def _searched(ctx: LoadContext, choices: list[Choice], cursor: str) -> Choices:
    """The service can't search: what fits of its page."""
    wanted = ctx.search.casefold()
    return Choices([each for each in choices if wanted in each.name.casefold()], cursor)


async def projects(ctx: LoadContext) -> Choices:
    rows, cursor = await _page(ctx, "/projects", "projects")
    found = [Choice(str(each.get("friendlyName") or each["id"]), str(each["id"])) for each in rows]
    return _searched(ctx, found, cursor)


async def datasets(ctx: LoadContext) -> Choices:
    project = fixed(ctx, "projectId")
    if not project:
        return Choices([])
    rows, cursor = await _page(ctx, path("projects", project, "datasets"), "datasets")
    names = [str(each["datasetReference"]["datasetId"]) for each in rows]
    return _searched(ctx, [Choice(name, name) for name in names], cursor)


async def tables(ctx: LoadContext) -> Choices:
    project, dataset = fixed(ctx, "projectId"), fixed(ctx, "datasetId")
    if not project or not dataset:
        return Choices([])
    rows, cursor = await _page(ctx, path("projects", project, "datasets", dataset, "tables"), "tables")
    names = [str(each["tableReference"]["tableId"]) for each in rows]
    return _searched(ctx, [Choice(name, name) for name in names], cursor)


async def fields(ctx: LoadContext) -> Choices:
    project, dataset, table = fixed(ctx, "projectId"), fixed(ctx, "datasetId"), fixed(ctx, "tableId")
    if not project or not dataset or not table:
        return Choices([])
    client = await client_of(ctx, ctx.parameters)
    found = await client.ask("GET", path("projects", project, "datasets", dataset, "tables", table))
    listed = (found.get("schema") or {}).get("fields") or []
    return filtered(
        [
            Choice(
                str(each["name"]),
                str(each["name"]),
                description=str(each.get("type", "")),
                type="array"
                if each.get("mode") == "REPEATED"
                else _TYPES.get(str(each.get("type")), "string"),
                required=each.get("mode") == "REQUIRED",
            )
            for each in listed
        ],
        ctx,
    )


LOADERS: Loaders = {"projects": projects, "datasets": datasets, "tables": tables, "fields": fields}

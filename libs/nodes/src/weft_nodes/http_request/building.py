"""From the parameters of one item to a request, for versions 3 and later."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.paths import put
from weft_node_sdk.values import checked, entries, members, shown, text_of, value

from weft_nodes.http_request.draft import Draft, File, Pair, checked_header, flattened


def json_value(given: Any, name: str) -> Any:
    """A JSON parameter: a text that is parsed, or an expression's value. Raises NodeRunError."""
    given = checked(given)
    if not isinstance(given, str):
        return given
    try:
        return parse_json(given)
    except ValueError as error:
        raise NodeRunError(
            f"The {name} is not valid JSON: {error}",
            description="Expressions in it must give JSON: texts in quotes, objects by JSON.stringify().",
        ) from None


def json_fields(given: Any, name: str) -> dict[str, Any]:
    fields = json_value(given, name) if given not in (None, "") else {}
    if not isinstance(fields, dict):
        raise NodeRunError(f"The {name} must be a JSON object, not {shown(fields)}")
    return fields


def _named(parameters: Mapping[str, Any], collection: str) -> list[tuple[str, Any]]:
    return [
        (str(value(entry.get("name"))), value(entry.get("value")))
        for entry in entries(parameters, collection, "parameters")
        if entry.get("name") not in (None, "")
    ]


async def build(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Draft:
    """Raises NodeRunError for what makes no request."""
    options = members(parameters)
    draft = Draft(
        method=str(value(parameters.get("method", "GET"))).upper(),
        url=text_of(parameters.get("url", "")).strip(),
        query_arrays=options.get("queryParameterArrays", "indices"),
    )
    if parameters.get("sendQuery") is True:
        draft.query = _query(parameters, draft.query_arrays)
    if parameters.get("sendBody") is True:
        await _add_body(ctx, index, parameters, draft)
    if parameters.get("sendHeaders") is True:
        for name, text in _headers(parameters, options):
            draft.set_header(name, text)
    return draft


def _query(parameters: Mapping[str, Any], arrays: str) -> list[Pair]:
    if parameters.get("specifyQuery", "keypair") == "json":
        given = json_fields(parameters.get("jsonQuery"), "JSON of the query")
        return [pair for name, held in given.items() for pair in flattened(name, held, arrays)]
    given = dict(_named(parameters, "queryParameters"))  # of a name that stands twice, the last
    return [pair for name, held in given.items() for pair in flattened(name, held, arrays)]


def _headers(parameters: Mapping[str, Any], options: Mapping[str, Any]) -> list[Pair]:
    if parameters.get("specifyHeaders", "keypair") == "json":
        given = list(json_fields(parameters.get("jsonHeaders"), "JSON of the headers").items())
    else:
        given = _named(parameters, "headerParameters")
    lower = options.get("lowercaseHeaders", True) is not False
    return [checked_header(name.lower() if lower else name, text) for name, text in given]


async def _add_body(ctx: RunContext, index: int, parameters: Mapping[str, Any], draft: Draft) -> None:
    kind = parameters.get("contentType", "json")
    if kind == "raw":
        draft.kind = "raw"
        draft.content = text_of(parameters.get("body", "")).encode()
        draft.content_type = str(value(parameters.get("rawContentType", "")) or "text/plain")
    elif kind == "binaryData":
        file = await read_file(ctx, index, str(value(parameters.get("inputDataFieldName", "data"))))
        draft.kind, draft.content, draft.content_type = "raw", file, file.mime_type
    elif kind == "multipart-form-data":
        draft.kind, draft.content = "multipart", await _multipart_fields(ctx, index, parameters)
    elif kind == "form-urlencoded" and parameters.get("specifyBody") == "string":
        draft.kind = "raw"
        draft.content = text_of(parameters.get("body", "")).encode()
        draft.content_type = "application/x-www-form-urlencoded"
    elif kind == "form-urlencoded":
        draft.kind, draft.content = "form", dict(_named(parameters, "bodyParameters"))  # as in _query
    elif parameters.get("specifyBody", "keypair") == "json":
        draft.kind, draft.content = "json", json_value(parameters.get("jsonBody"), "JSON of the body")
    else:
        draft.kind, draft.content = "json", _fields(_named(parameters, "bodyParameters"), ctx.node.version)


def _fields(pairs: list[tuple[str, Any]], version: float) -> dict[str, Any]:
    """From version 4 on, a dot in a name leads into an object."""
    if version < 4:
        return dict(pairs)
    fields: dict[str, Any] = {}
    for name, held in pairs:
        put(fields, name, held)
    return fields


def _gathered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Fields by name; a name that stands twice gets a list."""
    fields: dict[str, Any] = {}
    for name, held in pairs:
        if name in fields:
            known = fields[name]
            fields[name] = [*known, held] if isinstance(known, list) else [known, held]
        else:
            fields[name] = held
    return fields


async def _multipart_fields(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    pairs: list[tuple[str, Any]] = []
    for entry in entries(parameters, "bodyParameters", "parameters"):
        name = str(value(entry.get("name")) or "")
        if not name:
            continue
        if entry.get("parameterType") == "formBinaryData":
            pairs.append(
                (name, await read_file(ctx, index, str(value(entry.get("inputDataFieldName", "data")))))
            )
        else:
            pairs.append((name, value(entry.get("value"))))
    return _gathered(pairs)


async def read_file(ctx: RunContext, index: int, name: str) -> File:
    """A file of the item. Raises NodeRunError where it has none of that name."""

    async def chunks() -> AsyncIterator[bytes]:
        async with ctx.open_binary(index, name) as reader:
            async for chunk in reader:
                yield chunk

    async with ctx.open_binary(index, name) as reader:
        return File(chunks, reader.size, reader.file_name or name, reader.mime_type)

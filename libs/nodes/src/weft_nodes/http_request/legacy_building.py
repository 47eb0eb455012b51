"""From the parameters of one item to a request, for versions 1 and 2."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import RunContext
from weft_node_sdk.values import entries, members, names_in, text_of, value

from weft_nodes.http_request.building import json_fields, json_value, read_file
from weft_nodes.http_request.draft import Draft, checked_header, flattened

_WITH_BODY = frozenset({"PATCH", "POST", "PUT", "DELETE"})


def _given(parameters: Mapping[str, Any], what: str) -> dict[str, Any]:
    """`what`: body, header or query."""
    if parameters.get("jsonParameters") is True:
        return json_fields(parameters.get(f"{what}ParametersJson"), f"JSON of the {what}")
    return {
        str(value(entry["name"])): value(entry.get("value"))
        for entry in entries(parameters, f"{what}ParametersUi", "parameter")
        if entry.get("name")
    }


async def build(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> Draft:
    """Raises NodeRunError for what makes no request."""
    options = members(parameters)
    draft = Draft(
        method=str(value(parameters.get("requestMethod", "GET"))).upper(),
        url=text_of(parameters.get("url", "")).strip(),
        query_arrays="repeat" if options.get("useQueryString") is True else "indices",
    )
    for name, held in _given(parameters, "query").items():
        draft.query += flattened(name, held, draft.query_arrays)
    if draft.method in _WITH_BODY:
        await _add_body(ctx, index, parameters, draft)
    for name, held in _given(parameters, "header").items():
        draft.set_header(*checked_header(name, held))
    return draft


async def _add_body(ctx: RunContext, index: int, parameters: Mapping[str, Any], draft: Draft) -> None:
    kind = members(parameters).get("bodyContentType", "json")
    mime_type = str(members(parameters).get("bodyContentCustomMimeType") or "")
    if parameters.get("sendBinaryData") is True:
        names = names_in(value(parameters.get("binaryPropertyName", "data")))
        if kind == "multipart-form-data":
            pairs = [name.partition(":") if ":" in name else ("file", ":", name) for name in names]
            draft.kind = "multipart"
            draft.content = {field: await read_file(ctx, index, name) for field, _, name in pairs}
        else:
            file = await read_file(ctx, index, names[0] if names else "data")
            draft.kind, draft.content, draft.content_type = "raw", file, mime_type or file.mime_type
        return
    if kind == "raw":
        draft.kind, draft.content_type = "raw", mime_type or "text/plain"
        draft.content = text_of(parameters.get("bodyParametersJson", "")).encode()
        return
    if parameters.get("jsonParameters") is True and kind == "json":
        text = parameters.get("bodyParametersJson")
        content = json_value(text, "JSON of the body") if text not in (None, "") else None
    else:
        content = _given(parameters, "body")
    if content in (None, {}):
        return
    draft.content = content
    draft.kind = {"form-urlencoded": "form", "multipart-form-data": "multipart"}.get(kind, "json")  # type: ignore[assignment]

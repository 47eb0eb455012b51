"""The public API of an instance: workflows, executions, credentials, its audit."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import located, members, text_of, value

from weft_nodes.n8n.client import batching, service
from weft_nodes.network.pause import pause
from weft_nodes.network.rest import Rest

Rows = list[dict[str, Any]]
_WRITTEN: Final = ("name", "nodes", "settings", "connections")
"""Members of a document that the API takes; others are refused."""


def _text(parameters: Mapping[str, Any], name: str, label: str) -> str:
    text = text_of(parameters.get(name)).strip()
    if not text:
        raise NodeRunError(f"{label} must be given", parameter=(name,))
    return text


def _place(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _workflow(parameters: Mapping[str, Any]) -> str:
    """The path of a workflow, which is given by its id or by the address that the editor shows it at."""
    held = parameters.get("workflowId")
    found = str(value(located(held)) or "").strip()
    if isinstance(held, Mapping) and held.get("mode") == "url":
        _, _, found = urlsplit(found).path.partition("/workflow/")
        found = found.partition("/")[0]
    if not found:
        raise NodeRunError("A workflow must be chosen", parameter=("workflowId",))
    return _place("workflows", found)


def _object(parameters: Mapping[str, Any], name: str, label: str) -> dict[str, Any]:
    given = value(parameters.get(name))
    if isinstance(given, str):
        try:
            given = parse_json(given)
        except ValueError as error:
            raise NodeRunError(f"{label} is not valid JSON: {error}", parameter=(name,)) from None
    if not isinstance(given, dict):
        raise NodeRunError(f"{label} must be a JSON object", parameter=(name,))
    return given


async def _listed(api: Rest, place: str, parameters: Mapping[str, Any], query: dict[str, Any]) -> Rows:
    """All, or one page of as many as are asked for."""
    if parameters.get("returnAll") is not True:
        limit = value(parameters.get("limit", 100))
        if not isinstance(limit, int | float) or limit < 1:
            raise NodeRunError(f"The limit {limit!r} is no number from 1 on", parameter=("limit",))
        page = await api.ask("GET", place, {"limit": int(limit), **query})
        return list(page.get("data") or [])
    found: Rows = []
    async for page in api.pages(place, query, cursor="cursor", following="nextCursor"):
        found += page.get("data") or []
    return found


async def _of_workflow(api: Rest, parameters: Mapping[str, Any]) -> Rows:
    match parameters.get("operation", "getAll"):
        case "getAll":
            return await _listed(api, "/workflows", parameters, _workflow_filters(parameters))
        case "create":
            given = _object(parameters, "workflowObject", "The workflow")
            empty: dict[str, Any] = {"name": "My workflow", "nodes": [], "settings": {}, "connections": {}}
            document = {name: given.get(name, empty[name]) for name in _WRITTEN}
            return [
                await api.ask("POST", "/workflows", body={**document, "staticData": given.get("staticData")})
            ]
        case "update":
            given = _object(parameters, "workflowObject", "The workflow")
            document = {
                name: given[name] for name in (*_WRITTEN, "staticData") if given.get(name) is not None
            }
            return [await api.ask("PUT", _workflow(parameters), body=document)]
        case "activate":
            more = members(parameters, "additionalFields")
            body = {name: value(held) for name, held in more.items() if value(held)}
            return [await api.ask("POST", f"{_workflow(parameters)}/activate", body=body or None)]
        case "deactivate":
            return [await api.ask("POST", f"{_workflow(parameters)}/deactivate")]
        case "get" | "delete" as operation:
            return [await api.ask("GET" if operation == "get" else "DELETE", _workflow(parameters))]
        case "getVersion":
            version = _text(parameters, "versionId", "The version's id")
            return [await api.ask("GET", f"{_workflow(parameters)}{_place(version)}")]
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


def _workflow_filters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    filters = members(parameters, "filters")
    query: dict[str, Any] = {}
    if "activeWorkflows" in filters:
        query["active"] = value(filters["activeWorkflows"]) is True
    for name in ("tags", "name", "projectId"):
        if text := text_of(filters.get(name)):
            query[name] = text
    if value(filters.get("excludePinnedData")) is True:
        query["excludePinnedData"] = True
    return query


async def _of_execution(api: Rest, parameters: Mapping[str, Any]) -> Rows:
    details = {"includeData": True} if members(parameters).get("activeWorkflows") is True else {}
    match parameters.get("operation", "getAll"):
        case "getAll":
            filters = members(parameters, "filters")
            query: dict[str, Any] = {
                "workflowId": str(value(located(filters.get("workflowId"))) or "") or None,
                "status": text_of(filters.get("status")) or None,
            }
            return await _listed(api, "/executions", parameters, query | details)
        case "get":
            place = _place("executions", _text(parameters, "executionId", "The execution's id"))
            return [await api.ask("GET", place, details)]
        case "delete":
            place = _place("executions", _text(parameters, "executionId", "The execution's id"))
            return [await api.ask("DELETE", place)]
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


async def _of_credential(api: Rest, parameters: Mapping[str, Any]) -> Rows:
    match parameters.get("operation", "create"):
        case "create":
            body = {
                "name": _text(parameters, "name", "The name"),
                "type": _text(parameters, "credentialTypeName", "The credential's type"),
                "data": _object(parameters, "data", "The data"),
            }
            return [await api.ask("POST", "/credentials", body=body)]
        case "delete":
            place = _place("credentials", _text(parameters, "credentialId", "The credential's id"))
            return [await api.ask("DELETE", place)]
        case "getSchema":
            kind = _text(parameters, "credentialTypeName", "The credential's type")
            return [await api.ask("GET", _place("credentials", "schema", kind))]
        case other:
            raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")


async def _of_audit(api: Rest, parameters: Mapping[str, Any]) -> Rows:
    options = {name: value(held) for name, held in members(parameters, "additionalOptions").items()}
    return [await api.ask("POST", "/audit", body={"additionalOptions": options})]


_RESOURCES: Final = {
    "workflow": _of_workflow,
    "execution": _of_execution,
    "credential": _of_credential,
    "audit": _of_audit,
}


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    added = await ctx.authentication("n8nApi")
    first = await ctx.parameters_for(0)
    options = members(first, "requestOptions")
    api = service(ctx.http, added, options)
    size, seconds = batching(options)

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        if size and index and index % size == 0:
            await pause(ctx, seconds)
        resource = str(parameters.get("resource", "workflow"))
        if resource not in _RESOURCES:
            raise NodeRunError(f"The resource '{resource}' is not known", code="UNSUPPORTED")
        return [made(row, index) for row in await _RESOURCES[resource](api, parameters)]

    return [await map_items(ctx, handle)]

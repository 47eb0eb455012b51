"""Respond to Webhook: answers the caller of the webhook that started the run, and passes its items on."""

from typing import Any

from weft_node_sdk.context import NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, passed_all
from weft_node_sdk.json_text import json_bytes, parse_json
from weft_node_sdk.values import checked, entries, members, text_of, value

from weft_nodes.files.kinds import entry_of

Answer = tuple[bytes, str, int]
"""Body, content type, status where none is set."""

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"


def _json_text(given: Any) -> bytes:
    """The body of mode json. Raises NodeRunError where the text is no JSON."""
    given = checked(given)
    if not isinstance(given, str):
        return json_bytes(given)
    try:
        parse_json(given)
    except ValueError as error:
        raise NodeRunError(
            f"The response body is not valid JSON: {error}",
            description="Expressions in it must give JSON: texts in quotes, objects by JSON.stringify().",
        ) from None
    return given.encode()


def _under(key: Any, payload: Any) -> bytes:
    name = str(value(key) or "")
    return json_bytes({name: payload} if name else payload)


def _file_name(ctx: RunContext, parameters: dict[str, Any]) -> str:
    """Which file of the first item is sent."""
    binary = ctx.items[0].get("binary", {}) if ctx.items else {}
    name = str(value(parameters.get("inputFieldName", "data")))
    if parameters.get("responseDataSource", "automatically") == "automatically":
        name = str(next(iter(binary), ""))
    if not name or not ctx.items:
        raise NodeRunError("The first item has no file to send")
    return name


def _answer(ctx: RunContext, parameters: dict[str, Any]) -> Answer:
    key = members(parameters).get("responseKey")
    match parameters.get("respondWith", "firstIncomingItem"):
        case "firstIncomingItem":
            return _under(key, ctx.items[0]["json"] if ctx.items else {}), _JSON, 200
        case "allIncomingItems":
            return _under(key, [item["json"] for item in ctx.items]), _JSON, 200
        case "json":
            return _json_text(parameters.get("responseBody")), _JSON, 200
        case "text":
            return text_of(parameters.get("responseBody")).encode(), _HTML, 200
        case "noData":
            return b"", "", 200
        case "redirect":
            return b"", "", 307
        case other:
            raise NodeRunError(f"Answering with '{other}' is not supported yet", code="UNSUPPORTED")


def _status(given: Any, default: int) -> int:
    status = value(given)
    if status in (None, ""):
        return default
    if not isinstance(status, int | float) or not 100 <= int(status) <= 599:
        raise NodeRunError(f"{status!r} is no HTTP status")
    return int(status)


def _header(name: Any, text: Any) -> tuple[str, str]:
    name, text = str(value(name)).strip(), text_of(text).strip()
    if any(mark in name + text for mark in "\r\n\0"):
        raise NodeRunError(f"The header '{name.splitlines()[0]}' has a line break in it")
    return name, text


async def _respond(ctx: RunContext) -> dict[str, Any]:
    """Answers, and gives what was sent."""
    parameters = await ctx.parameters_for(0)
    options = members(parameters)
    name, body = "", b""
    if parameters.get("respondWith") == "binary":
        name = _file_name(ctx, parameters)
        content_type, default = str(entry_of(ctx, 0, name).get("mimeType") or "application/octet-stream"), 200
    else:
        body, content_type, default = _answer(ctx, parameters)
    given = [
        _header(entry.get("name"), entry.get("value"))
        for entry in entries(options, "responseHeaders", "entries")
    ]
    headers = [header for header in given if header[0]]
    if parameters.get("respondWith") == "redirect":
        headers.append(_header("Location", parameters.get("redirectURL")))
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", content_type))
    status = _status(options.get("responseCode"), default)
    if name:
        await ctx.respond_file(status, headers, 0, name)
    else:
        ctx.respond(status, headers, body)
    return {
        "statusCode": status,
        "headers": {key.lower(): text for key, text in headers},
        "body": {"binary": dict(entry_of(ctx, 0, name))} if name else _shown(body),
    }


def _shown(body: bytes) -> Any:
    try:
        return parse_json(body)
    except ValueError:
        return body.decode("utf-8", "replace")


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    second = ctx.node.version >= 1.4 and parameters.get("enableResponseOutput") is True
    try:
        sent = await _respond(ctx)
    except NodeRunError as error:
        if not ctx.continues():
            raise
        failed = [ctx.failed_item(error, 0)]
        return [failed, []] if second else [failed]
    passed = passed_all(ctx.items)
    return [passed, [made({"response": sent}, 0)]] if second else [passed]

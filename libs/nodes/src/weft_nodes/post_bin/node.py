"""PostBin: bins that collect requests, by the public API: https://www.postb.in/api."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, text_of, value

from weft_nodes.network.rest import Rest

_BASE: Final = "https://www.postb.in"
_BIN: Final = re.compile(r"\b\d{13}-\d{13}\b")
_LONGEST_MS: Final = 300_000


def _bin(parameters: Mapping[str, Any]) -> str:
    """The id, wherever it stands in the text: people copy addresses."""
    found = _BIN.search(text_of(parameters.get("binId")))
    if found is None:
        raise NodeRunError("Bin ID format is not valid", parameter=("binId",))
    return found[0]


def _moment(milliseconds: Any) -> str | None:
    if not isinstance(milliseconds, int | float):
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def _about(found: Mapping[str, Any]) -> dict[str, Any]:
    bin_id, now, expires = (found.get(name) for name in ("binId", "now", "expires"))
    return {
        "binId": bin_id,
        "nowTimestamp": now,
        "nowIso": _moment(now),
        "expiresTimestamp": expires,
        "expiresIso": _moment(expires),
        "requestUrl": f"{_BASE}/{bin_id}",
        "viewUrl": f"{_BASE}/b/{bin_id}",
    }


async def _done(api: Rest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    resource = parameters.get("resource", "bin")
    match resource, parameters.get("operation", "create" if resource == "bin" else "get"):
        case "bin", "create":
            return _about(await api.ask("POST", "/api/bin"))
        case "bin", "get":
            return _about(await api.ask("GET", f"/api/bin/{_bin(parameters)}"))
        case "bin", "delete":
            return dict(await api.ask("DELETE", f"/api/bin/{_bin(parameters)}"))
        case "request", "get":
            wanted = quote(text_of(parameters.get("requestId")).strip(), safe="")
            return dict(await api.ask("GET", f"/api/bin/{_bin(parameters)}/req/{wanted}"))
        case "request", "removeFirst":
            return dict(await api.ask("GET", f"/api/bin/{_bin(parameters)}/req/shift"))
        case "request", "send":
            sent = {"content": text_of(parameters.get("binContent"))}
            return {"requestId": await api.ask("POST", f"/{_bin(parameters)}", body=sent)}
        case other:
            raise NodeRunError(f"The operation '{other[1]}' of '{other[0]}' is not known", code="UNSUPPORTED")


def _options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    wait = value(members(parameters, "requestOptions").get("timeout", 10_000))
    if not isinstance(wait, int | float) or not 0 < wait <= _LONGEST_MS:
        raise NodeRunError(f"The timeout {wait!r} is not between 0 and {_LONGEST_MS} ms")
    return {"timeout": wait / 1000}


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        api = Rest(ctx.http, "PostBin", _BASE, Authentication(), _options(parameters), _said)
        return [made(await _done(api, parameters), index)]

    return [await map_items(ctx, handle)]


def _said(found: Any) -> str:
    """The words of an answer that says no: `{msg}`."""
    return str(found.get("msg") or "") if isinstance(found, Mapping) else ""

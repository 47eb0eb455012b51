"""Requests to Elasticsearch, and the faults it names."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.json_text import json_bytes, parse_json
from weft_node_sdk.values import to_text


def path(*parts: str) -> str:
    """Of names, of which indices may be several, or patterns."""
    return "".join(f"/{quote(part, safe=',*')}" for part in parts)


class Client:
    """For one run of the node, with the node's credential."""

    def __init__(
        self, ctx: RunContext, base: str, headers: Sequence[tuple[str, str]], *, verify: bool
    ) -> None:
        self._ctx = ctx
        self._base = base
        self._headers = list(headers)
        self._verify = verify

    async def ask(
        self, method: str, place: str, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The answer. `body`: JSON, or bytes: lines of JSON. Raises NodeRunError for a status from 400 on."""
        headers, content = list(self._headers), None
        if body is not None:
            lines = isinstance(body, bytes)
            headers.append(("content-type", "application/x-ndjson" if lines else "application/json"))
            content = body if lines else json_bytes(body)
        answer = await self._ctx.http.request(
            method,
            f"{self._base}{place}",
            headers=headers,
            query=[(name, str(to_text(held))) for name, held in (query or {}).items()],
            body=content,
            verify=self._verify,
        )
        text = answer.body.decode("utf-8", "replace")
        try:
            found = parse_json(text) if text.strip() else {}
        except ValueError:
            found = {}
        if answer.status >= 400:
            raise NodeRunError(
                f"Elasticsearch: {reason(found) or f'status {answer.status}'}",
                code="DATABASE_ERROR",
                http_status=answer.status,
            )
        return found


def reason(found: Any) -> str:
    """What went wrong, of an answer or of one of its parts; empty where nothing did."""
    if not isinstance(found, Mapping):
        return ""
    error = found.get("error")
    if isinstance(error, Mapping):
        return str(error.get("reason") or error.get("type") or "an error without words")
    if error:
        return str(error)
    return f"the document '{found.get('_id')}' is not there" if found.get("found") is False else ""


async def client_of(ctx: RunContext) -> Client:
    added = await ctx.authentication("elasticsearchApi")
    base = str(added.secret.get("baseUrl") or "").rstrip("/")
    if not base:
        raise NodeRunError("The credential says not where Elasticsearch is: its base URL is empty")
    added.check(base)
    verify = added.secret.get("ignoreSSLIssues") is not True
    return Client(ctx, base, added.headers if added.secret.get("username") else [], verify=verify)

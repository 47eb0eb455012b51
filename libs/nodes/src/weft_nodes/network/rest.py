"""JSON services over HTTP, for one run of a node."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from weft_node_sdk.context import Http, HttpAnswer, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.json_text import json_bytes, parse_json
from weft_node_sdk.values import to_text

_PAGES: Final = 10_000
"""A service that never ends its list is left after these."""


def said(found: Any) -> str:
    """The words of an answer that says no: `{message}`, `{error}` or `{error: {message}}`."""
    for name in ("message", "error"):
        held = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(held, Mapping):
            held = held.get("message")
        if held:
            return str(held)
    return ""


@dataclass(frozen=True)
class Rest:
    """`name` stands in errors. `added`: what each request gets from the credential. `options`: of `Http.request`.
    `reason`: the words of an answer that says no."""

    http: Http
    name: str
    base: str
    added: Authentication
    options: Mapping[str, Any]
    reason: Callable[[Any], str] = said

    async def ask(
        self,
        method: str,
        place: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Any:
        """The answer; `{}` for an empty one, the text where it is no JSON. Raises NodeRunError for a status from 400
        on."""
        found = await self.answer(method, place, query, body, headers)
        content = read(found)
        if found.status >= 400:
            told = self.reason(content) or (content if isinstance(content, str) else "")[:300]
            raise NodeRunError(
                f"{self.name}: {told or found.reason or f'status {found.status}'}",
                code="HTTP_ERROR",
                http_status=found.status,
            )
        return content

    async def answer(
        self,
        method: str,
        place: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> HttpAnswer:
        """Whatever its status is. `body`: JSON, or bytes as they are."""
        url = f"{self.base}{place}"
        self.added.check(url)
        sent = [*self.added.headers, *headers]
        content = body if isinstance(body, bytes) or body is None else json_bytes(body)
        if content is not None and not any(name.lower() == "content-type" for name, _ in headers):
            sent.append(("content-type", "application/json"))
        listed = [(name, str(to_text(held))) for name, held in (query or {}).items() if held is not None]
        return await self.http.request(
            method,
            url,
            headers=sent,
            query=[*self.added.query, *listed],
            body=content,
            secret_headers=[name for name, _ in self.added.headers],
            **self.options,
        )

    async def pages(
        self, place: str, query: Mapping[str, Any], *, cursor: str, following: str
    ) -> AsyncIterator[Any]:
        """The answers one after the other; the next one is asked for by the parameter `cursor`, with what the member
        `following` of the one before says."""
        more: dict[str, Any] = {}
        for _ in range(_PAGES):
            page = await self.ask("GET", place, {**query, **more})
            yield page
            held = page.get(following) if isinstance(page, Mapping) else None
            if not held:
                return
            more = {cursor: held}
        raise NodeRunError(f"{self.name}: the list does not end", code="HTTP_ERROR")


def read(answer: HttpAnswer) -> Any:
    text = answer.body.decode("utf-8", "replace")
    try:
        return parse_json(text) if text.strip() else {}
    except ValueError:
        return text

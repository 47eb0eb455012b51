"""HTTP Request: one request per item, in batches; the answer becomes items."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from weft_node_sdk.context import ClientCertificate, HttpAnswer, Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.values import entries, members, value

from weft_nodes.http_request import building, legacy_building
from weft_nodes.http_request.answers import Reading, failed, items_of, received
from weft_nodes.http_request.authentication import (
    answer_challenge,
    authenticate,
    client_certificate,
    credential_type,
    is_expired,
    signed,
)
from weft_nodes.http_request.draft import Draft
from weft_nodes.http_request.paging import Pages, settings_of
from weft_nodes.network.pause import pause

_AT_ONCE = 50
"""Requests in flight at a time where batching sets no smaller number."""

_ACCEPT = {
    "json": "application/json,text/*;q=0.99",
    "text": "text/*,application/json;q=0.9,application/xml;q=0.9,*/*;q=0.1",
    "autodetect": "application/json,text/*;q=0.9,application/xml;q=0.9,image/*;q=0.8,*/*;q=0.7",
}


class Sender:
    """Sends the requests of one item with its options."""

    def __init__(self, ctx: RunContext, parameters: Mapping[str, Any], reading: Reading) -> None:
        self._ctx = ctx
        self._reading = reading
        self._pages = settings_of(parameters) is not None
        self._credential = credential_type(parameters)
        options = members(parameters)
        self._accept = _ACCEPT.get(reading.format, "*/*")
        old = ctx.node.version < 3
        found = entries(options, "redirect", "redirect")
        redirect = found[0] if found else {}
        if old:
            self._follow = options.get("followRedirect", True)
        else:
            self._follow = redirect.get("followRedirects", ctx.node.version >= 4)
        self._most_redirects = int(redirect.get("maxRedirects", 21))
        untrusted = parameters if old else options
        self._verify = untrusted.get("allowUnauthorizedCerts") is not True
        self._proxy = str(value(options.get("proxy", "")) or "")
        timeout = value(options.get("timeout"))
        self._timeout = float(timeout) / 1000 if isinstance(timeout, int | float) and timeout > 0 else 300.0
        self._shows_certificate = parameters.get("provideSslCertificates") is True

    async def send(self, draft: Draft) -> HttpAnswer:
        if not draft.has_header("accept"):
            draft.headers.append(("accept", self._accept))
        certificate = await client_certificate(self._ctx) if self._shows_certificate else None
        found = await authenticate(self._ctx, draft, self._credential)
        answer = await self._request(draft, certificate, found)
        if self._credential == "httpDigestAuth" and await answer_challenge(self._ctx, draft, answer):
            return await self._request(draft, certificate, None)
        if found is not None and is_expired(found, answer):
            fresh = await authenticate(self._ctx, draft, self._credential, found.access_token)
            if fresh is not None and fresh.access_token != found.access_token:
                answer = await self._request(draft, certificate, fresh)
        return answer

    async def _request(
        self, draft: Draft, certificate: ClientCertificate | None, found: Authentication | None
    ) -> HttpAnswer:
        headers, body = draft.encoded()
        if found is not None and found.sign_in == "oauth1":
            headers = signed(draft, found.secret, headers, body)
        async with self._ctx.http.stream(
            draft.method,
            draft.url,
            headers=headers,
            query=draft.query,
            body=body,
            timeout=self._timeout,
            follow_redirects=self._follow is not False,
            max_redirects=self._most_redirects,
            verify=self._verify,
            proxy=self._proxy,
            client=certificate,
            secret_headers=draft.secret_headers,
        ) as answer:
            if self._pages:  # which are compared, and read by expressions
                return HttpAnswer(answer.status, answer.reason, answer.headers, await answer.read())
            return await received(self._ctx, answer, draft.url, self._reading)


async def _fetch(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> list[Item]:
    """The items that the requests of one input item give."""
    version = ctx.node.version
    reading = Reading.of(parameters, version)
    sender = Sender(ctx, parameters, reading)
    draft = await (building if version >= 3 else legacy_building).build(ctx, index, parameters)
    settings = settings_of(parameters) if version >= 3 else None
    if settings is None:
        return await items_of(ctx, await sender.send(draft), draft.url, reading, index)
    pages = Pages(ctx, index, settings, reading, sender.send)
    items: list[Item] = []
    for answer in await pages.fetch(draft):
        fitting = replace(reading, never_error=True) if pages.awaited(answer) else reading
        items += await items_of(ctx, answer, draft.url, fitting, index)
    return items


async def _guarded(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> list[Item] | NodeRunError:
    try:
        return await _fetch(ctx, index, parameters)
    except NodeRunError as error:
        if error.item_index is None:
            error.item_index = index
        if error.fatal or not ctx.continues():
            return error
        return [failed(ctx.failed_item(error, index), error, ctx.node.version)]


def _batching(parameters: Mapping[str, Any], version: float) -> tuple[int, float]:
    """Items per batch, and the seconds between two batches."""
    options = members(parameters)
    if version < 3:
        given: Mapping[str, Any] = options if "batchSize" in options or "batchInterval" in options else {}
    else:
        found = entries(options, "batching", "batch")
        given = found[0] if found else {}
    if not given:
        return _AT_ONCE, 0.0
    size, interval = given.get("batchSize", 50), given.get("batchInterval", 1000)
    number = int(size) if isinstance(size, int | float) else 50
    pause = float(interval) / 1000 if isinstance(interval, int | float) else 1.0
    # -1 and 0 stand for no batching
    return (min(number, _AT_ONCE), max(pause, 0.0)) if number > 0 else (_AT_ONCE, 0.0)


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    if not ctx.items:
        return [output]
    parameters = await ctx.parameters()
    size, interval = _batching(parameters[0], ctx.node.version)
    for first in range(0, len(parameters), size):
        if first:
            await pause(ctx, interval)
        await ctx.checkpoint()
        batch = range(first, min(first + size, len(parameters)))
        results = await asyncio.gather(*(_guarded(ctx, index, parameters[index]) for index in batch))
        for result in results:
            if isinstance(result, NodeRunError):
                raise result
            output += result
    return [output]

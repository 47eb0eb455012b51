"""Further pages: what the next request is, and when there is none."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from weft_node_sdk.context import HttpAnswer, NodeRunError, RunContext
from weft_node_sdk.values import entries, members

from weft_nodes.http_request.answers import Reading, body_of, headers_of
from weft_nodes.http_request.draft import Draft, checked_address

Send = Callable[[Draft], Awaitable[HttpAnswer]]

_MOST_PAGES = 10_000
_REPEATS = 5
"""The same answer so often in a row means that the paging parameters don't move on."""


def settings_of(parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The paging settings, or None where paging is off."""
    found = entries(members(parameters), "pagination", "pagination")
    if not found or found[0].get("paginationMode", "updateAParameterInEachRequest") == "off":
        return None
    return found[0]


class Pages:
    """Fetches the pages of one item. Expressions are taken from the raw parameters: they see `$response`,
    `$pageCount` and `$request`."""

    def __init__(
        self, ctx: RunContext, index: int, settings: Mapping[str, Any], reading: Reading, send: Send
    ) -> None:
        self._ctx = ctx
        self._index = index
        self._settings = settings
        self._reading = reading
        self._send = send
        self._raw = settings_of(ctx.node.parameters) or {}

    async def fetch(self, draft: Draft) -> list[HttpAnswer]:
        """The answers that make items. Raises NodeRunError where paging doesn't come to an end."""
        answers: list[HttpAnswer] = []
        variables: dict[str, Any] = {"$response": {}, "$pageCount": 0, "$request": self._request(draft)}
        limit = _MOST_PAGES
        if self._settings.get("limitPagesFetched") is True:
            limit = int(self._settings.get("maxRequests", 100))
        repeats = 0
        while len(answers) < limit:
            await self._ctx.checkpoint()
            await self._change(draft, variables)
            answer = await self._send(draft)
            repeats = repeats + 1 if answers and answers[-1].body == answer.body else 0
            if repeats >= _REPEATS:
                raise NodeRunError(
                    f"The server gave the same answer {_REPEATS} times in a row",
                    description="Check that the paging parameters change from page to page.",
                )
            variables = {
                "$response": self._response(answer),
                "$pageCount": len(answers) + 1,
                "$request": self._request(draft),
            }
            complete = await self._complete(answer, variables)
            answers.append(answer)
            if complete or answer.status >= 400 or not await self._follow(draft, variables):
                return answers
            await asyncio.sleep(max(float(self._settings.get("requestInterval") or 0), 0) / 1000)
        if limit == _MOST_PAGES:
            raise NodeRunError(f"There are more than {_MOST_PAGES} pages")
        return answers

    def awaited(self, answer: HttpAnswer) -> bool:
        """Whether its status is one that ends the paging, whatever it means elsewhere."""
        if self._settings.get("paginationCompleteWhen", "responseIsEmpty") != "receiveSpecificStatusCodes":
            return False
        codes = str(self._settings.get("statusCodesWhenComplete", "")).split(",")
        return str(answer.status) in {code.strip() for code in codes}

    def _request(self, draft: Draft) -> dict[str, Any]:
        body = draft.content if isinstance(draft.content, dict) and draft.kind != "multipart" else {}
        return {"url": draft.url, "headers": dict(draft.headers), "qs": dict(draft.query), "body": body}

    def _response(self, answer: HttpAnswer) -> dict[str, Any]:
        return {
            "body": body_of(answer, self._reading),
            "headers": headers_of(answer),
            "statusCode": answer.status,
            "statusMessage": answer.reason,
        }

    async def _evaluated(self, template: Any, variables: Mapping[str, Any]) -> Any:
        if not (isinstance(template, str) and template.startswith("=")):
            return template
        (result,) = await self._ctx.evaluate([template], self._index, variables)
        return result

    async def _change(self, draft: Draft, variables: Mapping[str, Any]) -> None:
        if (
            self._settings.get("paginationMode", "updateAParameterInEachRequest")
            != "updateAParameterInEachRequest"
        ):
            return
        change = {"qs": draft.set_query, "headers": draft.set_header, "body": draft.set_field}
        for entry in entries(self._raw, "parameters", "parameters"):
            name = await self._evaluated(entry.get("name", ""), variables)
            if name:
                given = await self._evaluated(entry.get("value", ""), variables)
                change[entry.get("type", "qs")](str(name), given)

    async def _complete(self, answer: HttpAnswer, variables: Mapping[str, Any]) -> bool:
        when = self._settings.get("paginationCompleteWhen", "responseIsEmpty")
        if when == "receiveSpecificStatusCodes":
            return self.awaited(answer)
        if when == "other":
            done = await self._evaluated(self._raw.get("completeExpression", ""), variables)
            return done is True or (isinstance(done, str) and done.strip().lower() == "true")
        return variables["$response"]["body"] in ({}, [], "", None)

    async def _follow(self, draft: Draft, variables: Mapping[str, Any]) -> bool:
        """Moves on to the address that the answer names; False where it names none."""
        if self._settings.get("paginationMode") != "responseContainsNextURL":
            return True
        following = await self._evaluated(self._raw.get("nextURL", ""), variables)
        if not isinstance(following, str) or not following.strip():
            return False
        # the query stands in the address that the server gave
        draft.url, draft.query = checked_address(following.strip()), []
        return True

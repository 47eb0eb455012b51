"""The same for several things in one call: what was done, and what could not be with its reason."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel, Field
from weft_contracts.errors import WeftError

from weft_gateway.entrypoints.rest.envelope import ok

AT_ONCE: Final = 8
"""How many are worked on at a time."""


class Several(BaseModel):
    ids: list[str] = Field(min_length=1, max_length=250)


async def each(request: Request, ids: list[str], act: Callable[[str], Awaitable[object]]) -> Response:
    """`done` ids in their order, and `failed` ones with their reason. `act` may give what is told of an id, a text:
    then `results` has it by id."""
    turn = asyncio.Semaphore(AT_ONCE)
    results: dict[str, str] = {}

    async def one(key: str) -> dict[str, Any] | None:
        async with turn:
            try:
                found = await act(key)
            except WeftError as error:
                return {"id": key, "code": error.code.value, "message": error.message}
        if isinstance(found, str):
            results[key] = found
        return None

    wanted = list(dict.fromkeys(ids))
    failures = await asyncio.gather(*(one(key) for key in wanted))
    done = [key for key, failure in zip(wanted, failures, strict=True) if failure is None]
    more = {"results": results} if results else {}
    return ok(request, {"done": done, "failed": [each for each in failures if each is not None], **more})

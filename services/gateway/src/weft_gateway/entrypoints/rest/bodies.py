"""Request bodies: none larger than the limit; some are kept as they were received (documents, item data)."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.http import DISCARDED_BYTES
from weft_kit.items import loads_js, unmarked


class BodyLimitMiddleware:
    """Ends the reading of a body with 413 before more than `limit` bytes are in memory."""

    def __init__(self, app: Any, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size = 0

        async def counted() -> Any:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size <= self.limit:
                return message
            while message.get("more_body") and size <= self.limit + DISCARDED_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
            # FastAPI passes HTTPException on while it reads a body, and nothing else
            raise HTTPException(413, f"The body is larger than {self.limit} bytes.")

        await self.app(scope, counted, send)


class JsonRoute(APIRoute):
    """Reads bodies by the codec of everything that comes in: what is no JSON (NaN and bytes that are not UTF-8 among
    it) or is nested too deep is refused with its place, whichever route it was sent to."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_js(request: Request) -> Response:
            return await handle(_JsRequest(request.scope, request.receive))

        return handle_js


class _JsRequest(Request):
    async def json(self) -> Any:
        try:
            return loads_js(unmarked(await self.body()))
        except WeftError as error:
            # for the same reason; the handler looks at the cause
            raise HTTPException(error.http_status, error.message) from error


async def raw_body(request: Request) -> bytes:
    """The whole body, which is JSON; without a byte order mark. Raises HTTPException 413."""
    return unmarked(await request.body())


async def json_object(request: Request, *, optional: bool = False) -> dict[str, object]:
    """The body as a JSON object. Raises VALIDATION_ERROR with the place of what is wrong."""
    body = await raw_body(request)
    if not body and optional:
        return {}
    value = loads_js(body)
    if not isinstance(value, dict):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "The body must be a JSON object.")
    return value

"""Request bodies that are kept as they were received: workflow documents and item data."""

from fastapi import Request
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.http import DISCARDED_BYTES
from weft_kit.items import loads_js


async def raw_body(request: Request) -> bytes:
    """The whole body. Raises TOO_LARGE while streaming, before more than the limit is in memory."""
    limit: int = request.app.state.settings.max_body_bytes
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > limit + DISCARDED_BYTES:
            break
    if size > limit:
        raise WeftError(ErrorCode.TOO_LARGE, f"The body is larger than {limit} bytes.", limit=limit)
    return b"".join(chunks)


async def json_object(request: Request, *, optional: bool = False) -> dict[str, object]:
    """The body as a JSON object. Raises VALIDATION_ERROR with the place of what is wrong."""
    body = await raw_body(request)
    if not body and optional:
        return {}
    value = loads_js(body)
    if not isinstance(value, dict):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "The body must be a JSON object.")
    return value

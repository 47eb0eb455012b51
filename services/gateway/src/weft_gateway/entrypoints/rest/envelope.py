"""The shape of every answer: `{"success", "data" | "error", "meta"}`, and how failures become statuses."""

import logging
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from weft_contracts.errors import HTTP_STATUS, ErrorCode, WeftError

log = logging.getLogger("weft.gateway")
_CODES = {status: code for code, status in reversed(list(HTTP_STATUS.items()))}


def _meta(request: Request) -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"timestamp": now, "request_id": request.scope.get("weft_request_id", "")}


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")


def ok(request: Request, data: Any, status: int = 200, **more: Any) -> Response:
    """A success. `more`: further members of the body, such as `pagination`."""
    return _answer(status, {"success": True, "data": data, **more, "meta": _meta(request)})


def page(request: Request, rows: Any, *, number: int, limit: int, total: int, **more: Any) -> Response:
    """One page of a list; `rows` may be JSON already."""
    pages = -(-total // limit) if limit else 0
    pagination = {"page": number, "limit": limit, "total": total, "total_pages": pages, **more}
    return ok(request, rows, pagination=pagination)


def failure(request: Request, code: str, message: str, status: int, details: Any = None) -> Response:
    headers = {}
    if isinstance(details, dict) and "retry_after" in details:
        headers["Retry-After"] = str(max(1, round(details["retry_after"])))
    elif status == 503:
        headers["Retry-After"] = "1"
    error = {"code": code, "message": message, "details": details or {}}
    return _answer(status, {"success": False, "error": error, "meta": _meta(request)}, headers)


def install(app: FastAPI) -> None:
    """Registers the handlers that turn failures into answers."""

    @app.exception_handler(WeftError)
    async def on_weft(request: Request, error: WeftError) -> Response:
        return failure(request, error.code.value, error.message, error.http_status, error.details)

    @app.exception_handler(RequestValidationError)
    async def on_validation(request: Request, error: RequestValidationError) -> Response:
        fields = [{"field": ".".join(map(str, e["loc"][1:])), "reason": e["msg"]} for e in error.errors()]
        message = "The request does not have the expected form."
        return failure(request, ErrorCode.VALIDATION_ERROR, message, 400, {"fields": fields})

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, WeftError):
            return await on_weft(request, error.__cause__)
        code = {405: "METHOD_NOT_ALLOWED"}.get(error.status_code) or _CODES.get(
            error.status_code, ErrorCode.INTERNAL
        )
        return failure(request, str(code), str(error.detail), error.status_code)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        log.error("unexpected failure of %s %s", request.method, request.url.path, exc_info=error)
        return failure(request, ErrorCode.INTERNAL, "Something went wrong on our side.", 500)

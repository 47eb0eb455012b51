"""The application of the compatible API, and the middleware that leads to it.

n8n's paths are ours (`/api/v1/workflows`), its answers are not; the header that only its clients send tells them apart.
"""

import logging
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from weft_contracts.errors import WeftError

from weft_gateway.entrypoints.n8n import audit, credentials, executions, workflows

log = logging.getLogger("weft.gateway")


def _said(status: int, message: str) -> Response:
    return Response(orjson.dumps({"message": message}), status, media_type="application/json")


def build(state: Any, prefix: str) -> FastAPI:
    """`state`: of the gateway's own application."""
    app = FastAPI(openapi_url=None)
    app.state = state
    for router in (workflows.router, executions.router, credentials.router, audit.router):
        app.include_router(router, prefix=prefix)

    @app.exception_handler(WeftError)
    async def on_weft(_: Request, error: WeftError) -> Response:
        return _said(error.http_status, error.message)

    @app.exception_handler(RequestValidationError)
    async def on_validation(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _said(400, f"request/{'/'.join(map(str, first['loc']))} {first['msg']}")

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        return _said(error.status_code, "not found" if error.status_code == 404 else str(error.detail))

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        log.error("unexpected failure of %s %s", request.method, request.url.path, exc_info=error)
        return _said(500, "Something went wrong on our side.")

    return app


class CompatibleMiddleware:
    """Gives calls with n8n's header to `compatible`."""

    def __init__(self, app: Any, compatible: Any) -> None:
        self.app = app
        self.compatible = compatible

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        named = scope["type"] == "http" and any(name == b"x-n8n-api-key" for name, _ in scope["headers"])
        await (self.compatible if named else self.app)(scope, receive, send)

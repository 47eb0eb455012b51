"""The gateway's ASGI application."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from weft_contracts.errors import WeftError
from weft_kit.blobs import BlobStore
from weft_kit.cache import Cache
from weft_kit.identity.tokens import TokenVerifier
from weft_node_sdk.catalogue import Catalogue

from weft_gateway.application.ports import Backends
from weft_gateway.entrypoints import openapi, web
from weft_gateway.entrypoints.n8n import app as n8n
from weft_gateway.entrypoints.rest import (
    auth,
    credentials,
    data_tables,
    envelope,
    executions,
    files,
    nodes,
    options,
    resources,
    statistics,
    versions,
    workflows,
)
from weft_gateway.entrypoints.rest.bodies import BodyLimitMiddleware
from weft_gateway.entrypoints.rest.identity import IdentityMiddleware
from weft_gateway.settings import GatewaySettings

VERSION = "0.1.0"
PREFIX = "/api/v1"


class RejectionMiddleware:
    """Answers what the identity middleware has rejected (too many calls, identity out of reach)."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        error: WeftError | None = scope.get("weft_rejected")
        if error is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = envelope.failure(request, error.code.value, error.message, error.http_status, error.details)
        await answer(scope, receive, send)


def build(
    settings: GatewaySettings, backends: Backends, cache: Cache, blobs: BlobStore, verifier: TokenVerifier
) -> FastAPI:
    app = FastAPIOffline(  # its pages load nothing from elsewhere
        title="Weft API",
        version=VERSION,
        description="Workflow automation that loses nothing. Answers: `{success, data | error, meta}`.",
        docs_url="/api/docs",
        static_url="/api/docs/assets",
        swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
        favicon_url="/weft.svg",
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.settings = settings
    app.state.backends = backends
    app.state.cache = cache
    app.state.blobs = blobs
    app.state.catalogue = Catalogue.load()
    envelope.install(app)
    for router in (
        auth.router,
        workflows.router,
        versions.router,
        statistics.router,
        executions.router,
        files.router,
        nodes.router,
        options.router,
        credentials.router,
        resources.router,
        data_tables.router,
    ):
        app.include_router(router, prefix=PREFIX)
    app.include_router(credentials.callbacks)

    @app.get(f"{PREFIX}/status", tags=["system"], summary="Version and whether the installation works")
    async def status(request: Request) -> Response:
        return envelope.ok(request, {"name": "weft", "version": VERSION, "status": "ok"})

    openapi.install(app)
    web.install(app, settings.web_root)
    app.add_middleware(n8n.CompatibleMiddleware, compatible=n8n.build(app.state, PREFIX))
    app.add_middleware(BodyLimitMiddleware, limit=settings.max_body_bytes)
    app.add_middleware(RejectionMiddleware)
    app.add_middleware(
        IdentityMiddleware, verifier=verifier, cache=cache, calls_per_minute=settings.calls_per_minute
    )
    return app

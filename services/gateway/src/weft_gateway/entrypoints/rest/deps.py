"""What every endpoint reaches for, kept on the application's state by `app.build`."""

from typing import cast

from fastapi import Request
from weft_kit.blobs import BlobStore
from weft_kit.cache import Cache

from weft_gateway.application.ports import Backends
from weft_gateway.settings import GatewaySettings


def backends(request: Request) -> Backends:
    return cast("Backends", request.app.state.backends)


def cache(request: Request) -> Cache:
    return cast("Cache", request.app.state.cache)


def blobs(request: Request) -> BlobStore:
    return cast("BlobStore", request.app.state.blobs)


def settings(request: Request) -> GatewaySettings:
    return cast("GatewaySettings", request.app.state.settings)

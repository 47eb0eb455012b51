"""The web page: files of the build, and its index for every other path (the page routes by itself)."""

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from weft_contracts.errors import ErrorCode, WeftError

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self' blob:",
        # files of items: the page makes such an address for bytes of a type that it has chosen, none that runs
        "media-src 'self' blob:",
        "frame-src blob:",
        "connect-src 'self' ws: wss:",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
_MISSING = """<!doctype html><title>Weft</title><h1>Weft is running</h1>
<p>The web page has not been built. Run <code>make build</code>, then reload. The API is at
<a href="/api/docs">/api/docs</a>.</p>"""


def install(app: FastAPI, root: Path) -> None:
    """Serves `root`. Files under `assets/` carry a hash in their name and are cached for a year; what the build has
    compressed is sent so."""
    base = root.resolve()

    @app.get("/{path:path}", include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        if path.startswith("api/"):
            raise WeftError(ErrorCode.NOT_FOUND, f"There is no endpoint {request.method} /{path}.")
        file = (base / path).resolve()
        if path and file.is_relative_to(base) and file.is_file():
            kind = mimetypes.guess_type(file.name)[0]
            age = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            headers = {"Cache-Control": age, "Vary": "Accept-Encoding"}
            zipped = file.with_name(f"{file.name}.gz")
            if "gzip" in request.headers.get("accept-encoding", "") and zipped.is_file():
                return FileResponse(zipped, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
            return FileResponse(file, media_type=kind, headers=headers)
        index = base / "index.html"
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        if not index.is_file():
            return HTMLResponse(_MISSING, headers=headers)
        return FileResponse(index, media_type="text/html", headers=headers)

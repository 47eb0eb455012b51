"""`/executions/{id}/files`: files of items, as streams."""

import asyncio
import io
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import IO, Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit.blobs import is_file
from weft_kit.rpc import Caller

from weft_gateway.domain.download import Part, headers_of, part_of
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends, blobs
from weft_gateway.entrypoints.rest.identity import signed_in

router = APIRouter(prefix="/executions", tags=["executions"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]
CHUNK_BYTES: Final = 256 * 1024
Count = Annotated[int, Query(ge=0, le=2**31 - 1)]


@router.get(
    "/{execution_id}/files",
    summary="A file of an item, or a part of it (`Range`); `view` shows harmless types in place",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file"},
        206: {"content": {"application/octet-stream": {}}, "description": "A part of the file"},
        416: {"description": "The file has nothing of that range"},
    },
)
async def download(
    request: Request,
    user: User,
    execution_id: str,
    node: str,
    run: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    output: Count = 0,
    item: Count = 0,
    name: str = "data",
    view: bool = False,
) -> Response:
    call = pb.GetFileRequest(
        execution_id=execution_id, node=node, run_index=run, output=output, item=item, name=name
    )
    entry = orjson.loads((await backends(request).executions.GetFile(call)).entry)
    async with _opened(request, entry) as file:
        size = await asyncio.to_thread(file.seek, 0, io.SEEK_END)
    tag = _tag(entry)
    headers = {**headers_of(entry, shown=view), "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    fresh = request.headers.get("if-range", tag) == tag
    try:
        part = part_of(request.headers.get("range", ""), size) if fresh else None
    except ValueError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    wanted = part or Part(0, size)
    headers["Content-Length"] = str(wanted.end - wanted.start)
    return StreamingResponse(_body(request, entry, wanted), 206 if part else 200, headers)


def _tag(entry: Mapping[str, Any]) -> str:
    """A stored file never changes under its id."""
    where = str(entry.get("id") or entry.get("data"))
    return f'"{sha256(where.encode()).hexdigest()[:32]}"'


@asynccontextmanager
async def _opened(request: Request, entry: Mapping[str, Any]) -> AsyncIterator[IO[bytes]]:
    key = str(entry.get("id") or "")
    if not key:
        try:
            yield io.BytesIO(b64decode(str(entry.get("data", ""))))
        except ValueError:
            raise WeftError(ErrorCode.NOT_FOUND, "The file can't be read.") from None
        return
    if not is_file(key):
        raise WeftError(ErrorCode.NOT_FOUND, "There is no such file.")
    async with blobs(request).open(key) as file:
        yield file


async def _body(request: Request, entry: Mapping[str, Any], part: Part) -> AsyncIterator[bytes]:
    async with _opened(request, entry) as file:
        await asyncio.to_thread(file.seek, part.start)
        left = part.end - part.start
        while left > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

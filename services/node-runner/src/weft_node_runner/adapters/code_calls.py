"""What a script asks for over its pipe: requests, and files of its items."""

import base64
import binascii
import mimetypes
from typing import Any, Final

from weft_expressions.code import HelpRefused
from weft_node_sdk.context import Http, NodeRunError

from weft_node_runner.adapters.code_requests import CodeRequests
from weft_node_runner.application.ports import Binaries

_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a file that crosses the pipe: it is there several times over, and as text in between."""


class CodeCalls:
    """`http` None: requests are refused."""

    def __init__(self, http: Http | None, binaries: Binaries | None = None) -> None:
        self._requests = None if http is None else CodeRequests(http)
        self._binaries = binaries

    async def send(self, kind: str, options: dict[str, Any]) -> Any:
        """Raises HelpRefused."""
        if kind in ("httpRequest", "request"):
            if self._requests is None:
                text = "Only code that names its request may make one"
                hint = "Write it out: this.helpers.httpRequest({ url: 'https://…' })."
                raise HelpRefused(text, {"description": hint})
            return await self._requests.send(kind, options)
        try:
            if kind == "getBinaryDataBuffer" and self._binaries is not None:
                return await self._read(self._binaries, options)
            if kind == "prepareBinaryData" and self._binaries is not None:
                return await self._store(self._binaries, options)
        except NodeRunError as error:
            raise HelpRefused(error.message, {"description": error.description}) from None
        raise HelpRefused(f"There is no helper '{kind}' here")

    @staticmethod
    async def _read(binaries: Binaries, options: dict[str, Any]) -> Any:
        index, name = options.get("item"), options.get("name")
        if not isinstance(index, int) or isinstance(index, bool) or index < 0 or not isinstance(name, str):
            raise HelpRefused("A file is asked for by item and name: getBinaryDataBuffer(0, 'data')")
        data = await binaries.read_binary(index, name)
        if len(data) > _MOST_BYTES:
            raise HelpRefused(f"The file has {len(data)} bytes; code reads up to {_MOST_BYTES}")
        return {"type": "Base64", "data": base64.b64encode(data).decode()}

    @staticmethod
    async def _store(binaries: Binaries, options: dict[str, Any]) -> Any:
        try:
            data = base64.b64decode(str(options.get("data", "")), validate=True)
        except binascii.Error:
            raise HelpRefused("The first argument of prepareBinaryData is a Buffer") from None
        if len(data) > _MOST_BYTES:
            raise HelpRefused(f"The file has {len(data)} bytes; code makes up to {_MOST_BYTES}")
        name = str(options.get("fileName") or "")
        kind = str(options.get("mimeType") or mimetypes.guess_type(name)[0] or _kind_of(data))
        return await binaries.store_binary(data, mime_type=kind, file_name=name)


def _kind_of(data: bytes) -> str:
    """Of a file without a name."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"

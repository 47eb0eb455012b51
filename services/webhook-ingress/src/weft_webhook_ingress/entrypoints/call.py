"""A call of a webhook: its body as it comes, and the answer as bytes or as a file."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import IO, Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.http import DISCARDED_BYTES
from weft_kit.service import AsgiReceive, AsgiSend, Scope
from weft_node_sdk.binary import CHUNK_BYTES

from weft_webhook_ingress.domain.answers import Answer
from weft_webhook_ingress.domain.body import TooLargeError
from weft_webhook_ingress.domain.hook import Hook
from weft_webhook_ingress.domain.origin import may_answer, may_run

_EXECUTION: Final = b"x-weft-execution-id"
_SANDBOX: Final = (
    b"sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts "
    b"allow-top-navigation-by-user-activation"
)
"""What a workflow answers runs, if it does, in an origin of its own: webhooks may share ours with the editor."""


class Call:
    """One HTTP call of a webhook, and its answer."""

    __slots__ = ("_cors", "begun", "close", "execution_id", "headers", "method", "receive", "scope", "send")

    def __init__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        self.begun = False
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.execution_id = ""
        self.close = False
        self._cors: list[tuple[bytes, bytes]] = []

    @property
    def address(self) -> str:
        client = self.scope.get("client")
        return client[0] if client else ""

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        """The body, as it comes. Raises TooLargeError; what is too large is read and given to nobody."""
        declared = self.headers.get("content-length", "")
        size, refused = 0, False
        if declared.isdigit() and int(declared) > limit:
            if "expect" in self.headers or int(declared) > DISCARDED_BYTES:
                raise TooLargeError(limit)
            refused = True
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise WeftError(ErrorCode.BAD_REQUEST, "The caller has gone.")
            chunk = message.get("body", b"")
            size += len(chunk)
            last = not message.get("more_body")
            refused = refused or size > limit
            if not refused:
                yield chunk
            elif last or size > limit + DISCARDED_BYTES:
                raise TooLargeError(limit)
            if last:
                return

    async def gone(self) -> None:
        """Returns when the caller has hung up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def origin_headers(self, hook: Hook) -> None:
        origin = self.headers.get("origin")
        if origin is None:
            return
        if "*" in hook.origins or origin in hook.origins:
            allowed = origin.encode("latin-1", "replace")
            self._cors = [(b"access-control-allow-origin", allowed), (b"vary", b"Origin")]

    async def reply(self, answer: Answer) -> None:
        await self._begin(answer, len(answer.body))
        body = b"" if self.method == "HEAD" else answer.body
        await self.send({"type": "http.response.body", "body": body})

    async def reply_file(self, answer: Answer, file: IO[bytes]) -> None:
        size = await asyncio.to_thread(file.seek, 0, os.SEEK_END)
        await self._begin(answer, size)
        await asyncio.to_thread(file.seek, 0)
        while self.method != "HEAD" and (chunk := await asyncio.to_thread(file.read, CHUNK_BYTES)):
            await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def _begin(self, answer: Answer, size: int) -> None:
        self.begun = True
        given = tuple(each for each in answer.headers if may_answer(*each))
        headers = [(b"content-length", str(size).encode()), *given, *self._cors]
        if may_run(given):
            headers.append((b"content-security-policy", _SANDBOX))
        headers.append((b"x-content-type-options", b"nosniff"))
        if self.execution_id:
            headers.append((_EXECUTION, self.execution_id.encode()))
        if self.close:
            headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})

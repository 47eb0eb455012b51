"""Answers of runs, on their way to the callers that wait."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Signal, WebhookReply
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_contracts.rpc.orchestrator import Executions

SILENCE_SECONDS: Final = 1.0
LONGEST_PAUSE: Final = 5.0


class Replies:
    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._waiting: dict[str, list[asyncio.Future[WebhookReply]]] = {}

    def heard(self, signal: Signal) -> None:
        if isinstance(signal, WebhookReply):
            for future in self._waiting.pop(signal.execution_id, ()):
                if not future.done():
                    future.set_result(signal)

    def expect(self, execution_id: str) -> "asyncio.Future[WebhookReply]":
        """Before the start is submitted."""
        future: asyncio.Future[WebhookReply] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(execution_id, []).append(future)
        return future

    def forget(self, execution_id: str, future: "asyncio.Future[WebhookReply]") -> None:
        waiting = self._waiting.get(execution_id)
        if waiting is not None and future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._waiting[execution_id]

    async def of(
        self,
        execution_id: str,
        future: "asyncio.Future[WebhookReply]",
        submitted: "asyncio.Future[None]",
        seconds: float,
        gone: Callable[[], Awaitable[None]],
    ) -> WebhookReply | None:
        """The reply; None where the caller has gone. After a second of silence the orchestrator is asked, ever less
        often. Raises UNAVAILABLE where the start was refused, TIMEOUT after `seconds`."""
        submitted.add_done_callback(lambda done: _refused(done, future))
        try:
            return await asyncio.wait_for(asyncio.shield(future), SILENCE_SECONDS)
        except TimeoutError:
            pass
        left = asyncio.ensure_future(gone())
        try:
            return await self._ask(execution_id, future, left, seconds)
        finally:
            left.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await left

    async def _ask(
        self,
        execution_id: str,
        future: "asyncio.Future[WebhookReply]",
        left: "asyncio.Future[None]",
        seconds: float,
    ) -> WebhookReply | None:
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + seconds, SILENCE_SECONDS / 2
        while loop.time() < end:
            with contextlib.suppress(WeftError):
                answer = await self._executions.GetReply(pb.GetReplyRequest(execution_id=execution_id))
                if answer.found:
                    reply = wire.decode_signal(answer.reply)
                    if isinstance(reply, WebhookReply):
                        return reply
            await asyncio.wait((future, left), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                return future.result()
            if left.done():
                return None
            pause = min(pause * 1.5, LONGEST_PAUSE)
        raise WeftError(ErrorCode.TIMEOUT, "The workflow has not answered in time; it runs on.")


def _refused(submitted: "asyncio.Future[None]", future: "asyncio.Future[WebhookReply]") -> None:
    if not submitted.cancelled() and submitted.exception() is not None and not future.done():
        error = submitted.exception()
        future.set_exception(error or WeftError(ErrorCode.UNAVAILABLE, "Weft is busy."))

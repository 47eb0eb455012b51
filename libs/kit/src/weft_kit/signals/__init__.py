"""The best-effort port: replies to waiting callers, editor events. Never relied on."""

from collections.abc import Callable
from typing import Protocol

from weft_contracts.messages import Signal


class Signals(Protocol):
    def publish(self, channel: str, signal: Signal) -> None:
        """Returns at once; a loss is silent."""

    def listen(self, channel: str, handler: Callable[[Signal], None]) -> Callable[[], None]:
        """Calls `handler` for each signal until the returned function is called."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

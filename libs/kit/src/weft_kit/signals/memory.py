"""Signals inside one process: a function call."""

import logging
from collections.abc import Callable

from weft_contracts.messages import Signal

log = logging.getLogger("weft.signals")


class MemorySignals:
    """Implements Signals."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Callable[[Signal], None]]] = {}

    def publish(self, channel: str, signal: Signal) -> None:
        for handler in self._handlers.get(channel, ()):
            try:
                handler(signal)
            except Exception:
                log.exception("a listener of %s failed", channel)

    def listen(self, channel: str, handler: Callable[[Signal], None]) -> Callable[[], None]:
        # lists are replaced, not changed, so that a handler may stop listening while it is called
        self._handlers[channel] = [*self._handlers.get(channel, ()), handler]

        def stop() -> None:
            left = [each for each in self._handlers.get(channel, ()) if each is not handler]
            if left:
                self._handlers[channel] = left
            else:
                self._handlers.pop(channel, None)

        return stop

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        self._handlers.clear()

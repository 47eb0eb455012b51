"""The HTTP client, whose libraries take a third of a second to import: a thread brings them while the rest starts."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from weft_node_sdk.context import HttpAnswer, HttpStream

if TYPE_CHECKING:
    from weft_node_runner.adapters.http import GuardedHttp


class LateHttp:
    """Implements Http of the node SDK."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = list(allowed)
        self._made: asyncio.Future[GuardedHttp] | None = None

    def start(self) -> "asyncio.Future[GuardedHttp]":
        if self._made is None:
            self._made = asyncio.get_running_loop().run_in_executor(None, self._make)
        return self._made

    def _make(self) -> "GuardedHttp":
        from weft_node_runner.adapters.http import GuardedHttp

        return GuardedHttp(self._allowed)

    async def request(self, method: str, url: str, **options: Any) -> HttpAnswer:
        """As `GuardedHttp.request`."""
        client = await asyncio.shield(self.start())
        return await client.request(method, url, **options)

    @asynccontextmanager
    async def stream(self, method: str, url: str, **options: Any) -> AsyncIterator[HttpStream]:
        """As `GuardedHttp.stream`."""
        client = await asyncio.shield(self.start())
        async with client.stream(method, url, **options) as answer:
            yield answer

    async def close(self) -> None:
        if self._made is not None:
            await (await self._made).close()

import asyncio
import os
import signal
from collections.abc import Mapping

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit import lifecycle
from weft_kit.service import AsgiApp


class Recorded:
    """A service that writes down what is asked of it, and fails or hangs at one of it."""

    servicers: Mapping[type, object] = {}
    asgi: AsgiApp | None = None

    def __init__(self, name: str, diary: list[str], fails: str = "", hangs: str = "") -> None:
        self.name = name
        self.diary = diary
        self.fails = fails
        self.hangs = hangs

    async def _do(self, what: str) -> None:
        self.diary.append(f"{what} {self.name}")
        if what == self.hangs:
            await asyncio.Event().wait()
        if what == self.fails:
            raise RuntimeError(what)

    async def start(self) -> None:
        await self._do("start")

    async def drain(self) -> None:
        await self._do("drain")

    async def stop(self) -> None:
        await self._do("stop")

    def ready(self) -> str:
        return ""


async def test_starts_in_order_and_stops_backwards() -> None:
    diary: list[str] = []
    services = [Recorded("a", diary), Recorded("b", diary, fails="drain"), Recorded("c", diary, hangs="stop")]
    await lifecycle.start_all(services)
    await lifecycle.stop_all(services, seconds=0.05)
    assert diary == [
        *("start a", "start b", "start c"),
        *("drain c", "drain b", "drain a"),
        *("stop c", "stop b", "stop a"),
    ]


async def test_a_failed_start_stops_what_had_started() -> None:
    diary: list[str] = []
    services = [Recorded("a", diary), Recorded("b", diary, fails="start"), Recorded("c", diary)]
    with pytest.raises(RuntimeError):
        await lifecycle.start_all(services)
    assert diary == ["start a", "start b", "stop b", "stop a"]


async def test_a_start_that_hangs_is_an_error() -> None:
    diary: list[str] = []
    with pytest.raises(WeftError, match="b did not start") as caught:
        await lifecycle.start_all([Recorded("a", diary), Recorded("b", diary, hangs="start")], seconds=0.05)
    assert caught.value.code is ErrorCode.TIMEOUT
    assert diary[-1] == "stop a"


async def test_waits_for_what_is_out_of_reach_only() -> None:
    failures: list[Exception] = [
        WeftError(ErrorCode.UNAVAILABLE, "starting"),
        ConnectionRefusedError(),
        WeftError(ErrorCode.FORBIDDEN, "never"),
    ]

    async def attempt() -> None:
        if len(failures) > 1:
            raise failures.pop(0)

    await lifecycle.patiently("a friend", attempt, longest=0.01)
    with pytest.raises(WeftError, match="never"):
        await lifecycle.patiently("a friend", lambda: _fail(failures[0]), longest=0.01)


async def _fail(error: Exception) -> None:
    raise error


async def test_signals_set_the_event() -> None:
    with lifecycle.stop_signals() as asked:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await asked.wait()

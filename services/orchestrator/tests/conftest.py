"""The world of these tests, made anew for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from weft_kit.database.migrate import migrate
from weft_kit.rpc import Caller, current

from services.orchestrator.tests.orchestrator_world import FakeRunner, World


@pytest.fixture
async def world(pg_dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    await migrate(pg_dsn, "weft_orchestrator", "orchestrator")
    token = current.set(Caller("u1"))
    made = await World(pg_dsn, tmp_path).boot()
    yield made
    await made.crash()
    current.reset(token)


@pytest.fixture
async def runner(world: World) -> AsyncIterator[FakeRunner]:
    made = await FakeRunner(world).start()
    yield made
    await made.stop()

"""The world of these tests, made anew for each; Ada acts unless a test says otherwise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from weft_kit.database.migrate import migrate
from weft_kit.rpc import Caller, current

from .store_world import World


@pytest.fixture
async def world(pg_dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    await migrate(pg_dsn, "weft_workflow_store", "workflow_store")
    token = current.set(Caller("ada"))
    made = await World(pg_dsn, tmp_path).boot()
    yield made
    await made.stop()
    current.reset(token)

"""The world of these tests, made anew for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from weft_kit.database.migrate import migrate

from services.auth.tests.auth_world import World


@pytest.fixture
async def world(pg_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    await migrate(pg_dsn, "weft_auth", "auth")
    made = await World(pg_dsn, tmp_path, monkeypatch).boot()
    yield made
    await made.stop()

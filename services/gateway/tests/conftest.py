"""One installation for each module of tests."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from weft_kit.testing.servers import Postgres

from services.gateway.tests.gateway_world import Client, World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(pg_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    dsn = pg_server.create_database(f"t{uuid4().hex}")
    made = await World(dsn, tmp_path_factory.mktemp("home")).boot()
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(world: World) -> AsyncIterator[Client]:
    client = await world.user("owner@example.org")
    yield client
    await client.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stranger(owner: Client, world: World) -> AsyncIterator[Client]:
    """Another user, who is no member of the owner's project."""
    client = await world.user("stranger@example.org")
    yield client
    await client.aclose()

"""Connections outlive their server; schemas are migrated once, whoever asks."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.database import Database, database_errors
from weft_kit.database import migrate as migrations
from weft_kit.database.embedded import EmbeddedPostgres

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of our own, because it is restarted."""
    made = EmbeddedPostgres(tmp_path_factory.mktemp("pg"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def database(server: EmbeddedPostgres) -> AsyncIterator[Database]:
    made = Database(server.dsn())
    yield made
    await made.close()


async def test_pool_and_engine_answer(database: Database) -> None:
    await database.check()
    async with database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT 2"))).scalar() == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_survives_a_restart(server: EmbeddedPostgres, database: Database, how: signal.Signals) -> None:
    async def by_engine() -> None:
        async with database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    pool = await database.pool()
    await pool.fetchval("SELECT 1")
    await by_engine()
    await asyncio.to_thread(server.stop, how)
    for attempt in (database.check, by_engine):
        with pytest.raises(WeftError) as caught, database_errors():
            await attempt()
        assert caught.value.code is ErrorCode.UNAVAILABLE
    await asyncio.to_thread(server.start)
    await pool.fetchval("SELECT 1")
    await by_engine()


async def test_a_statement_that_the_server_ends_is_unavailable(database: Database) -> None:
    pool = await database.pool()
    async with pool.acquire() as victim:
        pid = victim.get_server_pid()
        running = asyncio.create_task(victim.fetch("SELECT pg_sleep(20)"))
        assert await pool.fetchval("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(WeftError), database_errors():
            await running


async def test_mistakes_stay_mistakes(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError), database_errors():
        await (await database.pool()).fetch("SELECT * FROM nowhere")


async def test_nobody_listens() -> None:
    unreachable = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(WeftError) as caught:
        await unreachable.pool()
    assert caught.value.code is ErrorCode.UNAVAILABLE
    await unreachable.close()


FIRST = """
from alembic import op
revision, down_revision = "0001", None

def upgrade():
    op.execute(\"\"\"
        CREATE TABLE demo.things (id int PRIMARY KEY, note text DEFAULT 'a;b');
        CREATE FUNCTION demo.one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
        INSERT INTO demo.things VALUES (1);
    \"\"\")
"""
SECOND = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0002", "0001"

def upgrade():
    op.add_column("things", sa.Column("size", sa.Integer), schema="demo")
    op.execute("UPDATE demo.things SET size = demo.one()")
"""
BROKEN = """
from alembic import op
revision, down_revision = "0003", "0002"

def upgrade():
    op.execute("CREATE TABLE demo.half (id int)")
    op.execute("SELECT nonsense")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package with one migration; its `versions` folder."""
    versions = tmp_path / "demo_service" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "demo_service" / "__init__.py").touch()
    (versions / "0001_first.py").write_text(FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    return versions


@pytest.fixture
async def dsn(server: EmbeddedPostgres, tmp_path: Path) -> str:
    """A database of the test's own."""
    name = f"t{abs(hash(tmp_path))}"
    await asyncio.to_thread(server.run_psql, "postgres", f"CREATE DATABASE {name}")
    return server.dsn(name)


async def test_migrates_once_and_then_forward(dsn: str, package: Path) -> None:
    await asyncio.gather(*(migrations.migrate(dsn, "demo_service", "demo") for _ in range(3)))
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT note FROM demo.things") == "a;b"
    assert await connection.fetchval("SELECT version_num FROM demo.alembic_version") == "0001"
    (package / "0002_second.py").write_text(SECOND)
    await migrations.migrate(dsn, "demo_service", "demo")
    assert await connection.fetchval("SELECT size FROM demo.things") == 1
    (package / "0003_broken.py").write_text(BROKEN)
    with pytest.raises(Exception, match="nonsense"):
        await migrations.migrate(dsn, "demo_service", "demo")
    assert await connection.fetchval("SELECT to_regclass('demo.half')") is None
    assert await connection.fetchval("SELECT version_num FROM demo.alembic_version") == "0002"
    for late in package.glob("000[23]*"):
        late.unlink()
    await migrations.migrate(dsn, "demo_service", "demo")  # the release before starts on the newer schema
    await connection.close()


def test_a_schema_at_its_head_imports_no_alembic(dsn: str, package: Path) -> None:
    asyncio.run(migrations.migrate(dsn, "demo_service", "demo"))
    script = (
        "import asyncio, sys; from weft_kit.database.migrate import migrate\n"
        f"asyncio.run(migrate({dsn!r}, 'demo_service', 'demo'))\n"
        "sys.exit(any(name in sys.modules for name in ('alembic', 'sqlalchemy')))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, env={"PYTHONPATH": str(package.parents[2])}, check=False).returncode == 0

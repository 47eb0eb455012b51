"""Old executions go, with their data and files; their counts stay."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from weft_contracts.errors import WeftError
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.database import Database
from weft_kit.database.migrate import migrate
from weft_orchestrator.adapters.postgres_counts import QUARTER, PostgresCounts
from weft_orchestrator.adapters.postgres_queries import PostgresQueries
from weft_orchestrator.adapters.postgres_retention import PostgresRetention
from weft_orchestrator.application import retention
from weft_orchestrator.application.retention import Limits, Retention
from weft_orchestrator.application.sweeper import Sweeper

from services.orchestrator.tests.orchestrator_world import World
from services.orchestrator.tests.test_orchestrator_counts import NOW, catch_up, key_at, put, totals

pytestmark = pytest.mark.integration
DAY = 86_400
TABLES = ("executions", "node_runs", "wakes", "custom_data")


class Kept:
    """A database and blobs with executions of any age."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.database = Database(dsn)
        self.blobs = FolderBlobs(folder)
        self.counts = PostgresCounts(self.database)
        self.sweeper = Sweeper(self.blobs, PostgresQueries(self.database, self.blobs))

    async def open(self) -> "Kept":
        await migrate(self.dsn, "weft_orchestrator", "orchestrator")
        self.connection: Any = await asyncpg.connect(self.dsn)
        return self

    async def close(self) -> None:
        await self.connection.close()
        await self.database.close()

    async def put(self, days: float, head: dict[str, Any] | None = None, **row: Any) -> str:
        """An execution that began so long ago, with a row in each table and two blobs."""
        key = await put(self.connection, NOW - days * DAY, **row)
        await self.connection.execute(
            "UPDATE orchestrator.executions SET head = $2 WHERE id = $1::uuid",
            key,
            json.dumps(head or {}).encode(),
        )
        await self.connection.execute(
            "INSERT INTO orchestrator.node_runs (execution_id, node, run_index, seq, status, started_at, details, "
            "codec, size, ref) VALUES ($1::uuid, 'A', 0, 1, 'success', 0, '{}', 0, 0, '')",
            key,
        )
        await self.connection.execute(
            "INSERT INTO orchestrator.wakes (execution_id, node, run_index, index, kind, codec, size, ref) "
            "VALUES ($1::uuid, 'A', 0, 0, 'child', 0, 0, '')",
            key,
        )
        await self.connection.execute("INSERT INTO orchestrator.custom_data VALUES ($1::uuid, 'k', 'v')", key)
        for name in ("files/a", "large"):
            await self.blobs.put(f"{key}/{name}", b"1")
        return key

    async def sweep(self, days: int = 30, failed_days: int = 30, expired: Any = None) -> int:
        kept = Retention(expired or PostgresRetention(self.database), self.sweeper, days, failed_days)
        return await kept.sweep(NOW)

    async def there(self) -> set[str]:
        """Executions that have rows; the same in each table."""
        found = []
        for table in TABLES:
            column = "id" if table == "executions" else "execution_id"
            rows = await self.connection.fetch(f"SELECT {column}::text FROM orchestrator.{table}")
            found.append({row[0] for row in rows})
        assert all(each == found[0] for each in found)
        return found[0]

    async def with_blobs(self, keys: Collection[str]) -> set[str]:
        found = set()
        for each in keys:
            try:
                await self.blobs.get(f"{each}/files/a")
                found.add(each)
            except WeftError:
                continue
        return found


@pytest.fixture
async def kept(pg_dsn: str, tmp_path: Path) -> Any:
    made = await Kept(pg_dsn, tmp_path / "blobs").open()
    yield made
    await made.close()


async def test_only_what_ended_long_ago_goes_and_the_counts_stay(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    old = [await kept.put(31 + number, status="success") for number in range(8)]
    failed = [await kept.put(40, status="error"), await kept.put(70, status="error")]
    cancelled = await kept.put(45, status="cancelled")
    others = {
        await kept.put(29),
        await kept.put(90, status="waiting"),
        await kept.put(90, status="running"),
        await kept.put(0),
    }
    busy = await kept.put(80)
    await kept.connection.execute(
        "UPDATE orchestrator.executions SET follow_up = true WHERE id = $1::uuid", busy
    )
    await catch_up(kept.counts, NOW // QUARTER)
    year = {"first": NOW // QUARTER - 365 * 96}
    before = await totals(kept.counts, **year)
    assert before == Counter(success=11, error=2, cancelled=1, waiting=1, running=1)

    assert await kept.sweep(failed_days=60) == 10
    assert await kept.there() == {*others, busy, failed[0]}
    assert await kept.with_blobs([*old, *failed, cancelled, *others]) == {*others, failed[0]}
    assert await kept.sweep(failed_days=60) == 0
    assert await kept.sweep(days=0, failed_days=0) == 0
    assert await totals(kept.counts, **year) == before
    await kept.connection.execute(
        "UPDATE orchestrator.counted SET next_at = '-infinity' "
        "WHERE quarter IN (SELECT quarter FROM orchestrator.removed)"
    )
    await catch_up(kept.counts, NOW // QUARTER)  # counted from the rows again
    assert await totals(kept.counts, **year) == before
    assert await kept.sweep() == 1
    assert await totals(kept.counts, **year) == before


async def test_what_was_not_counted_yet_waits(kept: Kept) -> None:
    old = await kept.put(40)
    assert await kept.sweep() == 0
    await catch_up(kept.counts, NOW // QUARTER - 50 * 96)
    assert await kept.sweep() == 0
    await catch_up(kept.counts, NOW // QUARTER)
    assert await kept.sweep() == 1
    assert old not in await kept.there()


async def test_what_an_execution_started_stays_as_long_as_it(kept: Kept) -> None:
    root = await kept.put(50, status="waiting")
    link = {"execution_id": root, "node": "A", "run_index": 0, "item_index": 0, "wait": True}
    child = await kept.put(49, {"root_id": root, "parent": link})
    failed = await kept.put(48, status="error")
    retry = await kept.put(5, {"retry_of": failed})
    await catch_up(kept.counts, NOW // QUARTER)
    assert await kept.sweep() == 1
    assert await kept.there() == {root, child, retry}
    # the retry may need the failed one's
    assert await kept.with_blobs([root, child, failed, retry]) == {
        root,
        child,
        failed,
        retry,
    }  # the retry may need them
    await kept.connection.execute(
        "UPDATE orchestrator.executions SET status = 'success', finished_at = $2 WHERE id = $1::uuid",
        root,
        int((NOW - 40 * DAY) * 1e6),
    )
    assert await kept.sweep() == 2
    assert await kept.there() == {retry}
    assert await kept.with_blobs([root, child, retry]) == {retry}


class Crashing:
    """Commits, and then the process is gone: nobody is told."""

    def __init__(self, database: Database) -> None:
        self._expired = PostgresRetention(database)

    async def remove(self, limits: Limits, after: str, most: int) -> Sequence[str]:
        await self._expired.remove(limits, after, most)
        raise SystemError("killed")

    async def drop_days(self, before: float) -> int:
        return 0


async def test_a_crash_between_rows_and_blobs_is_made_good_by_the_sweep(kept: Kept) -> None:
    old = [await kept.put(40), await kept.put(41)]
    await catch_up(kept.counts, NOW // QUARTER)
    with pytest.raises(SystemError):
        await kept.sweep(expired=Crashing(kept.database))
    assert await kept.there() == set()
    assert await kept.with_blobs(old) == set(old)
    assert await kept.sweep() == 0
    await kept.sweeper.sweep(time.time() + 60)
    assert await kept.with_blobs(old) == set()
    assert await totals(kept.counts, first=NOW // QUARTER - 60 * 96) == Counter(success=2)


async def test_days_without_rows_are_dropped(kept: Kept) -> None:
    await kept.connection.execute("""
        DO $$ DECLARE day date; kind text; BEGIN
            FOR i IN 40..42 LOOP
                day := (now() AT TIME ZONE 'UTC')::date - i;
                FOREACH kind IN ARRAY ARRAY['executions', 'node_runs'] LOOP
                    EXECUTE format('CREATE TABLE orchestrator.%1$s_%2$s PARTITION OF orchestrator.%1$s '
                        'FOR VALUES FROM (%3$L) TO (%4$L)', kind, to_char(day, 'YYYYMMDD'),
                        orchestrator.day_bound(day), orchestrator.day_bound(day + 1));
                END LOOP;
            END LOOP;
        END $$""")

    async def days() -> int:
        found: int = await kept.connection.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent IN "
            "('orchestrator.executions'::regclass, 'orchestrator.node_runs'::regclass)"
        )
        return found

    before = await days()
    waiting = await kept.put(41, status="waiting")
    await catch_up(kept.counts, NOW // QUARTER)
    async with kept.connection.transaction():  # a reader of the tables is not waited for
        await kept.connection.fetch("SELECT id FROM orchestrator.executions LIMIT 1")
        await kept.sweep()
    assert await days() == before
    await kept.sweep()
    assert await days() == before - 4
    assert waiting in await kept.there()
    async with kept.connection.transaction():  # nobody waits for a day that is left
        assert await kept.connection.fetchval("SELECT orchestrator.drop_days(current_date - 30)") == 0
        locks = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
        assert await kept.connection.fetchval(locks + " AND locktype = 'relation'") == 0
    late = key_at(NOW - 40 * DAY)
    await kept.connection.execute(
        "INSERT INTO orchestrator.node_runs (execution_id, node, run_index, seq, status, started_at, details, codec, "
        "size, ref) VALUES ($1::uuid, 'A', 0, 1, 'success', 0, '{}', 0, 0, '')",
        late,
    )


async def test_the_look_for_what_was_made_of_an_execution_uses_its_index(kept: Kept) -> None:
    await kept.connection.execute(
        "INSERT INTO orchestrator.executions SELECT gen_random_uuid(), 0, 'p', 'w', '', 'success', 'm', 1, 1, 1, 1, "
        "NULL, '', 0, false, '{\"trigger_node\":\"A\"}' FROM generate_series(1, 20000)"
    )
    root = key_at(NOW - 2 * DAY)
    await kept.put(1, {"root_id": root})
    await kept.connection.execute("ANALYZE orchestrator.executions")
    plan = await kept.connection.fetch(
        "EXPLAIN SELECT 1 FROM orchestrator.executions e WHERE orchestrator.origins(e.head) && ARRAY[$1::text] "
        "AND (position('\"root_id\":'::bytea IN head) > 0 OR position('\"retry_of\":'::bytea IN head) > 0)",
        root,
    )
    assert "origins" in "\n".join(row[0] for row in plan)
    assert await kept.sweeper._used.unused([root]) == []


async def test_an_orchestrator_that_runs_removes_what_is_old(
    pg_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(retention, "AGAIN_SECONDS", 0.05)
    made = await Kept(pg_dsn, tmp_path / "blobs").open()
    old, young = await made.put(40), await made.put(2)
    world = await World(pg_dsn, tmp_path).boot()
    try:
        async with asyncio.timeout(20):
            while await made.with_blobs([old]):
                await asyncio.sleep(0.02)
        assert await made.there() == {young}
    finally:
        await world.crash()
        await made.close()

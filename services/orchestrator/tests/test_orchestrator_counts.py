"""Counting: what is kept of past quarters and what is counted at once give what there is."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from weft_kit.database import Database
from weft_kit.database.migrate import migrate
from weft_orchestrator.adapters.postgres_counts import QUARTER, PostgresCounts, Wanted, counted_again

pytestmark = pytest.mark.integration

NOW = int(time.time()) // QUARTER * QUARTER + 100
DAY = 96
"""Quarters."""


@pytest.fixture
async def database(pg_dsn: str) -> AsyncIterator[Database]:
    await migrate(pg_dsn, "weft_orchestrator", "orchestrator")
    made = Database(pg_dsn)
    yield made
    await made.close()


@pytest.fixture
async def connection(database: Database, pg_dsn: str) -> AsyncIterator[Any]:
    made = await asyncpg.connect(pg_dsn)
    yield made
    await made.close()


def key_at(seconds: float) -> str:
    """A UUIDv7 of that moment."""
    text = f"{int(seconds * 1000):012x}7{uuid4().hex[13:]}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def put(connection: Any, seconds: float, **row: Any) -> str:
    """An execution that took two seconds, unless it has not ended."""
    given = {"project": "p1", "workflow": "w1", "status": "success", **row}
    key, created = key_at(seconds), int(seconds * 1_000_000)
    over = given["status"] in ("success", "error", "cancelled")
    await connection.execute(
        "INSERT INTO orchestrator.executions (id, shard, project_id, workflow_id, version_id, status, mode, seq, "
        "created_at, finished_at, last_node, data_size, follow_up, head) "
        "VALUES ($1::uuid, 0, $2, $3, '', $4, 'manual', 1, $5, $6, '', 0, false, '')",
        key,
        given["project"],
        given["workflow"],
        given["status"],
        created,
        created + 2_000_000 if over else None,
    )
    return key


def wanted(**more: Any) -> Wanted:
    given = {
        "projects": ["p1"],
        "workflow_id": "",
        "first": NOW // QUARTER - 30 * DAY,
        "end": NOW // QUARTER + 1,
    }
    return Wanted(**{**given, "step": 86400, "offset": 0, **more})


async def totals(counts: PostgresCounts, **more: Any) -> Counter[str]:
    """By status, in a count by time that agrees with the one by workflow."""
    rows = await counts.count(wanted(**more))
    by_time, by_workflow = Counter[str](), Counter[str]()
    for row in rows:
        (by_workflow if row.start is None else by_time)[row.status] += row.executions
    assert by_time == by_workflow
    return by_time


async def catch_up(counts: PostgresCounts, until: int) -> None:
    while await counts.catch_up(until, 100):
        pass


async def test_kept_and_live_counts_are_the_executions(database: Database, connection: Any) -> None:
    counts, chance = PostgresCounts(database), random.Random(7)
    assert await totals(counts) == {}
    made = []
    for _ in range(300):
        at = NOW - chance.choice([chance.uniform(0, 7200), chance.uniform(0, 20 * 86400)])
        row = {
            "project": chance.choice(["p1", "p1", "p2"]),
            "workflow": chance.choice(["w1", "w2"]),
            "status": chance.choice(["success", "success", "error", "waiting", "running"]),
        }
        await put(connection, at, **row)
        made.append((at, row))
    truth = Counter(row["status"] for _, row in made if row["project"] == "p1")
    for until in (0, NOW // QUARTER - 10 * DAY, NOW // QUARTER - 3, NOW // QUARTER):
        await catch_up(counts, until)
        assert await totals(counts) == truth
    of_w2 = Counter(row["status"] for _, row in made if row["project"] == "p1" and row["workflow"] == "w2")
    assert await totals(counts, workflow_id="w2") == of_w2
    first = NOW // QUARTER - 2 * DAY
    late = Counter(row["status"] for at, row in made if row["project"] == "p1" and at >= first * QUARTER)
    assert await totals(counts, first=first) == late
    buckets = {row.start for row in await counts.count(wanted(step=3600)) if row.start is not None}
    assert buckets == {int(at) // 3600 * 3600 for at, row in made if row["project"] == "p1"}
    assert await totals(counts, projects=[]) == {}


async def test_days_begin_by_the_callers_clock(database: Database, connection: Any) -> None:
    counts = PostgresCounts(database)
    midnight = (NOW // 86400 - 3) * 86400
    await put(connection, midnight - 1800)
    [bucket] = [row for row in await counts.count(wanted(offset=3600)) if row.start is not None]
    assert bucket.start == midnight - 3600
    assert (bucket.ended, bucket.milliseconds) == (1, 2000)


async def test_what_changes_later_is_counted_again(database: Database, connection: Any) -> None:
    counts, quarter = PostgresCounts(database), NOW // QUARTER
    waiting = await put(connection, NOW - 5 * 86400, status="waiting")
    gone = await put(connection, NOW - 5 * 86400)
    await catch_up(counts, quarter)
    assert await totals(counts) == {"waiting": 1, "success": 1}
    await connection.execute(
        "UPDATE orchestrator.executions SET status = 'error', finished_at = created_at WHERE id = $1::uuid",
        waiting,
    )
    await connection.execute("DELETE FROM orchestrator.executions WHERE id = $1::uuid", gone)
    await counted_again(connection, gone)
    await catch_up(counts, quarter)
    assert await totals(counts) == {"error": 1}
    due = await connection.fetchval("SELECT count(*) FROM orchestrator.counted WHERE next_at <= now()")
    assert due == 0


async def test_a_quarter_with_something_unfinished_is_due_again(database: Database, connection: Any) -> None:
    counts = PostgresCounts(database)
    for days, status in ((5, "waiting"), (6, "success"), (0.2, "success")):
        await put(connection, NOW - days * 86400, status=status)
    await catch_up(counts, NOW // QUARTER)
    again = {
        row["quarter"]: row["minutes"]
        for row in await connection.fetch(
            "SELECT quarter, extract(epoch FROM next_at - now())::float / 60 AS minutes "
            "FROM orchestrator.counted WHERE next_at < 'infinity'"
        )
    }
    assert 14 < again[int(NOW - 5 * 86400) // QUARTER] <= 15
    for days in (0.2, 6):
        assert again[int(NOW - days * 86400) // QUARTER] > 23 * 60


async def test_what_began_in_an_outage_is_counted(database: Database, connection: Any) -> None:
    """Its command waited in the broker while its quarter was counted."""
    counts, quarter = PostgresCounts(database), NOW // QUARTER
    await put(connection, NOW - 5 * 86400)
    await catch_up(counts, quarter)
    await put(connection, NOW - 4 * 86400)
    assert await totals(counts) == {"success": 1}
    await connection.execute("UPDATE orchestrator.counted SET next_at = next_at - interval '1 day'")
    await catch_up(counts, quarter)
    assert await totals(counts) == {"success": 2}
    rest = "SELECT count(*) FROM orchestrator.counted WHERE quarter < $1 AND next_at < 'infinity'"
    assert await connection.fetchval(rest, quarter - DAY - 1) == 0


async def test_a_deletion_that_is_under_way_is_waited_for(database: Database, connection: Any) -> None:
    counts, quarter = PostgresCounts(database), NOW // QUARTER
    gone = await put(connection, NOW - 5 * 86400)
    await catch_up(counts, quarter)
    await counted_again(connection, gone)
    async with connection.transaction():
        await connection.execute("DELETE FROM orchestrator.executions WHERE id = $1::uuid", gone)
        await counted_again(connection, gone)
        counting = asyncio.create_task(catch_up(counts, quarter))
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        while not await connection.fetchval(waits):
            assert not counting.done()
    await counting
    assert await totals(counts) == {}

"""Ids of executions, and where they live."""

import pytest
from weft_contracts import ids
from weft_contracts.ids import (
    MOMENT_EXECUTIONS,
    MOMENT_SECONDS,
    SHARDS,
    ExecutionIds,
    id_milliseconds,
    shard_of,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the monotonic clock says."""
    now = [100.0]
    monkeypatch.setattr(ids.time, "monotonic", lambda: now[0])
    return now


def test_the_executions_of_a_moment_share_a_shard(clock: list[float]) -> None:
    source = ExecutionIds()
    made = [source.new() for _ in range(MOMENT_EXECUTIONS)]
    assert len(set(made)) == MOMENT_EXECUTIONS
    assert len({shard_of(each) for each in made}) == 1
    assert all(id_milliseconds(each) > 1_700_000_000_000 and each[14] == "7" for each in made)


def test_the_executions_of_a_flood_are_spread_over_the_shards(clock: list[float]) -> None:
    source = ExecutionIds()
    shards = [shard_of(source.new()) for _ in range(200 * MOMENT_EXECUTIONS)]
    assert max(shards.count(shard) for shard in set(shards)) < 20 * MOMENT_EXECUTIONS
    assert len(set(shards)) > SHARDS / 2


def test_the_executions_of_many_moments_are_spread_over_the_shards(clock: list[float]) -> None:
    source, shards = ExecutionIds(), set()
    for _ in range(1000):
        shards.add(shard_of(source.new()))
        clock[0] += MOMENT_SECONDS
    assert len(shards) == SHARDS

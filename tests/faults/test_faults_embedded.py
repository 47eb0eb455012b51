"""kill -9 of the whole embedded process: at named crash points, at random, with and without its database."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from weft_kit.crash import POINTS

from tests.faults.invariants import check
from tests.faults.ledger import Ledger, Table
from tests.faults.workflows import HELD, RETRIES, Hold, install
from tests.harness.embedded import Embedded
from tests.harness.load import Calls, drive
from tests.harness.stub import Stub
from tests.harness.user import User, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
KINDS = ["pure", "safe", "unsafe", "wait"]


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


@pytest.fixture
def weft(tmp_path: Path, stub: Stub) -> Iterator[Embedded]:
    installation = Embedded(tmp_path / "home", allow=stub.address)
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    yield from Table().written(Path("build") / "faults-embedded.md")


def in_flight(weft: Embedded, calls: Calls) -> list[str]:
    """What was accepted and has not ended. The database must run."""
    return Ledger(weft.database.dsn()).unfinished(list(calls.accepted.values()))


def recovery(weft: Embedded, left: list[str], held: set[str]) -> float:
    """Starts Weft; the seconds until those that were left had ended, but those that are held."""
    seconds = weft.start()
    return seconds + Ledger(weft.database.dsn()).settle([each for each in left if each not in held], 60)


@pytest.mark.parametrize("crash_point", POINTS)
def test_nothing_is_lost_at_a_crash_point(weft: Embedded, stub: Stub, table: Table, crash_point: str) -> None:
    weft.start()
    user = User(weft.base).register()
    workflows = install(user, stub)
    calls = Calls()
    held = asyncio.run(Hold(took=10).bring(weft.base, calls, 0))  # beyond the restart
    weft.stop()
    weft.launch(WEFT_CRASH=f"{crash_point}:40")
    # on a slow machine those that are held wake, and their commits count, before it is healthy
    until(lambda: weft.healthy() or weft.died(0), 60, "the start")
    asyncio.run(drive(weft.base, KINDS, 500, 150, calls, first=10_000, stop_on_loss=True))
    assert weft.died(20), f"{crash_point} was never reached"
    left = in_flight(weft, calls)
    table.add(f"crash point {crash_point}", len(left), recovery(weft, left, held))
    asyncio.run(drive(weft.base, KINDS, 500, 150, calls, first=20_000))
    check(user, workflows, calls, stub)


@pytest.mark.parametrize("database", [False, True], ids=["weft", "weft-and-postgres"])
def test_nothing_is_lost_when_killed_under_load(
    weft: Embedded, stub: Stub, table: Table, database: bool, request: pytest.FixtureRequest
) -> None:
    rounds = 20 if request.config.getoption("--long") else 2
    rng = random.Random(7)
    name = "kill -9 of Weft and PostgreSQL" if database else "kill -9 of Weft"
    weft.start()
    user = User(weft.base).register()
    workflows = install(user, stub)
    calls, hold = Calls(), Hold()
    for number in range(rounds):

        async def until_killed(first: int = number * 10_000) -> tuple[list[str], set[str]]:
            held = await hold.bring(weft.base, calls, first)
            load = asyncio.create_task(
                drive(weft.base, KINDS, 600, 150, calls, first=first + RETRIES * HELD, stop_on_loss=True)
            )
            await asyncio.sleep(rng.uniform(0.5, 3.0))
            left = await asyncio.to_thread(in_flight, weft, calls)
            await asyncio.to_thread(weft.kill, database=database)
            await load
            return left, held

        left, held = asyncio.run(until_killed())
        table.add(name, len(left), recovery(weft, left, held))
    asyncio.run(drive(weft.base, KINDS, 300, 150, calls, first=9_000_000))
    check(user, workflows, calls, stub, kills=rounds)


def test_runs_resume_within_ten_seconds_of_being_healthy(weft: Embedded, stub: Stub) -> None:
    weft.start()
    user = User(weft.base).register()
    workflows = install(user, stub, delay_ms=1500)
    before = sum(stub.calls.values())
    for n in range(20):
        assert user.hook("safe", json={"n": f"resumed-{n}"}).is_success
    until(lambda: sum(stub.calls.values()) >= before + 20, 10, "the calls")
    weft.kill()
    weft.start()
    healthy = time.monotonic()
    until(lambda: sum(stub.calls.values()) >= before + 40, 10, "the second calls")
    assert time.monotonic() - healthy < 10
    check(user, workflows, Calls(), stub)


def test_a_started_unsafe_node_is_not_repeated_and_its_run_ends(weft: Embedded, stub: Stub) -> None:
    weft.start()
    user = User(weft.base).register()
    workflows = install(user, stub, delay_ms=3000)
    until(lambda: user.executions(workflows["unsafe"])[0]["status"] == "success", 10, "the first run")
    assert user.hook("unsafe", json={"n": "once"}).is_success
    until(lambda: stub.calls["unsafe-once"] == 1, 10, "the call")
    weft.kill()
    weft.start()
    rows = user.finished(workflows["unsafe"], 2)
    assert rows[0]["status"] == "error"
    assert rows[0]["error"]["code"] == "OUTCOME_UNKNOWN"
    assert stub.calls["unsafe-once"] == 1


def test_a_schedule_fires_once_a_tick_through_a_crash(weft: Embedded) -> None:
    from tests.harness.flows import chain, edit, node

    weft.start()
    user = User(weft.base).register()
    rule = {"rule": {"interval": [{"field": "seconds", "secondsInterval": 2}]}}
    workflow = user.import_workflow(
        chain("ticks", node("Clock", "scheduleTrigger", rule, 1.2), edit("Mark", {"a": 1}))
    )
    until(lambda: len(user.executions(workflow)) >= 2, 15, "two ticks")
    weft.kill()
    weft.start()
    count = len(user.executions(workflow))
    until(lambda: len(user.executions(workflow)) >= count + 2, 15, "two more ticks")
    user.data("POST", f"/workflows/{workflow}/deactivate")
    rows = user.finished(workflow)
    ticks = [int(row["id"].replace("-", "")[:12], 16) for row in rows]
    assert len(set(ticks)) == len(ticks)
    assert all(tick % 2000 == 0 for tick in ticks)
    gaps = {b - a for a, b in zip(sorted(ticks), sorted(ticks)[1:], strict=False)}
    assert gaps == {2000}, f"ticks were skipped: {gaps}"


def test_second_instance_and_busy_port_are_refused_with_words(weft: Embedded, tmp_path: Path) -> None:
    weft.start()
    other = Embedded(weft.home)
    other.launch()
    assert other.died(20)
    assert "already runs on" in other.tail()
    third = Embedded(tmp_path / "third")
    third.port = weft.port
    third.launch()
    assert third.died(20)
    assert f"Port {weft.port} is in use" in third.tail()


def test_clean_stop_keeps_data_and_modes(weft: Embedded) -> None:
    weft.home.mkdir(mode=0o755)
    weft.home.parent.chmod(0o711)
    weft.start()
    user = User(weft.base).register()
    assert weft.stop() == 0
    assert weft.database.pid() is None
    assert weft.home.stat().st_mode & 0o777 == 0o755
    assert weft.home.parent.stat().st_mode & 0o777 == 0o711
    weft.start()
    assert [row["name"] for row in user.login().data("GET", "/workflows")] != []

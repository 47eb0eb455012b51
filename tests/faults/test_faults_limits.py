"""What is too large, too hungry or too much harms nothing beside it."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.embedded import Embedded
from tests.harness.flows import chain, code, edit, node, webhook
from tests.harness.user import User, items

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
MB = 1024 * 1024
HUNGRY = "const held = []; while (true) held.push('ab'.repeat(2 ** 20).split(''));"


@pytest.fixture(scope="module")
def weft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    installation = Embedded(tmp_path_factory.mktemp("limits") / "home")
    try:
        installation.start()
        yield installation
    finally:
        installation.close()


@pytest.fixture(scope="module")
def user(weft: Embedded) -> User:
    return User(weft.base).register()


def peak(weft: Embedded) -> int:
    """Most memory that the process has held since `forget`, bytes."""
    assert weft.process is not None
    lines = Path(f"/proc/{weft.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def forget(weft: Embedded) -> None:
    assert weft.process is not None
    Path(f"/proc/{weft.process.pid}/clear_refs").write_text("5")


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_a_body_of_50_mb_is_refused_and_never_held(weft: Embedded, user: User, chunked: bool) -> None:
    path = f"flat-{chunked}"
    workflow = user.import_workflow(chain(path, webhook(path, "onReceived")))
    assert user.ready_hook(path, json={}).is_success
    forget(weft)
    before = peak(weft)
    pieces = [b"x" * 65_536] * (50 * 16)
    options: dict[str, Any] = {"content": iter(pieces)}
    if not chunked:
        options["headers"] = {"content-length": str(50 * MB)}
    answer = user.hook(path, **options)
    assert answer.status_code == 413
    assert answer.json()["code"] == 413
    assert peak(weft) - before < 30 * MB
    assert len(user.finished(workflow)) == 1


def test_a_payload_over_the_claim_check_passes_from_end_to_end(weft: Embedded, user: User) -> None:
    rng = random.Random(1)
    text = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1_500_000))
    twice = code("Twice", "return $input.all().map(i => ({ json: { text: i.json.body.text, n: 1 } }))")
    document = chain("claim", webhook("claim"), twice, edit("Mark", {"seen": True}))
    workflow = user.import_workflow(document)
    answer = user.ready_hook("claim", json={"text": text})
    assert answer.json() == {"text": text, "n": 1, "seen": True}
    (row,) = user.finished(workflow)
    blobs = sum(file.stat().st_size for file in (weft.home / "blobs").rglob("*") if file.is_file())
    assert blobs > 2_000_000
    weft.kill(database=True)
    weft.start()
    user.login()
    assert items(user.execution(row["id"]), "Twice")[0]["text"] == text


def test_a_script_that_kills_its_jail_is_an_error_of_its_node(weft: Embedded, user: User) -> None:
    catcher = user.import_workflow(
        chain("caught", node("On error", "errorTrigger"), edit("Note", {"seen": True}))
    )
    killer = user.import_workflow(
        chain("killer", webhook("killer", "onReceived"), code("Eat", HUNGRY), errorWorkflow=catcher)
    )
    goes_on = user.import_workflow(
        chain(
            "goes-on",
            webhook("goes-on", "onReceived"),
            code("Eat", HUNGRY, onError="continueRegularOutput"),
            edit("After", {"after": True}),
        )
    )
    beside = user.import_workflow(chain("beside", webhook("beside"), edit("Set", {"fine": True})))
    for path in ("killer", "goes-on", "beside"):
        assert user.ready_hook(path, json={}).is_success
    for _ in range(20):
        assert user.hook("beside", json={}).json()["fine"] is True
    (row,) = user.finished(killer, seconds=120)
    assert (row["status"], row["error"]["node"]) == ("error", "Eat")
    (row,) = user.finished(goes_on, seconds=120)
    assert row["status"] == "success"
    assert items(user.execution(row["id"]), "After")[0]["after"] is True
    (row,) = user.finished(catcher, seconds=60)
    assert items(user.execution(row["id"]), "On error")[0]["execution"]["error"]["message"]
    assert {row["status"] for row in user.finished(beside, 21)} == {"success"}
    assert weft.process is not None
    assert weft.process.poll() is None


def test_callers_who_hang_up_while_they_send_leave_nothing(weft: Embedded, user: User) -> None:
    workflow = user.import_workflow(chain("hangs", webhook("hangs", "onReceived")))
    assert user.ready_hook("hangs", json={}).is_success

    def hang_up(_: int) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"x" * 100_000
            raise RuntimeError("gone")

        with pytest.raises(RuntimeError), httpx.Client(base_url=weft.base) as client:
            client.post("/webhook/hangs", content=pieces())

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(hang_up, range(50)))
    assert user.hook("hangs", json={}).is_success
    assert len(user.finished(workflow, 2)) == 2

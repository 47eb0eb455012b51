"""What must hold after anything died, however often.

1. Every accepted call (answered 2xx) has its execution.
2. Every execution reaches a terminal state: none is lost, none is stuck.
3. A node's result is committed once (the key of node_runs), and no safe workflow fails because of us, unless what
   ran one of its nodes was killed three times: that is taken for the node's doing.
4. An `unsafe` node calls the outside at most once; a safe one at least once.
"""

from collections import Counter
from collections.abc import Iterable

from tests.harness.load import Calls
from tests.harness.stub import Stub
from tests.harness.user import FINAL, User, until


def settled(user: User, workflows: Iterable[str], seconds: float = 60) -> dict[str, str]:
    """Waits until every execution of the workflows has ended; execution id to status."""
    ids = list(workflows)

    def probe() -> dict[str, str]:
        rows = [row for workflow in ids for row in user.executions(workflow)]
        return (
            {row["id"]: row["status"] for row in rows} if all(row["status"] in FINAL for row in rows) else {}
        )

    return until(probe, seconds, "the end of every execution")


def check(
    user: User, workflows: dict[str, str], calls: Calls, stub: Stub, seconds: float = 60, kills: int = 0
) -> Counter[str]:
    """Asserts the invariants. `workflows`: kind (see flows) to workflow id. `kills`: of one and the same thing, if
    often. Returns how often each status came."""
    statuses = settled(user, workflows.values(), seconds)
    missing = [number for number, execution in calls.accepted.items() if execution not in statuses]
    assert not missing, f"{len(missing)} accepted calls have no execution: {missing[:10]}"
    unsafe = set(user_ids(user, workflows.get("unsafe")))
    failed = {key: status for key, status in statuses.items() if status != "success" and key not in unsafe}
    if kills >= 3:
        blamed = {key for key in failed if user.execution(key)["error"]["code"] == "CRASHED"}
        assert len(blamed) <= len(statuses) // 50, (
            f"{len(blamed)} of {len(statuses)} runs were killed three times"
        )
        failed = {key: status for key, status in failed.items() if key not in blamed}
    assert not failed, (
        f"{len(failed)} runs of safe workflows did not succeed: {dict(list(failed.items())[:5])}"
    )
    doubled = {key: count for key, count in stub.calls.items() if key.startswith("unsafe-") and count > 1}
    assert not doubled, f"unsafe nodes called twice: {doubled}"
    return Counter(statuses.values())


def user_ids(user: User, workflow: str | None) -> list[str]:
    return [row["id"] for row in user.executions(workflow)] if workflow else []

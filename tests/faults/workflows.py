"""The workflows that run while things die: each kind stands for one way to lose work."""

from typing import Any

from tests.harness.flows import chain, edit, pause, request, webhook
from tests.harness.load import Calls, drive
from tests.harness.stub import Stub
from tests.harness.user import User

HELD = 500
HELD_SECONDS = 10


def documents(stub: Stub, delay_ms: int = 20) -> dict[str, dict[str, Any]]:
    """Kind to document. All answer at once, so that every 2xx is a promise."""
    key = "{{ $('Webhook').item.json.body.n }}"
    safe = request("Get", f"={stub.base}/delay?ms={delay_ms}&key=safe-{key}")
    unsafe = request("Post", f"={stub.base}/delay?ms={delay_ms}&key=unsafe-{key}", "POST")
    return {
        "pure": chain(
            "pure", webhook("pure", "onReceived"), *(edit(f"E{i}", {f"f{i}": i}) for i in range(5))
        ),
        "safe": chain("safe", webhook("safe", "onReceived"), safe, edit("After", {"done": True})),
        "unsafe": chain("unsafe", webhook("unsafe", "onReceived"), unsafe, edit("After", {"done": True})),
        "wait": chain(
            "wait", webhook("wait", "onReceived"), pause("Pause", 2), edit("After", {"done": True})
        ),
        "held": chain(
            "held",
            webhook("held", "onReceived"),
            edit("Before", {"a": 1}),
            pause("Pause", HELD_SECONDS),
            edit("After", {"b": 1}),
        ),
    }


async def hold(base: str, calls: Calls, first: int) -> set[str]:
    """Brings `HELD` executions into flight, where they stay for `HELD_SECONDS`. Their ids."""
    held = Calls()
    for attempt in range(5):
        missing = HELD - len(held.accepted)
        await drive(base, ["held"], missing, 250, held, first=first + attempt * HELD)
    assert len(held.accepted) == HELD, held.refusals
    calls.accepted |= held.accepted
    return set(held.accepted.values())


def install(user: User, stub: Stub, delay_ms: int = 20) -> dict[str, str]:
    """Imports and publishes them all; kind to workflow id. Returns once every route answers."""
    made = {kind: user.import_workflow(document) for kind, document in documents(stub, delay_ms).items()}
    for kind in made:
        assert user.ready_hook(kind, json={"n": f"first-{kind}"}).is_success
    return made

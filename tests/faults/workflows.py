"""The workflows that run while things die: each kind stands for one way to lose work."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.harness.flows import chain, edit, node, pause, request, webhook
from tests.harness.load import Calls, drive
from tests.harness.stub import Stub
from tests.harness.user import User

HELD = 500
HELD_SECONDS = 10
RETRIES = 5


def documents(stub: Stub, delay_ms: int = 20) -> dict[str, dict[str, Any]]:
    """Kind to document. All answer at once, so that every 2xx is a promise."""
    key = "{{ $('Webhook').item.json.body.n }}"
    until = "{{ $('Webhook').item.json.body.until }}"
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
            node("Pause", "wait", {"resume": "specificTime", "dateTime": f"={until}"}, 1.1),
            edit("After", {"b": 1}),
        ),
    }


@dataclass
class Hold:
    """Brings `HELD` executions into flight, where they stay for `HELD_SECONDS` from then on, if bringing them takes the
    seconds that it took before."""

    took: float = 4.0

    async def bring(self, base: str, calls: Calls, first: int) -> set[str]:
        """Their ids. Takes the numbers from `first` to `first + RETRIES * HELD`."""
        held, began = Calls(), time.time()
        until = datetime.fromtimestamp(began + self.took + HELD_SECONDS, UTC).isoformat()
        for attempt in range(RETRIES):
            missing = HELD - len(held.accepted)
            numbers = first + attempt * HELD
            await drive(base, ["held"], missing, 250, held, first=numbers, body={"until": until})
        assert len(held.accepted) == HELD, held.refusals
        self.took = time.time() - began
        calls.accepted |= held.accepted
        return set(held.accepted.values())


def install(user: User, stub: Stub, delay_ms: int = 20) -> dict[str, str]:
    """Imports and publishes them all; kind to workflow id. Returns once every route answers."""
    made = {kind: user.import_workflow(document) for kind, document in documents(stub, delay_ms).items()}
    for kind in made:
        body = {"n": f"first-{kind}", "until": "2026-01-01T00:00:00Z"}
        assert user.ready_hook(kind, json=body).is_success
    return made

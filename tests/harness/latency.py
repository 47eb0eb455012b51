"""How long a run started by a person takes, seen from the browser's side."""

import json
import time

from websockets.sync.client import connect

from tests.harness.flows import chain, edit, manual
from tests.harness.user import User


def manual_run_latency(user: User, runs: int = 50) -> list[float]:
    """Milliseconds from `POST …/execute` of five nodes to its end on the WebSocket, each of `runs`."""
    steps = [edit(f"Step {i}", {f"f{i}": f"={{{{ {i} + 1 }}}}"}) for i in range(4)]
    workflow = user.import_workflow(chain("latency", manual(), *steps), publish=False)
    user.run(workflow)
    out = []
    with connect(user.base.replace("http", "ws") + "/api/v1/ws") as socket:
        socket.send(json.dumps({"type": "auth", "token": user.token}))
        socket.send(json.dumps({"type": "subscribe", "workflow_id": workflow}))
        time.sleep(0.3)
        for _ in range(runs):
            began = time.monotonic()
            execution = user.data("POST", f"/workflows/{workflow}/execute")["id"]
            while True:
                frame = json.loads(socket.recv(timeout=10))
                if frame["type"] == "execution.completed" and frame["data"]["execution_id"] == execution:
                    break
            out.append((time.monotonic() - began) * 1000)
    return out

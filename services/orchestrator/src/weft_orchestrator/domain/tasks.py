"""What a runner is told of an execution when it is to run a part of it."""

from typing import Final

from weft_contracts.messages import Activation, NodeOutput, Resume, RunSegment
from weft_contracts.payload import Payload
from weft_engine.model import Run

from weft_orchestrator.domain.children import child_id
from weft_orchestrator.domain.live import Key, Live

CARRIED_BYTES: Final = 64 * 1024
"""Outputs of earlier nodes that a task carries along, together; those nobody can look up yet come on top."""


def task_of(live: Live, run: Run, nodes: tuple[str, ...], dispatch_id: str, runner: str) -> RunSegment:
    """The task that begins with `run` and goes on over `nodes`."""
    activation, head = run.activation, live.head
    return RunSegment(
        dispatch_id,
        live.id,
        live.project_id,
        live.workflow_id,
        live.version_id,
        live.mode,
        live.shard,
        activation,
        nodes,
        live.state.quiet_beside(activation),
        live.created_at,
        dict(live.state.runs),
        _carried(live, activation),
        run.attempt,
        _resume_of(live, (activation.node, activation.run_index)),
        head.resume_token,
        None if head.pins is None else Payload(*head.pins),
        head.destination_node,
        head.root_id,
        head.depth,
        head.retry_of,
        live.static_data,
        runner,
        live.outlived,
        dict(live.custom_data),
    )


def _resume_of(live: Live, key: Key) -> Resume | None:
    """What the runner hands to a node run that had waited."""
    row = live.rows.get(key)
    if row is None or not row.details.woken:
        return None
    arrived = live.wakes.get(key)
    if not arrived:
        return Resume("timer")
    details = row.details
    first, count = details.woken_before, max(details.children, 1)
    wakes = [arrived.get(n) for n in range(first, first + count)]
    return Resume(
        details.sleep,  # type: ignore[arg-type]
        tuple(wake.data if wake else None for wake in wakes),
        tuple(wake.error if wake else None for wake in wakes),
        tuple(child_id(live, key, details.child_started, index) for index in range(details.children)),
    )


def _carried(live: Live, activation: Activation) -> tuple[NodeOutput, ...]:
    """Outputs for a task: its inputs, what is not in the database yet, and the newest of the rest while they are
    small."""
    wanted = {(source.node, source.run) for source in activation.inputs if source is not None}
    found: list[NodeOutput] = []
    room = CARRIED_BYTES
    for row in live.last.values():
        output = row.output
        if output is None:
            continue
        size = len(output.data)
        if row.seq > live.committed or row.key in wanted or size <= room:
            if row.seq <= live.committed:
                room -= size
            found.append(NodeOutput(row.node, row.run_index, row.details.counts, output, row.details.inputs))
    return tuple(found)

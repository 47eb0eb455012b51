"""An execution as the fold of its rows: nothing else of its state is stored."""

from collections.abc import Iterable

from weft_contracts.messages import NodeError
from weft_engine.model import AnyEvent, Completed, Failed, Lost, Resumed, Started, Suspended

from weft_orchestrator.domain.live import Key, Live
from weft_orchestrator.domain.records import NodeRow, Wake


def restore(live: Live, rows: Iterable[NodeRow], wakes: Iterable[tuple[Key, Wake]], seq: int) -> None:
    """Brings a new `live` to where its rows end. Effects that were asked for are asked for again."""
    live.stored, live.seq, live.committed = True, seq, seq
    for event in _events(live, sorted(rows, key=lambda row: row.seq)):
        live.follow(live.state.apply(event), 0)
    open_runs = live.state.active.keys() - live.state.asleep.keys()
    live.ready = {key: run for key, run in live.ready.items() if key in open_runs}
    live.changes.clear()
    live.dirty.clear()
    for key, wake in wakes:
        if key in live.rows and wake.index >= live.rows[key].details.woken_before:
            live.wakes.setdefault(key, {})[wake.index] = wake


def restore_open(live: Live, rows: Iterable[NodeRow], seq: int) -> None:
    """What `stop` needs, where the rest can't be folded."""
    live.stored, live.seq, live.committed = True, seq, seq
    live.rows = {row.key: row for row in rows if row.status in ("running", "retry", "waiting")}


def _events(live: Live, ordered: list[NodeRow]) -> list[AnyEvent]:
    """What has happened, as the rows tell it; they are shared out to the open and the ended ones of `live`."""
    trigger = next(row for row in ordered if row.node == live.head.trigger_node and row.run_index == 0)
    given = [row for row in ordered if row.details.given]
    events: list[AnyEvent] = [
        Started(
            live.created_at,
            trigger.node,
            trigger.details.counts,
            tuple((row.node, row.run_index, row.details.counts) for row in given),
            live.head.destination_node,
        )
    ]
    for row in ordered:
        live.static_data = row.details.static_data or live.static_data
        live.keep(row.details, {})
        if row.status == "success":
            live.last[row.node] = row
            if row is not trigger and not row.details.given:
                events.append(Completed(0, row.node, row.run_index, row.details.counts))
        else:
            live.rows[row.key] = row
    for row in live.rows.values():
        events += _history(row)
    return events


def _history(row: NodeRow) -> list[AnyEvent]:
    """What led an open node run to where it is."""
    node, index, details = row.node, row.run_index, row.details
    nothing = NodeError("")
    events: list[AnyEvent] = []
    for _ in range(details.attempt - 1):
        events += [Failed(0, node, index, nothing, 0), Resumed(0, node, index)]
    events += [Lost(0, node, index)] * details.losses
    if row.status == "retry":
        events.append(Failed(0, node, index, nothing, details.until or 0))
    elif row.status == "waiting" or details.woken:
        events.append(Suspended(0, node, index, details.sleep, details.until))  # type: ignore[arg-type]
        if details.woken:
            events.append(Resumed(0, node, index))
    return events

"""One execution that is not over: the engine's state and the rows that it is stored as, always in step.

Every method changes both, or raises Refused and changes nothing. What a change asks of the world is left in
`ready`, `changes`, `calls` and `dirty` for the owner to take; nothing here does I/O or reads a clock.
"""

from typing import Final

import msgspec
from weft_contracts import messages as m
from weft_contracts.payload import EMPTY, Payload
from weft_contracts.traits import UNKNOWN
from weft_engine.graph import Graph
from weft_engine.model import (
    AnyEffect,
    Completed,
    Failed,
    Finished,
    Lost,
    Refused,
    Resumed,
    Run,
    Sleep,
    Started,
    Stopped,
    Suspended,
)
from weft_engine.state import State

from weft_orchestrator.domain.records import Head, NodeRow, RunDetails, Try, Wake

Key = tuple[str, int]
NO_GRAPH: Final = Graph.compile({}, lambda _: UNKNOWN)
"""Of an execution whose workflow can't be had: it can only be stopped."""
MOST_CUSTOM: Final = 10
"""Keys of custom data that an execution may have."""


class Live:
    """`stored`: the execution has its row. `rows`: node runs that have begun and not ended. `last`: the newest ended
    run of each node. `dirty`: rows to store. `ready`: runs that a runner must be found for. `retries`, `wakes`: what
    to hand to those."""

    __slots__ = (
        "changes",
        "committed",
        "created_at",
        "custom_data",
        "deadline",
        "dirty",
        "error",
        "finished_at",
        "follow_up",
        "graph",
        "head",
        "id",
        "last",
        "listeners",
        "mode",
        "new_wakes",
        "outlived",
        "project_id",
        "ready",
        "reply",
        "rows",
        "seq",
        "shard",
        "size",
        "state",
        "static_data",
        "stored",
        "timer",
        "version_id",
        "wakes",
        "workflow_id",
    )

    def __init__(
        self,
        execution_id: str,
        shard: int,
        project_id: str,
        workflow_id: str,
        version_id: str,
        mode: m.Mode,
        head: Head,
        graph: Graph,
        created_at: int,
    ) -> None:
        self.id = execution_id
        self.shard = shard
        self.project_id = project_id
        self.workflow_id = workflow_id
        self.version_id = version_id
        self.mode: m.Mode = mode
        self.head = head
        self.graph = graph
        self.created_at = created_at
        self.state = State(graph)
        self.seq = 0
        self.stored = False
        self.outlived = False
        """It has outlived the process that ran it."""
        self.finished_at: int | None = None
        self.error: m.NodeError | None = None
        self.follow_up = False
        self.timer: int | None = None
        """When it will be looked at."""
        self.reply: bytes | None = None
        self.size = 0
        self.static_data = b""
        """What this execution has changed of the workflow's, JSON."""
        self.custom_data: dict[str, str] = {}
        """What its nodes have kept with it."""
        self.rows: dict[Key, NodeRow] = {}
        self.last: dict[str, NodeRow] = {}
        self.dirty: dict[Key, NodeRow] = {}
        self.committed = 0
        """Rows with a seq up to this one are in the database."""
        self.ready: dict[Key, Run] = {}
        self.wakes: dict[Key, dict[int, Wake]] = {}
        self.new_wakes: list[tuple[Key, Wake]] = []
        self.changes: list[m.ExecutionChange] = []
        self.listeners: list[str] = []
        """Reply channels of repeats of the start."""
        seconds = graph.settings.get("executionTimeout")
        limited = isinstance(seconds, int | float) and seconds > 0
        self.deadline = created_at + int(seconds * 1_000_000) if limited else None  # type: ignore[operator]

    # --- beginning ------------------------------------------------------------------------------------

    @classmethod
    def of(cls, command: m.StartExecution, shard: int, head: Head, graph: Graph, at: int) -> "Live":
        """What the command starts, not begun yet. `graph`: NO_GRAPH where its workflow can't be had."""
        return cls(
            command.execution_id,
            shard,
            command.project_id,
            command.workflow_id,
            command.version_id,
            command.mode,
            head,
            graph,
            at,
        )

    @classmethod
    def stillborn(
        cls, command: m.StartExecution, shard: int, head: Head, error: m.NodeError, at: int
    ) -> "Live":
        """What can't begin: it has failed already."""
        live = cls.of(command, shard, head, NO_GRAPH, at)
        live.stop("error", error, at)
        return live

    def bare(self) -> "Live":
        """The same without its workflow and what it holds."""
        bare = Live(
            self.id,
            self.shard,
            self.project_id,
            self.workflow_id,
            self.version_id,
            self.mode,
            self.head,
            NO_GRAPH,
            self.created_at,
        )
        bare.listeners = self.listeners
        return bare

    def begin(self, command: m.StartExecution, at: int) -> None:
        """Raises Refused where the workflow has no such trigger."""
        trigger, counts = command.trigger, command.trigger_counts
        given: list[m.NodeOutput] = []
        for run in command.run_data:
            if run.node == command.trigger_node:
                trigger, counts = run.output, run.counts
            else:
                given.append(run)
        effects = self.state.apply(
            Started(
                at,
                command.trigger_node,
                counts,
                tuple((run.node, run.run_index, run.counts) for run in given),
                command.destination_node,
            )
        )
        self.changes.append(m.ExecutionStarted(self._next(), at, command.mode, command.trigger_node))
        self._given(command.trigger_node, 0, counts, trigger, at, RunDetails(counts=counts))
        for run in given:
            details = RunDetails(counts=run.counts, inputs=run.inputs, given=True)
            self._given(run.node, run.run_index, run.counts, run.output, at, details, run.started_at or at)
        self.follow(effects, at)

    def _given(
        self,
        node: str,
        run_index: int,
        counts: tuple[int, ...],
        output: Payload,
        at: int,
        details: RunDetails,
        started_at: int = 0,
    ) -> None:
        started_at = started_at or at
        row = NodeRow(node, run_index, "success", started_at, details, self._next(), at, output)
        self.dirty[row.key] = row
        self.last[node] = row
        self.size += len(output.data)
        self.changes.append(m.NodeFinished(row.seq, at, node, run_index, "success", counts, started_at))

    # --- what runners say -----------------------------------------------------------------------------

    def started(self, report: m.NodeStarted, dispatch_id: str) -> None:
        row = self._row((report.node, report.run_index), report.at)
        row.status, row.details.attempt = "running", report.attempt
        if report.confirm:
            row.details.dispatch_id = dispatch_id
        self._touch(row)
        row.details.start_seq = row.seq
        self.changes.append(m.NodeExecuting(row.seq, report.at, report.node, report.run_index))

    def completed(self, report: m.NodeCompleted) -> None:
        key = report.node, report.run_index
        activation = self.state.active.get(key)
        effects = self.state.apply(Completed(report.at, report.node, report.run_index, report.counts))
        self.ready.pop(key, None)
        self.wakes.pop(key, None)
        row = self.rows.pop(key, None)
        if row is None:
            row = NodeRow(report.node, report.run_index, "success", report.started_at, RunDetails())
        details = row.details
        row.status, row.finished_at, row.output = "success", report.at, report.output
        details.inputs = activation.inputs if activation else report.inputs
        details.counts, details.attempt = report.counts, report.attempt
        details.error, details.logs, details.pinned = report.error, report.logs, report.pinned
        if report.static_data:
            details.static_data = self.static_data = report.static_data
        if report.custom_data:
            self.keep(details, report.custom_data)
        self._ended(row, "success", report.at)
        self.last[report.node] = row
        self.follow(effects, report.at)

    def failed(self, report: m.NodeFailed) -> None:
        key = report.node, report.run_index
        error = report.error if report.error.node else _named(report.error, report.node)
        event = Failed(report.at, report.node, report.run_index, error, report.retry_at)
        if key not in self.state.active or key in self.state.asleep:
            raise Refused(f"Run {report.run_index} of '{report.node}' is not active.")
        row = self._row(key, report.started_at)
        details = row.details
        details.attempt, details.logs = report.attempt, report.logs
        if report.custom_data:
            self.keep(details, report.custom_data)
        if report.retry_at is None:
            row.status, row.finished_at, row.output = "error", report.at, report.output
            details.error, details.counts = error, report.counts
            del self.rows[key]
            self._ended(row, "error", report.at, error)
            self.last[report.node] = row
        else:
            self._forget_wakes(row)
            row.status, details.sleep, details.until = "retry", "retry", report.retry_at
            details.tries = (*details.tries, Try(report.started_at, report.at, error))
            details.dispatch_id = ""
            self._touch(row)
        effects = self.state.apply(event)
        self.ready.pop(key, None)
        self.follow(effects, report.at)

    def waiting(self, report: m.NodeWaiting) -> tuple[m.ChildStart, ...]:
        """The children to start. A node run whose children nobody waits for goes on at once."""
        key = report.node, report.run_index
        waited = sum(1 for child in report.children if child.wait)
        if report.kind == "child" and not waited:
            if key not in self.state.active:
                raise Refused(f"Run {report.run_index} of '{report.node}' is not active.")
            return report.children
        effects = self.state.apply(
            Suspended(report.at, report.node, report.run_index, report.kind, report.until)
        )
        self.ready.pop(key, None)
        row = self._row(key, report.started_at)
        self._forget_wakes(row)
        details = row.details
        row.status, details.sleep, details.until = "waiting", report.kind, report.until
        details.dispatch_id = ""
        details.children, details.child_started = waited, report.at
        self._touch(row)
        self.changes.append(m.ExecutionWaiting(row.seq, report.at, report.node, report.until))
        self.follow(effects, report.at)
        return report.children

    # --- what the world does ----------------------------------------------------------------------------

    def wake(self, command: m.ResumeExecution, at: int) -> None:
        """A call or a child's end. Raises Refused where nothing waits for it."""
        key = command.node, command.run_index
        row = self.rows.get(key)
        if row is None or row.status != "waiting" or key not in self.state.asleep:
            raise Refused(f"Run {command.run_index} of '{command.node}' does not wait.")
        if command.kind != row.details.sleep:
            raise Refused(f"'{command.node}' does not wait for a {command.kind}.")
        if command.kind != "child" and command.token != self.head.resume_token:
            raise Refused("The token of the resume address is wrong.")
        arrived = self.wakes.setdefault(key, {})
        index = command.index if command.kind == "child" else row.details.woken_before
        if index in arrived or index < row.details.woken_before:
            return
        wake = Wake(index, command.kind, command.data, command.error)
        arrived[index] = wake
        self.new_wakes.append((key, wake))
        if command.kind != "child" or len(arrived) >= row.details.children:
            self._resume(key, at)

    def elapse(self, now: int) -> bool:
        """Wakes what was to be woken by `now`; whether there was anything."""
        due = [
            key
            for key, row in self.rows.items()
            if key in self.state.asleep and row.details.until is not None and row.details.until <= now
        ]
        for key in due:
            self._resume(key, now)
        if self.deadline is not None and self.deadline <= now and self.state.status not in m.TERMINAL:
            text = "The workflow took longer than its settings allow."
            self.stop("error", m.NodeError(text, code="TIMEOUT", cause="timeout"), now)
            return True
        return bool(due)

    def _resume(self, key: Key, at: int) -> None:
        effects = self.state.apply(Resumed(at, *key))
        row = self.rows[key]
        if row.details.sleep == "retry":
            row.details.attempt += 1
            row.details.sleep = ""
        else:
            row.details.woken = True
        row.status, row.details.until = "running", None
        self._touch(row)
        self.follow(effects, at)

    def lost(self, key: Key, at: int, *, counts: bool) -> m.NodeCompleted | None:
        """The runner of an active run is gone. `counts`: it had begun. What ends the run instead of a new try, where
        the node's settings make items of failures; it must be handed to `completed`."""
        row, node = self.rows.get(key), self.graph.nodes[key[0]]
        begun = row is not None and bool(row.details.dispatch_id)
        if begun and not node.disabled and node.traits.idempotency == "unsafe":
            text = f"Whether '{node.name}' did its work is unknown: the process that ran it is gone."
            return self._crashed(key, m.NodeError(text, "OUTCOME_UNKNOWN", "crashed", node.name), at)
        if not counts:
            self.ready[key] = Run(self.state.active[key], self.state.attempts.get(key, 1))
            return None
        if self.state.losses.get(key, 0) + 1 >= 3 and node.on_error != "stopWorkflow":
            text = f"The process that ran '{node.name}' died 3 times."
            return self._crashed(key, m.NodeError(text, "CRASHED", "crashed", node.name), at)
        effects = self.state.apply(Lost(at, *key))
        row = self._row(key, at)
        row.details.losses += 1
        row.details.dispatch_id = ""
        self._touch(row)
        for effect in effects:
            if isinstance(effect, Finished) and effect.error is not None:
                row.status, row.finished_at, row.details.error = "error", at, effect.error
                self.rows.pop(key, None)
                self._ended(row, "error", at, effect.error)
        self.follow(effects, at)
        return None

    def _crashed(self, key: Key, error: m.NodeError, at: int) -> m.NodeCompleted | None:
        node, row = self.graph.nodes[key[0]], self._row(key, at)
        inputs = self.state.active[key].inputs
        if node.on_error == "stopWorkflow":
            self.failed(m.NodeFailed(*key, at, row.started_at, inputs, error))
            return None
        outputs = node.traits.outputs
        place = outputs if node.on_error == "continueErrorOutput" else 0
        counts = tuple(1 if n == place else 0 for n in range(max(outputs, place + 1)))
        return m.NodeCompleted(*key, at, row.started_at, inputs, counts, EMPTY, error)

    def stop(self, status: str, error: m.NodeError | None, at: int) -> list[Key]:
        """From outside. The runs that waited for children."""
        waited = [key for key, row in self.rows.items() if row.status == "waiting" and row.details.children]
        self.follow(self.state.apply(Stopped(at, status, error)), at)  # type: ignore[arg-type]
        return waited

    # --- what is asked of it -----------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        return self.state.status in m.TERMINAL

    def due(self) -> int | None:
        """When it must be looked at next."""
        if self.over:
            return None
        times = [
            row.details.until
            for key, row in self.rows.items()
            if key in self.state.asleep and row.details.until is not None
        ]
        if self.deadline is not None:
            times.append(self.deadline)
        return min(times, default=None)

    # --- inside --------------------------------------------------------------------------------------------

    def follow(self, effects: list[AnyEffect], at: int) -> None:
        for effect in effects:
            if isinstance(effect, Run):
                self.ready[effect.activation.node, effect.activation.run_index] = effect
            elif isinstance(effect, Sleep):
                self.ready.pop((effect.activation.node, effect.activation.run_index), None)
            else:
                self._finish(effect, at)

    def keep(self, details: RunDetails, custom: dict[str, str]) -> None:
        """Two branches that run at once know of each other's keys only here, so the number is looked at here, too."""
        details.custom_data = {**details.custom_data, **custom}
        for key, value in details.custom_data.items():
            if key in self.custom_data or len(self.custom_data) < MOST_CUSTOM:
                self.custom_data[key] = value

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _row(self, key: Key, at: int) -> NodeRow:
        """The row of an active run, a new one if need be. Raises Refused."""
        row = self.rows.get(key)
        if row is None:
            activation = self.state.active.get(key)
            if activation is None:
                raise Refused(f"Run {key[1]} of '{key[0]}' is not active.")
            row = self.rows[key] = NodeRow(*key, "running", at, RunDetails(inputs=activation.inputs))
        return row

    def _forget_wakes(self, row: NodeRow) -> None:
        """What has woken it was for this try, or for the wait before. Later wakes have other numbers."""
        details = row.details
        if details.woken:
            details.woken_before += max(details.children, 1)
            details.woken, details.children = False, 0
            self.wakes.pop(row.key, None)

    def _touch(self, row: NodeRow) -> None:
        row.seq = self._next()
        self.dirty[row.key] = row

    def _ended(self, row: NodeRow, status: str, at: int, error: m.NodeError | None = None) -> None:
        self._touch(row)
        if row.output is not None:
            self.size += len(row.output.data)
        details = row.details
        self.changes.append(
            m.NodeFinished(
                row.seq,
                at,
                row.node,
                row.run_index,
                status,  # type: ignore[arg-type]
                details.counts,
                row.started_at,
                error or details.error,
            )
        )

    def _finish(self, effect: Finished, at: int) -> None:
        self.finished_at, self.error = at, effect.error
        self.ready.clear()
        for row in self.rows.values():
            row.status, row.finished_at = "cancelled", at
            self._ended(row, "cancelled", at)
        self.rows.clear()
        self.wakes.clear()
        follows = effect.status == "error" and self.mode != "error_workflow"
        tried = self.mode in ("manual", "test")
        self.follow_up = (tried and m.HISTORY.encode() in self.static_data) or (
            (not tried)
            and (
                bool(self.static_data)
                or (follows and bool(self.graph.settings.get("errorWorkflow")))
                or bool(self.graph.settings.get("nextWorkflows"))
            )
        )
        self.changes.append(
            m.ExecutionFinished(self._next(), at, effect.status, effect.error, effect.last_node)
        )


def _named(error: m.NodeError, node: str) -> m.NodeError:
    return msgspec.structs.replace(error, node=node)

"""Every message on the bus. Frozen structs, tagged by `type`; readers ignore unknown fields.

Times are integers, microseconds since the Unix epoch, UTC. Ids are UUIDv7 strings. New fields are optional
with a default; a field never changes its meaning (tests keep old messages readable).
"""

from typing import Literal

import msgspec

from weft_contracts.payload import Payload

Mode = Literal[
    "manual",
    "trigger",
    "webhook",
    "schedule",
    "sub_workflow",
    "error_workflow",
    "retry",
    "form",
    "chat",
    "test",
    "cli",
]
ExecutionStatus = Literal["queued", "running", "waiting", "success", "error", "cancelled"]
NodeStatus = Literal["running", "success", "error", "waiting", "cancelled"]
HISTORY = "history:"
"""How keys of static data begin that manual runs keep, too."""
TERMINAL: frozenset[str] = frozenset({"success", "error", "cancelled"})


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of what messages are made of."""


EMPTY_ITEM = -1
"""As a Source's output: one empty item, because of that run."""


class Source(Part, frozen=True, array_like=True):
    """Where an input came from: output `output` of run `run` of node `node`."""

    node: str
    output: int = 0
    run: int = 0


class Activation(Part, frozen=True):
    """One run of one node that the engine has made ready; `inputs[i]` is None where input i brought nothing."""

    node: str
    run_index: int
    inputs: tuple[Source | None, ...]


class NodeError(Part, frozen=True):
    """Why a node run or an execution failed, in words that help.

    `cause`: node (the node raised), crashed (its runner or a message died), timeout, cancelled.
    `code`: NODE_ERROR, OUTCOME_UNKNOWN, CRASHED, TIMEOUT, LOOP_LIMIT, EXPRESSION_ERROR, …
    `parameter`: the path of the parameter at fault (`rules.values[0].outputKey`), `parameter_name` its display names.
    """

    message: str
    code: str = "NODE_ERROR"
    cause: Literal["node", "crashed", "timeout", "cancelled"] = "node"
    node: str = ""
    description: str = ""
    item_index: int | None = None
    http_status: int | None = None
    parameter: str = ""
    parameter_name: str = ""


class NodeOutput(Part, frozen=True):
    """The stored output of one node run. `counts[i]` is the number of items of output i, `inputs[i]` where its
    input i came from."""

    node: str
    run_index: int
    counts: tuple[int, ...]
    output: Payload
    inputs: tuple[Source | None, ...] = ()
    started_at: int = 0
    """When it ran, where that is known."""


class ParentLink(Part, frozen=True):
    """The node run of the parent execution that a sub-execution answers to; `wait` is False for fire and forget."""

    execution_id: str
    node: str
    run_index: int
    index: int
    """Which of the parent node run's children this is."""
    wait: bool = True


# --- execution.commands ------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of `execution.commands`. One handler each, in the orchestrator."""

    execution_id: str


class StartExecution(Command, frozen=True, tag="execution.start.v1"):
    """Run a workflow version from `trigger_node`, whose run 0 has the output `trigger`.

    A repeat with the same `execution_id` is the same execution and changes nothing.
    `response`: how a waiting caller is answered: "" (nobody waits), "accepted" (on commit), "last_node",
    "response_node"; the answer goes to the best-effort channel `reply_to`.
    """

    project_id: str
    workflow_id: str
    version_id: str
    mode: Mode
    trigger_node: str
    trigger: Payload
    trigger_counts: tuple[int, ...]
    reply_to: str = ""
    response: Literal["", "accepted", "last_node", "response_node"] = ""
    destination_node: str = ""
    run_data: tuple[NodeOutput, ...] = ()
    pins: Payload | None = None
    """Overrides the version's pinned data: JSON object of node name to items. Manual mode only."""
    parent: ParentLink | None = None
    root_id: str = ""
    depth: int = 0
    retry_of: str = ""
    created_by: str = ""


class CancelExecution(Command, frozen=True, tag="execution.cancel.v1"):
    """Stop an execution and its sub-executions."""

    reason: str = ""
    by: str = ""


class ResumeExecution(Command, frozen=True, tag="execution.resume.v1"):
    """Wake the waiting node run. `token` must be the one given out with the wait.

    kind: webhook/form (`data` is the request's item), child (`data` is the child's last output, `index` which
    child, `error` if it failed). Timers are the orchestrator's own and never come by this message.
    """

    node: str
    run_index: int
    kind: Literal["webhook", "form", "child"]
    token: str = ""
    index: int = 0
    data: Payload | None = None
    counts: tuple[int, ...] = ()
    error: NodeError | None = None
    reply_to: str = ""


class RetryExecution(Command, frozen=True, tag="execution.retry.v1"):
    """Start `execution_id` as a retry of the failed `retry_of`, from its failed node or from its trigger."""

    retry_of: str
    version_id: str = ""
    """Empty: the original version."""
    from_start: bool = False
    created_by: str = ""


ExecutionCommand = StartExecution | CancelExecution | ResumeExecution | RetryExecution


# --- node.tasks.<pool> ---------------------------------------------------------------------------------


class Resume(Part, frozen=True):
    """What wakes a waiting node run; the runner hands it to the node. `data` holds one payload per child for
    kind child, the request for webhook and form, nothing for timer. `children`: their executions."""

    kind: Literal["timer", "webhook", "form", "child"]
    data: tuple[Payload | None, ...] = ()
    errors: tuple[NodeError | None, ...] = ()
    children: tuple[str, ...] = ()


class RunSegment(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="node.segment.v1"):
    """Run `entry` and, in the engine's order, what follows inside `nodes`, each at most once.

    The walk ends at a node outside `nodes`, or after the first node that is not `safe`. `exclusive`: nothing
    else of the execution is ready, waiting or running, so a merge with missing inputs may be decided here.
    `outputs` carries the payloads of `entry.inputs` and of earlier nodes that static analysis names; the rest
    is fetched by `Executions.GetNodeData`. `runs` gives the next run index of each node that has run.
    """

    dispatch_id: str
    execution_id: str
    project_id: str
    workflow_id: str
    version_id: str
    mode: Mode
    shard: int
    entry: Activation
    nodes: tuple[str, ...]
    exclusive: bool
    started_at: int
    """When the execution started."""
    runs: dict[str, int] = {}
    outputs: tuple[NodeOutput, ...] = ()
    attempt: int = 1
    """Which try of `entry` this is; tries of other nodes start at 1."""
    resume: Resume | None = None
    resume_token: str = ""
    """Secret of the resume URL of the first node of the segment that waits for a call."""
    pins: Payload | None = None
    destination_node: str = ""
    root_id: str = ""
    depth: int = 0
    retry_of: str = ""
    static_data: bytes = b""
    """What earlier nodes of this execution have changed of the workflow's static data, JSON."""
    runner: str = ""
    """Whom it is for. Two may read one partition: a runner that was frozen for long, and who got its place."""
    announce: bool = False
    """The run has outlived its process: every node is told of, and that is committed, before it begins. So a node that
    kills the process is known by it at the third time."""
    custom_data: dict[str, str] = {}
    """What earlier nodes have kept with this execution (`$execution.customData`)."""


# --- node.results ----------------------------------------------------------------------------------------


class Report(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of what a runner says about one node run."""

    node: str
    run_index: int
    at: int


class NodeStarted(Report, frozen=True, tag="node.started.v1"):
    """The node begins. `confirm`: it is not safe; the runner waits for a `StartConfirmed` before it acts."""

    inputs: tuple[Source | None, ...] = ()
    confirm: bool = False
    attempt: int = 1


class NodeCompleted(Report, frozen=True, tag="node.completed.v1"):
    """The node ran. `error` is set where it failed and `onError` made items of the failure. `logs` is console
    output. `static_data`: all that the execution has changed of the workflow's static data, JSON. `custom_data`: what
    the node has kept with the execution."""

    started_at: int
    inputs: tuple[Source | None, ...]
    counts: tuple[int, ...]
    output: Payload
    error: NodeError | None = None
    attempt: int = 1
    logs: tuple[str, ...] = ()
    pinned: bool = False
    static_data: bytes = b""
    custom_data: dict[str, str] = {}


class NodeFailed(Report, frozen=True, tag="node.failed.v1"):
    """A try failed. With `retry_at` the node is tried again then, without holding a slot; else the execution
    ends. `output`: what the node recorded all the same (Stop and Error). `custom_data`: what it has kept with the
    execution before it failed."""

    started_at: int
    inputs: tuple[Source | None, ...]
    error: NodeError
    attempt: int = 1
    retry_at: int | None = None
    counts: tuple[int, ...] = ()
    output: Payload | None = None
    logs: tuple[str, ...] = ()
    custom_data: dict[str, str] = {}


class ChildStart(Part, frozen=True):
    """A sub-execution that a node asks for. `items` is `[[item, …]]`."""

    workflow_id: str
    version_id: str
    trigger_node: str
    items: Payload
    counts: tuple[int, ...]
    wait: bool = True


class NodeWaiting(Report, frozen=True, tag="node.waiting.v1"):
    """The node gives up its slot until `until` (None: no limit), a call to its resume URL, or its children."""

    started_at: int
    inputs: tuple[Source | None, ...]
    kind: Literal["timer", "webhook", "form", "child"]
    until: int | None = None
    children: tuple[ChildStart, ...] = ()
    response: Payload | None = None


class WebhookResponse(Report, frozen=True, tag="node.webhook_response.v1"):
    """The answer for the caller, made by Respond to Webhook. The run goes on."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Payload


NodeReport = NodeStarted | NodeCompleted | NodeFailed | NodeWaiting | WebhookResponse


class SegmentReports(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="node.reports.v1"
):
    """Reports of one dispatch, in order. `last`: the segment is over and the runner's slot is free again."""

    execution_id: str
    dispatch_id: str
    runner: str
    reports: tuple[NodeReport, ...]
    last: bool = False


# --- runner.heartbeats, runner.control -------------------------------------------------------------------


class Heartbeat(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="runner.heartbeat.v1"):
    """Sent every 1.5 s. `partition` is the runner's own in every task topic."""

    runner: str
    partition: int
    slots: dict[str, int]
    """Pool to how many segments it may hold at once."""
    dispatches: tuple[str, ...]
    at: int
    leaving: bool = False


class StartConfirmed(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="runner.confirm.v1"
):
    """Answer to a NodeStarted with `confirm`, after its commit. `granted` False: the dispatch is closed, drop it."""

    dispatch_id: str
    node: str
    run_index: int
    granted: bool


class CancelDispatch(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="runner.cancel.v1"
):
    """Stop a segment between items at the latest; its results no longer count."""

    dispatch_id: str


RunnerControl = StartConfirmed | CancelDispatch


# --- execution.events -------------------------------------------------------------------------------------


class Change(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of one step of an execution. `seq` is the execution's own commit sequence."""

    seq: int
    at: int


class ExecutionStarted(Change, frozen=True, tag="execution.started"):
    mode: Mode = "manual"
    trigger_node: str = ""


class ExecutionWaiting(Change, frozen=True, tag="execution.waiting"):
    node: str = ""
    until: int | None = None


class ExecutionFinished(Change, frozen=True, tag="execution.completed"):
    status: ExecutionStatus = "success"
    error: NodeError | None = None
    last_node: str = ""


class NodeExecuting(Change, frozen=True, tag="node.executing"):
    node: str = ""
    run_index: int = 0


class NodeFinished(Change, frozen=True, tag="node.completed"):
    node: str = ""
    run_index: int = 0
    status: NodeStatus = "success"
    counts: tuple[int, ...] = ()
    started_at: int = 0
    error: NodeError | None = None


ExecutionChange = ExecutionStarted | ExecutionWaiting | ExecutionFinished | NodeExecuting | NodeFinished


class ExecutionChanged(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="execution.changed.v1"
):
    """What one commit changed in one execution, in order of `seq`."""

    execution_id: str
    project_id: str
    workflow_id: str
    changes: tuple[ExecutionChange, ...]


# --- workflow.events --------------------------------------------------------------------------------------


class Route(Part, frozen=True):
    """A production webhook. `path` has `:name` segments where `pattern`. `parameters` is the node's, as JSON."""

    method: str
    path: str
    node: str
    node_type: str
    type_version: float
    parameters: msgspec.Raw
    webhook_id: str = ""
    pattern: bool = False
    credentials: dict[str, str] = {}
    """Credential type to credential id."""


class ScheduleRule(Part, frozen=True):
    """One rule of a Schedule Trigger: a cron expression of five or six fields (seconds first), or an interval.

    An interval fires whenever the seconds since the epoch, in local time, are a multiple of it plus `offset_seconds`
    (every third day at 09:30: interval 259200, offset 34200). One `at_start` fires when the installation starts, and at
    no other time.
    """

    node: str
    rule: int
    cron: str = ""
    interval_seconds: int = 0
    offset_seconds: int = 0
    at_start: bool = False


class WorkflowEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base. `seq` rises by one with every event of a workflow; a reader drops what is not newer."""

    workflow_id: str
    project_id: str
    seq: int
    name: str = ""
    at: int = 0


class WorkflowCreated(WorkflowEvent, frozen=True, tag="workflow.created.v1"):
    pass


class WorkflowUpdated(WorkflowEvent, frozen=True, tag="workflow.updated.v1"):
    by: str = ""


class WorkflowPublished(WorkflowEvent, frozen=True, tag="workflow.published.v1"):
    """Replaces all routes and schedules that the workflow had."""

    version_id: str = ""
    version: int = 0
    timezone: str = ""
    routes: tuple[Route, ...] = ()
    schedules: tuple[ScheduleRule, ...] = ()
    again: bool = False
    """It was published before."""


class WorkflowUnpublished(WorkflowEvent, frozen=True, tag="workflow.unpublished.v1"):
    pass


class WorkflowDeleted(WorkflowEvent, frozen=True, tag="workflow.deleted.v1"):
    pass


AnyWorkflowEvent = (
    WorkflowCreated | WorkflowUpdated | WorkflowPublished | WorkflowUnpublished | WorkflowDeleted
)


# --- credential.events, identity.events, audit.events -------------------------------------------------------


class CredentialChanged(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="credential.changed.v1"
):
    """A credential was created, updated or deleted; caches drop it."""

    credential_id: str
    project_id: str
    action: Literal["created", "updated", "deleted"]


class IdentityChanged(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="identity.changed.v1"
):
    """Users, projects or memberships changed; caches of access decisions drop the user."""

    user_id: str
    action: Literal["registered", "updated", "membership", "signed_out", "project_claimed"]
    project_id: str = ""


class AuditRecorded(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="audit.recorded.v1"
):
    """Who did what to which object, from where."""

    actor: str
    action: str
    object_type: str
    object_id: str
    project_id: str = ""
    at: int = 0
    address: str = ""
    request_id: str = ""
    details: dict[str, str] = {}


# --- best-effort channels -----------------------------------------------------------------------------------


class WebhookReply(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="webhook.reply.v1"):
    """Wakes the ingress that waits for `execution_id`.

    kind: response (status, headers, body are the answer), finished (`body` is the last node's output for the
    ingress to shape), failed (the run ended as an error before an answer), none (it ended without a response).
    """

    execution_id: str
    kind: Literal["response", "finished", "failed", "none"]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: Payload | None = None
    error: NodeError | None = None


class TestCallReceived(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="webhook.test.received"
):
    """A test URL was called; the editor that listens shows it."""

    workflow_id: str
    project_id: str
    node: str
    execution_id: str
    at: int = 0


class PresenceTold(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="presence.told"):
    """Someone has a workflow open in a connection of one instance of realtime, or (`left`) has it open no more."""

    instance: str
    workflow_id: str
    project_id: str
    session: str
    """The connection; one person may have several."""
    user_id: str
    name: str = ""
    node: str = ""
    """Id of the node that is chosen there."""
    left: bool = False


class PresenceAsked(msgspec.Struct, frozen=True, tag_field="type", tag="presence.asked"):
    """An instance of realtime knows nobody of a workflow yet; the others tell of their connections."""

    instance: str
    workflow_id: str


Signal = WebhookReply | TestCallReceived | PresenceTold | PresenceAsked

Message = (
    ExecutionCommand
    | RunSegment
    | SegmentReports
    | Heartbeat
    | RunnerControl
    | ExecutionChanged
    | AnyWorkflowEvent
    | CredentialChanged
    | IdentityChanged
    | AuditRecorded
)


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message on the bus with what transports need to know. `tenant` is the project's id."""

    id: str
    body: Message
    key: str = ""
    tenant: str = ""
    occurred_at: int = 0
    traceparent: str = ""

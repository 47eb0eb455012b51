"""Events that move an execution, effects that follow, and the refusal. Times are microseconds since the
epoch."""

from typing import Literal

import msgspec
from weft_contracts.messages import Activation, ExecutionStatus, NodeError, Source


class Event(msgspec.Struct, frozen=True):
    at: int


class Started(Event, frozen=True):
    """The trigger has run: its run 0 gave `counts`. `run_data`: (node, run index, counts) of earlier nodes
    that are taken as they are (partial runs). `destination`: run only what leads to it."""

    trigger: str
    counts: tuple[int, ...]
    run_data: tuple[tuple[str, int, tuple[int, ...]], ...] = ()
    destination: str = ""


class Completed(Event, frozen=True):
    """The active run of `node` gave `counts[i]` items on output i."""

    node: str
    run_index: int
    counts: tuple[int, ...]


class Failed(Event, frozen=True):
    """A try of the active run failed; with `retry_at` it is tried again then, else the execution ends as
    error."""

    node: str
    run_index: int
    error: NodeError
    retry_at: int | None = None


class Suspended(Event, frozen=True):
    """The active run gave up its slot."""

    node: str
    run_index: int
    kind: Literal["timer", "webhook", "form", "child"]
    until: int | None = None


class Resumed(Event, frozen=True):
    """The suspended or retried run is ready again."""

    node: str
    run_index: int


class Lost(Event, frozen=True):
    """The active run's runner died. Three losses end the execution with cause `crashed`."""

    node: str
    run_index: int


class Stopped(Event, frozen=True):
    """From outside: cancelled, timed out, or ended for a reason of the platform. `status` cancelled or
    error."""

    status: ExecutionStatus
    error: NodeError | None = None


AnyEvent = Started | Completed | Failed | Suspended | Resumed | Lost | Stopped


class Effect(msgspec.Struct, frozen=True):
    pass


class Run(Effect, frozen=True):
    """Make this activation run. It is active until Completed, Failed without retry, or the end."""

    activation: Activation
    attempt: int = 1


class Sleep(Effect, frozen=True):
    """Nothing to do for this run before `until` (None: until somebody resumes it)."""

    activation: Activation
    kind: Literal["retry", "timer", "webhook", "form", "child"]
    until: int | None


class Finished(Effect, frozen=True):
    status: ExecutionStatus
    last_node: str
    error: NodeError | None = None


AnyEffect = Run | Sleep | Finished


class Refused(Exception):
    """The event does not fit the state: a report of a run that is not active, or anything after the end."""


__all__ = [
    "Activation",
    "AnyEffect",
    "AnyEvent",
    "Completed",
    "Failed",
    "Finished",
    "Lost",
    "Refused",
    "Resumed",
    "Run",
    "Sleep",
    "Source",
    "Started",
    "Stopped",
    "Suspended",
]

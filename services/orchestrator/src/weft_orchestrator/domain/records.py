"""What is stored of an execution beside the columns that queries need."""

from typing import Any, Final

import msgspec
from weft_contracts.messages import NodeError, ParentLink, Source, StartExecution
from weft_contracts.payload import Payload


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an execution was started with. It never changes."""

    trigger_node: str
    reply_to: str = ""
    response: str = ""
    destination_node: str = ""
    parent: ParentLink | None = None
    root_id: str = ""
    depth: int = 0
    retry_of: str = ""
    created_by: str = ""
    resume_token: str = ""
    pins: tuple[int, bytes, int, str] | None = None


class Try(msgspec.Struct, frozen=True, omit_defaults=True):
    """An earlier try of a node run that failed."""

    started_at: int
    finished_at: int
    error: NodeError


class RunDetails(msgspec.Struct, omit_defaults=True):
    """The rest of a node run. `dispatch_id` is set once a run that is not safe was allowed to begin; `sleep` says
    what it waits for or waited for, `woken` that it is ready again; `children` is how many it waits for, and
    `woken_before` the number of the first of them (of other wakes, the number of the one);
    `static_data` is all that the execution had changed of the workflow's by then, JSON, where this run changed some;
    `custom_data` is what this run kept with the execution."""

    inputs: tuple[Source | None, ...] = ()
    counts: tuple[int, ...] = ()
    start_seq: int = 0
    attempt: int = 1
    losses: int = 0
    dispatch_id: str = ""
    sleep: str = ""
    until: int | None = None
    woken: bool = False
    children: int = 0
    child_started: int = 0
    woken_before: int = 0
    given: bool = False
    pinned: bool = False
    error: NodeError | None = None
    tries: tuple[Try, ...] = ()
    logs: tuple[str, ...] = ()
    static_data: bytes = b""
    custom_data: dict[str, str] = {}


class NodeRow(msgspec.Struct):
    """One node run. `status`: running, retry, waiting, success, error, cancelled."""

    node: str
    run_index: int
    status: str
    started_at: int
    details: RunDetails
    seq: int = 0
    finished_at: int | None = None
    output: Payload | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.node, self.run_index


class Wake:
    """What came for a waiting node run: a call, or child number `index`."""

    __slots__ = ("data", "error", "index", "kind")

    def __init__(self, index: int, kind: str, data: Payload | None, error: NodeError | None) -> None:
        self.index = index
        self.kind = kind
        self.data = data
        self.error = error


def head_of(command: StartExecution, resume_token: str) -> Head:
    pins = command.pins
    return Head(
        trigger_node=command.trigger_node,
        reply_to=command.reply_to,
        response=command.response,
        destination_node=command.destination_node,
        parent=command.parent,
        root_id=command.root_id,
        depth=command.depth,
        retry_of=command.retry_of,
        created_by=command.created_by,
        resume_token=resume_token,
        pins=None if pins is None else (pins.codec, pins.data, pins.size, pins.ref),
    )


_encoder: Final = msgspec.json.Encoder()
_head: Final = msgspec.json.Decoder(Head)
_details: Final = msgspec.json.Decoder(RunDetails)
_error: Final = msgspec.json.Decoder(NodeError)


def encode(record: Any) -> bytes:
    return _encoder.encode(record)


def decode_head(data: bytes) -> Head:
    return _head.decode(data)


def decode_details(data: bytes) -> RunDetails:
    return _details.decode(data)


def decode_error(data: bytes | None) -> NodeError | None:
    return _error.decode(data) if data else None

"""What a node's `run(ctx)` is given and what it may give back.

An item is a plain dict `{"json": {...}, "binary"?: {...}, "pairedItem"?: ..., "error"?}`. A lineage is
`{"item": i, "input"?: j, "run"?: r}`, or a list of those; `run` says that the item came in with an earlier
run of this node (Loop Over Items), else it is the present one. Values are what one codec made of JSON: int,
float, str, bool, None, list, dict; anything else in a parameter is an expression that failed
(`weft_node_sdk.values`). The runner fills in lineage that a node leaves out: equal counts pair by index, a
single input item pairs to all outputs. Nodes never change the items that they are given, and never pass on
the lineage that those carry.
"""

import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from weft_node_sdk.binary import BinaryReader, BinaryWriter
    from weft_node_sdk.credentials import Authentication
    from weft_node_sdk.data_tables import DataTables

T = TypeVar("T")
Item = dict[str, Any]
Outputs = list[list[Item]]
"""One list of items per output, in the order of the definition. The error output is the runner's own."""


class NodeRunError(Exception):
    """A failure that a person should read. `item_index`: the input item it belongs to."""

    def __init__(
        self,
        message: str,
        *,
        description: str = "",
        item_index: int | None = None,
        code: str = "NODE_ERROR",
        http_status: int | None = None,
        fatal: bool = False,
        recorded: Outputs | None = None,
        parameter: tuple[str | int, ...] = (),
        leaf: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.description = description
        self.item_index = item_index
        self.code = code
        self.http_status = http_status
        self.fatal = fatal
        """Neither `onError` nor a retry applies (Stop and Error)."""
        self.recorded = recorded
        """What the run records as output all the same."""
        self.parameter = parameter
        """The path of the parameter at fault: `("options", "limit")`."""
        self.leaf = leaf
        """Which of the node's expressions failed; says the same of an expression (`ExpressionFailure.leaf`)."""


@dataclass(frozen=True)
class Varying:
    """A node's parameters: what is the same for all items, and what expressions say of each."""

    fixed: dict[str, Any]
    """All parameters, with None where an expression stands."""
    places: Sequence[tuple[str | int, ...]]
    """The path of each expression: `("options", "limit")`."""
    rows: Sequence[Sequence[Any]]
    """`rows[item][k]` is the value at `places[k]`, or an ExpressionFailure."""

    def inside(self, *prefix: str) -> dict[tuple[str | int, ...], int] | None:
        """The columns of `rows` by what their paths have after `prefix`; None where an expression stands elsewhere."""
        size = len(prefix)
        if any(place[:size] != prefix for place in self.places):
            return None
        return {place[size:]: at for at, place in enumerate(self.places)}


@dataclass(frozen=True)
class NodeInfo:
    """The node as it stands in the workflow version."""

    name: str
    type: str
    version: float
    parameters: Mapping[str, Any]
    """Raw: expressions not evaluated, defaults not filled in."""
    credentials: Mapping[str, Any] = field(default_factory=dict)
    webhook_id: str = ""
    id: str = ""
    on_error: Literal["stopWorkflow", "continueRegularOutput", "continueErrorOutput"] = "stopWorkflow"


@dataclass(frozen=True)
class ExecutionInfo:
    id: str
    mode: str
    workflow_id: str
    workflow_name: str
    workflow_active: bool
    project_id: str
    timezone: str
    resume_url: str
    """Where a call wakes the waiting run of this segment, signed."""
    resume_form_url: str
    test: bool
    depth: int = 0


@dataclass(frozen=True)
class Child:
    """One finished sub-execution: its last node's outputs, or its error. `origins`: for each of those items, output by
    output, which item that it was called with it came from; None where that is not known, or several."""

    outputs: Outputs
    error: str | None = None
    origins: Sequence[Sequence[int | None]] = ()


@dataclass(frozen=True)
class ResumeInfo:
    """What woke a node that had suspended. timer: nothing else; webhook, form: `items` is the request; child:
    `children`, in the order they were asked for."""

    kind: Literal["timer", "webhook", "form", "child"]
    items: list[Item] = field(default_factory=list)
    children: Sequence[Child] = ()


@dataclass(frozen=True)
class SubWorkflow:
    """A call of another workflow with `items`; `document` (a workflow as JSON) or `workflow_id`."""

    items: list[Item]
    workflow_id: str = ""
    document: Mapping[str, Any] | None = None
    wait: bool = True


@dataclass(frozen=True)
class Suspend:
    """Returned by a node that gives up its slot. The same `run` is called again with `ctx.resume` set.

    `until`: microseconds since the epoch, or None. `output`: what is recorded at once where no child is
    waited for; such a node is not run again.
    """

    kind: Literal["timer", "webhook", "form", "child"]
    until: int | None = None
    children: Sequence[SubWorkflow] = ()
    output: Outputs | None = None


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class ClientCertificate:
    """What a client shows to the server, PEM. `ca`: the authority to trust instead of the machine's."""

    certificate: str = ""
    key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    ca: str = ""


class HttpStream(Protocol):
    """An answer whose body has not been read yet."""

    @property
    def status(self) -> int: ...

    @property
    def reason(self) -> str: ...

    @property
    def headers(self) -> list[tuple[str, str]]: ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in chunks, once, decompressed. Raises NodeRunError as `Http.request` does."""

    async def read(self, max_bytes: int = 64 * 1024 * 1024) -> bytes:
        """All of it. Raises NodeRunError, TOO_LARGE where it is longer."""


class HttpBody(Protocol):
    """A body that is sent in chunks. It is asked for its bytes again where the request is sent again (a redirect)."""

    @property
    def size(self) -> int:
        """In bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Http(Protocol):
    """The guarded HTTP client. It resolves once and connects to what it checked; the error names the
    setting."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        query: Sequence[tuple[str, str]] = (),
        body: bytes | HttpBody | None = None,
        timeout: float = 300.0,
        follow_redirects: bool = True,
        max_redirects: int = 21,
        verify: bool = True,
        proxy: str = "",
        max_bytes: int = 64 * 1024 * 1024,
        client: ClientCertificate | None = None,
        secret_headers: Collection[str] = (),
    ) -> HttpAnswer:
        """Raises NodeRunError for what never got an answer. Any status is an answer. `secret_headers`: names of headers
        that a redirect to another origin leaves out, as it does `Authorization`."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        query: Sequence[tuple[str, str]] = (),
        body: bytes | HttpBody | None = None,
        timeout: float = 300.0,
        follow_redirects: bool = True,
        max_redirects: int = 21,
        verify: bool = True,
        proxy: str = "",
        client: ClientCertificate | None = None,
        secret_headers: Collection[str] = (),
    ) -> AbstractAsyncContextManager[HttpStream]:
        """As `request`, but the body of the answer is read in the block, in chunks."""


class Code(Protocol):
    """Jailed code. Hostile input; see the security guide."""

    async def javascript(
        self,
        source: str,
        *,
        each_item: bool,
        timeout: float = 60.0,
        on_failure: Callable[[NodeRunError], Item] | None = None,
    ) -> Outputs:
        """Runs the source with n8n's names over the node's input. Returns validated items on one output;
        console output goes to the run's logs. Raises NodeRunError with the line. `on_failure`: gives what stands for
        an item whose own run failed; without it the first failure ends the run."""

    async def python(
        self,
        source: str,
        *,
        each_item: bool,
        timeout: float = 60.0,
        on_failure: Callable[[NodeRunError], Item] | None = None,
    ) -> Outputs:
        """The same for Python."""


@dataclass(frozen=True)
class OpenFolder:
    """A folder, held by an open handle: what was checked is what is used. A program works in it by `cwd=`."""

    handle: int
    path: str
    depth: int
    """Steps from the folder that the installation allows down to here."""

    @property
    def cwd(self) -> str:
        """For a child process."""
        return f"/proc/self/fd/{self.handle}" if sys.platform == "linux" else self.path


class Files(Protocol):
    """Files of the runner's machine, in the folders that the installation allows; no symbolic link is followed, and
    nothing in a folder `.git`, whose settings can make Git run programs. A relative path begins at the first of
    them. All raise NodeRunError, where a path leads elsewhere with the setting's name."""

    async def read(self, path: str) -> bytes: ...

    async def write(self, path: str, data: bytes, *, append: bool = False) -> None: ...

    def open(
        self, path: str, mode: Literal["rb", "wb", "ab"] = "rb"
    ) -> AbstractAsyncContextManager[IO[bytes]]:
        """The file itself; it blocks, so use it in a thread."""

    def folder(self, path: str, *, make: bool = False) -> AbstractAsyncContextManager[OpenFolder]:
        """A folder; with `make`, it and those above it are made where they are missing."""

    async def find(self, pattern: str) -> list[str]:
        """Absolute paths of the files that a pattern (`*`, `**`, `?`, `[a-z]`, `{a,b}`) names, sorted."""


class Outbound(Protocol):
    """The guarded ways out; a run context is one, too."""

    http: Http

    async def connect_address(self, host: str, port: int) -> str:
        """As RunContext has it."""


class RunContext(Protocol):
    """Given to `run`."""

    node: NodeInfo
    execution: ExecutionInfo
    run_index: int
    inputs: list[list[Item]]
    """Items by input index; an input that brought nothing is empty (see `arrived`)."""
    arrived: list[bool]
    resume: ResumeInfo | None
    http: Http
    files: Files
    permitted: bool
    """Whether the installation lets this type of node run where it is a dangerous one (WEFT_ALLOW_NODES)."""
    code: Code
    state: dict[str, Any]
    """Kept per node and execution between runs (Loop Over Items); JSON values."""

    @property
    def items(self) -> list[Item]:
        """Input 0."""

    @property
    def tables(self) -> "DataTables":
        """Of the workflow's project."""

    async def parameters(self) -> list[dict[str, Any]]:
        """All parameters, once per item of input 0, expressions evaluated, defaults of the definition filled
        in where their conditions show them. One crossing to the evaluator for the whole node. An expression
        that fails for one item leaves an `ExpressionFailure` in its place: reading it by `value()` raises."""

    async def varying(self) -> "Varying":
        """The same, apart: for nodes that prepare once what doesn't change from item to item."""

    def once(self, make: Callable[[], T]) -> T:
        """What `make` gives, kept with the node for all runs of its version: what follows from `varying()` without its
        rows. It must hold nothing of the run."""

    async def parameters_for(self, item_index: int) -> dict[str, Any]:
        """The parameters for one item; index 0 works without items."""

    async def evaluate(
        self, templates: Sequence[str], item_index: int = 0, variables: Mapping[str, Any] | None = None
    ) -> list[Any]:
        """Evaluates expressions that do not stand in the parameters (HTML templates), or that need
        `variables`: further names with their values (`$response`, `$pageCount`, `$request` while paging)."""

    async def credential(self, kind: str) -> dict[str, Any]:
        """The secret fields of the node's credential. Raises NodeRunError where none is set."""

    async def authentication(self, kind: str, stale: str = "") -> "Authentication":
        """What the node's credential adds to a request. `stale`: the access token that the service has refused; a
        sign-in gives another one then, or the same where it can't. Raises NodeRunError where none is set or the
        sign-in must be repeated."""

    async def static_data(self, kind: Literal["global", "node"]) -> dict[str, Any]:
        """What the workflow, or this node of it, remembers from one production run to the next; JSON values, changed
        in place. Kept when the run ends; a manual run's changes are not."""

    async def history(self, kind: Literal["global", "node"]) -> dict[str, Any]:
        """As `static_data`, in a place of its own, and kept by manual runs, too (Remove Duplicates)."""

    async def connect_address(self, host: str, port: int) -> str:
        """The address to connect to for a host: resolved once and checked. Every connection that isn't made by
        `http` goes through here. Raises NodeRunError, which names the setting where the address is refused."""

    def open_binary(self, item_index: int, name: str) -> "AbstractAsyncContextManager[BinaryReader]":
        """The file `name` of an item of input 0, as a stream (`weft_node_sdk.binary`). Raises NodeRunError where the
        item has none."""

    def create_binary(self) -> "AbstractAsyncContextManager[BinaryWriter]":
        """A new file, as a stream (`weft_node_sdk.binary`)."""

    async def write_binary(
        self, chunks: AsyncIterable[bytes], *, mime_type: str, file_name: str = ""
    ) -> dict[str, Any]:
        """Keeps a file that comes in chunks and gives the entry for `item["binary"][name]`."""

    async def read_binary(self, item_index: int, name: str) -> bytes:
        """A small file as a whole: as `open_binary`, and NodeRunError TOO_LARGE over 64 MiB."""

    async def store_binary(self, data: bytes, *, mime_type: str, file_name: str = "") -> dict[str, Any]:
        """Keeps a small file and gives the entry for `item["binary"][name]`: what is
        known of it (see binary.py) and where the bytes are."""

    def note(self, key: str, value: str) -> None:
        """Keeps a text with the execution, to find it by (`$execution.customData`). Raises NodeRunError for what is no
        key: letters, digits and underscores, up to 50. Longer keys, and values over 512 characters, are cut; from the
        eleventh key on nothing is kept."""

    async def checkpoint(self) -> None:
        """Call between items: lets others run every 5 ms and raises when the run was cancelled. Cheap."""

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Answers the webhook's caller."""

    async def respond_file(
        self, status: int, headers: Sequence[tuple[str, str]], item_index: int, name: str
    ) -> None:
        """Answers the webhook's caller with a file of an item. Raises NodeRunError where the item has none."""

    def log(self, text: str) -> None:
        """A line of console output, kept with the run."""

    def idempotency_key(self, item_index: int) -> str:
        """The same at every try of this item by this node run."""

    def continues(self) -> bool:
        """Whether the failure of an item is to be an item instead (onError, old continueOnFail)."""

    def failed_item(self, error: NodeRunError | Exception, item_index: int) -> Item:
        """The item that stands for a failed one; the runner moves it to the error output where there is
        one."""

"""A run context for tests: parameters are given, or made by a function that stands for the evaluator."""

import copy
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import IO, Any, Literal, TypeVar

from weft_node_sdk.binary import BinaryCalls, StoredFile
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import (
    Code,
    ExecutionInfo,
    Files,
    Http,
    HttpAnswer,
    HttpBody,
    HttpStream,
    Item,
    NodeInfo,
    NodeRunError,
    OpenFolder,
    Outputs,
    ResumeInfo,
    Varying,
)
from weft_node_sdk.credentials import Authentication, authentication
from weft_node_sdk.data_tables import DataTables

T = TypeVar("T")
Evaluate = Callable[[Any, Item, int], Any]
"""(a parameter value, the item, its index) -> the evaluated value."""
Answer = HttpAnswer | NodeRunError
Serve = Callable[["Request"], Answer]


@dataclass(frozen=True)
class Request:
    """One request that a node made; `options` are the keyword arguments beside these."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: bytes | None
    options: Mapping[str, Any]


class FakeHttp:
    """Keeps requests and answers them by a function."""

    def __init__(self, serve: Serve | None = None) -> None:
        self.requests: list[Request] = []
        self._serve = serve

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        query: Sequence[tuple[str, str]] = (),
        body: bytes | HttpBody | None = None,
        **options: Any,
    ) -> HttpAnswer:
        if body is not None and not isinstance(body, bytes):
            body = b"".join([chunk async for chunk in body])
        request = Request(method, url, dict(headers), list(query), body, options)
        self.requests.append(request)
        if self._serve is None:
            raise NodeRunError("No server in this test")
        answer = self._serve(request)
        if isinstance(answer, NodeRunError):
            raise answer
        return answer

    @asynccontextmanager
    async def stream(self, method: str, url: str, **options: Any) -> AsyncIterator[HttpStream]:
        yield FakeStream(await self.request(method, url, **options))


class FakeStream:
    """An answer, a few bytes at a time."""

    def __init__(self, answer: HttpAnswer) -> None:
        self.status, self.reason, self.headers = answer.status, answer.reason, answer.headers
        self._body = answer.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), 7):
            yield self._body[at : at + 7]

    async def read(self, max_bytes: int = 64 * 1024 * 1024) -> bytes:
        if len(self._body) > max_bytes:
            raise NodeRunError(f"The answer is larger than {max_bytes} bytes", code="TOO_LARGE")
        return self._body


class FakeFiles:
    """Files by path."""

    def __init__(self, held: Mapping[str, bytes]) -> None:
        self.held = dict(held)

    async def read(self, path: str) -> bytes:
        if path not in self.held:
            raise NodeRunError(f"The file '{path}' does not exist", code="FILE_NOT_FOUND")
        return self.held[path]

    async def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        self.held[path] = (self.held.get(path, b"") if append else b"") + data

    @asynccontextmanager
    async def open(self, path: str, mode: Literal["rb", "wb", "ab"] = "rb") -> AsyncIterator[IO[bytes]]:
        if mode == "rb":
            yield io.BytesIO(await self.read(path))
            return
        file = io.BytesIO()
        yield file
        await self.write(path, file.getvalue(), append=mode == "ab")

    @asynccontextmanager
    async def folder(self, path: str, *, make: bool = False) -> AsyncIterator[OpenFolder]:
        raise NodeRunError(f"The folder '{path}' does not exist", code="FILE_NOT_FOUND")
        yield

    async def find(self, pattern: str) -> list[str]:
        return sorted(path for path in self.held if fnmatch(path, pattern))


class FakeCode:
    """Keeps what was to run and gives what the test says."""

    def __init__(self, run: Callable[[str, bool], Outputs | NodeRunError] | None = None) -> None:
        self.sources: list[tuple[str, bool]] = []
        self._run = run

    async def python(self, source: str, *, each_item: bool, **options: Any) -> Outputs:
        return await self.javascript(source, each_item=each_item, **options)

    async def javascript(self, source: str, *, each_item: bool, **_: Any) -> Outputs:
        self.sources.append((source, each_item))
        result = self._run(source, each_item) if self._run else [[]]
        if isinstance(result, NodeRunError):
            raise result
        return result


class Cancelled(Exception):
    """The run was cancelled."""


class FakeStoredFile:
    """A file that is kept once it is committed."""

    def __init__(self, stored: dict[str, bytes], key: str) -> None:
        self.file = io.BytesIO()
        self._stored = stored
        self._key = key

    async def commit(self) -> None:
        self._stored[self._key] = self.file.getvalue()

    async def discard(self) -> None:
        """Nothing to do."""


@dataclass
class FakeContext(BinaryCalls):
    """`inputs`: items by input index. `given`: the node's parameters with defaults filled in.
    `evaluate_value` replaces expressions item by item; without it the parameters are constant, and each item
    gets the same dict."""

    given: dict[str, Any]
    inputs: list[list[Item]] = field(default_factory=lambda: [[]])
    version: float = 1
    type: str = "test"
    on_error: Any = "stopWorkflow"
    evaluate_value: Evaluate | None = None
    resume: ResumeInfo | None = None
    state: dict[str, Any] = field(default_factory=dict)
    run_index: int = 0
    arrived: list[bool] = field(default_factory=list)
    serve: Serve | None = None
    run_code: Callable[[str, bool], Outputs | NodeRunError] | None = None
    credentials: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    cancel_after: int | None = None
    """Raise at this checkpoint, counted from 0."""
    held_files: Mapping[str, bytes] = field(default_factory=dict)
    permitted: bool = True
    refused_hosts: frozenset[str] = frozenset()
    data_tables: DataTables | None = None
    mode: str = "webhook"
    timezone: str = "UTC"
    evaluate_templates: Callable[[Sequence[str], int, Mapping[str, Any]], list[Any]] | None = None

    remembered: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The workflow's static data by kind."""

    def __post_init__(self) -> None:
        self.node = NodeInfo(
            name="Node",
            type=self.type,
            version=self.version,
            parameters=self.given,
            credentials={kind: {"id": "1", "name": kind} for kind in self.credentials},
            webhook_id="hook",
            on_error=self.on_error,
        )
        self.execution = ExecutionInfo(
            id="0190aaaa-0000-7000-8000-000000000000",
            mode=self.mode,
            workflow_id="workflow",
            workflow_name="Workflow",
            workflow_active=True,
            project_id="project",
            timezone=self.timezone,
            resume_url="http://localhost/webhook-waiting/1?signature=x",
            resume_form_url="http://localhost/form-waiting/1?signature=x",
            test=False,
        )
        self.arrived = self.arrived or [bool(items) for items in self.inputs]
        self.server = FakeHttp(self.serve)
        self.http: Http = self.server
        self.disk = FakeFiles(self.held_files)
        self.files: Files = self.disk
        self.connected: list[tuple[str, int]] = []
        self.jail = FakeCode(self.run_code)
        self.code: Code = self.jail
        self.answers: list[tuple[int, list[tuple[str, str]], bytes]] = []
        self.logs: list[str] = []
        self.noted: dict[str, str] = {}
        self.checkpoints = 0
        self.stored: dict[str, bytes] = {}

    @property
    def items(self) -> list[Item]:
        return self.inputs[0] if self.inputs else []

    def _evaluated(self, value: Any, item: Item, index: int) -> Any:
        assert self.evaluate_value is not None
        if isinstance(value, dict):
            return {name: self._evaluated(member, item, index) for name, member in value.items()}
        if isinstance(value, list):
            return [self._evaluated(member, item, index) for member in value]
        return self.evaluate_value(value, item, index)

    async def parameters(self) -> list[dict[str, Any]]:
        if self.evaluate_value is None:
            return [self.given] * len(self.items)
        return [self._evaluated(self.given, item, index) for index, item in enumerate(self.items)]

    async def varying(self) -> Varying:
        if self.evaluate_value is None:
            return Varying(self.given, (), [[]] * len(self.items))
        places: list[tuple[str | int, ...]] = []
        fixed = self._without(self.given, (), places)
        rows = []
        for parameters in await self.parameters():
            row = []
            for place in places:
                held: Any = parameters
                for key in place:
                    held = held[key]
                row.append(held)
            rows.append(row)
        return Varying(fixed, places, rows)

    def _without(self, value: Any, path: tuple[str | int, ...], places: list[tuple[str | int, ...]]) -> Any:
        """`value` with None for expressions, whose paths go to `places`."""
        if isinstance(value, dict):
            return {name: self._without(member, (*path, name), places) for name, member in value.items()}
        if isinstance(value, list):
            return [self._without(member, (*path, at), places) for at, member in enumerate(value)]
        if isinstance(value, str) and value.startswith("="):
            places.append(path)
            return None
        return value

    def once(self, make: Callable[[], T]) -> T:
        return make()

    async def parameters_for(self, item_index: int) -> dict[str, Any]:
        if self.evaluate_value is None:
            return self.given
        item = self.items[item_index] if item_index < len(self.items) else {"json": {}}
        evaluated: dict[str, Any] = self._evaluated(self.given, item, item_index)
        return evaluated

    async def evaluate(
        self, templates: Sequence[str], item_index: int = 0, variables: Mapping[str, Any] | None = None
    ) -> list[Any]:
        if self.evaluate_templates is None:
            return list(templates)
        return self.evaluate_templates(templates, item_index, variables or {})

    async def credential(self, kind: str) -> dict[str, Any]:
        if kind not in self.credentials:
            raise NodeRunError(f"The node has no credential of type '{kind}'")
        return dict(self.credentials[kind])

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        """By the installed definition of the kind."""
        definition = Catalogue.load().credential_type(kind)
        assert definition is not None, f"{kind} is not installed"
        return authentication(definition, await self.credential(kind))

    @property
    def tables(self) -> DataTables:
        if self.data_tables is None:
            raise NodeRunError("There are no data tables in this test")
        return self.data_tables

    async def static_data(self, kind: str) -> dict[str, Any]:
        return self.remembered.setdefault(kind, {})

    async def history(self, kind: str) -> dict[str, Any]:
        return self.remembered.setdefault(f"history:{kind}", {})

    def note(self, key: str, value: str) -> None:
        self.noted[key] = value

    async def connect_address(self, host: str, port: int) -> str:
        self.connected.append((host, port))
        if host in self.refused_hosts:
            raise NodeRunError(f"The address {host} belongs to a private network", code="ADDRESS_REFUSED")
        return host

    def _fits(self, size: int) -> bool:
        """Every file is to be found in `stored`."""
        return False

    @asynccontextmanager
    async def stored_file(self, key: str) -> AsyncIterator[IO[bytes]]:
        if key not in self.stored:
            raise NodeRunError("The file is gone")
        yield io.BytesIO(self.stored[key])

    async def new_file(self) -> tuple[str, StoredFile]:
        key = f"file-{len(self.stored)}"
        self.stored[key] = b""
        return key, FakeStoredFile(self.stored, key)

    async def keep_file(self, data: bytes) -> str:
        key = f"file-{len(self.stored)}"
        self.stored[key] = data
        return key

    async def checkpoint(self) -> None:
        if self.cancel_after is not None and self.checkpoints >= self.cancel_after:
            raise Cancelled
        self.checkpoints += 1

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.answers.append((status, list(headers), body))

    async def respond_file(
        self, status: int, headers: Sequence[tuple[str, str]], item_index: int, name: str
    ) -> None:
        self.respond(status, headers, await self.read_binary(item_index, name))

    def log(self, text: str) -> None:
        self.logs.append(text)

    def idempotency_key(self, item_index: int) -> str:
        return f"key-{item_index}"

    def continues(self) -> bool:
        return bool(self.on_error != "stopWorkflow")

    def failed_item(self, error: NodeRunError | Exception, item_index: int) -> Item:
        """As seen of the peer: the item with the error beside its fields for the error output, else the
        error."""
        message = getattr(error, "message", str(error))
        known = item_index < len(self.items)
        fields = copy.deepcopy(self.items[item_index]["json"]) if known else {}
        if self.on_error != "continueErrorOutput":
            fields = {}
        return {
            "json": {**fields, "error": message},
            "error": {"message": message},
            "pairedItem": {"item": item_index},
        }

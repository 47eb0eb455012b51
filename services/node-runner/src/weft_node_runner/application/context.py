"""The run context of one node run."""

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import IO, Any, Final, Literal, TypeVar

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import Activation, RunSegment
from weft_contracts.payload import BINARY, Payload
from weft_expressions.code import python_references, references
from weft_expressions.custom_data import note
from weft_expressions.errors import ExpressionFailure
from weft_expressions.evaluate import assembled
from weft_expressions.scope import Scope
from weft_expressions.template import Compiled, compile_text, compile_value
from weft_expressions.turns import give_way
from weft_kit.blobs import FILES, is_file
from weft_node_sdk.binary import BinaryCalls, StoredFile
from weft_node_sdk.context import (
    Code,
    ExecutionInfo,
    Files,
    Http,
    Item,
    NodeRunError,
    ResumeInfo,
    Varying,
)
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.data_tables import DataTables
from weft_node_sdk.whole import readable

from weft_node_runner.application.data import Data
from weft_node_runner.application.ports import Outside
from weft_node_runner.domain.plan import NodePlan, Plan

YIELD_SECONDS: Final = 0.002
_KINDS: Final[tuple[Literal["global", "node"], ...]] = ("global", "node")

T = TypeVar("T")


class NodeContext(BinaryCalls):
    """Implements RunContext."""

    def __init__(
        self,
        task: RunSegment,
        plan: Plan,
        node_plan: NodePlan,
        activation: Activation,
        inputs: list[list[Item]],
        data: Data,
        outside: Outside,
        resume: ResumeInfo | None,
        state: dict[str, Any],
        respond: Callable[[int, Sequence[tuple[str, str]], Payload], None],
    ) -> None:
        self.node = node_plan.info
        self.run_index = activation.run_index
        once = node_plan.node.execute_once
        self.inputs = [readable(items[:1] if once else items) for items in inputs]
        self._arrived_items = inputs[0] if inputs else []  # all: expressions see what isn't worked on, too
        self.arrived = [source is not None for source in activation.inputs] or [bool(inputs)]
        self.resume = resume
        self.http: Http = outside.http
        self.files: Files = outside.files
        self.most_bytes = outside.file_max_bytes
        kind = node_plan.info.type
        self.permitted = not {kind, kind.rpartition(".")[2]}.isdisjoint(outside.allowed_nodes)
        self.state = state
        self.logs: list[str] = []
        self._task = task
        self._plan = plan
        self._node_plan = node_plan
        self._activation = activation
        self._data = data
        self._outside = outside
        self._respond = respond
        self._rows: list[dict[str, Any]] | None = None
        self._values: list[list[Any]] | None = None
        self._scope: Scope | None = None
        self._remembered: dict[str, dict[str, Any]] = {}
        self._yielded = time.perf_counter()
        self._execution: ExecutionInfo | None = None

    @property
    def items(self) -> list[Item]:
        return self.inputs[0] if self.inputs else []

    @property
    def tables(self) -> DataTables:
        return self._outside.tables(self._task.project_id)

    @property
    def execution(self) -> ExecutionInfo:
        if self._execution is None:
            task, plan = self._task, self._plan
            url = f"{self._outside.origin}/webhook-waiting/{task.execution_id}?signature={task.resume_token}"
            form = f"{self._outside.origin}/form-waiting/{task.execution_id}?signature={task.resume_token}"
            test = task.mode in ("manual", "test")
            self._execution = ExecutionInfo(
                id=task.execution_id,
                mode=task.mode,
                workflow_id=task.workflow_id,
                workflow_name=plan.name,
                workflow_active=not test,
                project_id=task.project_id,
                timezone=plan.timezone,
                resume_url=url,
                resume_form_url=form,
                test=test,
                depth=task.depth,
            )
        return self._execution

    @property
    def code(self) -> Code:
        return _LazyCode(self)

    # --- parameters ---------------------------------------------------------------------------------------

    async def parameters(self) -> list[dict[str, Any]]:
        if self._rows is None:
            compiled = self._node_plan.compiled
            if compiled.constant:
                self._rows = [compiled.value] * len(self.items)
            else:
                self._rows = await assembled(compiled, await self._varying_values())
        return self._rows

    async def varying(self) -> Varying:
        compiled = self._node_plan.compiled
        values = await self._varying_values() if compiled.places else [[]] * len(self.items)
        return Varying(self._node_plan.fixed, compiled.places, values)

    def once(self, make: Callable[[], T]) -> T:
        plan = self._node_plan
        if not plan.kept:
            plan.kept = (make(),)
        kept: T = plan.kept[0]
        return kept

    async def _varying_values(self) -> list[list[Any]]:
        if self._values is None:
            self._values = await self._evaluate(self._node_plan.compiled, len(self.items))
        return self._values

    async def parameters_for(self, item_index: int) -> dict[str, Any]:
        if self._node_plan.constant:
            constant: dict[str, Any] = self._node_plan.compiled.value
            return constant
        if self.items and item_index < len(self.items):
            return (await self.parameters())[item_index]
        compiled = self._node_plan.compiled
        whole: dict[str, Any] = compiled.build((await self._evaluate(compiled, 1))[0])
        return whole

    async def evaluate(
        self, templates: Sequence[str], item_index: int = 0, variables: Mapping[str, Any] | None = None
    ) -> list[Any]:
        compiled = [compile_value(text) if text.startswith("=") else compile_text(text) for text in templates]
        await self._prepare(compiled)
        scope = await self.scope(dict(variables or {}))
        leaves = [leaf for each in compiled for leaf in each.leaves]
        rows = await self._outside.values(leaves, scope, item_index + 1, self._task.project_id)
        for each in rows[item_index]:
            if isinstance(each, ExpressionFailure):
                each.leaf = None  # no parameter of the node
        found = iter(rows[item_index])
        return [each.build([next(found) for _ in each.leaves]) for each in compiled]

    async def _evaluate(self, compiled: Compiled, count: int) -> list[list[Any]]:
        await self._prepare([compiled])
        return await self._outside.values(compiled.leaves, await self.scope(), count, self._task.project_id)

    async def _prepare(self, compiled: Sequence[Any]) -> None:
        """Fetches what the expressions will ask for."""
        for each in compiled:
            if each.dynamic_reference:
                await self._data.need((name, None) for name in self._plan.graph.names)
                await self._data.lineage(self._activation, frozenset())
                continue
            if each.references:
                await self._data.need((name, None) for name in each.references)
            if each.past_runs:
                await self._data.need(
                    (name, index) for name in each.references for index in range(self._data.count(name))
                )
            if each.lineage:
                await self._data.lineage(self._activation, each.references)

    async def prepare_code(self, source: str, read: tuple[frozenset[str], bool]) -> None:
        """Fetches what a script names."""
        if "getWorkflowStaticData" in source:
            self._remembered = {kind: await self._data.static.of(kind, self.node.name) for kind in _KINDS}
        names, dynamic = read
        wanted = self._plan.graph.names if dynamic else names
        await self._data.need((name, None) for name in wanted)
        await self._data.lineage(self._activation, frozenset(names))

    def jail(self, scope: Scope) -> Code:
        node = self._node_plan.node
        if node.execute_once:
            scope = replace(scope, items=scope.items[:1])
        requests = node.traits.idempotency != "safe"
        return self._outside.code(self._task.project_id, scope, self.log, self, requests=requests)

    async def scope(self, extra: dict[str, Any] | None = None) -> Scope:
        if self._scope is not None and not extra:
            return self._scope
        task, plan, data, node = self._task, self._plan, self._data, self._node_plan
        source = self._activation.inputs[0] if self._activation.inputs else None
        info = self.execution
        variables = await self._outside.variables(task.project_id) if node.uses_variables else {}
        scope = Scope(
            items=self._arrived_items,
            run_index=self.run_index,
            timezone=plan.timezone,
            outputs=data.outputs,
            exists=plan.graph.nodes.__contains__,
            node_names=plan.graph.names,
            run_count=data.count,
            output_index=lambda name: max(source.output, 0) if source and source.node == name else 0,
            ancestor=self._ancestor,
            parameters_of=self._parameters_of,
            context_of=self._context_of,
            node_name=node.info.name,
            node_id=node.info.id,
            node_version=node.info.version,
            parameters=node.parameters,
            previous=(
                {"name": source.node, "outputIndex": max(source.output, 0), "runIndex": source.run}
                if source
                else {}
            ),
            execution={
                "id": info.id,
                "mode": "test" if info.test else "production",
                "resumeUrl": info.resume_url,
                "resumeFormUrl": info.resume_form_url,
            },
            custom_data=data.custom.values,
            workflow={"id": info.workflow_id, "name": info.workflow_name, "active": info.workflow_active},
            variables=variables,
            environment=self._outside.environment,
            static_data=self._remembered,
            extra=extra or {},
        )
        if not extra:
            self._scope = scope
        return scope

    def _ancestor(self, name: str, index: int) -> Item | None:
        found = self._data.ancestor(self._activation, self._arrived_items, name, index)
        graph = self._plan.graph
        leads_here = (
            name in graph.index
            and name != self.node.name
            and graph.index[self.node.name] in graph.reach(graph.index[name])
        )
        return found if found or leads_here else None

    def _parameters_of(self, name: str) -> Mapping[str, Any] | None:
        return self._plan.node(name).parameters if name in self._plan.graph.nodes else None

    def _context_of(self, name: str) -> Mapping[str, Any] | None:
        if name == self.node.name:
            return self.state
        run = self._data.run(name, None)
        if run is None:
            return None
        _ = run.outputs  # decodes the state, too
        return run.state

    # --- the rest -----------------------------------------------------------------------------------------

    async def credential(self, kind: str) -> dict[str, Any]:
        with self._missing(kind):
            return await self._outside.credential(self._credential_id(kind), self._task.project_id)

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        with self._missing(kind):
            return await self._outside.authentication(self._credential_id(kind), self._task.project_id, stale)

    def _credential_id(self, kind: str) -> str:
        held = self.node.credentials.get(kind)
        credential_id = str(held.get("id") or "") if isinstance(held, Mapping) else ""
        if not credential_id:
            raise NodeRunError(f"The node has no credential of type '{kind}'")
        return credential_id

    @contextmanager
    def _missing(self, kind: str) -> Iterator[None]:
        try:
            yield
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            raise NodeRunError(
                f"The credential of type '{kind}' is gone or belongs to another project"
            ) from None

    async def static_data(self, kind: Literal["global", "node"]) -> dict[str, Any]:
        return await self._data.static.of(kind, self.node.name)

    async def history(self, kind: Literal["global", "node"]) -> dict[str, Any]:
        return await self._data.static.of(kind, self.node.name, history=True)

    def note(self, key: str, value: str) -> None:
        try:
            note(self._data.custom.values, key, value)
        except ValueError as error:
            raise NodeRunError(str(error)) from None

    async def connect_address(self, host: str, port: int) -> str:
        return await self._outside.addresses.connect_address(host, port)

    @asynccontextmanager
    async def stored_file(self, key: str) -> AsyncIterator[IO[bytes]]:
        if not is_file(key):
            raise NodeRunError("The item refers to a file that is none")
        try:
            async with self._outside.blobs.open(key) as file:
                yield file
        except WeftError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            raise NodeRunError("The file was removed with the execution that it came from") from None

    async def new_file(self) -> tuple[str, StoredFile]:
        key = self._new_key()
        return key, await self._outside.blobs.create(key)

    async def keep_file(self, data: bytes) -> str:
        key = self._new_key()
        await self._outside.blobs.put(key, data)
        return key

    def _new_key(self) -> str:
        return f"{self._task.execution_id}{FILES}{new_id()}"

    def close(self) -> None:
        """Lets go of what holds us in turn: else the run's items would stay until the collector looks at everything."""
        self._scope = self._rows = self._values = None

    async def checkpoint(self) -> None:
        if time.perf_counter() - self._yielded > YIELD_SECONDS:
            await give_way()
            self._yielded = time.perf_counter()

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self._respond(status, headers, Payload(BINARY, body, len(body)))

    async def respond_file(
        self, status: int, headers: Sequence[tuple[str, str]], item_index: int, name: str
    ) -> None:
        async with self.open_binary(item_index, name) as reader:
            key = str(reader.entry.get("id") or "")
            body = b"" if key else await reader.whole()
            self._respond(status, headers, Payload(BINARY, body, reader.size, key))

    def log(self, text: str) -> None:
        self.logs.append(text)

    def idempotency_key(self, item_index: int) -> str:
        run = f"{self._task.execution_id}\x1f{self.node.name}\x1f{self.run_index}\x1f{item_index}"
        return hashlib.sha256(run.encode()).hexdigest()[:32]

    def continues(self) -> bool:
        return self.node.on_error != "stopWorkflow"

    def failed_item(self, error: NodeRunError | Exception, item_index: int) -> Item:
        message = getattr(error, "message", str(error))
        fields: dict[str, Any] = {}
        if self.node.on_error == "continueErrorOutput" and item_index < len(self.items):
            fields = self.items[item_index]["json"]
        return {
            "json": {**fields, "error": message},
            "error": {"message": message},
            "pairedItem": {"item": item_index},
        }


class _LazyCode:
    """The jail, with this run's scope; made when a script is to run."""

    def __init__(self, ctx: NodeContext) -> None:
        self._ctx = ctx

    async def javascript(
        self,
        source: str,
        *,
        each_item: bool,
        timeout: float = 60.0,
        on_failure: Callable[[NodeRunError], Item] | None = None,
    ) -> list[list[Item]]:
        ctx = self._ctx
        await ctx.prepare_code(source, references(source))
        code = ctx.jail(await ctx.scope())
        return await code.javascript(source, each_item=each_item, timeout=timeout, on_failure=on_failure)

    async def python(
        self,
        source: str,
        *,
        each_item: bool,
        timeout: float = 60.0,
        on_failure: Callable[[NodeRunError], Item] | None = None,
    ) -> list[list[Item]]:
        ctx = self._ctx
        await ctx.prepare_code(source, python_references(source))
        code = ctx.jail(await ctx.scope())
        return await code.python(source, each_item=each_item, timeout=timeout, on_failure=on_failure)

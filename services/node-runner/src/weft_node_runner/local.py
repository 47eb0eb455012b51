"""Runs workflow documents without a server: the engine's state and the runner's executor, nothing in between.

Waits sleep here. Sub-workflows and credentials are those that are given, or whose JSON is; calls from outside need an
installation and fail with those words.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import orjson
from weft_contracts.beginnings import by_hand
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import Activation, Mode, NodeError, NodeOutput, Resume, RunSegment
from weft_engine.model import Completed, Failed, Finished, Resumed, Run, Sleep, Started, Suspended
from weft_engine.state import State
from weft_expressions.evaluate import leaf_values
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import Leaf
from weft_kit import items as codec
from weft_kit.blobs import BlobStore
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.settings import CoreSettings
from weft_node_sdk import dates
from weft_node_sdk.binary import FILE_BYTES
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Code, Files, Http, Item, NodeRunError, Outputs, Suspend
from weft_node_sdk.credentials import Authentication, authentication, with_defaults
from weft_node_sdk.data_tables import DataTables

from weft_node_runner.adapters.address_policy import Policy
from weft_node_runner.adapters.code import JailedCode
from weft_node_runner.adapters.code_calls import CodeCalls
from weft_node_runner.adapters.files import AllowedFiles
from weft_node_runner.adapters.http import GuardedHttp
from weft_node_runner.application.called import called
from weft_node_runner.application.data import Data
from weft_node_runner.application.execute import Outcome, execute, now_us
from weft_node_runner.application.ports import Addresses, Binaries
from weft_node_runner.domain.plan import Plan


@dataclass(frozen=True)
class Result:
    """`items`: of the last node, output by output; `runs`: every node run and its outputs, as they began."""

    status: str
    last_node: str
    items: Outputs
    error: NodeError | None
    runs: Sequence[tuple[str, Outputs]] = ()


class _Here:
    """Implements Outside on this machine alone. `workflows`: documents by the id that others call them by. `secrets`:
    type and fields of credentials, by their ids."""

    def __init__(
        self, settings: CoreSettings, folder: Path, secrets: Mapping[str, tuple[str, Mapping[str, Any]]]
    ) -> None:
        self._catalogue = Catalogue.load()
        self._secrets = secrets
        self._timezone = settings.timezone
        self._plans: dict[str, Plan] = {}
        self.workflows: Mapping[str, Mapping[str, Any]] = {}
        self.ended: dict[str, tuple[str, Data]] = {}
        """Sub-workflows' last nodes and data, by execution, until their caller has gone on."""
        self.mode: Mode = "cli"
        self.client = GuardedHttp(settings.net_allow)
        self.http: Http = self.client
        self.addresses: Addresses = Policy(settings.net_allow)
        self.files: Files = AllowedFiles(settings.file_folders)
        self.allowed_nodes: Collection[str] = settings.allow_nodes
        self.blobs: BlobStore = FolderBlobs(folder)
        self.environment: dict[str, str] | None = None
        self.origin = settings.public_origin
        self.file_max_bytes = FILE_BYTES
        self.expressions = EvaluatorPool(1)
        self.scripts = EvaluatorPool(1, "code")

    def compiled(self, document: Mapping[str, Any], version_id: str = "local") -> Plan:
        return Plan(version_id, orjson.dumps(document), self._catalogue, self._timezone)

    async def plan(self, version_id: str) -> Plan:
        return self._plans[version_id]

    async def resolve(self, workflow_id: str, project_id: str, caller: str) -> tuple[str, Plan]:
        document = self.workflows.get(workflow_id)
        if document is None:
            raise NodeRunError("Another workflow can't be called without a server; use `weft up`.")
        plan = self._plans[workflow_id] = self.compiled(document, workflow_id)
        return workflow_id, plan

    async def keep(self, document: Mapping[str, Any], project_id: str) -> Plan:
        return self.compiled(document)

    async def credential(self, credential_id: str, project_id: str) -> dict[str, Any]:
        definition, secret = self._secret(credential_id)
        return with_defaults(definition, secret)

    async def authentication(self, credential_id: str, project_id: str, stale: str = "") -> Authentication:
        return authentication(*self._secret(credential_id))

    def _secret(self, credential_id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        kind, secret = self._secrets.get(credential_id, ("", {}))
        definition = self._catalogue.credential_type(kind)
        if definition is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There are no credentials without a server.")
        return definition, secret

    def tables(self, project_id: str) -> DataTables:
        raise NodeRunError("There are no data tables without a server; use `weft up`.")

    async def variables(self, project_id: str) -> dict[str, Any]:
        return {}

    async def static_data(self, workflow_id: str) -> dict[str, Any]:
        return {}

    async def outputs(self, execution_id: str, keys: Sequence[tuple[str, int]]) -> Sequence[NodeOutput]:
        last, data = self.ended[execution_id]
        found = []
        for node, index in ((node or last, index) for node, index in keys):
            number = data.count(node) - 1 if index < 0 else index
            run = data.run(node, number)
            if run is not None:
                payload = codec.encode_outputs(run.outputs)
                counts = tuple(len(items) for items in run.outputs)
                found.append(NodeOutput(node, number, counts, payload, run.inputs))
        return found

    async def values(
        self, leaves: Sequence[Leaf], scope: Scope, count: int, project_id: str
    ) -> list[list[Any]]:
        return await leaf_values(leaves, scope, count, self.expressions, project_id)

    def code(
        self,
        project_id: str,
        scope: Scope,
        log: Callable[[str], None],
        binaries: Binaries,
        *,
        requests: bool,
    ) -> Code:
        return JailedCode(
            self.scripts, project_id, scope, log, CodeCalls(self.http if requests else None, binaries)
        )


async def run_workflow(
    document: Mapping[str, Any], given: list[Item] | None = None, settings: CoreSettings | None = None
) -> Result:
    """One run; see Session.run."""
    async with Session(settings) as session:
        return await session.run(document, given)


class Session:
    """Evaluators that several runs share. `secrets`: type and fields of the credentials there are, by their ids."""

    def __init__(
        self,
        settings: CoreSettings | None = None,
        secrets: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None,
    ) -> None:
        self._folder = TemporaryDirectory()
        self._here = _Here(settings or CoreSettings(), Path(self._folder.name), secrets or {})

    async def __aenter__(self) -> Self:
        await self._here.expressions.start()
        await self._here.scripts.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._here.expressions.stop()
        await self._here.scripts.stop()
        await self._here.client.close()
        self._folder.cleanup()

    async def run(
        self,
        document: Mapping[str, Any],
        given: list[Item] | None = None,
        workflows: Mapping[str, Mapping[str, Any]] | None = None,
        mode: Mode = "cli",
    ) -> Result:
        """Runs it from its first trigger with the given items (without any, the one that the trigger gives of
        itself); it may call `workflows`, by their ids. Raises VALIDATION_ERROR where it has nothing to begin with."""
        self._here.workflows = workflows or {}
        self._here.mode = mode
        plan = self._here.compiled(document)
        return await _Local(plan, self._here).run(given)


class _Local:
    def __init__(self, plan: Plan, here: _Here, depth: int = 0) -> None:
        self._plan = plan
        self._here = here
        self._depth = depth
        self._id = new_id()
        self._state = State(plan.graph)
        self._data = Data(self._id, {}, here)
        self._pins: dict[str, Any] = dict(plan.pins) if not depth else {}
        self._began: list[Activation] = []
        self._resume: Resume | None = None

    async def run(self, given: list[Item] | None, trigger: str = "") -> Result:
        trigger = self._plan.graph.start_node(trigger)
        if not given:
            now = datetime.now(dates.zone(self._plan.timezone))
            kind = self._plan.graph.nodes[trigger].type
            given = [{"json": by_hand(kind, now, self._plan.timezone, self._here.origin)}]
        pinned = self._pins.get(trigger)
        items = given
        if isinstance(pinned, list):
            items = [each if "json" in each else {"json": each} for each in pinned]
        first = Activation(trigger, 0, ())
        self._began.append(first)
        effects = self._state.apply(Started(now_us(), trigger, (len(items),)))
        self._data.put(first, [items], None)
        while True:
            following: list[Any] = []
            for effect in effects:
                if isinstance(effect, Finished):
                    outputs = self._data.outputs(effect.last_node, None) or []
                    runs = [(a.node, self._data.outputs(a.node, a.run_index) or []) for a in self._began]
                    return Result(effect.status, effect.last_node, outputs, effect.error, runs)
                following += await self._follow(effect)
            effects = following

    async def _follow(self, effect: Any) -> list[Any]:
        key = effect.activation.node, effect.activation.run_index
        if isinstance(effect, Sleep):
            if effect.until is None:
                text = f"'{key[0]}' waits for a call, which needs a server; use `weft up`."
                return [Finished("error", key[0], NodeError(text, node=key[0]))]
            await asyncio.sleep(max(0.0, (effect.until - now_us()) / 1_000_000))
            self._resume = None if effect.kind == "retry" else Resume("timer")
            return list(self._state.apply(Resumed(now_us(), *key)))
        if effect.activation not in self._began:
            self._began.append(effect.activation)
        outcome = await self._run(effect)
        if outcome.suspend is not None and outcome.suspend.kind == "child":
            outcome = await self._call(effect, outcome.suspend)
        if outcome.suspend is not None:
            event = Suspended(now_us(), *key, outcome.suspend.kind, outcome.suspend.until)
            return list(self._state.apply(event))
        if outcome.outputs is None or outcome.fatal:
            node, error = self._plan.graph.nodes[key[0]], outcome.error or NodeError("The node failed.")
            again = not outcome.fatal and effect.attempt < node.max_tries
            until = now_us() + node.wait_between_ms * 1000 if again else None
            if outcome.outputs is not None:
                self._data.put(effect.activation, outcome.outputs, None)
            return list(self._state.apply(Failed(now_us(), *key, error, until)))
        self._data.put(effect.activation, outcome.outputs, outcome.state)
        counts = tuple(len(each) for each in outcome.outputs)
        return list(self._state.apply(Completed(now_us(), *key, counts)))

    async def _call(self, effect: Run, suspend: Suspend) -> Outcome:
        """Runs the children one after the other, and then the node again with what they gave."""
        task, ends, errors, ids = self._task(effect), [], [], []
        for call in suspend.children:
            try:
                child = await called(call, task, self._here)
            except NodeRunError as error:
                told = NodeError(error.message, error.code, node=effect.activation.node)
                return Outcome(error=told, fatal=True)
            local = _Local(child.plan, self._here, self._depth + 1)
            result = await local.run(child.items, child.trigger)
            ends.append(codec.encode_outputs(result.items))
            errors.append(result.error)
            ids.append(local._id)
            self._here.ended[local._id] = result.last_node, local._data
        if suspend.output is not None:
            return Outcome(suspend.output)
        self._resume = Resume("child", tuple(ends), tuple(errors), tuple(ids))
        try:
            return await self._run(effect)
        finally:
            for each in ids:
                del self._here.ended[each]

    async def _run(self, effect: Run) -> Outcome:
        task = self._task(effect)
        self._resume = None
        return await execute(
            task,
            self._plan,
            effect.activation,
            self._data,
            self._here,
            self._pins,
            effect.attempt,
            lambda *_: None,
        )

    def _task(self, effect: Run) -> RunSegment:
        return RunSegment(
            new_id(),
            self._id,
            INSTANCE_PROJECT,
            "local",
            "local",
            self._here.mode,
            0,
            effect.activation,
            (effect.activation.node,),
            True,
            now_us(),
            runs=dict(self._state.runs),
            attempt=effect.attempt,
            resume=self._resume,
            depth=self._depth,
        )

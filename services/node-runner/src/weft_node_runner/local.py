"""Runs a workflow document without a server: the engine's state and the runner's executor, nothing in between.

Waits sleep here; sub-workflows, credentials and calls from outside need an installation and fail with those words.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import Activation, NodeError, NodeOutput, Resume, RunSegment
from weft_engine.model import Completed, Failed, Finished, Resumed, Run, Sleep, Started, Suspended
from weft_engine.state import State
from weft_expressions.evaluate import evaluate
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import Compiled
from weft_kit.blobs import BlobStore
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.settings import CoreSettings
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Code, Files, Http, Item, NodeInfo, NodeRunError, Outputs

from weft_node_runner.adapters.address_policy import Policy
from weft_node_runner.adapters.code import JailedCode
from weft_node_runner.adapters.files import AllowedFiles
from weft_node_runner.adapters.http import GuardedHttp
from weft_node_runner.application.data import Data
from weft_node_runner.application.execute import Outcome, execute, now_us
from weft_node_runner.application.ports import Addresses
from weft_node_runner.domain.plan import Plan


@dataclass(frozen=True)
class Result:
    """`items`: of the last node, output by output."""

    status: str
    last_node: str
    items: Outputs
    error: NodeError | None


class _Here:
    """Implements Outside on this machine alone."""

    def __init__(self, plan: Plan, settings: CoreSettings, folder: Path) -> None:
        self._plan = plan
        self.client = GuardedHttp(settings.net_allow)
        self.http: Http = self.client
        self.addresses: Addresses = Policy(settings.net_allow)
        self.files: Files = AllowedFiles(settings.file_folders)
        self.allowed_nodes: Collection[str] = settings.allow_nodes
        self.blobs: BlobStore = FolderBlobs(folder)
        self.environment: dict[str, str] | None = None
        self.origin = settings.public_origin
        self.expressions = EvaluatorPool(1)
        self.scripts = EvaluatorPool(1, "code")

    async def plan(self, version_id: str) -> Plan:
        return self._plan

    async def resolve(self, workflow_id: str, project_id: str, caller: str) -> tuple[str, Plan]:
        raise NodeRunError("Another workflow can't be called without a server; use `weft up`.")

    async def credential(self, credential_id: str, project_id: str) -> dict[str, Any]:
        raise WeftError(ErrorCode.NOT_FOUND, "There are no credentials without a server.")

    async def variables(self, project_id: str) -> dict[str, Any]:
        return {}

    async def static_data(self, workflow_id: str) -> dict[str, Any]:
        return {}

    async def outputs(self, execution_id: str, keys: Sequence[tuple[str, int]]) -> Sequence[NodeOutput]:
        return ()

    async def evaluate(
        self, compiled: Sequence[Compiled], scope: Scope, count: int, project_id: str
    ) -> list[list[Any]]:
        return await evaluate(compiled, scope, count, self.expressions, project_id)

    def code(self, project_id: str, node: NodeInfo, scope: Scope, log: Callable[[str], None]) -> Code:
        return JailedCode(self.scripts, project_id, scope, log, self.http)


async def run_workflow(
    document: Mapping[str, Any], given: list[Item] | None = None, settings: CoreSettings | None = None
) -> Result:
    """Runs it from its first trigger with the given items (one empty item without any). Raises VALIDATION_ERROR
    where it has nothing to begin with."""
    settings = settings or CoreSettings()
    plan = Plan("local", orjson.dumps(document), Catalogue.load(), settings.timezone)
    with TemporaryDirectory() as folder:
        here = _Here(plan, settings, Path(folder))
        await here.expressions.start()
        await here.scripts.start()
        try:
            return await _Local(plan, here).run(given or [{"json": {}}])
        finally:
            await here.expressions.stop()
            await here.scripts.stop()
            await here.client.close()


class _Local:
    def __init__(self, plan: Plan, here: _Here) -> None:
        self._plan = plan
        self._here = here
        self._id = new_id()
        self._state = State(plan.graph)
        self._data = Data(self._id, {}, here)
        self._pins: dict[str, Any] = dict(plan.pins)

    async def run(self, given: list[Item]) -> Result:
        trigger = self._plan.graph.start_node()
        pinned = self._pins.get(trigger)
        items = given
        if isinstance(pinned, list) and pinned:
            items = [each if "json" in each else {"json": each} for each in pinned]
        effects = self._state.apply(Started(now_us(), trigger, (len(items),)))
        self._data.put(Activation(trigger, 0, ()), [items], None)
        while True:
            following: list[Any] = []
            for effect in effects:
                if isinstance(effect, Finished):
                    run = self._data.run(effect.last_node, None)
                    return Result(effect.status, effect.last_node, run.outputs if run else [], effect.error)
                following += await self._follow(effect)
            effects = following

    async def _follow(self, effect: Any) -> list[Any]:
        key = effect.activation.node, effect.activation.run_index
        if isinstance(effect, Sleep):
            if effect.until is None:
                text = f"'{key[0]}' waits for a call, which needs a server; use `weft up`."
                return [Finished("error", key[0], NodeError(text, node=key[0]))]
            await asyncio.sleep(max(0.0, (effect.until - now_us()) / 1_000_000))
            self._woken = effect.kind != "retry"
            return list(self._state.apply(Resumed(now_us(), *key)))
        outcome = await self._run(effect)
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

    _woken = False

    async def _run(self, effect: Run) -> Outcome:
        woken, self._woken = self._woken, False
        task = RunSegment(
            new_id(),
            self._id,
            INSTANCE_PROJECT,
            "local",
            "local",
            "cli",
            0,
            effect.activation,
            (effect.activation.node,),
            True,
            now_us(),
            runs=dict(self._state.runs),
            attempt=effect.attempt,
            resume=Resume("timer") if woken else None,
        )
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

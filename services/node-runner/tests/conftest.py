"""A workflow version and a segment of it, walked without a server."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import Activation, NodeOutput, NodeReport, RunSegment, Source
from weft_expressions.evaluate import leaf_values
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import Leaf
from weft_kit import items
from weft_kit.blobs.folder import FolderBlobs
from weft_node_runner.adapters.address_policy import Policy
from weft_node_runner.adapters.files import AllowedFiles
from weft_node_runner.adapters.http import GuardedHttp
from weft_node_runner.application import walk
from weft_node_runner.application.walk import Walk
from weft_node_runner.domain.plan import Plan
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Code, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.data_tables import DataTables

CATALOGUE = Catalogue.load()


def node(name: str, kind: str = "noOp", version: float = 1, **more: Any) -> dict[str, Any]:
    parameters = more.pop("parameters", {})
    return {
        "name": name, "type": f"n8n-nodes-base.{kind}", "typeVersion": version, "position": [0, 0],
        "parameters": parameters, **more,
    }  # fmt: skip


class Outside:
    """Implements Outside. `stored`: what the orchestrator has. `children`: workflows that can be called. `fail`: what
    asking for the version raises, one after the other."""

    def __init__(self, plan: Plan, home: Path) -> None:
        self._plan = plan
        self.http = GuardedHttp([])
        self.addresses = Policy([])
        self.files = AllowedFiles([home / "files"])
        self.allowed_nodes: list[str] = []
        self.blobs = FolderBlobs(home / "blobs")
        self.environment: dict[str, str] | None = None
        self.origin = "http://weft.test"
        self.file_max_bytes = 512 * 1024 * 1024
        self.stored: dict[tuple[str, int], NodeOutput] = {}
        self.asked: list[Sequence[tuple[str, int]]] = []
        self.children: dict[str, Plan] = {}
        self.secrets: dict[str, Any] = {}
        self.fail: list[WeftError] = []

    async def plan(self, version_id: str) -> Plan:
        if self.fail:
            raise self.fail.pop(0)
        return self._plan

    async def variables(self, project_id: str) -> dict[str, Any]:
        return {"x": "of the project"}

    async def static_data(self, workflow_id: str) -> dict[str, Any]:
        return {}

    async def values(
        self, leaves: Sequence[Leaf], scope: Scope, count: int, project_id: str
    ) -> list[list[Any]]:
        """Without a process for JavaScript: what these workflows hold never needs one."""
        return await leaf_values(leaves, scope, count, EvaluatorPool(1), project_id)

    def code(self, project_id: str, scope: Any, log: Any, binaries: Any, *, requests: bool) -> Code:
        raise AssertionError("no scripts here")

    async def outputs(self, execution_id: str, keys: Sequence[tuple[str, int]]) -> Sequence[NodeOutput]:
        self.asked.append(keys)
        return [self.stored[key] for key in keys if key in self.stored]

    async def resolve(self, workflow_id: str, project_id: str, caller: str) -> tuple[str, Plan]:
        if workflow_id not in self.children:
            raise NodeRunError("There is no such workflow.", code="NOT_FOUND")
        return workflow_id, self.children[workflow_id]

    async def keep(self, document: Mapping[str, Any], project_id: str) -> Plan:
        return Plan("kept", json.dumps(document).encode(), CATALOGUE, "UTC")

    async def credential(self, credential_id: str, project_id: str) -> dict[str, Any]:
        if credential_id not in self.secrets:
            raise WeftError(ErrorCode.NOT_FOUND, "none")
        found: dict[str, Any] = self.secrets[credential_id]
        return found

    async def authentication(self, credential_id: str, project_id: str, stale: str = "") -> Authentication:
        raise AssertionError("no requests with credentials here")

    def tables(self, project_id: str) -> DataTables:
        raise AssertionError("no data tables here")


class World:
    """`batches`: what was sent, `(reports, last)` each. `granted`: the answer to NodeStarted with `confirm`."""

    def __init__(self, home: Path, *nodes: dict[str, Any], **document: Any) -> None:
        connections = {
            a["name"]: {"main": [[{"node": b["name"], "type": "main", "index": 0}]]}
            for a, b in itertools.pairwise(nodes)
        }
        values = {
            "name": "w",
            "nodes": list(nodes),
            "connections": connections,
            "settings": {"executionOrder": "v1"},
        }
        self.plan = Plan("v1", json.dumps({**values, **document}).encode(), CATALOGUE, "UTC")
        self.outside = Outside(self.plan, home)
        self.batches: list[tuple[list[NodeReport], bool]] = []
        self.sent = asyncio.Event()
        self.granted = True
        self.confirmed: list[str] = []

    @property
    def reports(self) -> list[NodeReport]:
        return [report for reports, _ in self.batches for report in reports]

    def given(self, *jsons: Any, name: str = "Start") -> NodeOutput:
        made = [{"json": value} for value in jsons]
        return NodeOutput(name, 0, (len(made),), items.encode_outputs([made]))

    def task(self, entry: str = "A", given: Sequence[Any] = ({},), **more: Any) -> RunSegment:
        """From the node behind `Start`, which gave the items."""
        values: dict[str, Any] = {
            "mode": "webhook",
            "shard": 0,
            "entry": Activation(entry, 0, (Source("Start"),)),
            "nodes": tuple(name for name in self.plan.graph.names if name != "Start"),
            "exclusive": True,
            "started_at": 1,
            "outputs": (self.given(*given),),
            "runs": {"Start": 1, entry: 1},
            **more,
        }
        return RunSegment(new_id(), "e1", "p1", "w1", "v1", **values)

    async def walk(self, task: RunSegment | None = None) -> list[NodeReport]:
        await Walk(task or self.task(), self.plan, self.outside, self._send, self._confirm).run()
        return self.reports

    def _send(self, task: RunSegment, reports: Sequence[NodeReport], last: bool) -> None:
        self.batches.append((list(reports), last))
        self.sent.set()

    async def _confirm(self, task: RunSegment, activation: Activation) -> bool:
        assert self.batches, "the question was not sent"
        self.confirmed.append(activation.node)
        return self.granted

    def replace(self, name: str, run: Any) -> None:
        """What the node does."""
        self.plan.node(name).run = run


MakeWorld = Callable[..., World]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeWorld]:
    monkeypatch.setattr(walk, "SILENT_SECONDS", 3600.0)  # whatever the machine's speed
    made: list[World] = []

    def world(*nodes: dict[str, Any], **document: Any) -> World:
        made.append(World(tmp_path, node("Start", "webhook", 2), *nodes, **document))
        return made[-1]

    yield world
    for each in made:
        await each.outside.http.close()


@pytest.fixture
def a_node() -> Callable[..., dict[str, Any]]:
    return node


@pytest.fixture
async def outside_of(tmp_path: Path) -> AsyncIterator[Callable[[Plan], Outside]]:
    made: list[Outside] = []

    def outside(plan: Plan) -> Outside:
        made.append(Outside(plan, tmp_path))
        return made[-1]

    yield outside
    for each in made:
        await each.http.close()

"""The whole service: from a task on the bus over the other services and the evaluators to its reports."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import (
    Activation,
    CredentialChanged,
    Envelope,
    NodeCompleted,
    NodeFailed,
    NodeReport,
    RunSegment,
    SegmentReports,
    Source,
)
from weft_contracts.pb import auth_pb2, orchestrator_pb2
from weft_contracts.pb import node_runner_pb2 as pb
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.node_runner import NodeTools
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import Credentials, StaticData, Variables, Workflows
from weft_kit import items
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.rpc import Caller, current
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra
from weft_kit.signals.memory import MemorySignals
from weft_node_runner.bootstrap import build
from weft_node_runner.settings import NodeRunnerSettings
from weft_node_sdk.context import NodeRunError


class Played:
    """The other services. `stored` answers from the second time on: commits take a moment."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, Any] = {}
        self.stored: list[orchestrator_pb2.StoredOutput] = []
        self.asked = {"version": 0, "secret": 0, "data": 0, "variables": 0}
        self.refusal: WeftError | None = None

    def version(self, version_id: str) -> store.Version:
        document = json.dumps(self.documents[version_id]).encode()
        return store.Version(id=version_id, workflow_id="w2", project_id="p1", document=document)

    async def GetVersion(self, request: store.GetVersionRequest) -> store.GetVersionResponse:
        self.asked["version"] += 1
        return store.GetVersionResponse(version=self.version(request.version_id))

    async def ResolveVersion(self, request: store.ResolveVersionRequest) -> store.ResolveVersionResponse:
        if self.refusal is not None:
            raise self.refusal
        return store.ResolveVersionResponse(version=self.version(request.workflow_id))

    async def Decrypt(self, request: store.DecryptRequest) -> store.DecryptResponse:
        self.asked["secret"] += 1
        return store.DecryptResponse(data=json.dumps(self.secrets[request.credential_id]).encode())

    async def GetValues(self, request: store.GetValuesRequest) -> store.GetValuesResponse:
        self.asked["variables"] += 1
        return store.GetValuesResponse(values=b'{"region": "north"}')

    async def Read(self, request: store.ReadStaticDataRequest) -> store.ReadStaticDataResponse:
        return store.ReadStaticDataResponse(data=b'{"global": {"count": 4}}')

    async def RegisterRunner(
        self, request: orchestrator_pb2.RegisterRunnerRequest
    ) -> orchestrator_pb2.RegisterRunnerResponse:
        return orchestrator_pb2.RegisterRunnerResponse(partition=2)

    async def GetNodeData(
        self, request: orchestrator_pb2.GetNodeDataRequest
    ) -> orchestrator_pb2.GetNodeDataResponse:
        self.asked["data"] += 1
        return orchestrator_pb2.GetNodeDataResponse(outputs=self.stored if self.asked["data"] > 1 else [])

    async def ListProjects(self, request: auth_pb2.ListProjectsRequest) -> auth_pb2.ListProjectsResponse:
        return auth_pb2.ListProjectsResponse(projects=[auth_pb2.Project(id="p1")], default_project_id="p1")

    async def Authorize(self, request: auth_pb2.AuthorizeRequest) -> auth_pb2.AuthorizeResponse:
        if request.project_id != "p1":
            raise WeftError(ErrorCode.NOT_FOUND, "no such project")
        return auth_pb2.AuthorizeResponse(role="owner")


class World:
    def __init__(self, home: Path) -> None:
        self.played = Played()
        self.bus = MemoryBus()
        self.rpc = LocalRpc()
        interfaces = (Access, Executions, Workflows, Credentials, Variables, StaticData)
        self.rpc.register(dict.fromkeys(interfaces, self.played))
        infra = Infra(
            "r1", home, self.bus, MemorySignals(), MemoryCache(), FolderBlobs(home / "blobs"), self.rpc,
            Database("postgresql://none"),
        )  # fmt: skip
        self.service = build(NodeRunnerSettings(code_processes=1, file_folders=[home / "files"]), infra)
        self.rpc.register(self.service.servicers)
        self.tools = self.rpc.client(NodeTools)
        self.results: list[SegmentReports] = []
        self.bus.subscribe(topics.NODE_RESULTS, self._result, None)

    @property
    def outside(self) -> Any:
        return self.service._runner._outside

    async def _result(self, envelope: Envelope) -> None:
        assert isinstance(envelope.body, SegmentReports)
        self.results.append(envelope.body)

    async def run(
        self, a_node: Any, *nodes: dict[str, Any], given: Any = ({},), **more: Any
    ) -> list[NodeReport]:
        """Each node behind the one before it, from the items of `Start`, which the orchestrator has."""
        chained = [a_node("Start", "webhook", 2), *nodes]
        names = [each["name"] for each in chained]
        connections = {
            a: {"main": [[{"node": b, "type": "main", "index": 0}]]} for a, b in itertools.pairwise(names)
        }
        version = new_id()
        self.played.documents[version] = {"name": "w", "nodes": chained, "connections": connections,
                                          "settings": {"executionOrder": "v1"}}  # fmt: skip
        payload = items.encode_outputs([[{"json": each} for each in given]])
        self.played.stored = [
            orchestrator_pb2.StoredOutput(
                node="Start", run_index=0, counts=[len(given)], codec=payload.codec, data=payload.data,
                size=payload.size, source=msgspec.json.encode([None]),
            )
        ]  # fmt: skip
        task = RunSegment(
            new_id(), "e1", "p1", "w1", version, "webhook", 0, Activation(names[1], 0, (Source("Start"),)),
            tuple(names[1:]), True, 1, runs={"Start": 1, names[1]: 1}, **more,
        )  # fmt: skip
        self.bus.send(topics.node_tasks("default"), Envelope(new_id(), task), 2)
        async with asyncio.timeout(60):
            while not any(each.dispatch_id == task.dispatch_id and each.last for each in self.results):
                await asyncio.sleep(0.01)
        mine = [each for each in self.results if each.dispatch_id == task.dispatch_id]
        return [
            report
            for each in mine
            for report in each.reports
            if isinstance(report, NodeCompleted | NodeFailed)
        ]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.bus.start()
    await made.service.start()
    yield made
    await made.service.drain()
    await made.service.stop()
    await made.bus.stop()


def only(reports: list[NodeReport]) -> list[Any]:
    report = reports[-1]
    assert isinstance(report, NodeCompleted), report
    return [item["json"] for item in items.outputs_of(items.decode(report.output))[0]]


def edit(a_node: Any, name: str, value: str) -> dict[str, Any]:
    assignments = [{"id": "1", "name": "out", "type": "string", "value": value}]
    parameters = {"assignments": {"assignments": assignments}, "options": {}}
    made: dict[str, Any] = a_node(name, "set", 3.4, parameters=parameters)
    return made


async def test_inputs_are_fetched_and_expressions_run_in_javascript(world: World, a_node: Any) -> None:
    assert world.service.ready() == ""
    script = "={{ [$json.a, $json.a].map(x => x + 1).join('-') + $vars.region }}"
    reports = await world.run(a_node, edit(a_node, "A", script), given=({"a": 1}, {"a": 2}))
    assert only(reports) == [{"out": "2-2north"}, {"out": "3-3north"}]
    assert world.played.asked["data"] == 2
    await world.run(a_node, edit(a_node, "A", "={{ $vars.region }}"))
    assert world.played.asked["variables"] == 1


async def test_scripts_see_items_logs_and_static_data(world: World, a_node: Any) -> None:
    source = (
        "console.log('hi', $input.all().length); const kept = $getWorkflowStaticData('global'); kept.count += 1;"
        "return [{ json: { sum: $input.all().reduce((s, i) => s + i.json.a, 0), from: $('Start').first().json.a } }]"
    )
    code = a_node("A", "code", 2, parameters={"mode": "runOnceForAllItems", "jsCode": source})
    reports = await world.run(a_node, code, given=({"a": 1}, {"a": 2}))
    assert only(reports) == [{"sum": 3, "from": 1}]
    done = reports[-1]
    assert isinstance(done, NodeCompleted)
    assert done.logs == ("hi 2",)
    assert json.loads(done.static_data) == {"global": {"count": 5}}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("throw new Error('boom')", "boom [line 1]"),
        (
            "let a = 1; for (let i = 0; i < 230; i++) a = { a }; return [{ json: { a } }]",
            "nested over 200 levels",
        ),
        (
            "let a = 1; for (let i = 0; i < 2000; i++) a = { a }; return [{ json: { a } }]",
            "nested over 200 levels",
        ),
        ("return 'text'", ""),
    ],
)
async def test_scripts_that_fail_are_an_error_of_the_node(
    world: World, a_node: Any, source: str, words: str
) -> None:
    code = a_node("A", "code", 2, parameters={"mode": "runOnceForAllItems", "jsCode": source})
    (failed,) = await world.run(a_node, code)
    assert isinstance(failed, NodeFailed)
    assert words in failed.error.message
    assert failed.error.code == "CODE_ERROR"


async def test_a_script_that_kills_its_process_fails_alone(world: World, a_node: Any) -> None:
    hostile = "const held = []; while (true) held.push('ab'.repeat(2 ** 20).split(''))"
    code = a_node("A", "code", 2, parameters={"mode": "runOnceForAllItems", "jsCode": hostile})
    good = a_node(
        "A", "code", 2, parameters={"mode": "runOnceForAllItems", "jsCode": "return [{ json: { ok: 1 } }]"}
    )
    (failed,) = await world.run(a_node, code)
    assert isinstance(failed, NodeFailed)
    assert failed.error.message
    assert only(await world.run(a_node, good)) == [{"ok": 1}]


async def test_secrets_are_kept_until_they_change(world: World) -> None:
    world.played.secrets["c1"] = {"token": "one"}
    for _ in range(3):
        found = await world.outside.credential("c1", "p1")
        assert found == {"token": "one"}
        found["token"] = "spoilt"
    assert world.played.asked["secret"] == 1
    world.played.secrets["c1"] = {"token": "two"}
    await world.outside.changed(Envelope("x", CredentialChanged("c1", "p1", "updated")))
    assert (await world.outside.credential("c1", "p1")) == {"token": "two"}


async def test_versions_are_kept(world: World, a_node: Any) -> None:
    world.played.documents["v"] = {"nodes": [a_node("A")], "connections": {}}
    assert await world.outside.plan("v") is await world.outside.plan("v")
    assert world.played.asked["version"] == 1
    workflow, plan = await world.outside.resolve("v", "p1", "w1")
    assert (workflow, plan) == ("w2", await world.outside.plan("v"))
    world.played.refusal = WeftError(ErrorCode.FORBIDDEN, "not by you")
    with pytest.raises(NodeRunError, match="not by you"):
        await world.outside.resolve("v", "p1", "w1")
    world.played.refusal = WeftError(ErrorCode.UNAVAILABLE, "away")
    with pytest.raises(WeftError):
        await world.outside.resolve("v", "p1", "w1")


@pytest.fixture
def ada() -> Any:
    token = current.set(Caller("ada"))
    yield
    current.reset(token)


def question(expression: str, **more: Any) -> pb.EvaluateRequest:
    values = {
        name: value if isinstance(value, str | int) else json.dumps(value).encode()
        for name, value in more.items()
    }
    return pb.EvaluateRequest(**{"project_id": "p1", "expression": expression, **values})


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("expression", "value", "kind"),
    [
        ("={{ $json.a + 1 }}", 2, "number"),
        ("{{ $json.a }} and {{ $('B').first().json.b }}", "1 and x", "string"),
        ("={{ [1, 2].map(n => n * 2) }}", [2, 4], "array"),
        ("={{ ({ a: $parameter.p }) }}", {"a": "q"}, "object"),
        ("={{ $json.a === 1 }}", True, "boolean"),
        ("={{ null }}", None, "null"),
    ],
)
async def test_previews(world: World, expression: str, value: Any, kind: str) -> None:
    request = question(
        expression,
        items=[{"json": {"a": 1}}],
        run_data={"B": [[[{"json": {"b": "x"}}]]]},
        parameters={"p": "q"},
    )
    answer = await world.tools.Evaluate(request)
    assert (json.loads(answer.value), answer.type, answer.error) == (value, kind, "")


@pytest.mark.usefixtures("ada")
async def test_previews_that_fail_say_why(world: World) -> None:
    items_in = [{"json": {}}]
    for expression, words in {
        "={{ 1 + }}": "",
        "={{ $('Nobody').first() }}": "Nobody",
        "={{ x.y( }}": "closed",
    }.items():
        answer = await world.tools.Evaluate(question(expression, items=items_in))
        assert answer.error, expression
        assert words in answer.error
    for request, code in [
        (question("={{ 1 }}", project_id="p2"), ErrorCode.NOT_FOUND),
        (question("={{ 1 }}", items={"a": 1}), ErrorCode.VALIDATION_ERROR),
        (question("={{ 1 }}", source=["a", {}]), ErrorCode.VALIDATION_ERROR),
    ]:
        with pytest.raises(WeftError) as caught:
            await world.tools.Evaluate(request)
        assert caught.value.code is code

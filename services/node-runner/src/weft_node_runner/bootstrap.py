"""The one file of the node-runner that knows concrete classes."""

from collections.abc import Mapping

from weft_contracts import topics
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.documents import Documents
from weft_contracts.rpc.node_options import NodeOptions
from weft_contracts.rpc.node_runner import NodeTools
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import Credentials
from weft_expressions.evaluator import EvaluatorPool
from weft_kit.identity.access import AccessPolicy
from weft_kit.service import AsgiApp, Infra
from weft_node_sdk.catalogue import Catalogue

from weft_node_runner.adapters.late_http import LateHttp
from weft_node_runner.adapters.outside import ServiceOutside
from weft_node_runner.application.options import Options
from weft_node_runner.application.runner import Runner
from weft_node_runner.application.trial import Gate
from weft_node_runner.entrypoints.credentials import CredentialTools
from weft_node_runner.entrypoints.documents import DocumentsServicer
from weft_node_runner.entrypoints.grpc import NodeToolsServicer
from weft_node_runner.entrypoints.options import NodeOptionsServicer
from weft_node_runner.settings import NodeRunnerSettings


class NodeRunnerService:
    name = "node-runner"
    asgi: AsgiApp | None = None

    def __init__(
        self,
        servicers: Mapping[type, object],
        runner: Runner,
        pools: tuple[EvaluatorPool, EvaluatorPool],
        http: LateHttp,
    ) -> None:
        self.servicers = servicers
        self._runner = runner
        self._pools = pools
        self._http = http

    async def start(self) -> None:
        self._http.start()
        for pool in self._pools:
            await pool.start()
        await self._runner.start()

    async def drain(self) -> None:
        await self._runner.drain()

    async def stop(self) -> None:
        await self._runner.stop()
        for pool in self._pools:
            await pool.stop()
        await self._http.close()

    def ready(self) -> str:
        return self._runner.ready()


def build(settings: NodeRunnerSettings, infra: Infra) -> NodeRunnerService:
    expressions = EvaluatorPool(settings.evaluators, "expressions", memory_mb=settings.evaluator_memory_mb)
    scripts = EvaluatorPool(settings.code_processes, "code", memory_mb=settings.evaluator_memory_mb)
    http = LateHttp(settings.net_allow)
    catalogue = Catalogue.load()
    outside = ServiceOutside(
        infra,
        catalogue,
        http,
        expressions,
        scripts,
        settings=settings,
    )
    infra.bus.subscribe(topics.CREDENTIAL_EVENTS, outside.changed, None)
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    slots = {"default": settings.slots, "code": settings.code_slots, "heavy": 4, "ai": 16}
    runner = Runner(infra.instance, infra.bus, infra.rpc.client(Executions), outside, slots)
    credentials = CredentialTools(
        infra.rpc.client(Credentials),
        policy,
        catalogue,
        Gate(http, outside.addresses),
        outside.tokens,
        settings.public_origin,
    )
    servicers: dict[type, object] = {
        NodeTools: NodeToolsServicer(expressions, policy, credentials),
        Documents: DocumentsServicer(http, policy),
        NodeOptions: NodeOptionsServicer(Options(catalogue, outside), policy),
    }
    return NodeRunnerService(servicers, runner, (expressions, scripts), http)

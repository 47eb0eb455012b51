"""The one file of the gateway that knows concrete classes."""

from collections.abc import Mapping

from weft_contracts.rpc.auth import Access, Auth
from weft_contracts.rpc.documents import Documents
from weft_contracts.rpc.node_options import NodeOptions
from weft_contracts.rpc.node_runner import NodeTools
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.scheduler import Schedules
from weft_contracts.rpc.statistics import Statistics
from weft_contracts.rpc.webhook_ingress import Webhooks
from weft_contracts.rpc.workflow_store import Credentials, DataTables, Tags, Variables, Workflows
from weft_kit.identity.tokens import TokenVerifier
from weft_kit.service import AsgiApp, Infra

from weft_gateway.application.ports import Backends
from weft_gateway.entrypoints.app import build as build_app
from weft_gateway.settings import GatewaySettings


class GatewayService:
    """Stateless: nothing to start, drain or stop."""

    name = "gateway"
    servicers: Mapping[type, object] = {}

    def __init__(self, asgi: AsgiApp) -> None:
        self.asgi: AsgiApp | None = asgi

    async def start(self) -> None:
        """Nothing to do."""

    async def drain(self) -> None:
        """Nothing to do: the HTTP server finishes what it has."""

    async def stop(self) -> None:
        """Nothing to do."""

    def ready(self) -> str:
        return ""


def build(settings: GatewaySettings, infra: Infra) -> GatewayService:
    client = infra.rpc.client
    backends = Backends(
        auth=client(Auth),
        access=client(Access),
        workflows=client(Workflows),
        credentials=client(Credentials),
        variables=client(Variables),
        tags=client(Tags),
        data_tables=client(DataTables),
        executions=client(Executions),
        statistics=client(Statistics),
        node_tools=client(NodeTools),
        node_options=client(NodeOptions),
        documents=client(Documents),
        schedules=client(Schedules),
        webhooks=client(Webhooks),
    )
    return GatewayService(
        build_app(settings, backends, infra.cache, infra.blobs, TokenVerifier(client(Auth)))
    )

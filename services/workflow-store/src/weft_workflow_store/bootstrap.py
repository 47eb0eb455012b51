"""The one file of the workflow store that knows concrete classes."""

from collections.abc import Mapping
from pathlib import Path

from weft_contracts.rpc import workflow_store as rpc
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.node_runner import NodeTools
from weft_kit.identity.access import AccessPolicy
from weft_kit.identity.secrets import MasterKey
from weft_kit.outbox import Outbox
from weft_kit.service import AsgiApp, Infra
from weft_node_sdk.catalogue import Catalogue

from weft_workflow_store.adapters.envelope import Envelope
from weft_workflow_store.adapters.postgres import Store
from weft_workflow_store.adapters.postgres_data_tables import DataTables
from weft_workflow_store.adapters.postgres_secrets import Credentials, Variables
from weft_workflow_store.adapters.postgres_sign_ins import SignIns
from weft_workflow_store.adapters.postgres_static_data import StaticData
from weft_workflow_store.adapters.runner_syntax import RunnerSyntax
from weft_workflow_store.application.tags import Tags
from weft_workflow_store.application.workflows import Workflows
from weft_workflow_store.entrypoints.data_tables import DataTablesServicer
from weft_workflow_store.entrypoints.grpc import (
    CredentialsServicer,
    StaticDataServicer,
    TagsServicer,
    VariablesServicer,
    WorkflowsServicer,
)
from weft_workflow_store.settings import WorkflowStoreSettings


class WorkflowStoreService:
    name = "workflow-store"
    asgi: AsgiApp | None = None

    def __init__(self, workflows: Workflows, servicers: Mapping[type, object], outbox: Outbox) -> None:
        self.servicers = servicers
        self._workflows = workflows
        self._outbox = outbox
        self._started = False

    async def start(self) -> None:
        await self._workflows.welcome((Path(__file__).parent / "welcome.json").read_bytes())
        await self._outbox.start()
        self._started = True

    async def drain(self) -> None:
        """Nothing is held: calls end by themselves."""

    async def stop(self) -> None:
        await self._outbox.stop()
        self._started = False

    def ready(self) -> str:
        return "" if self._started else "not running"


def build(settings: WorkflowStoreSettings, infra: Infra) -> WorkflowStoreService:
    outbox = Outbox("workflow_store", infra.bus, infra.database)
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    store = Store(infra.database, outbox)
    envelope = Envelope(MasterKey(settings.master_key, settings.master_key_previous))
    catalogue = Catalogue.load()
    credentials = Credentials(store, policy, envelope, catalogue)
    workflows = Workflows(
        store,
        policy,
        catalogue,
        RunnerSyntax(infra.rpc.client(NodeTools)),
        settings.timezone,
        settings.max_document_bytes,
    )
    servicers: Mapping[type, object] = {
        rpc.Workflows: WorkflowsServicer(workflows),
        rpc.Credentials: CredentialsServicer(credentials, SignIns(store, policy, envelope, credentials)),
        rpc.Tags: TagsServicer(Tags(store, policy, workflows)),
        rpc.Variables: VariablesServicer(Variables(store, policy, envelope)),
        rpc.DataTables: DataTablesServicer(DataTables(store, policy, settings.max_data_table_rows)),
        rpc.StaticData: StaticDataServicer(StaticData(store)),
    }
    return WorkflowStoreService(workflows, servicers, outbox)

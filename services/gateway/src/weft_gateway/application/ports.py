"""The services behind the gateway, as their generated interfaces."""

from dataclasses import dataclass

from weft_contracts.rpc.auth import Access, Auth
from weft_contracts.rpc.documents import Documents
from weft_contracts.rpc.node_options import NodeOptions
from weft_contracts.rpc.node_runner import NodeTools
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.scheduler import Schedules
from weft_contracts.rpc.statistics import Statistics
from weft_contracts.rpc.webhook_ingress import Webhooks
from weft_contracts.rpc.workflow_store import Credentials, DataTables, Tags, Variables, Workflows


@dataclass(frozen=True)
class Backends:
    """One client for each interface that the REST API speaks for."""

    auth: Auth
    access: Access
    workflows: Workflows
    credentials: Credentials
    variables: Variables
    tags: Tags
    data_tables: DataTables
    executions: Executions
    statistics: Statistics
    node_tools: NodeTools
    node_options: NodeOptions
    documents: Documents
    schedules: Schedules
    webhooks: Webhooks

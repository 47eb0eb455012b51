"""Everything that running nodes needs, by way of the other services and the evaluators."""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import CredentialChanged, Envelope, NodeOutput, Source
from weft_contracts.payload import Payload
from weft_contracts.pb import orchestrator_pb2 as runs
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc import workflow_store as store_rpc
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import Credentials, StaticData, Variables, Workflows
from weft_expressions.evaluate import leaf_values
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_expressions.template import Leaf
from weft_kit.blobs import BlobStore
from weft_kit.identity.expiring import Expiring
from weft_kit.service import Infra
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Code, Files, Http, NodeRunError
from weft_node_sdk.credentials import Authentication, authentication
from weft_node_sdk.data_tables import DataTables

from weft_node_runner.adapters.address_policy import Policy
from weft_node_runner.adapters.code import JailedCode
from weft_node_runner.adapters.code_calls import CodeCalls
from weft_node_runner.adapters.files import AllowedFiles
from weft_node_runner.adapters.stored_tables import StoredTables
from weft_node_runner.adapters.token_store import StoredTokens
from weft_node_runner.application.ports import Addresses, Binaries
from weft_node_runner.application.tokens import Tokens
from weft_node_runner.domain.plan import Plan
from weft_node_runner.settings import NodeRunnerSettings

PLANS: Final = 500
SECRET_SECONDS: Final = 60.0
VARIABLE_SECONDS: Final = 5.0
_FETCH_SECONDS: Final = 5.0


class ServiceOutside:
    """Implements Outside."""

    def __init__(
        self,
        infra: Infra,
        catalogue: Catalogue,
        http: Http,
        expressions: EvaluatorPool,
        scripts: EvaluatorPool,
        *,
        settings: NodeRunnerSettings,
    ) -> None:
        self.http = http
        self.addresses: Addresses = Policy(settings.net_allow)
        self.files: Files = AllowedFiles(settings.file_folders)
        self.allowed_nodes: Collection[str] = settings.allow_nodes
        self.blobs: BlobStore = infra.blobs
        self.origin = settings.public_origin
        self.file_max_bytes = settings.file_max_bytes
        names = settings.allow_env
        self.environment = {n: os.environ[n] for n in names if n in os.environ} if names else None
        self._workflows = infra.rpc.client(Workflows)
        self._credentials = infra.rpc.client(Credentials)
        self.tokens = Tokens(http, StoredTokens(self._credentials))
        self._variables = infra.rpc.client(Variables)
        self._data_tables = infra.rpc.client(store_rpc.DataTables)
        self._static_data = infra.rpc.client(StaticData)
        self._executions = infra.rpc.client(Executions)
        self._catalogue = catalogue
        self._expressions = expressions
        self._scripts = scripts
        self._modules = settings.code_modules
        self._timezone = settings.timezone
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._secrets: Expiring[str, tuple[str, dict[str, Any]]] = Expiring()
        self._values: Expiring[str, dict[str, Any]] = Expiring()

    async def plan(self, version_id: str) -> Plan:
        found = self._plans.get(version_id)
        if found is None:
            answer = await self._workflows.GetVersion(store.GetVersionRequest(version_id=version_id))
            found = self._keep(answer.version)
        return found

    def _keep(self, version: store.Version) -> Plan:
        plan = self._plans.get(version.id)
        if plan is None:
            plan = Plan(version.id, version.document, self._catalogue, self._timezone)
            self._plans[version.id] = plan
            while len(self._plans) > PLANS:
                self._plans.popitem(last=False)
        return plan

    async def resolve(self, workflow_id: str, project_id: str, caller: str) -> tuple[str, Plan]:
        try:
            answer = await self._workflows.ResolveVersion(
                store.ResolveVersionRequest(
                    workflow_id=workflow_id, caller_project_id=project_id, caller_workflow_id=caller
                )
            )
        except WeftError as error:
            if error.code is ErrorCode.UNAVAILABLE:
                raise
            raise NodeRunError(error.message, code=error.code.value) from None
        return answer.version.workflow_id, self._keep(answer.version)

    async def keep(self, document: Mapping[str, Any], project_id: str) -> Plan:
        request = store.KeepDocumentRequest(project_id=project_id, document=orjson.dumps(document))
        try:
            return self._keep((await self._workflows.KeepDocument(request)).version)
        except WeftError as error:
            if error.code is ErrorCode.UNAVAILABLE:
                raise
            raise NodeRunError(f"The workflow's JSON can't be run: {error.message}") from None

    async def credential(self, credential_id: str, project_id: str) -> dict[str, Any]:
        return dict((await self._opened(credential_id, project_id))[1])

    async def authentication(self, credential_id: str, project_id: str, stale: str = "") -> Authentication:
        kind, secret = await self._opened(credential_id, project_id)
        definition = self._catalogue.credential_type(kind)
        if definition is None:
            raise NodeRunError(f"The credential type '{kind}' is not installed", code="UNSUPPORTED")
        if definition.get("sign_in") == "oauth2":
            fresh = await self.tokens.current(definition, credential_id, project_id, secret, stale)
            if fresh is not secret:
                self._secrets.put(f"{project_id}/{credential_id}", (kind, fresh), SECRET_SECONDS)
            secret = fresh
        return authentication(definition, secret)

    async def _opened(self, credential_id: str, project_id: str) -> tuple[str, dict[str, Any]]:
        """Kind and fields."""
        key = f"{project_id}/{credential_id}"
        found = self._secrets.get(key)
        if found is None:
            request = store.DecryptRequest(credential_id=credential_id, project_id=project_id)
            answer = await self._credentials.Decrypt(request)
            found = answer.type, orjson.loads(answer.data)
            self._secrets.put(key, found, SECRET_SECONDS)
        return found

    async def changed(self, envelope: Envelope) -> None:
        """A credential was changed: forget it."""
        if isinstance(envelope.body, CredentialChanged):
            self._secrets.drop(f"{envelope.body.project_id}/{envelope.body.credential_id}")

    def tables(self, project_id: str) -> DataTables:
        return StoredTables(self._data_tables, project_id)

    async def variables(self, project_id: str) -> dict[str, Any]:
        found = self._values.get(project_id)
        if found is None:
            answer = await self._variables.GetValues(store.GetValuesRequest(project_id=project_id))
            found = orjson.loads(answer.values)
            self._values.put(project_id, found, VARIABLE_SECONDS)
        return found

    async def static_data(self, workflow_id: str) -> dict[str, Any]:
        answer = await self._static_data.Read(store.ReadStaticDataRequest(workflow_id=workflow_id))
        found: dict[str, Any] = orjson.loads(answer.data)
        return found

    async def outputs(self, execution_id: str, keys: Sequence[tuple[str, int]]) -> Sequence[NodeOutput]:
        """What is not committed yet is asked for again for a moment."""
        request = runs.GetNodeDataRequest(
            execution_id=execution_id,
            keys=[runs.NodeRunKey(node=node, run_index=index) for node, index in keys],
        )
        end, pause = time.monotonic() + _FETCH_SECONDS, 0.02
        while True:
            answer = await self._executions.GetNodeData(request)
            numbered = sum(1 for _, index in keys if index >= 0)
            there = sum(1 for each in answer.outputs if (each.node, each.run_index) in keys)
            if there >= numbered or time.monotonic() > end:
                break
            await asyncio.sleep(pause)
            pause *= 2
        return [
            NodeOutput(
                each.node,
                each.run_index,
                tuple(each.counts),
                Payload(each.codec, each.data, each.size, each.ref),
                msgspec.json.decode(each.source, type=tuple[Source | None, ...]) if each.source else (),
            )
            for each in answer.outputs
        ]

    async def values(
        self, leaves: Sequence[Leaf], scope: Scope, count: int, project_id: str
    ) -> list[list[Any]]:
        return await leaf_values(leaves, scope, count, self._expressions, project_id)

    def code(
        self,
        project_id: str,
        scope: Scope,
        log: Callable[[str], None],
        binaries: Binaries,
        *,
        requests: bool,
    ) -> Code:
        calls = CodeCalls(self.http if requests else None, binaries)
        return JailedCode(self._scripts, project_id, scope, log, calls, self._modules)

"""What running nodes needs from the outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from weft_contracts.messages import NodeOutput
from weft_kit.blobs import BlobStore
from weft_node_sdk.context import Code, Files, Http
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.data_tables import DataTables

from weft_node_runner.domain.plan import Plan


class Addresses(Protocol):
    async def connect_address(self, host: str, port: int) -> str:
        """As RunContext has it."""


class Binaries(Protocol):
    """Files of the node run's items, as RunContext has them."""

    async def read_binary(self, item_index: int, name: str) -> bytes: ...

    async def store_binary(self, data: bytes, *, mime_type: str, file_name: str = "") -> dict[str, Any]: ...


class Outside(Protocol):
    """`environment`: what `$env` shows, None where it is off. `allowed_nodes`: dangerous node types that may run.
    `file_max_bytes`: the largest file that nodes keep."""

    http: Http
    addresses: Addresses
    files: Files
    allowed_nodes: Collection[str]
    blobs: BlobStore
    environment: dict[str, str] | None
    origin: str
    file_max_bytes: int

    async def plan(self, version_id: str) -> Plan:
        """Raises NOT_FOUND, UNAVAILABLE."""

    async def resolve(self, workflow_id: str, project_id: str, caller: str) -> tuple[str, Plan]:
        """The workflow and the version that a call of it runs."""

    async def keep(self, document: Mapping[str, Any], project_id: str) -> Plan:
        """A plan of a document that is no stored workflow. Raises NodeRunError where it is none."""

    async def credential(self, credential_id: str, project_id: str) -> dict[str, Any]:
        """Raises NOT_FOUND."""

    async def authentication(self, credential_id: str, project_id: str, stale: str = "") -> Authentication:
        """As RunContext has it. Raises NOT_FOUND."""

    def tables(self, project_id: str) -> DataTables: ...

    async def variables(self, project_id: str) -> dict[str, Any]: ...

    async def static_data(self, workflow_id: str) -> dict[str, Any]: ...

    async def outputs(self, execution_id: str, keys: Sequence[tuple[str, int]]) -> Sequence[NodeOutput]:
        """Stored outputs; run -1: the newest."""

    async def values(self, leaves: Sequence[Any], scope: Any, count: int, project_id: str) -> list[list[Any]]:
        """`rows[item][k]` is what the expression `leaves[k]` says of that item."""

    def code(self, project_id: str, scope: Any, log: Any, binaries: Binaries, *, requests: bool) -> Code:
        """`requests`: the script may make requests; only a node that isn't safe may (decision 0006)."""


Headers = Mapping[str, str]

"""Leases of tokens, by way of the workflow store."""

from collections.abc import Mapping
from typing import Any

import orjson
from weft_contracts.pb import workflow_store_pb2 as store
from weft_contracts.rpc.workflow_store import Credentials

from weft_node_runner.application.tokens import Lease


class StoredTokens:
    """Implements TokenStore."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def lease(self, credential_id: str, project_id: str, stale: str) -> Lease:
        request = store.LeaseTokensRequest(credential_id=credential_id, project_id=project_id, stale=stale)
        answer = await self._credentials.LeaseTokens(request)
        return Lease(orjson.loads(answer.data), answer.lease, answer.busy)

    async def put(self, credential_id: str, lease: str, tokens: Mapping[str, Any] | None) -> None:
        data = b"" if tokens is None else orjson.dumps(tokens)
        await self._credentials.PutTokens(
            store.PutTokensRequest(credential_id=credential_id, lease=lease, tokens=data)
        )

"""ClickHouse's HTTP interface: https://clickhouse.com/docs/interfaces/http."""

import re
from collections.abc import Mapping
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.options import LoadContext

from weft_nodes.network.rest import Rest, read

_KIND: Final = "clickHouseApi"
_FAULT: Final = re.compile(r"Code: \d+\. DB::Exception: (.*?)(?: \(version [^)]*\))?\s*$", re.DOTALL)


class Client:
    """For one run of the node."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def ask(self, settings: Mapping[str, Any], body: bytes) -> Any:
        """The answer as JSON, as a text where it is none; empty for a statement without rows. Raises NodeRunError with
        the server's words."""
        # the whole answer is made before its status is sent, so that no fault comes after it
        query = {"wait_end_of_query": "1", **settings}
        headers = [("content-type", "text/plain; charset=utf-8")]
        answer = await self._rest.answer("POST", "/", query, body, headers)
        if answer.status >= 400:
            text = answer.body.decode("utf-8", "replace").strip()
            found = _FAULT.search(text)
            raise NodeRunError(
                f"ClickHouse: {(found[1] if found else text)[:1000] or answer.reason}",
                code="DATABASE_ERROR",
                http_status=answer.status,
            )
        return read(answer)


async def client_of(ctx: RunContext | LoadContext, seconds: float) -> Client:
    added = await ctx.authentication(_KIND)
    base = str(added.secret.get("url") or "").rstrip("/")
    if not base:
        raise NodeRunError("The credential says not where ClickHouse is", code="CREDENTIAL_INVALID")
    verify = added.secret.get("allowUnauthorizedCerts") is not True
    return Client(Rest(ctx.http, "ClickHouse", base, added, {"verify": verify, "timeout": seconds}))

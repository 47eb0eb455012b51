"""Calls of BigQuery's REST API, version 2: https://cloud.google.com/bigquery/docs/reference/rest."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.options import LoadContext

from weft_nodes.google.service_account import authenticated
from weft_nodes.network.rest import Rest

_BASE: Final = "https://bigquery.googleapis.com/bigquery/v2"
SCOPE: Final = "https://www.googleapis.com/auth/bigquery"
OAUTH: Final = "googleBigQueryOAuth2Api"


async def service(ctx: RunContext | LoadContext, parameters: Mapping[str, Any], stale: str = "") -> Rest:
    """With the credential that the parameters choose."""
    if parameters.get("authentication", "oAuth2") == "serviceAccount":
        added = await authenticated(ctx.http, await ctx.credential("googleApi"), [SCOPE])
    else:
        added = await ctx.authentication(OAUTH, stale)
    return Rest(ctx.http, "BigQuery", _BASE, added, {})


class Client:
    """For one run of the node; an access token that has run out is renewed once for each call."""

    def __init__(self, ctx: RunContext | LoadContext, parameters: Mapping[str, Any], rest: Rest) -> None:
        self._ctx = ctx
        self._parameters = parameters
        self._rest = rest

    async def ask(
        self, method: str, place: str, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """Raises NodeRunError for a status from 400 on."""
        try:
            return dict(await self._rest.ask(method, place, query, body))
        except NodeRunError as error:
            token = self._rest.added.access_token
            if error.http_status != 401 or not token:
                raise
            self._rest = await service(self._ctx, self._parameters, token)
            if self._rest.added.access_token == token:
                raise
        return dict(await self._rest.ask(method, place, query, body))


async def client_of(ctx: RunContext | LoadContext, parameters: Mapping[str, Any]) -> Client:
    return Client(ctx, parameters, await service(ctx, parameters))


def path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe=':')}" for part in parts)

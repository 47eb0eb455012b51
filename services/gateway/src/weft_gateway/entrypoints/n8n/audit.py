"""`/audit` of n8n's public API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, Field
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import auth_pb2
from weft_contracts.pb import orchestrator_pb2 as runs
from weft_contracts.pb import workflow_store_pb2 as store
from weft_kit.items import loads_js
from weft_node_sdk.catalogue import Catalogue

from weft_gateway.domain.risks import ABANDONED_DAYS, CATEGORIES, Findings, Workflow
from weft_gateway.entrypoints.n8n.lists import MOST, User, shown
from weft_gateway.entrypoints.rest.deps import backends, settings
from weft_gateway.settings import GatewaySettings

router = APIRouter()
Category = Literal["credentials", "database", "nodes", "filesystem", "instance"]


class Options(BaseModel):
    daysAbandonedWorkflow: int = Field(default=ABANDONED_DAYS, ge=1, le=36500)  # noqa: N815 - n8n's name
    categories: list[Category] = []


class Wanted(BaseModel):
    additionalOptions: Options = Options()  # noqa: N815 - n8n's name


@router.post("/audit")
async def audit(request: Request, user: User, body: Wanted | None = None) -> Response:
    """For the installation's owner, as at n8n; of the projects that they see."""
    asked = (body or Wanted()).additionalOptions
    found = await backends(request).auth.GetUser(auth_pb2.GetUserRequest(user_id=user.user_id))
    if found.user.role != "owner":
        raise WeftError(ErrorCode.FORBIDDEN, "Forbidden")
    catalogue: Catalogue = request.app.state.catalogue
    findings = Findings(catalogue.short_name)
    async for each in _workflows(request, asked.daysAbandonedWorkflow):
        findings.take(each)
    credentials = [each async for each in _credentials(request)]
    opened = _opened(settings(request))
    return shown(findings.reports(credentials, opened, asked.categories or CATEGORIES))


async def _workflows(request: Request, days: int) -> AsyncIterator[Workflow]:
    """One document at a time."""
    after = Timestamp()
    after.FromDatetime(datetime.now(UTC) - timedelta(days=days))
    number, seen, total = 1, 0, 1
    while seen < total:
        call = store.ListRequest(sort="created_at", page=number, limit=MOST)
        page = await backends(request).workflows.List(call)
        for row in page.workflows:
            workflow = (await backends(request).workflows.Get(store.GetRequest(workflow_id=row.id))).workflow
            nodes: Any = loads_js(workflow.document).get("nodes")
            ran = runs.ListExecutionsRequest(workflow_id=row.id, after=after, page=1, limit=1)
            yield Workflow(
                row.id,
                row.name,
                row.is_active,
                bool((await backends(request).executions.List(ran)).executions),
                [each for each in nodes if isinstance(each, dict)] if isinstance(nodes, list) else [],
            )
        number, seen = number + 1, seen + len(page.workflows)
        total = page.total if page.workflows else 0


async def _credentials(request: Request) -> AsyncIterator[tuple[str, str]]:
    number, seen, total = 1, 0, 1
    while seen < total:
        page = await backends(request).credentials.List(store.ListCredentialsRequest(page=number, limit=MOST))
        for each in page.credentials:
            yield each.id, each.name
        number, seen = number + 1, seen + len(page.credentials)
        total = page.total if page.credentials else 0


def _opened(given: GatewaySettings) -> dict[str, Any]:
    """What is set more openly than by default; the gateway's own settings, which the other services should share."""
    found = {
        "WEFT_REGISTRATION": given.registration if given.registration == "open" else "",
        "WEFT_ALLOW_NODES": list(given.allow_nodes),
        "WEFT_ALLOW_ENV": list(given.allow_env),
        "WEFT_NET_ALLOW": list(given.net_allow),
        "WEFT_FILES_ALLOW": list(given.files_allow),
    }
    return {name: value for name, value in found.items() if value}

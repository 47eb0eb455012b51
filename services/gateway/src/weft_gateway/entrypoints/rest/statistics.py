"""`/executions/counts`: executions in numbers, over time and by workflow."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from weft_contracts.pb import statistics_pb2 as pb
from weft_kit.rpc import Caller

from weft_gateway.adapters.json_view import moment
from weft_gateway.entrypoints.rest.bodies import JsonRoute
from weft_gateway.entrypoints.rest.deps import backends
from weft_gateway.entrypoints.rest.envelope import ok
from weft_gateway.entrypoints.rest.identity import signed_in

router = APIRouter(prefix="/executions", tags=["executions"], route_class=JsonRoute)
User = Annotated[Caller, Depends(signed_in)]

DAYS: Final = 7
STATUSES: Final = ("success", "error", "cancelled", "running", "waiting", "queued")


@router.get("/counts", summary="How many executions began, by status: over time and by workflow")
async def counts(
    request: Request,
    user: User,
    after: datetime | None = None,
    before: datetime | None = None,
    step: Annotated[int, Query(ge=900, le=2_678_400, multiple_of=900, description="Seconds.")] = 86400,
    utc_offset: Annotated[
        int, Query(ge=-900, le=900, multiple_of=15, description="Minutes; where days begin.")
    ] = 0,
    workflow_id: str = "",
    project_id: str = "",
) -> Response:
    """Without `after` the last seven days. Exact to the quarter of an hour at both ends; an end or a deletion that came
    late is counted within a quarter of an hour."""
    end = before or datetime.fromtimestamp(time.time(), UTC)
    begin = after or end - timedelta(days=DAYS)
    call = pb.CountRequest(workflow_id=workflow_id, step=step, offset=utc_offset * 60)
    if project_id:
        call.project_ids.append(project_id)
    call.after.FromDatetime(begin)
    call.before.FromDatetime(end)
    found = await backends(request).statistics.Count(call)
    totals = dict.fromkeys(STATUSES, 0)
    for bucket in found.buckets:
        for status, number in bucket.statuses.items():
            totals[status] = totals.get(status, 0) + number
    data = {
        "after": moment(call.after),
        "before": moment(call.before),
        "step": step,
        "totals": totals,
        "buckets": [{"start": moment(each.start), **_counts(each.statuses)} for each in found.buckets],
        "workflows": [
            {"workflow_id": each.workflow_id, **_counts(each.statuses), "mean_ms": each.mean_ms}
            for each in found.workflows
        ],
    }
    return ok(request, data)


def _counts(statuses: Any) -> dict[str, dict[str, int]]:
    return {"counts": dict(sorted(statuses.items()))}

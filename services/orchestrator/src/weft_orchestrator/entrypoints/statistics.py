"""`Statistics`: executions in numbers."""

import time
from collections import defaultdict
from typing import Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import statistics_pb2 as pb
from weft_kit.identity.access import AccessPolicy

from weft_orchestrator.adapters.postgres_counts import QUARTER, Counted, PostgresCounts, Wanted

WORKFLOWS: Final = 50
BUCKETS: Final = 1000


class StatisticsServicer:
    def __init__(self, counts: PostgresCounts, policy: AccessPolicy) -> None:
        self._counts = counts
        self._policy = policy

    async def Count(self, request: pb.CountRequest) -> pb.CountResponse:
        mine = await self._policy.projects("execution:read")
        projects = [each for each in request.project_ids if each in mine] if request.project_ids else mine
        before = request.before.seconds if request.HasField("before") else int(time.time()) + QUARTER
        after, step = request.after.seconds, request.step
        if step <= 0 or step % QUARTER or request.offset % QUARTER or not 0 <= after <= before:
            raise WeftError(
                ErrorCode.VALIDATION_ERROR, "Steps are quarters of an hour, in a time that ends later."
            )
        if (before - after) / step > BUCKETS:
            raise WeftError(ErrorCode.VALIDATION_ERROR, f"That would be more than {BUCKETS} buckets.")
        wanted = Wanted(
            projects=projects,
            workflow_id=request.workflow_id,
            first=after // QUARTER,
            end=-(-before // QUARTER),
            step=step,
            offset=request.offset,
        )
        rows = await self._counts.count(wanted)
        return pb.CountResponse(buckets=_by_time(rows), workflows=_by_workflow(rows))


def _by_time(rows: list[Counted]) -> list[pb.TimeCount]:
    buckets: dict[int, pb.TimeCount] = defaultdict(pb.TimeCount)
    for row in rows:
        if row.start is not None:
            buckets[row.start].statuses[row.status] += row.executions
    for start, bucket in buckets.items():
        bucket.start.seconds = start
    return [buckets[start] for start in sorted(buckets)]


def _by_workflow(rows: list[Counted]) -> list[pb.WorkflowCount]:
    found: dict[str, list[Counted]] = defaultdict(list)
    for row in rows:
        if row.start is None:
            found[row.workflow_id].append(row)
    most = sorted(found, key=lambda each: -sum(row.executions for row in found[each]))[:WORKFLOWS]
    return [
        pb.WorkflowCount(
            workflow_id=each,
            statuses={row.status: row.executions for row in found[each]},
            mean_ms=sum(row.milliseconds for row in found[each])
            // max(1, sum(row.ended for row in found[each])),
        )
        for each in most
    ]

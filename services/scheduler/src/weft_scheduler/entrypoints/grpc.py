"""`Schedules`."""

from weft_contracts.pb import scheduler_pb2 as pb
from weft_kit.identity.access import AccessPolicy

from weft_scheduler.adapters.postgres import PostgresSchedules


class SchedulesServicer:
    def __init__(self, schedules: PostgresSchedules, policy: AccessPolicy) -> None:
        self._schedules = schedules
        self._policy = policy

    async def ListNext(self, request: pb.ListNextRequest) -> pb.ListNextResponse:
        mine = await self._policy.projects("workflow:read")
        wanted = [each for each in request.project_ids if each in mine] if request.project_ids else mine
        answer = pb.ListNextResponse()
        for schedule in await self._schedules.of(wanted, min(max(request.limit, 1), 250)):
            tick = answer.ticks.add(workflow_id=schedule.workflow_id, node=schedule.rule.node)
            tick.at.FromMicroseconds(schedule.next_at)
        return answer

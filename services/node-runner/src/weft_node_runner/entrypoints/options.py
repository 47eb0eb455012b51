"""`NodeOptions`: what a node looks up while it is set."""

import orjson
from weft_contracts.pb import node_options_pb2 as pb
from weft_kit.identity.access import AccessPolicy

from weft_node_runner.application.options import Options, Wanted


class NodeOptionsServicer:
    def __init__(self, options: Options, policy: AccessPolicy) -> None:
        self._options = options
        self._policy = policy

    async def List(self, request: pb.ListOptionsRequest) -> pb.ListOptionsResponse:
        project_id = request.project_id or await self._policy.default_project()
        await self._policy.require(project_id, "workflow:execute")
        wanted = Wanted(
            project_id=project_id,
            type=request.type,
            version=request.version,
            loader=request.loader,
            parameters=orjson.loads(request.parameters or b"{}"),
            credentials=orjson.loads(request.credentials or b"{}"),
            search=request.search,
            cursor=request.cursor,
        )
        found = await self._options.list(wanted)
        return pb.ListOptionsResponse(
            options=orjson.dumps(list(found.options)), next_cursor=found.next_cursor
        )

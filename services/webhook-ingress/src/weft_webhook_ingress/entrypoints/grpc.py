"""`Webhooks`: the routes there are, and listening for a test call."""

import time

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import webhook_ingress_pb2 as pb
from weft_kit.identity.access import AccessPolicy
from weft_kit.rpc import caller
from weft_node_sdk.catalogue import Catalogue

from weft_webhook_ingress.adapters.postgres import PostgresCalls
from weft_webhook_ingress.application.routes import Routes
from weft_webhook_ingress.domain.hook import Owner

DEFAULT_SECONDS = 120


class WebhooksServicer:
    def __init__(
        self, routes: Routes, calls: PostgresCalls, policy: AccessPolicy, catalogue: Catalogue, origin: str
    ) -> None:
        self._routes = routes
        self._calls = calls
        self._policy = policy
        self._catalogue = catalogue
        self._origin = origin

    async def List(self, request: pb.ListWebhooksRequest) -> pb.ListWebhooksResponse:
        mine = await self._policy.projects("workflow:read")
        wanted = [each for each in request.project_ids if each in mine] if request.project_ids else mine
        return pb.ListWebhooksResponse(
            webhooks=[
                pb.Webhook(
                    workflow_id=hook.owner.workflow_id,
                    node=hook.node,
                    method=hook.method,
                    path=hook.path,
                    url=f"{self._origin}/webhook/{hook.path}",
                )
                for hook in self._routes.table
                if hook.owner.project_id in wanted
            ]
        )

    async def Listen(self, request: pb.ListenRequest) -> pb.ListenResponse:
        await self._policy.require(request.project_id, "workflow:test")
        routes = self._catalogue.routes(orjson.loads(request.document))
        if not routes:
            raise WeftError(ErrorCode.VALIDATION_ERROR, "The workflow has no webhook to listen on.")
        seconds = min(max(request.seconds, 1), 3600) if request.seconds else DEFAULT_SECONDS
        owner = Owner(request.workflow_id, request.project_id, request.version_id)
        await self._calls.listen(owner, routes, caller().user_id, seconds)
        answer = pb.ListenResponse(
            webhooks=[
                pb.Webhook(
                    workflow_id=request.workflow_id,
                    node=route.node,
                    method=route.method,
                    path=route.path,
                    url=f"{self._origin}/webhook-test/{route.path}",
                )
                for route in routes
            ]
        )
        answer.until.FromMilliseconds(int(time.time() * 1000) + seconds * 1000)
        return answer

    async def StopListening(self, request: pb.StopListeningRequest) -> pb.StopListeningResponse:
        await self._policy.require(request.project_id, "workflow:test")
        await self._calls.stop_listening(request.workflow_id, request.project_id)
        return pb.StopListeningResponse()

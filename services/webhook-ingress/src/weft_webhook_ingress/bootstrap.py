"""The one file of the webhook ingress that knows concrete classes."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from weft_contracts import topics
from weft_contracts.errors import WeftError
from weft_contracts.rpc.auth import Access
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.webhook_ingress import Webhooks
from weft_contracts.rpc.workflow_store import Credentials, Workflows
from weft_kit.identity.access import AccessPolicy
from weft_kit.service import AsgiApp, Infra
from weft_kit.tasks import end
from weft_node_sdk.catalogue import Catalogue

from weft_webhook_ingress.adapters.postgres import PostgresCalls
from weft_webhook_ingress.application.bodies import Bodies
from weft_webhook_ingress.application.guard import Guard
from weft_webhook_ingress.application.replies import Replies
from weft_webhook_ingress.application.routes import Routes
from weft_webhook_ingress.entrypoints.asgi import Ingress
from weft_webhook_ingress.entrypoints.grpc import WebhooksServicer
from weft_webhook_ingress.settings import WebhookIngressSettings

log = logging.getLogger("weft.ingress")

FORGET_SECONDS: Final = 3600.0


class WebhookIngressService:
    name = "webhook-ingress"

    def __init__(
        self, ingress: Ingress, servicer: WebhooksServicer, routes: Routes, replies: Replies, infra: Infra
    ) -> None:
        self.asgi: AsgiApp | None = ingress
        self.servicers: Mapping[type, object] = {Webhooks: servicer}
        self._routes = routes
        self._replies = replies
        self._infra = infra
        self._calls = PostgresCalls(infra.database)
        self._unlisten: Callable[[], None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        channel = topics.reply_channel(self._infra.instance)
        self._unlisten = self._infra.signals.listen(channel, self._replies.heard)
        await self._routes.load()
        self._tasks = [asyncio.create_task(work) for work in (self._routes.keep(), self._forget())]

    async def drain(self) -> None:
        """Nothing to do: the HTTP server finishes what it has."""

    async def stop(self) -> None:
        await end(*self._tasks)
        if self._unlisten is not None:
            self._unlisten()

    async def _forget(self) -> None:
        """Old idempotency keys, for ever."""
        while True:
            try:
                await self._calls.forget(time.time_ns() // 1_000_000)
            except WeftError as error:
                log.warning("old idempotency keys stay for now: %s", error.message)
            await asyncio.sleep(FORGET_SECONDS)

    def ready(self) -> str:
        return "" if self._routes.loaded else "the routes are not known yet"


def build(settings: WebhookIngressSettings, infra: Infra) -> WebhookIngressService:
    origin = settings.public_origin
    routes = Routes(infra.rpc.client(Workflows), origin)
    guard = Guard(infra.rpc.client(Credentials))
    executions = infra.rpc.client(Executions)
    replies = Replies(executions)
    calls = PostgresCalls(infra.database)
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    infra.bus.subscribe(topics.WORKFLOW_EVENTS, routes.changed, None)
    infra.bus.subscribe(topics.CREDENTIAL_EVENTS, guard.changed, None)
    ingress = Ingress(
        routes=routes,
        guard=guard,
        replies=replies,
        calls=calls,
        executions=executions,
        bus=infra.bus,
        signals=infra.signals,
        blobs=infra.blobs,
        bodies=Bodies(infra.blobs, settings.webhook_max_bytes, settings.webhook_max_upload_bytes),
        instance=infra.instance,
        origin=origin,
        seconds=settings.webhook_timeout_seconds,
    )
    servicer = WebhooksServicer(routes, calls, policy, Catalogue.load(), origin)
    return WebhookIngressService(ingress, servicer, routes, replies, infra)

"""The one file of realtime that knows concrete classes."""

import asyncio
from collections.abc import Callable, Mapping

from weft_contracts import topics
from weft_contracts.rpc.auth import Access, Auth
from weft_contracts.rpc.orchestrator import Executions
from weft_contracts.rpc.workflow_store import Workflows
from weft_kit.identity.access import AccessPolicy
from weft_kit.identity.tokens import TokenVerifier
from weft_kit.service import AsgiApp, Infra
from weft_kit.tasks import end

from weft_realtime.application.hub import Hub
from weft_realtime.application.presence import Presence
from weft_realtime.entrypoints.websocket import Backends, Live
from weft_realtime.settings import RealtimeSettings


class RealtimeService:
    name = "realtime"
    servicers: Mapping[type, object] = {}

    def __init__(self, live: Live, hub: Hub, presence: Presence, infra: Infra) -> None:
        self.asgi: AsgiApp | None = live
        self._hub = hub
        self._presence = presence
        self._infra = infra
        self._unlisten: list[Callable[[], None]] = []
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        listen = self._infra.signals.listen
        self._unlisten = [listen(topics.UI_EVENTS, each) for each in (self._hub.signal, self._presence.hear)]
        self._sweeping = asyncio.create_task(self._presence.run())

    async def drain(self) -> None:
        """Clients come again, to another instance."""
        self._hub.close_all()

    async def stop(self) -> None:
        self._hub.close_all()
        self._presence.stop()
        for unlisten in self._unlisten:
            unlisten()
        if self._sweeping is not None:
            await end(self._sweeping)

    def ready(self) -> str:
        return ""


def build(settings: RealtimeSettings, infra: Infra) -> RealtimeService:
    hub = Hub()
    presence = Presence(infra.instance, infra.signals, hub.presence)
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    infra.bus.subscribe(topics.EXECUTION_EVENTS, hub.execution_event, None)
    infra.bus.subscribe(topics.WORKFLOW_EVENTS, hub.workflow_event, None)
    infra.bus.subscribe(topics.WORKFLOW_EVENTS, presence.workflow_event, None)
    infra.bus.subscribe(topics.IDENTITY_EVENTS, hub.identity_event, None)
    auth = infra.rpc.client(Auth)
    backends = Backends(auth, infra.rpc.client(Executions), infra.rpc.client(Workflows))
    live = Live(hub, presence, TokenVerifier(auth), policy, backends, settings.frames_waiting)
    return RealtimeService(live, hub, presence, infra)

"""The one file of realtime that knows concrete classes."""

from collections.abc import Callable, Mapping

from weft_contracts import topics
from weft_contracts.rpc.auth import Access, Auth
from weft_contracts.rpc.orchestrator import Executions
from weft_kit.identity.access import AccessPolicy
from weft_kit.identity.tokens import TokenVerifier
from weft_kit.service import AsgiApp, Infra

from weft_realtime.application.hub import Hub
from weft_realtime.entrypoints.websocket import Live
from weft_realtime.settings import RealtimeSettings


class RealtimeService:
    name = "realtime"
    servicers: Mapping[type, object] = {}

    def __init__(self, live: Live, hub: Hub, infra: Infra) -> None:
        self.asgi: AsgiApp | None = live
        self._hub = hub
        self._infra = infra
        self._unlisten: Callable[[], None] | None = None

    async def start(self) -> None:
        self._unlisten = self._infra.signals.listen(topics.UI_EVENTS, self._hub.signal)

    async def drain(self) -> None:
        """Clients come again, to another instance."""
        self._hub.close_all()

    async def stop(self) -> None:
        self._hub.close_all()
        if self._unlisten is not None:
            self._unlisten()

    def ready(self) -> str:
        return ""


def build(settings: RealtimeSettings, infra: Infra) -> RealtimeService:
    hub = Hub()
    policy = AccessPolicy(infra.rpc.client(Access))
    policy.follow(infra.bus)
    infra.bus.subscribe(topics.EXECUTION_EVENTS, hub.execution_event, None)
    infra.bus.subscribe(topics.WORKFLOW_EVENTS, hub.workflow_event, None)
    infra.bus.subscribe(topics.IDENTITY_EVENTS, hub.identity_event, None)
    verifier = TokenVerifier(infra.rpc.client(Auth))
    live = Live(hub, verifier, policy, infra.rpc.client(Executions), settings.frames_waiting)
    return RealtimeService(live, hub, infra)

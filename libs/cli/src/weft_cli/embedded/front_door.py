"""One port for all: which service answers which path (the cluster's edge routes by the same table)."""

from weft_kit.service import AsgiApp, AsgiReceive, AsgiSend, Scope

INGRESS_PREFIXES = ("/webhook", "/form")
REALTIME_PATH = "/api/v1/ws"


class FrontDoor:
    """`/webhook*` and `/form*` go to the ingress, `/api/v1/ws` to realtime, all else to the gateway."""

    def __init__(self, ingress: AsgiApp, realtime: AsgiApp, gateway: AsgiApp) -> None:
        self.ingress = ingress
        self.realtime = realtime
        self.gateway = gateway

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        path = scope.get("path", "")
        if path.startswith(INGRESS_PREFIXES):
            await self.ingress(scope, receive, send)
        elif path == REALTIME_PATH:
            await self.realtime(scope, receive, send)
        else:
            await self.gateway(scope, receive, send)

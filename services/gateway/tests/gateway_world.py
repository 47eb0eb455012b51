"""The whole installation in one process, with real PostgreSQL, called as HTTP clients call it."""

from pathlib import Path
from typing import Any

import httpx
from weft_cli.embedded.run import ORDER, build_service
from weft_contracts.ids import new_id
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.bus.memory import MemoryBus
from weft_kit.cache.memory import MemoryCache
from weft_kit.database import Database
from weft_kit.database.migrate import migrate_all
from weft_kit.lifecycle import start_all, stop_all
from weft_kit.rpc.local import LocalRpc
from weft_kit.service import Infra, Service
from weft_kit.signals.memory import MemorySignals

PASSWORD = "a long enough passphrase"


def node(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name.lower(),
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": more.pop("version", 1),
        "position": [0, 0],
        "parameters": more.pop("parameters", {}),
        **more,
    }


def document(name: str = "A workflow", path: str = "", **more: Any) -> dict[str, Any]:
    """Manual trigger, and a webhook where there is a path, then a node that does nothing."""
    nodes = [node("Start", "manualTrigger"), node("End", "noOp")]
    link = {"main": [[{"node": "End", "type": "main", "index": 0}]]}
    connections = {"Start": link}
    if path:
        nodes.append(node("Hook", "webhook", version=2, parameters={"path": path, "httpMethod": "POST"}))
        connections["Hook"] = link
    return {"name": name, "nodes": nodes, "connections": connections, "settings": {}, **more}


class World:
    def __init__(self, dsn: str, home: Path) -> None:
        self.dsn = dsn
        self.home = home
        self.services: dict[str, Service] = {}
        self._clients = 0

    async def boot(self, **flags: Any) -> "World":
        await migrate_all(self.dsn)
        self.bus = MemoryBus()
        self.signals = MemorySignals()
        self.cache = MemoryCache()
        self.database = Database(self.dsn)
        self.rpc = LocalRpc()
        infra = Infra(
            new_id(),
            self.home,
            self.bus,
            self.signals,
            self.cache,
            FolderBlobs(self.home / "blobs"),
            self.rpc,
            self.database,
        )
        flags = {"home": self.home, "registration": "open", "password_cost": 4, **flags}
        self.services = {name: build_service(name, infra, flags) for name in ORDER}
        for service in self.services.values():
            self.rpc.register(service.servicers)
        await self.bus.start()
        await self.signals.start()
        await start_all(list(self.services.values()))
        return self

    async def close(self) -> None:
        await stop_all(list(self.services.values()))
        await self.bus.stop()
        await self.signals.stop()
        await self.cache.close()
        await self.database.close()

    def client(self) -> "Client":
        """From an address of its own: sign-ins are counted by it."""
        self._clients += 1
        return Client(self.services["gateway"].asgi, f"192.0.2.{self._clients}")

    async def user(self, email: str) -> "Client":
        made = self.client()
        answer = await made.post("/auth/register", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        made.sign(answer.json()["data"])
        return made


class Client(httpx.AsyncClient):
    """Paths are relative to `/api/v1`."""

    def __init__(self, app: Any, address: str) -> None:
        transport = httpx.ASGITransport(app=app, client=(address, 1), raise_app_exceptions=False)
        super().__init__(transport=transport, base_url="http://weft.test/api/v1", timeout=60)
        self.id = ""

    def sign(self, session: dict[str, Any]) -> None:
        self.id = session["user"]["id"]
        self.project = session["user"]["personal_project_id"]
        self.headers["Authorization"] = f"Bearer {session['access_token']}"

    async def data(self, method: str, path: str, **options: Any) -> Any:
        """The `data` of a successful answer."""
        answer = await self.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["data"]

    async def refusal(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and error code of an answer that says no."""
        answer = await self.request(method, path, **options)
        body = answer.json()
        assert body["success"] is False, answer.text
        return answer.status_code, body["error"]["code"]

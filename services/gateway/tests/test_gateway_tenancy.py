"""Every endpoint × every kind of caller × objects of a project that is not theirs, from the OpenAPI document."""

from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from weft_contracts.ids import new_id

from services.gateway.tests.gateway_world import Client, World, document

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

OPEN = {
    ("get", "/auth/setup"),
    ("post", "/auth/register"),
    ("post", "/auth/login"),
    ("post", "/auth/refresh"),
    ("post", "/auth/logout"),
    ("get", "/nodes/{name}/icon"),
    ("get", "/status"),
}
"""What needs no sign-in."""
OWN = {"/auth/me", "/auth/change-password", "/api-keys", "/api-keys/{key_id}"}
BODIES: dict[tuple[str, str], Any] = {
    ("post", "/workflows"): document(),
    ("post", "/workflows/import"): document(),
    ("put", "/workflows/{workflow_id}"): document(),
    ("patch", "/workflows/{workflow_id}"): {"name": "Taken"},
    ("put", "/workflows/{workflow_id}/tags"): {"tags": ["taken"]},
    ("post", "/credentials"): {"name": "c", "type": "t"},
    ("put", "/credentials/{credential_id}"): {"name": "Taken"},
    ("post", "/variables"): {"key": "fresh", "value": "v"},
    ("put", "/variables/{key}"): {"value": "taken"},
    ("post", "/tags"): {"name": "fresh"},
    ("put", "/tags/{name}"): {"name": "taken"},
    ("post", "/expressions/evaluate"): {"expression": "={{ 1 }}"},
    ("post", "/data-tables"): {"name": "fresh"},
    ("put", "/data-tables/{table_id}"): {"name": "taken"},
    ("post", "/data-tables/{table_id}/columns"): {"name": "taken"},
    ("put", "/data-tables/{table_id}/columns/{name}"): {"name": "taken"},
    ("post", "/data-tables/{table_id}/rows"): {"rows": [{"kept": "taken"}]},
    ("patch", "/data-tables/{table_id}/rows"): {"values": {"kept": "taken"}},
    ("post", "/data-tables/{table_id}/rows/delete"): {"filters": [{"column": "id", "value": 1}]},
}
VIEWER_MAY = {
    ("get", "/workflows/{workflow_id}"),
    ("get", "/workflows/{workflow_id}/export"),
    ("get", "/workflows/{workflow_id}/versions"),
    ("get", "/workflows/{workflow_id}/versions/{number}"),
    ("get", "/workflows/{workflow_id}/diff"),
    ("get", "/workflows/{workflow_id}/executions"),
    ("get", "/executions/{execution_id}"),
    ("get", "/executions/{execution_id}/files"),
    ("get", "/credentials/{credential_id}"),
    ("get", "/variables"),
    ("get", "/tags"),
    ("get", "/data-tables"),
    ("get", "/data-tables/{table_id}"),
    ("post", "/data-tables/{table_id}/rows/query"),
}
COUNTS = ("get", "/executions/counts")
LISTS = {("get", "/workflows"), ("get", "/executions"), COUNTS}
"""With a foreign project as a filter they are empty."""


def operations(client_app: Any) -> list[tuple[str, str, list[str]]]:
    """(method, path, names of its query parameters)."""
    found = []
    for path, methods in client_app.openapi()["paths"].items():
        if path.startswith("/api/v1"):
            for method, about in methods.items():
                names = [each["name"] for each in about.get("parameters", ()) if each["in"] == "query"]
                found.append((method, path.removeprefix("/api/v1"), names))
    return found


class Targets:
    """Objects of the owner's project, made anew before each call: some calls end them."""

    def __init__(self, owner: Client) -> None:
        self.owner = owner

    async def make(self) -> dict[str, str]:
        pins = {"End": [{"json": {}, "binary": {"data": {"data": "YQ=="}}}]}
        workflow = await self.owner.data("POST", "/workflows", json=document(pinData=pins))
        execution = await self.owner.data("POST", f"/workflows/{workflow['id']}/execute?wait=60", json={})
        credential = await self.owner.data("POST", "/credentials", json={"name": "c", "type": "t"})
        await self.owner.data("PUT", "/variables/kept", json={"value": "v"})
        if "kept" not in {tag["name"] for tag in await self.owner.data("GET", "/tags")}:
            await self.owner.data("POST", "/tags", json={"name": "kept"})
        columns = {"name": new_id(), "columns": [{"name": "kept"}]}
        table = await self.owner.data("POST", "/data-tables", json=columns)
        return {
            "table_id": table["id"],
            "workflow_id": workflow["id"],
            "execution_id": execution["id"],
            "credential_id": credential["id"],
            "key": "kept",
            "name": "kept",
            "number": "1",
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def targets(owner: Client) -> dict[str, str]:
    return await Targets(owner).make()


def address(path: str, names: list[str], targets: dict[str, str], project: str) -> str:
    query = {"project_id": project} if "project_id" in names else {}
    if "from" in names:
        query["from"] = "1"
    if "node" in names:
        query["node"] = "End"
    return path.format(**targets) + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def body_of(method: str, path: str, project: str) -> Any:
    body = BODIES.get((method, path))
    if path in {"/credentials", "/expressions/evaluate"} or (
        path in {"/variables", "/variables/{key}", "/tags", "/data-tables"} and method in {"post", "put"}
    ):
        return {**(body or {}), "project_id": project} if body is not None else None
    return body


def concerns_a_project(method: str, path: str, names: list[str]) -> bool:
    held = any(
        f"{{{key}}}" in path for key in ("workflow_id", "execution_id", "credential_id", "table_id", "key")
    )
    made = body_of(method, path, "p") or {}
    return path not in OWN and (held or "project_id" in names or "project_id" in made)


async def test_nothing_is_answered_without_a_sign_in(world: World, owner: Client) -> None:
    app = world.services["gateway"].asgi
    client, seen = world.client(), 0
    targets = dict.fromkeys(
        (
            "workflow_id",
            "execution_id",
            "credential_id",
            "table_id",
            "key",
            "name",
            "number",
            "key_id",
            "session_id",
        ),
        "1",
    )
    for method, path, names in operations(app):
        if (method, path) in OPEN:
            continue
        seen += 1
        options = {"json": body_of(method, path, "p") or {}} if method not in {"get", "delete"} else {}
        refusal = await client.refusal(method.upper(), address(path, names, targets, "p"), **options)
        assert refusal == (401, "UNAUTHENTICATED"), (method, path)
    assert seen > 50


async def test_strangers_find_nothing(
    world: World, owner: Client, stranger: Client, targets: dict[str, str]
) -> None:
    seen = 0
    for method, path, names in operations(world.services["gateway"].asgi):
        if not concerns_a_project(method, path, names):
            continue
        seen += 1
        options: dict[str, Any] = {}
        if method not in {"get", "delete"}:
            options["json"] = body_of(method, path, owner.project) or {}
        url = address(path, names, targets, owner.project)
        if (method, path) in LISTS:
            found = await stranger.data(method.upper(), url)
            assert (found["workflows"] if (method, path) == COUNTS else found) == []
        else:
            assert await stranger.refusal(method.upper(), url, **options) == (404, "NOT_FOUND"), (
                method,
                path,
            )
    assert seen > 35
    bulk = {"ids": [targets["execution_id"]]}
    for verb in ("stop", "delete"):
        found = await stranger.data("POST", f"/executions/{verb}", json=bulk)
        assert [each["code"] for each in found["failed"]] == ["NOT_FOUND"]
    assert (await owner.data("GET", f"/workflows/{targets['workflow_id']}"))["name"] == "A workflow"
    assert (await owner.data("GET", f"/executions/{targets['execution_id']}"))["status"] == "success"


async def test_viewers_read_and_change_nothing(world: World, owner: Client, targets: dict[str, str]) -> None:
    viewer = await world.user("viewer@example.org")
    connection = await asyncpg.connect(world.dsn)
    await connection.execute(
        "INSERT INTO auth.project_members (project_id, user_id, role) VALUES ($1, $2, 'viewer')",
        owner.project,
        viewer.id,
    )
    await connection.close()
    for method, path, names in operations(world.services["gateway"].asgi):
        if not concerns_a_project(method, path, names):
            continue
        options: dict[str, Any] = {}
        if method not in {"get", "delete"}:
            options["json"] = body_of(method, path, owner.project) or {}
        answer = await viewer.request(method.upper(), address(path, names, targets, owner.project), **options)
        if (method, path) in VIEWER_MAY | LISTS:
            assert answer.status_code == 200, (method, path, answer.text)
        else:
            assert answer.status_code == 403, (method, path, answer.text)
    assert (await owner.data("GET", f"/workflows/{targets['workflow_id']}"))["name"] == "A workflow"

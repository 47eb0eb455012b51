"""What is somebody else's is not there: made from the OpenAPI document, so that a new endpoint is tested, too."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from weft_gateway.entrypoints.n8n import credentials, executions, workflows

from services.gateway.tests.gateway_world import Client, World

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
DOCUMENT = {
    "name": "mine",
    "nodes": [
        {
            "name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "position": [0, 0], "id": "s",
            "parameters": {},
        },
        {
            "name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "id": "h",
            "parameters": {"path": "a/mine", "httpMethod": "POST"}, "webhookId": "mine",
        },
    ],
    "connections": {},
    "settings": {},
}  # fmt: skip
ENDED = {"success", "error"}
HAS_NO_OWNER = {"name", "key"}
"""Parameters of paths that name no object of somebody's: what they mean depends on who asks."""
EMPTY_HANDED = {
    # operation: how the owner's own call may fail all the same, with the object made here
    "POST /workflows/{workflow_id}/unarchive": {409},
    "POST /workflows/{workflow_id}/restore": {409},
    "POST /data-tables/{table_id}/rows/delete": {400},
    "POST /executions/{execution_id}/stop": {409},
    "POST /executions/{execution_id}/retry": {409},
    "GET /executions/{execution_id}/files": {404},
    "GET /credentials/{credential_id}/oauth2/authorize": {400, 422},
    "POST /credentials/{credential_id}/test": {400, 422},
    "PUT /data-tables/{table_id}/columns/{name}": {400, 404},
    "DELETE /data-tables/{table_id}/columns/{name}": {400, 404},
}

BODIES: dict[str, Any] = {
    "PUT /workflows/{workflow_id}": DOCUMENT,
    "PATCH /data-tables/{table_id}/rows": {"filter": {}, "values": {"a": "x"}},
    "PUT /tags/{name}": {"name": "other"},
}
"""Where the least that the schema lets through is not enough."""


class Spec:
    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]
        self.paths = document["paths"]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(method, path below `/api/v1`, operation) of all."""
        for path, methods in self.paths.items():
            for method, operation in methods.items():
                yield method.upper(), path.removeprefix("/api/v1"), operation

    def body(self, operation: dict[str, Any]) -> dict[str, Any] | None:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return None if content is None else self._sample(content["schema"])

    def properties(self, operation: dict[str, Any]) -> set[str]:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        return set(self._resolved(content.get("schema", {})).get("properties", {}))

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def _sample(self, schema: dict[str, Any]) -> Any:
        """The least that the schema lets through."""
        schema = self._resolved(schema)
        for known in ("examples", "enum"):
            if schema.get(known):
                return schema[known][0]
        if "const" in schema:
            return schema["const"]
        for choice in ("anyOf", "oneOf", "allOf"):
            if schema.get(choice):
                return self._sample(schema[choice][0])
        match schema.get("type"):
            case "object":
                properties = schema.get("properties", {})
                return {name: self._sample(properties[name]) for name in schema.get("required", ())}
            case "array":
                return [self._sample(schema["items"])] * max(1, schema.get("minItems", 1))
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
            case _:
                return "x" * max(1, schema.get("minLength", 1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spec(owner: Client) -> Spec:
    return Spec((await owner.get("http://weft.test/api/openapi.json")).json())


class Objects:
    """Makes one of each kind for a user, by the name that paths have for its id."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def make(self, kind: str) -> str:
        found: str = await getattr(self, f"_{kind}")()
        return found

    async def _workflow_id(self) -> str:
        document = json.loads(json.dumps(DOCUMENT).replace("/mine", f"/mine-{uuid4()}"))
        made = await self._client.data("POST", "/workflows/import", json=document)
        await self._client.data("POST", f"/workflows/{made['id']}/activate")
        return str(made["id"])

    async def _execution_id(self) -> str:
        workflow = await self._workflow_id()
        started = await self._client.data("POST", f"/workflows/{workflow}/execute", json={})
        execution = started.get("execution_id") or started["id"]
        async with asyncio.timeout(20):
            while (await self._client.get(f"/executions/{execution}")).json().get("data", {}).get(
                "status"
            ) not in ENDED:
                await asyncio.sleep(0.02)
        return str(execution)

    async def _credential_id(self) -> str:
        body = {"name": "c", "type": "httpBasicAuth", "data": {"user": "u", "password": "hidden"}}
        return str((await self._client.data("POST", "/credentials", json=body))["id"])

    async def _table_id(self) -> str:
        body = {"name": f"t{uuid4().hex[:8]}", "columns": [{"name": "a", "type": "string"}]}
        return str((await self._client.data("POST", "/data-tables", json=body))["id"])

    async def _key_id(self) -> str:
        return str((await self._client.data("POST", "/api-keys", json={"name": "k"}))["id"])

    async def _session_id(self) -> str:
        return str((await self._client.data("GET", "/auth/sessions"))[0]["id"])


def parameters(operation: dict[str, Any], place: str) -> list[str]:
    return [
        each["name"]
        for each in operation.get("parameters", ())
        if each["in"] == place and (each.get("required") or place == "path")
    ]


async def test_every_object_of_somebody_else_is_not_found(
    spec: Spec, owner: Client, stranger: Client, world: World
) -> None:
    objects, wrong, tested = Objects(owner), [], 0
    for method, path, operation in spec.operations():
        kinds = [name for name in parameters(operation, "path") if name not in HAS_NO_OWNER]
        if not kinds or operation.get("security") == []:
            continue
        tested += 1
        known = {"name": "a", "key": "k", "number": "1"}
        known |= {kind: await objects.make(kind) for kind in kinds if kind not in known}
        at = path.format(**known)
        query = dict.fromkeys(parameters(operation, "query"), "1")
        options: dict[str, Any] = {"params": query}
        where = f"{method} {path}"
        body = BODIES.get(where, spec.body(operation))
        if body is not None:
            options["json"] = body
        refused = await stranger.request(method, at, **options)
        if refused.status_code != 404:
            wrong.append(f"{where}: a stranger got {refused.status_code} {refused.text[:200]}")
        if any(value in refused.text for value in ("hidden", "mine")):
            wrong.append(f"{where}: a stranger was told something: {refused.text[:200]}")
        anonymous = await world.client().request(method, at, **options)
        if anonymous.status_code != 401:
            wrong.append(f"{where}: without a sign-in {anonymous.status_code} {anonymous.text[:200]}")
        own = await owner.request(method, at, **options)
        if not own.is_success and own.status_code not in EMPTY_HANDED.get(where, ()):
            wrong.append(f"{where}: the test says nothing, its owner got {own.status_code} {own.text[:200]}")
    assert not wrong, "\n".join(wrong)
    assert tested > 35


async def test_no_call_of_many_reaches_what_is_somebody_else_s(
    spec: Spec, owner: Client, stranger: Client
) -> None:
    objects, tested = Objects(owner), 0
    for method, path, operation in spec.operations():
        if "ids" not in spec.properties(operation):
            continue
        tested += 1
        kind = "execution_id" if path.startswith("/executions") else "workflow_id"
        identifier = await objects.make(kind)
        place = f"/{'executions' if kind == 'execution_id' else 'workflows'}/{identifier}"
        before = await owner.data("GET", place)
        body = {**(spec.body(operation) or {}), "ids": [identifier]}
        answer = await stranger.request(method, path, json=body)
        assert await owner.data("GET", place) == before, f"{method} {path}: {answer.text}"
        assert "mine" not in answer.text
    assert tested > 5


async def test_nothing_is_listed_or_made_in_a_project_of_somebody_else(
    spec: Spec, owner: Client, stranger: Client
) -> None:
    objects = Objects(owner)
    for kind in ("workflow_id", "execution_id", "credential_id", "table_id"):
        await objects.make(kind)
    wrong, tested = [], 0
    for method, path, operation in spec.operations():
        by_query = any(each["name"] == "project_id" for each in operation.get("parameters", ()))
        by_body = "project_id" in spec.properties(operation)
        if "{" in path.replace("{name}", "").replace("{key}", "") or not (by_query or by_body):
            continue
        tested += 1
        options: dict[str, Any] = {"params": {"project_id": owner.project}} if by_query else {}
        body = BODIES.get(f"{method} {path}", spec.body(operation))
        if body is not None:
            options["json"] = {**body, "project_id": owner.project} if by_body else body
        answer = await stranger.request(method, path.format(name="postgres", key="k"), **options)
        told = answer.json().get("data")
        if path == "/executions/counts":
            told = [*told["workflows"], *filter(None, told["totals"].values())]
        if answer.status_code not in {403, 404} and told not in ([], {}):
            wrong.append(f"{method} {path}: {answer.status_code} {json.dumps(told)[:300]}")
    assert not wrong, "\n".join(wrong)
    assert tested > 8


async def test_nothing_of_somebody_else_is_found_by_the_compatible_api(
    owner: Client, stranger: Client, world: World
) -> None:
    objects, wrong, tested = Objects(owner), [], 0
    key = (await stranger.data("POST", "/api-keys", json={"name": "k"}))["key"]
    known = {"workflow_id": "", "execution_id": "", "credential_id": ""}
    for kind in known:
        known[kind] = await objects.make(kind)
    for module in (workflows, executions, credentials):
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            kinds = [name for name in route.param_convertors if name in known]
            for method in route.methods if kinds else ():
                tested += 1
                at = route.path.format(**{"version_id": "v", **known})
                body = [] if at.endswith("/tags") else {**DOCUMENT, "settings": {}}
                options = {"json": body} if method in {"PUT", "POST"} else {}
                async with world.client() as client:
                    answer = await client.request(method, at, headers={"X-N8N-API-KEY": key}, **options)
                    if answer.status_code != 404 or "mine" in answer.text:
                        wrong.append(f"{method} {route.path}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)
    assert tested > 10
    for kind, place in (
        ("workflow_id", "workflows"),
        ("execution_id", "executions"),
        ("credential_id", "credentials"),
    ):
        assert await owner.data("GET", f"/{place}/{known[kind]}")

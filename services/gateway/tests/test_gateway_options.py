"""`/nodes/{type}/options`: choices that are looked up, in a real database and in the installation itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from weft_kit.testing.servers import Postgres

from services.gateway.tests.gateway_world import Client, World, document, node

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    paid boolean NOT NULL DEFAULT false,
    placed timestamptz,
    lines jsonb NOT NULL,
    tags text[]
);
CREATE VIEW shop.open_orders AS SELECT * FROM shop.orders WHERE NOT paid;
DO $$ BEGIN FOR n IN 1..130 LOOP
  EXECUTE format('CREATE TABLE shop.part_%s (x int)', lpad(n::text, 3, '0'));
END LOOP; END $$;
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(pg_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    dsn = pg_server.create_database(f"t{uuid4().hex}")
    made = await World(dsn, tmp_path_factory.mktemp("home")).boot(net_allow=["127.0.0.0/8", "localhost"])
    yield made
    await made.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(owner: Client, pg_server: Postgres) -> AsyncIterator[dict[str, Any]]:
    """The node's credentials for a database of its own, whose socket is given a port."""
    dsn = pg_server.create_database(f"t{uuid4().hex}")
    connection = await asyncpg.connect(dsn)
    await connection.execute(TABLES)
    await connection.close()
    parts = urlsplit(dsn)
    folder = parse_qs(parts.query).get("host", [""])[0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    data = {
        "host": "127.0.0.1",
        "port": server.sockets[0].getsockname()[1],
        "user": parts.username or "postgres",
        "database": parts.path.lstrip("/"),
    }
    body = {"name": "Shop", "type": "postgres", "data": data}
    made = await owner.data("POST", "/credentials", json=body)
    yield {"postgres": {"id": made["id"], "name": "Shop"}}
    server.close()


async def listed(client: Client, kind: str, **body: Any) -> Any:
    return await client.data("POST", f"/nodes/{kind}/options", json=body)


def names(found: Any) -> list[str]:
    return [each["name"] for each in found["options"]]


async def test_schemas_and_tables_are_searched_and_paged(owner: Client, database: dict[str, Any]) -> None:
    assert names(await listed(owner, "postgres", loader="schema", credentials=database)) == ["public", "shop"]
    of_shop = {
        "credentials": database,
        "parameters": {"schema": {"__rl": True, "mode": "list", "value": "shop"}},
    }
    found = await listed(owner, "postgres", loader="table", search="ORDERS", **of_shop)
    assert names(found) == ["open_orders", "orders"]
    assert found["next_cursor"] is None
    first = await listed(owner, "postgres", loader="table", search="part_", **of_shop)
    second = await listed(
        owner, "postgres", loader="table", search="part_", cursor=first["next_cursor"], **of_shop
    )
    assert (len(names(first)), len(names(second)), second["next_cursor"]) == (100, 30, None)
    assert names(first)[-1] < names(second)[0]
    assert names(await listed(owner, "postgres", loader="table", search="%", **of_shop)) == []


async def test_columns_have_types_and_say_what_rows_are_found_by(
    owner: Client, database: dict[str, Any]
) -> None:
    parameters = {"schema": {"value": "shop"}, "table": {"value": "orders"}}
    found = await listed(owner, "postgres", loader="columns", credentials=database, parameters=parameters)
    assert [(each["name"], each["type"], each["required"], each["match"]) for each in found["options"]] == [
        ("id", "number", False, True),
        ("number", "string", True, True),
        ("paid", "boolean", False, False),
        ("placed", "dateTime", False, False),
        ("lines", "object", True, False),
        ("tags", "array", False, False),
    ]
    every = await listed(
        owner, "postgres", loader="outputColumns", credentials=database, parameters=parameters
    )
    assert names(every)[:2] == ["*", "id"]
    none = await listed(owner, "postgres", loader="column", credentials=database, parameters={})
    assert none == {"options": [], "next_cursor": None}


async def test_what_can_not_be_listed_says_why(
    owner: Client, stranger: Client, database: dict[str, Any]
) -> None:
    call = ("POST", "/nodes/postgres/options")
    assert await owner.refusal(*call, json={"loader": "table"}) == (422, "UNPROCESSABLE")
    asked = {"loader": "table", "credentials": database}
    dynamic = {**asked, "parameters": {"schema": {"value": "={{ $json.schema }}"}}}
    assert await owner.refusal(*call, json=dynamic) == (422, "UNPROCESSABLE")
    assert await owner.refusal(*call, json={"loader": "nonsense"}) == (404, "NOT_FOUND")
    assert await owner.refusal(*call, json={"loader": "table", "version": 99}) == (404, "NOT_FOUND")
    assert await owner.refusal("POST", "/nodes/noSuch/options", json={"loader": "x"}) == (404, "NOT_FOUND")
    assert await stranger.refusal(*call, json=asked) == (404, "NOT_FOUND")
    foreign = {**asked, "project_id": owner.project}
    assert await stranger.refusal(*call, json=foreign) == (404, "NOT_FOUND")


async def test_a_wrong_password_is_said_without_it(owner: Client, database: dict[str, Any]) -> None:
    data = {"host": "127.0.0.1", "port": 1, "user": "u", "password": "hidden-word", "database": "d"}
    made = await owner.data("POST", "/credentials", json={"name": "Bad", "type": "postgres", "data": data})
    body = {"loader": "schema", "credentials": {"postgres": {"id": made["id"]}}}
    answer = await owner.post("/nodes/postgres/options", json=body)
    assert answer.status_code == 422
    assert "database" in answer.json()["error"]["message"]
    assert "hidden-word" not in answer.text


async def test_workflows_and_the_inputs_that_one_states(owner: Client, stranger: Client) -> None:
    fields = {
        "values": [{"name": "order", "type": "number"}, {"name": "note"}, {"name": "any", "type": "any"}]
    }
    trigger = node("In", "executeWorkflowTrigger", version=1.1, parameters={"workflowInputs": fields})
    called = document("Ship an order")
    called["nodes"].append(trigger)
    made = await owner.data("POST", "/workflows", json=called)
    found = await listed(owner, "executeWorkflow", loader="workflows", search="ship an")
    assert [(each["name"], each["value"]) for each in found["options"]] == [("Ship an order", made["id"])]
    assert names(await listed(stranger, "executeWorkflow", loader="workflows", search="ship an")) == []
    assert names(await listed(owner, "executeWorkflow", loader="workflows", cursor="9" * 200)) == []
    parameters = {"workflowId": {"__rl": True, "mode": "list", "value": made["id"]}}
    inputs = await listed(owner, "executeWorkflow", loader="workflowInputs", parameters=parameters)
    assert [(each["name"], each["type"]) for each in inputs["options"]] == [
        ("order", "number"),
        ("note", "string"),
        ("any", ""),
    ]
    refused = {"loader": "workflowInputs", "parameters": parameters}
    assert await stranger.refusal("POST", "/nodes/executeWorkflow/options", json=refused) == (
        404,
        "NOT_FOUND",
    )
    trigger["parameters"] = {"inputSource": "jsonExample", "jsonExample": '{"a": [1], "b": true}'}
    await owner.data("PUT", f"/workflows/{made['id']}", json=called)
    inputs = await listed(owner, "executeWorkflow", loader="workflowInputs", parameters=parameters)
    assert [(each["name"], each["type"]) for each in inputs["options"]] == [("a", "array"), ("b", "boolean")]


async def test_time_zones_and_kinds_of_credentials(owner: Client) -> None:
    zones = await listed(owner, "dateTime", loader="timezones", search="europe/ber")
    assert [each["value"] for each in zones["options"]] == ["Europe/Berlin"]
    generic = await listed(owner, "httpRequest", loader="credential_types:generic")
    assert "httpBasicAuth" in {each["value"] for each in generic["options"]}
    service = await listed(owner, "httpRequest", loader="credential_types:service")
    assert "httpBasicAuth" not in {each["value"] for each in service["options"]}

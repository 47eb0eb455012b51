"""Calls about several things, the archive, import by address."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
from weft_kit.testing.servers import Postgres

from services.gateway.tests.gateway_world import Client, World, document
from tests.harness.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(pg_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    dsn = pg_server.create_database(f"t{uuid4().hex}")
    made = await World(dsn, tmp_path_factory.mktemp("home")).boot(net_allow=["127.0.0.1"])
    yield made
    await made.close()


async def made(client: Client, *names: str) -> list[str]:
    return [(await client.data("POST", "/workflows", json=document(name)))["id"] for name in names]


async def test_workflows_are_tagged_in_one_call(owner: Client, stranger: Client) -> None:
    first, second = await made(owner, "Tag one", "Tag two")
    await owner.data("PUT", f"/workflows/{first}/tags", json={"tags": ["old", "kept"]})
    body = {"ids": [first, second, "nonsense"], "add": ["new"], "remove": ["old"]}
    found = await owner.data("POST", "/workflows/tag", json=body)
    assert found["done"] == [first, second]
    assert [(each["id"], each["code"]) for each in found["failed"]] == [("nonsense", "NOT_FOUND")]
    assert (await owner.data("GET", f"/workflows/{first}"))["tags"] == ["kept", "new"]
    rows = await owner.data("GET", "/workflows?tag=new")
    assert {row["id"] for row in rows} == {first, second}
    assert await owner.refusal("POST", "/workflows/tag", json={"ids": [first]}) == (400, "VALIDATION_ERROR")
    foreign = await stranger.data("POST", "/workflows/tag", json={"ids": [first], "add": ["x"]})
    assert (foreign["done"], foreign["failed"][0]["code"]) == ([], "NOT_FOUND")


async def test_archived_workflows_are_put_away_and_taken_out(owner: Client, stranger: Client) -> None:
    body = document("Old hook", path="archived-hook")
    hook = (await owner.data("POST", "/workflows", json=body))["id"]
    [other] = await made(owner, "Old too")
    await owner.data("POST", f"/workflows/{hook}/activate")
    assert (await stranger.data("POST", "/workflows/archive", json={"ids": [hook]}))["done"] == []
    assert (await owner.data("POST", "/workflows/archive", json={"ids": [hook, other]}))["done"] == [
        hook,
        other,
    ]
    kept = await owner.data("GET", f"/workflows/{hook}")
    assert (kept["is_archived"], kept["is_active"]) == (True, False)
    listed = await owner.data("GET", "/workflows?search=Old&limit=250")
    assert listed == []
    away = await owner.data("GET", "/workflows?archived=true&search=Old")
    assert {row["id"] for row in away} == {hook, other}
    assert await owner.refusal("POST", f"/workflows/{hook}/activate") == (409, "CONFLICT")
    saved = await owner.data("PUT", f"/workflows/{hook}", json={**kept, "name": "Old hook, saved"})
    assert saved["is_archived"] is True
    assert b"is_archived" not in (await owner.get(f"/workflows/{hook}/export")).content
    back = await owner.data("POST", f"/workflows/{hook}/unarchive")
    assert back["is_archived"] is False
    assert (await owner.data("POST", f"/workflows/{hook}/activate"))["is_active"] is True
    again = await owner.data("POST", "/workflows/archive", json={"ids": [hook, other], "archived": False})
    assert again["done"] == [hook, other]


async def test_deleted_ones_come_back(owner: Client) -> None:
    ids = await made(owner, "Gone one", "Gone two")
    assert (await owner.data("POST", "/workflows/delete", json={"ids": ids}))["done"] == ids
    assert await owner.data("GET", "/workflows?search=Gone") == []
    assert (await owner.data("POST", "/workflows/restore", json={"ids": ids}))["done"] == ids
    assert len(await owner.data("GET", "/workflows?search=Gone")) == 2


async def test_failed_executions_are_retried_in_one_call(owner: Client) -> None:
    broken = document("Broken")
    broken["nodes"][1]["type"] = "n8n-nodes-base.noSuchThing"
    bad = await owner.data("POST", "/workflows", json=broken)
    [good] = await made(owner, "Good")
    failed = [(await owner.data("POST", f"/workflows/{bad['id']}/execute?wait=30"))["id"] for _ in range(2)]
    fine = (await owner.data("POST", f"/workflows/{good}/execute?wait=30"))["id"]
    found = await owner.data(
        "POST", "/executions/retry", json={"ids": [*failed, fine, failed[0]], "from_start": True}
    )
    assert found["done"] == failed
    assert [(each["id"], each["code"]) for each in found["failed"]] == [(fine, "CONFLICT")]
    for key in failed:
        retried = await owner.data("GET", f"/executions/{found['results'][key]}")
        assert (retried["retry_of"], retried["mode"]) == (key, "retry")


async def test_a_workflow_is_imported_by_its_address(owner: Client, stub_url: str) -> None:
    found = await owner.data("POST", "/workflows/import", json={"url": f"{stub_url}/one"})
    assert found["name"] == "From elsewhere"
    several = await owner.data("POST", "/workflows/import", json={"url": f"{stub_url}/two"})
    assert [each["name"] for each in several] == ["A", "B"]
    call = ("POST", "/workflows/import")
    assert await owner.refusal(*call, json={"url": f"{stub_url}/none"}) == (422, "UNPROCESSABLE")
    assert await owner.refusal(*call, json={"url": f"{stub_url}/text"}) == (400, "VALIDATION_ERROR")
    for refused in (
        "http://127.0.0.2:1/x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "nonsense",
    ):
        assert await owner.refusal(*call, json={"url": refused}) == (422, "UNPROCESSABLE")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub_url() -> AsyncIterator[str]:
    """A server of documents."""
    pages = {
        "/one": orjson.dumps(document("From elsewhere")),
        "/two": orjson.dumps([document("A"), document("B")]),
        "/text": b"no workflow",
    }

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        body = pages.get(path)
        status = b"200 OK" if body is not None else b"404 Not Found"
        head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body or b""))
        writer.write(head + (body or b""))
        await writer.drain()
        writer.close()

    port = free_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    server.close()

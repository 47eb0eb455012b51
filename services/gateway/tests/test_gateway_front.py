"""What every answer has: shape, request id, limits, security headers; who may call what."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from weft_gateway.entrypoints.rest import options
from weft_kit.testing.servers import Postgres

from services.gateway.tests.gateway_world import PASSWORD, Client, World, document

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_successes_and_failures_have_one_shape(owner: Client) -> None:
    good = await owner.get("/auth/me", headers={"X-Request-ID": "abc-1"})
    assert good.headers["x-request-id"] == "abc-1"
    assert good.json().keys() == {"success", "data", "meta"}
    assert good.json()["meta"]["request_id"] == "abc-1"
    assert good.json()["meta"]["timestamp"].endswith("Z")
    bad = await owner.get("/workflows/none")
    assert bad.status_code == 404
    assert bad.json()["error"] == {
        "code": "NOT_FOUND",
        "message": "There is no such workflow.",
        "details": {"id": "none"},
    }
    assert bad.json()["meta"]["request_id"] == bad.headers["x-request-id"] != ""


async def test_request_ids_can_not_smuggle_headers(owner: Client) -> None:
    answer = await owner.get("/status", headers={b"X-Request-ID": "a\x7fé".encode("latin-1") + b"x" * 100})
    assert len(answer.headers["x-request-id"]) <= 64
    assert answer.headers["x-request-id"].isprintable()


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "NOT_FOUND"),
        ("DELETE", "/status", {}, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/api-keys", {"json": {"name": ""}}, 400, "VALIDATION_ERROR"),
        ("POST", "/api-keys", {"content": b"{"}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows?limit=0", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows?limit=251", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows?page=0", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows?page=99999999999", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/executions?after=yesterday", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows?search=%00", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows/%00", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/workflows/x/versions/99999999999", {}, 400, "VALIDATION_ERROR"),
        ("POST", "/executions/stop", {"json": {"ids": []}}, 400, "VALIDATION_ERROR"),
        ("POST", "/executions/stop", {"json": {"ids": ["x"] * 251}}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_poor_calls_are_refused_with_their_code(
    owner: Client, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    assert await owner.refusal(method, path, **options) == (status, code)


async def test_faulty_fields_are_named(owner: Client) -> None:
    answer = await owner.post("/credentials", json={"name": "", "type": 7})
    fields = {each["field"] for each in answer.json()["error"]["details"]["fields"]}
    assert fields == {"name", "type"}


@pytest.mark.parametrize("path", ["/credentials", "/variables", "/auth/login", "/data-tables"])
@pytest.mark.parametrize(
    ("body", "words", "column"),
    [
        (b'{"name": }', "Malformed JSON", 10),
        (b'{"name": "\xff"}', "not UTF-8", 11),
        (b'{"name": NaN}', "Malformed JSON", 10),
        (b"[" * 201 + b"]" * 201, "nested over 200 levels", 201),
    ],
    ids=["malformed", "not-utf-8", "nan", "deep"],
)
async def test_what_is_no_json_is_named_with_its_place(
    owner: Client, path: str, body: bytes, words: str, column: int
) -> None:
    answer = await owner.post(path, content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert words in error["message"]
    assert error["details"] == {"line": 1, "column": column}


@pytest.mark.parametrize("path", ["/workflows", "/credentials"])
async def test_large_bodies_are_refused_while_they_stream(owner: Client, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 128:
            sent += 1
            yield b" " * 1024 * 1024

    headers = {"Content-Type": "application/json"}
    refusal = await owner.refusal("POST", path, content=endless(), headers=headers)
    assert refusal == (413, "TOO_LARGE")
    assert sent < 128


async def test_security_headers_are_on_every_answer(owner: Client, world: World) -> None:
    stranger = world.client()
    for answer in (
        await owner.get("/auth/me"),
        await stranger.get("/auth/me"),
        await owner.get("/nowhere"),
        await owner.get("http://weft.test/"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"]
        assert "access-control-allow-origin" not in answer.headers
    page = await owner.get("http://weft.test/some/page")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_signing_in_gives_tokens_and_a_cookie_for_browsers(owner: Client, world: World) -> None:
    me = await owner.data("GET", "/auth/me")
    client = world.client()
    answer = await client.post("/auth/login", json={"email": me["email"], "password": PASSWORD})
    session = answer.json()["data"]
    cookie = answer.headers["set-cookie"].lower()
    for word in ("httponly", "samesite=strict", "path=/api/v1/auth", "max-age=604800"):
        assert word in cookie
    assert (session["token_type"], session["expires_in"]) == ("Bearer", 900)
    renewed = await client.post("/auth/refresh")  # by the cookie
    assert renewed.status_code == 200
    assert renewed.json()["data"]["user"]["id"] == me["id"]
    client.cookies.clear()
    old = {"refresh_token": session["refresh_token"]}
    assert await client.refusal("POST", "/auth/refresh", json=old) == (401, "UNAUTHENTICATED")
    client.sign(renewed.json()["data"])
    out = await client.post("/auth/logout?everywhere=true")
    assert out.status_code == 200
    fresh = {"refresh_token": renewed.json()["data"]["refresh_token"]}
    assert await client.refusal("POST", "/auth/refresh", json=fresh) == (401, "UNAUTHENTICATED")
    anonymous = world.client()
    assert await anonymous.refusal("POST", "/auth/logout?everywhere=true") == (401, "UNAUTHENTICATED")


async def test_ones_account_is_looked_after(world: World) -> None:
    client = await world.user("carl@example.org")
    assert (await client.data("PATCH", "/auth/me", json={"first_name": "Carl"}))["first_name"] == "Carl"
    body = {"current_password": "wrong passphrase", "new_password": "another passphrase"}
    assert await client.refusal("POST", "/auth/change-password", json=body) == (403, "FORBIDDEN")
    await client.data("POST", "/auth/change-password", json={**body, "current_password": PASSWORD})
    login = {"email": "carl@example.org", "password": "another passphrase"}
    assert (await client.data("POST", "/auth/login", json=login))["user"]["first_name"] == "Carl"
    assert (await client.data("GET", "/auth/setup"))["needs_owner"] is False


async def test_look_ups_at_services_are_counted_by_user_and_project(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "LOOK_UPS_PER_MINUTE", 3)
    body = {"loader": "table", "project_id": str(uuid4())}
    answers = [await owner.post("/nodes/postgres/options", json=body) for _ in range(5)]
    assert [each.status_code == 429 for each in answers] == [False, False, False, True, True]
    assert int(answers[-1].headers["retry-after"]) >= 1
    own = {"loader": "timezones", "project_id": body["project_id"]}
    assert (await owner.post("/nodes/wait/options", json=own)).status_code == 200
    other = await owner.post("/nodes/postgres/options", json={**body, "project_id": str(uuid4())})
    assert other.status_code != 429


async def test_sign_ins_are_counted_by_address(owner: Client, world: World) -> None:
    client = world.client()
    body = {"email": "nobody@example.org", "password": "wrong passphrase"}
    answers = [await client.post("/auth/login", json=body) for _ in range(12)]
    last = answers[-1]
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) >= 1
    assert last.json()["error"]["code"] == "RATE_LIMITED"
    other = await world.client().post("/auth/login", json={**body, "email": "someone@example.org"})
    assert other.status_code == 401


async def test_keys_call_with_their_scopes_only(owner: Client, world: World) -> None:
    workflow = await owner.data("POST", "/workflows", json=document())
    made = await owner.data("POST", "/api-keys", json={"name": "reader", "scopes": ["workflow:read"]})
    client = world.client()
    client.headers["X-API-Key"] = made["key"]
    path = f"/workflows/{workflow['id']}"
    assert (await client.data("GET", path))["id"] == workflow["id"]
    assert await client.data("GET", "/workflows")
    for method, other, body in (
        ("DELETE", path, None),
        ("PUT", path, document()),
        ("POST", f"{path}/execute", {}),
        ("GET", "/credentials", None),
        ("GET", "/executions", None),
        ("GET", "/variables", None),
        ("GET", "/tags", None),
        ("POST", "/api-keys", {"name": "more"}),
        ("GET", "/api-keys", None),
        ("PATCH", "/auth/me", {"first_name": "X"}),
        ("POST", "/auth/change-password", {"current_password": PASSWORD, "new_password": "x" * 20}),
        ("POST", "/auth/logout?everywhere=true", None),
    ):
        assert await client.refusal(method, other, json=body) == (403, "FORBIDDEN"), (method, other)
    listed = await owner.data("GET", "/api-keys")
    assert [(key["name"], "key" in key) for key in listed] == [("reader", False)]
    await owner.data("DELETE", f"/api-keys/{made['id']}")
    client.headers["X-API-Key"] = made["key"][:-1] + "?"
    assert await client.refusal("GET", path) == (401, "UNAUTHENTICATED")


async def test_a_key_ends_when_it_says(owner: Client) -> None:
    late = {"name": "late", "expires_at": "2001-01-01T00:00:00Z"}
    assert await owner.refusal("POST", "/api-keys", json=late) == (400, "VALIDATION_ERROR")
    made = await owner.data("POST", "/api-keys", json={**late, "expires_at": "2999-01-01T00:00:00+02:00"})
    assert made["expires_at"] == "2998-12-31T22:00:00.000000Z"
    await owner.data("DELETE", f"/api-keys/{made['id']}")
    assert await owner.refusal("DELETE", f"/api-keys/{made['id']}") == (404, "NOT_FOUND")


async def test_credentials_and_variables_over_http(owner: Client) -> None:
    body = {"name": "Login", "type": "httpBasicAuth", "data": {"user": "u", "password": "s3cr3t"}}
    made = await owner.data("POST", "/credentials", json=body)
    path = f"/credentials/{made['id']}"
    changed = await owner.data("PUT", path, json={"name": "New", "data": {"password": "0ther-s3cr3t"}})
    assert changed["name"] == "New"
    for answer in (await owner.get(path), await owner.get("/credentials?search=new&type=httpBasicAuth")):
        assert "New" in answer.text
        assert "s3cr3t" not in answer.text
    await owner.data("PATCH", path, json={"data": {"user": "ada"}})
    found = await owner.data("GET", path)
    assert (found["name"], found["data"], found["secret_fields"]) == ("New", {"user": "ada"}, ["password"])
    await owner.data("DELETE", path)
    assert await owner.refusal("GET", path) == (404, "NOT_FOUND")

    await owner.data("POST", "/variables", json={"key": "region", "value": "eu"})
    assert await owner.refusal("POST", "/variables", json={"key": "region"}) == (409, "CONFLICT")
    await owner.data("PUT", "/variables/region", json={"value": "us", "is_secret": True})
    listed = await owner.data("GET", "/variables")
    assert [(each["key"], each["value"], each["project_id"]) for each in listed] == [
        ("region", "", owner.project)
    ]
    await owner.data("DELETE", "/variables/region")
    assert await owner.refusal("POST", "/variables", json={"key": "a b"}) == (400, "VALIDATION_ERROR")


async def test_routes_and_ticks_are_ones_own(owner: Client, stranger: Client) -> None:
    made = await owner.data("POST", "/workflows", json=document(path="seen-by-owner"))
    await owner.data("POST", f"/workflows/{made['id']}/activate")

    async def paths(client: Client) -> set[str]:
        return {hook["path"] for hook in await client.data("GET", "/webhooks")}

    async with asyncio.timeout(60):  # the ingress hears of it by an event
        while "seen-by-owner" not in await paths(owner):
            await asyncio.sleep(0.02)
    assert await paths(stranger) == set()
    assert await stranger.data("GET", "/schedules") == []


async def test_a_file_of_the_page_never_leaves_its_folder(world: World) -> None:
    client = world.client()
    for path in ("/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"):
        answer = await client.get(f"http://weft.test{path}")
        assert "root:" not in answer.text
    answer = await client.get("http://weft.test/api/none")
    assert answer.json()["error"]["code"] == "NOT_FOUND"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(pg_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """An installation that allows three calls a minute and has a small page."""
    home = tmp_path_factory.mktemp("strict")
    page = home / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>the page")
    (page / "assets" / "a.js").write_text("1")
    made = await World(pg_server.create_database(f"t{uuid4().hex}"), home).boot(
        calls_per_minute=3, web_root=page, secure_cookies=True
    )
    yield made
    await made.close()


async def test_calls_are_counted_by_user(strict: World) -> None:
    client = await strict.user("busy@example.org")
    answers = [await client.get("/auth/me") for _ in range(5)]
    assert answers[0].headers["ratelimit-limit"] == "3"
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["error"]["code"] == "RATE_LIMITED"
    assert answers[-1].headers["x-request-id"]
    cookie = next(iter(client.cookies.jar))
    assert cookie.secure


async def test_the_page_is_served_with_its_files(strict: World) -> None:
    client = strict.client()
    for path in ("/", "/workflows/7", "/index.html"):
        answer = await client.get(f"http://weft.test{path}")
        assert answer.text == "<!doctype html>the page"
        assert answer.headers["cache-control"] == "no-cache"
    asset = await client.get("http://weft.test/assets/a.js")
    assert "immutable" in asset.headers["cache-control"]
    assert "javascript" in asset.headers["content-type"]
    Path(strict.home / "page" / "index.html").unlink()
    assert "make build" in (await client.get("http://weft.test/")).text


async def test_every_endpoint_is_documented(owner: Client) -> None:
    document = (await owner.get("http://weft.test/api/openapi.json")).json()
    assert document["components"]["securitySchemes"].keys() == {"HTTPBearer", "APIKeyHeader"}
    names = set()
    for path, methods in document["paths"].items():
        assert path.startswith("/api/v1/"), path
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["tags"], where
            assert operation["operationId"] not in names, where
            names.add(operation["operationId"])
            answers = operation["responses"]
            assert {"400", "403", "404", "429"} <= answers.keys(), where
            assert "422" not in answers, where
            content = next(each for status, each in answers.items() if status < "300")["content"]
            assert all(each.get("schema") or kind != "application/json" for kind, each in content.items()), (
                where
            )
            if method in {"put", "patch"}:
                assert operation["requestBody"]["content"], where
    assert len(names) > 55
    docs = await owner.get("http://weft.test/api/docs")
    assert docs.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', docs.text)
    assert not [path for path in loaded if "//" in path]  # nothing from elsewhere
    assets = [path for path in loaded if "assets" in path]
    assert len(assets) == 2
    for path in assets:
        assert (await owner.get(f"http://weft.test{path}")).status_code == 200

"""Calls, from the socket to the command on the bus and back."""

import asyncio
import base64
import hmac
import io
import json
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from weft_contracts import messages
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import (
    CredentialChanged,
    Envelope,
    ResumeExecution,
    Route,
    StartExecution,
    WebhookReply,
    WorkflowDeleted,
)
from weft_contracts.payload import BINARY, Payload
from weft_contracts.pb import orchestrator_pb2
from weft_contracts.pb import webhook_ingress_pb2 as pb
from weft_contracts.pb import workflow_store_pb2 as store
from weft_kit import items
from weft_kit.http import serve_http
from weft_kit.rpc import Caller, current
from weft_webhook_ingress import bootstrap
from weft_webhook_ingress.adapters.postgres import PostgresCalls
from weft_webhook_ingress.domain.hook import Owner

pytestmark = pytest.mark.integration
World = Any
JSON = {"content-type": "application/json"}
MakeRoute = Callable[..., Route]


def finished(outputs: Any) -> Callable[[StartExecution], WebhookReply]:
    payload = items.encode_outputs(outputs)
    return lambda start: WebhookReply(start.execution_id, "finished", body=payload)


async def test_the_item_says_everything_about_the_call(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("u/:id"))
    answer = await world.call(
        "POST", "/webhook/u/a%20b/?q=1&q=2&f[x]=y", json={"n": 1}, headers={"X-Own": "v"}
    )
    assert (answer.status_code, answer.json()) == (200, {"message": "Workflow was started"})
    item = (await world.item())["json"]
    assert (item["params"], item["query"], item["body"]) == (
        {"id": "a b"},
        {"q": ["1", "2"], "f": {"x": "y"}},
        {"n": 1},
    )
    assert item["headers"]["x-own"] == "v"
    assert (item["webhookUrl"], item["executionMode"]) == ("http://weft.test/webhook/u/:id", "production")
    start = await world.started()
    assert answer.headers["x-weft-execution-id"] == start.execution_id
    assert (start.workflow_id, start.version_id, start.project_id, start.mode) == (
        "w1",
        "v1",
        "p1",
        "webhook",
    )


async def test_unknown_addresses_are_asked_for_once_and_say_what_is_there(
    world: World, made_route: MakeRoute
) -> None:
    await world.publish(made_route("a", "POST"))
    before = world.played.asked
    for _ in range(3):
        answer = await world.call("GET", "/webhook/nothing")
        assert answer.status_code == 404
        assert answer.json()["message"] == 'The requested webhook "GET nothing" is not registered.'
    assert world.played.asked == before + 1
    answer = await world.call("GET", "/webhook/a")
    assert "Did you mean to make a POST request?" in answer.json()["message"]
    assert (await world.call("GET", "/other/a")).status_code == 404
    assert world.commands == []


async def test_a_route_that_only_the_store_knows_answers(world: World, made_route: MakeRoute) -> None:
    import msgspec

    row = store.Route(
        workflow_id="w9",
        project_id="p1",
        version_id="v9",
        seq=3,
        route=msgspec.json.encode(made_route("late", "GET")),
    )
    world.played.routes = [row]
    assert (await world.call("GET", "/webhook/late")).status_code == 200
    assert (await world.started()).workflow_id == "w9"
    world.played.routes = []
    await world.service._routes.load()
    assert (await world.call("GET", "/webhook/late")).status_code == 404


async def test_news_take_routes_away(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a", "GET"))
    event = WorkflowDeleted("w1", "p1", 99)
    await world.service._routes.changed(Envelope("x", event))
    assert (await world.call("GET", "/webhook/a")).status_code == 404


async def test_basic_authentication(world: World, made_route: MakeRoute) -> None:
    world.played.secrets["p1", "c1"] = {"user": "ada", "password": "ü:1"}
    await world.publish(
        made_route("a", "GET", authentication="basicAuth", credentials={"httpBasicAuth": "c1"})
    )
    answer = await world.call("GET", "/webhook/a")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="Webhook"')
    good = base64.b64encode("ada:ü:1".encode()).decode()
    bad = base64.b64encode(b"ada:2").decode()
    expected = {
        f"Basic {good}": 200,
        f"basic {good}": 200,
        f"Basic {bad}": 403,
        "Basic !": 401,
        "Bearer x": 401,
    }
    for value, status in expected.items():
        answer = await world.call("GET", "/webhook/a", headers={"Authorization": value})
        assert answer.status_code == status, value
    assert len(world.commands) == 2


async def test_header_authentication_follows_the_credential(world: World, made_route: MakeRoute) -> None:
    world.played.secrets["p1", "c1"] = {"name": "X-Key", "value": "one"}
    await world.publish(
        made_route("a", "GET", authentication="headerAuth", credentials={"httpHeaderAuth": "c1"})
    )
    for value, status in {"one": 200, "two": 403}.items():
        assert (await world.call("GET", "/webhook/a", headers={"x-key": value})).status_code == status
    world.played.secrets["p1", "c1"] = {"name": "X-Key", "value": "two"}
    await world.service._infra.bus.submit(
        "credential.events", Envelope("x", CredentialChanged("c1", "p1", "updated"))
    )
    async with asyncio.timeout(10):
        while (await world.call("GET", "/webhook/a", headers={"x-key": "two"})).status_code != 200:
            await asyncio.sleep(0.01)
    assert (await world.call("GET", "/webhook/a", headers={"x-key": "one"})).status_code == 403


def confused(public: str) -> str:
    """A token whose HMAC has the public key as secret."""
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"HS256"}', b'{"sub":"x"}')]
    mac = hmac.digest(public.encode(), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


@pytest.mark.parametrize(
    ("kind", "secret", "headers"),
    [
        ("headerAuth", {"name": "X-Key", "value": ""}, {}),
        ("basicAuth", {"user": "", "password": ""}, {"authorization": "Basic Og=="}),
        ("jwtAuth", {"secret": "", "publicKey": "unused"}, {"authorization": f"Bearer {confused('')}"}),
    ],
)
async def test_empty_credentials_let_nobody_in(
    world: World, made_route: MakeRoute, kind: str, secret: dict[str, str], headers: dict[str, str]
) -> None:
    world.played.secrets["p1", "c1"] = secret
    names = {"headerAuth": "httpHeaderAuth", "basicAuth": "httpBasicAuth", "jwtAuth": "jwtAuth"}
    await world.publish(made_route("a", "GET", authentication=kind, credentials={names[kind]: "c1"}))
    assert (await world.call("GET", "/webhook/a", headers=headers)).status_code == 500
    assert world.commands == []


async def test_a_credential_that_is_changed_while_it_is_read_is_read_again(
    world: World, made_route: MakeRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.played.secrets["p1", "c1"] = {"name": "X-Key", "value": "one"}
    await world.publish(
        made_route("a", "GET", authentication="headerAuth", credentials={"httpHeaderAuth": "c1"})
    )
    decrypt, reading, go_on = world.played.Decrypt, asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:
        answer = await decrypt(request)
        reading.set()
        await go_on.wait()
        return answer

    monkeypatch.setattr(world.played, "Decrypt", slow)
    early = asyncio.create_task(world.call("GET", "/webhook/a", headers={"x-key": "one"}))
    await reading.wait()
    world.played.secrets["p1", "c1"] = {"name": "X-Key", "value": "two"}
    changed = Envelope("x", CredentialChanged("c1", "p1", "updated"))
    await world.service.asgi._guard.changed(changed)
    go_on.set()
    assert (await early).status_code == 200
    assert (await world.call("GET", "/webhook/a", headers={"x-key": "one"})).status_code == 403


async def test_a_credential_opens_only_hooks_of_its_project(world: World, made_route: MakeRoute) -> None:
    world.played.secrets["p1", "c1"] = {"name": "X-Key", "value": "one"}
    hook = {"authentication": "headerAuth", "credentials": {"httpHeaderAuth": "c1"}}
    await world.publish(made_route("a", "GET", **hook))
    await world.publish(made_route("b", "GET", **hook), workflow="w2", project="p2")
    assert (await world.call("GET", "/webhook/a", headers={"x-key": "one"})).status_code == 200
    assert (await world.call("GET", "/webhook/b", headers={"x-key": "one"})).status_code == 500


async def test_tokens(world: World, made_route: MakeRoute) -> None:
    pair = ECKey.generate_key("P-256")
    public = pair.as_pem(private=False).decode()
    world.played.secrets["p1", "shared"] = {"secret": "s" * 40, "algorithm": "HS256"}
    world.played.secrets["p1", "pem"] = {"keyType": "pemKey", "publicKey": public, "algorithm": "ES256"}
    for name in ("shared", "pem"):
        await world.publish(
            made_route(name, "GET", authentication="jwtAuth", credentials={"jwtAuth": name}), workflow=name
        )
    shared = OctKey.import_key("s" * 40)
    now = int(time.time())

    def signed(key: Any, algorithm: str, **claims: Any) -> str:
        return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])

    cases = [
        ("shared", signed(shared, "HS256", sub="x"), 200),
        ("shared", signed(shared, "HS512", sub="x"), 403),
        ("shared", signed(shared, "HS256", exp=now - 100), 403),
        ("shared", signed(OctKey.import_key("t" * 40), "HS256"), 403),
        ("shared", "abc", 403),
        ("pem", signed(pair, "ES256", sub="x"), 200),
        ("pem", confused(public), 403),
    ]
    for path, token, status in cases:
        answer = await world.call("GET", f"/webhook/{path}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, (path, token)
    assert (await world.call("GET", "/webhook/shared")).status_code == 401


async def test_hooks_that_name_no_credential_let_nobody_in(world: World, made_route: MakeRoute) -> None:
    await world.publish(
        made_route("a", "GET", authentication="basicAuth"),
        made_route("b", "GET", authentication="headerAuth", credentials={"httpHeaderAuth": "gone"}),
        made_route("c", "GET", authentication="unheardOf"),
    )
    for path in "abc":
        assert (await world.call("GET", f"/webhook/{path}")).status_code == 500
    assert world.commands == []


async def test_addresses_and_bots(world: World, made_route: MakeRoute) -> None:
    await world.publish(
        made_route("a", "GET", options={"ipWhitelist": "10.0.0.0/8, 1.2.3.4, 2001:db8::/32, bad"}),
        made_route("b", "GET", options={"ignoreBots": True}),
    )
    callers = {"10.9.9.9": 200, "1.2.3.4": 200, "1.2.3.5": 403, "2001:db8::1": 200, "no address": 403}
    for client, status in callers.items():
        assert (await world.call("GET", "/webhook/a", client=client)).status_code == status, client
    for agent, status in {"Googlebot/2.1": 403, "curl/8": 200}.items():
        answer = await world.call("GET", "/webhook/b", headers={"User-Agent": agent})
        assert answer.status_code == status


async def test_cross_origin_calls(world: World, made_route: MakeRoute) -> None:
    await world.publish(
        made_route("any", "POST"), made_route("some", "POST", options={"allowedOrigins": "https://a.example"})
    )
    asked = {"Origin": "https://a.example", "Access-Control-Request-Headers": "x-own"}
    answer = await world.call("OPTIONS", "/webhook/some", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert answer.headers["access-control-allow-headers"] == "x-own"
    for path, origin, allowed in [
        ("any", "https://b.example", "https://b.example"),
        ("some", "https://a.example", "https://a.example"),
        ("some", "https://b.example", None),
    ]:
        answer = await world.call("POST", f"/webhook/{path}", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed


async def test_head_runs_what_get_runs_without_a_body(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a", "GET"))
    answer = await world.call("HEAD", "/webhook/a")
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(world.commands) == 1


async def test_raw_bodies_and_uploads_are_stored(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("raw", options={"rawBody": True}), made_route("form"))
    assert (await world.call("POST", "/webhook/raw", content=b'{"a": 1}', headers=JSON)).is_success
    item = await world.item()
    assert item["json"]["body"] == {"a": 1}
    assert b64decode(item["binary"]["data"]["data"]) == b'{"a": 1}'
    files = {"pic": ("../../etc/x.png", b"PNG" * 2000, "image/png")}
    assert (await world.call("POST", "/webhook/form", data={"name": "Ada"}, files=files)).is_success
    item = await world.item()
    entry = item["binary"]["pic"]
    assert item["json"]["body"] == {"name": "Ada"}
    assert (entry["mimeType"], entry["fileExtension"], entry["bytes"]) == ("image/png", "png", 6000)
    assert ".." not in entry["id"]
    assert entry["id"].startswith(f"{(await world.started()).execution_id}/files/")
    assert await world.blobs.get(entry["id"]) == b"PNG" * 2000


async def test_bodies_over_the_claim_check_travel_by_reference(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a"))
    assert (await world.call("POST", "/webhook/a", json={"text": "x" * 290_000})).is_success
    start = await world.started()
    assert start.trigger.ref
    assert start.trigger.data == b""
    assert len((await world.item())["json"]["body"]["text"]) == 290_000


async def test_bodies_over_the_limit_and_bodies_that_are_no_json_start_nothing(
    world: World, made_route: MakeRoute
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    await world.publish(made_route("a"))
    for kind, content, limit in (
        ("application/json", b"x" * 300_001, 300_000),
        ("application/json", pieces(), 300_000),
        ("image/png", b"x" * 300_001, 300_000),
        ("image/png", pieces(), 300_000),
        ("multipart/form-data; boundary=b", b"x" * 360_001, 360_000),
    ):
        answer = await world.call("POST", "/webhook/a", content=content, headers={"content-type": kind})
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        assert answer.json()["message"] == f"The body is larger than {limit} bytes."
    assert not [path for path in world.blobs.folder.rglob("*") if path.is_file()]
    answer = await world.call("POST", "/webhook/a", content=b'{"a": }', headers=JSON)
    assert answer.status_code == 422
    assert "line 1, column 7" in answer.json()["message"]
    assert world.commands == []


async def test_a_body_declared_far_too_large_is_not_read_at_all(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a"))
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", b"99999999999")]
    scope = {"type": "http", "method": "POST", "path": "/webhook/a", "headers": headers, "query_string": b""}
    await world.service.asgi(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_a_key_makes_a_repeat_the_same_execution(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a"), made_route("b"))
    ids = []
    for path, key in [("a", "k1"), ("a", "k1"), ("a", "k2"), ("a", None), ("a", None)]:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await world.call("POST", f"/webhook/{path}", headers=headers)
        ids.append(answer.headers["x-weft-execution-id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert await world.service._calls.first_accepted("w1", "Webhook", "k1", 5) > 5
    await world.service._calls.forget(time.time_ns() // 1_000_000 + 3 * 86_400_000)
    assert await world.service._calls.first_accepted("w1", "Webhook", "k1", 5) == 5


async def test_a_key_that_is_too_long_is_refused(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a"))
    key = "".join(new_id() for _ in range(200))
    answer = await world.call("POST", "/webhook/a", headers={"idempotency-key": key})
    assert (answer.status_code, world.commands) == (400, [])


async def test_keys_are_forgotten_while_the_service_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = world.service._calls
    now = time.time_ns() // 1_000_000
    await calls.first_accepted("w1", "Webhook", "old", now - 3 * 86_400_000)
    await world.service.stop()
    monkeypatch.setattr(bootstrap, "FORGET_SECONDS", 0.01)
    await world.service.start()
    async with asyncio.timeout(10):
        while await calls.first_accepted("w1", "Webhook", "old", now) != now:
            await asyncio.sleep(0.01)
    await calls.first_accepted("w1", "Webhook", "other", now - 3 * 86_400_000)
    async with asyncio.timeout(10):
        while await calls.first_accepted("w1", "Webhook", "other", now) != now:
            await asyncio.sleep(0.01)


async def test_a_bus_that_is_full_is_said_with_a_time_to_come_again(
    world: World, made_route: MakeRoute
) -> None:
    await world.publish(made_route("now"), made_route("last", responseMode="lastNode"))

    def refuse(*_: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(WeftError(ErrorCode.UNAVAILABLE, "busy"))
        return future

    world.bus.submit = refuse
    for path in ("now", "last"):
        answer = await world.call("POST", f"/webhook/{path}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_the_last_nodes_items_answer(world: World, made_route: MakeRoute) -> None:
    options = {"responseHeaders": {"entries": [{"name": "X-Own", "value": "v"}]}}
    await world.publish(
        made_route("first", responseMode="lastNode", options=options),
        made_route("all", responseMode="lastNode", responseData="allEntries", version=1, responseCode=201),
    )
    world.answer = finished([[{"json": {"a": 1}}, {"json": {"a": 2}}]])
    answer = await world.call("POST", "/webhook/first")
    assert (answer.json(), answer.headers["x-own"]) == ({"a": 1}, "v")
    answer = await world.call("POST", "/webhook/all")
    assert (answer.status_code, answer.json()) == (201, [{"a": 1}, {"a": 2}])


async def test_files_answer(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("f", responseMode="lastNode", responseData="firstEntryBinary"))
    await world.blobs.put("e/files/k", b"PDF" * 100_000)
    entry = {"id": "e/files/k", "mimeType": "application/pdf"}
    world.answer = finished([[{"json": {}, "binary": {"data": entry}}]])
    answer = await world.call("POST", "/webhook/f")
    assert (answer.content, answer.headers["content-type"]) == (b"PDF" * 100_000, "application/pdf")
    assert "content-security-policy" not in answer.headers
    world.answer = finished([[{"json": {}, "binary": {"data": {**entry, "id": "e/files/gone"}}}]])
    assert (await world.call("POST", "/webhook/f")).status_code == 500


async def test_a_file_that_breaks_off_closes_the_connection(
    world: World, made_route: MakeRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise WeftError(ErrorCode.UNAVAILABLE, "The blob store can't be used.")
            return super().read(size)

    @asynccontextmanager
    async def opened(_: str) -> AsyncIterator[io.BytesIO]:
        yield Broken(b"PDF" * 100_000)

    monkeypatch.setattr(world.blobs, "open", opened)
    await world.publish(made_route("f", responseMode="lastNode", responseData="firstEntryBinary"))
    entry = {"id": "e/files/k", "mimeType": "application/pdf"}
    world.answer = finished([[{"json": {}, "binary": {"data": entry}}]])
    server = await serve_http(world.service.asgi)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as http:
            with pytest.raises(httpx.RemoteProtocolError):
                await http.post("/webhook/f")
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "kind",
    [
        "text/html; charset=utf-8",
        "TEXT/HTML",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xsl",
        "multipart/x-mixed-replace; boundary=b",
        "text/javascript",
        "application/json, text/html",
        "application/json; x=,text/html",
        "",
        "nothing",
    ],
)
async def test_pages_of_workflows_run_in_an_origin_of_their_own(
    world: World, made_route: MakeRoute, kind: str
) -> None:
    await world.publish(made_route("r", responseMode="responseNode"))
    for body in (Payload(BINARY, b"<b>hi</b>", 9), Payload(BINARY, b"", 9, "e/files/page")):
        await world.blobs.put("e/files/page", b"<b>hi</b>")
        world.answer = lambda start, body=body: WebhookReply(
            start.execution_id, "response", 200, (("Content-Type", kind),), body
        )
        answer = await world.call("POST", "/webhook/r")
        assert answer.content == b"<b>hi</b>"
        assert answer.headers["content-security-policy"].startswith("sandbox ")
        assert "allow-same-origin" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_no_answer_changes_what_holds_at_its_origin(world: World, made_route: MakeRoute) -> None:
    """The editor may be at the same origin: its sign-in, and how browsers treat it, are not the workflow's."""
    await world.publish(made_route("r", responseMode="responseNode"))
    given = [
        ("Set-Cookie", "weft_refresh=another; Path=/api/v1/auth"),
        ("set-cookie", " weft_refresh =another"),
        ("Set-Cookie", "=weft_refresh=another"),
        ("Set-Cookie", "mine=1; Path=/webhook"),
        ("Clear-Site-Data", '"*"'),
        ("Strict-Transport-Security", "max-age=99999999"),
        ("Service-Worker-Allowed", "/"),
        ("X-Content-Type-Options", "none"),
        ("Content-Length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("X-Mine", "1"),
        ("Content-Type", "application/json"),
    ]
    body = Payload(BINARY, b'{"a":1}', 7)
    world.answer = lambda start: WebhookReply(start.execution_id, "response", 200, tuple(given), body)
    answer = await world.call("POST", "/webhook/r")
    assert answer.json() == {"a": 1}
    assert answer.headers.get_list("set-cookie") == ["mine=1; Path=/webhook"]
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("content-length") == ["7"]
    assert answer.headers["x-mine"] == "1"
    for name in (
        "clear-site-data",
        "strict-transport-security",
        "service-worker-allowed",
        "transfer-encoding",
    ):
        assert name not in answer.headers
    assert "content-security-policy" not in answer.headers


async def test_respond_nodes_and_runs_without_an_answer(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("r", responseMode="responseNode"))
    body = Payload(BINARY, b"<b>hi</b>", 9)
    replies = [
        (WebhookReply("", "response", 202, (("content-type", "text/html"),), body), 202, b"<b>hi</b>"),
        (WebhookReply("", "response", 200, (), items.encode({"a": 1})), 200, b'{"a":1}'),
        (WebhookReply("", "response", 200, (("x-name", "文"),), items.encode(1)), 200, b"1"),
        (WebhookReply("", "none"), 200, b'{"message":"Workflow executed successfully"}'),
        (WebhookReply("", "failed"), 500, b'{"message":"Error in workflow"}'),
    ]
    import msgspec

    for reply, status, content in replies:
        world.answer = lambda start, reply=reply: msgspec.structs.replace(
            reply, execution_id=start.execution_id
        )
        answer = await world.call("POST", "/webhook/r")
        assert (answer.status_code, answer.content) == (status, content)


async def test_a_lost_reply_is_asked_for(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a", responseMode="lastNode"))

    def lost(start: StartExecution) -> None:
        world.played.replies[start.execution_id] = finished([[{"json": {"late": True}}]])(start)

    world.answer = lost
    assert (await world.call("POST", "/webhook/a")).json() == {"late": True}


async def test_a_caller_who_hangs_up_is_forgotten_and_silence_ends(
    world: World, made_route: MakeRoute
) -> None:
    await world.publish(made_route("a", "GET", responseMode="lastNode"))
    world.service.asgi._seconds = 0.01
    answer = await world.call("GET", "/webhook/a")
    assert answer.status_code == 504
    world.service.asgi._seconds = 60

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "GET", "path": "/webhook/a", "headers": [], "query_string": b""}
    await asyncio.wait_for(world.service.asgi(scope, receive, send), 30)
    assert world.service._replies._waiting == {}


DOCUMENT = {
    "nodes": [
        {
            "name": "Webhook",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "parameters": {"httpMethod": "POST", "path": "t/:id"},
            "webhookId": "x",
        }
    ],
    "connections": {},
}


def listen(**more: Any) -> pb.ListenRequest:
    values = {
        "workflow_id": "w1",
        "version_id": "d1",
        "project_id": "p1",
        "document": json.dumps(DOCUMENT).encode(),
    }
    return pb.ListenRequest(**{**values, **more})


async def test_a_test_address_catches_one_call_and_tells_the_editor(world: World) -> None:
    token = current.set(Caller("ada"))
    path = "/webhook-test/t/7"
    assert (await world.call("POST", path)).status_code == 404
    answer = await world.webhooks.Listen(listen())
    assert answer.webhooks[0].url.startswith("http://weft.test/webhook-test/")
    address = answer.webhooks[0].url.removeprefix("http://weft.test").replace(":id", "7")
    assert (await world.call("GET", address)).status_code == 404
    assert (await world.call("POST", address, json={"a": 1})).is_success
    start = await world.started()
    assert (start.mode, start.version_id) == ("manual", "d1")
    assert (await world.item())["json"]["executionMode"] == "test"
    (heard,) = world.heard
    assert isinstance(heard, messages.TestCallReceived)
    assert heard.execution_id == start.execution_id
    answer = await world.call("POST", address)
    assert answer.status_code == 404
    assert "Listen for test event" in answer.json()["hint"]
    await world.webhooks.Listen(listen())
    await world.webhooks.StopListening(pb.StopListeningRequest(workflow_id="w1", project_id="p1"))
    assert (await world.call("POST", address)).status_code == 404
    current.reset(token)


async def test_listening_and_lists_ask_what_the_caller_may(world: World, made_route: MakeRoute) -> None:
    await world.publish(made_route("a", "GET"))
    await world.publish(made_route("b", "GET"), workflow="w2", project="p2")
    token = current.set(Caller("ada"))
    listed = await world.webhooks.List(pb.ListWebhooksRequest(project_ids=["p1", "p2"]))
    assert [each.path for each in listed.webhooks] == ["a"]
    with pytest.raises(WeftError) as caught:
        await world.webhooks.Listen(listen(project_id="p2"))
    assert caught.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(WeftError) as caught:
        await world.webhooks.Listen(listen(document=b'{"nodes": []}'))
    assert caught.value.code is ErrorCode.VALIDATION_ERROR
    current.reset(token)


async def test_a_test_address_is_not_taken_from_another_project(world: World, made_route: MakeRoute) -> None:
    calls, (route,) = PostgresCalls(world.database), [made_route("shared", "POST")]
    await calls.listen(Owner("w1", "p1", "v"), [route], "ada", 60)
    await calls.listen(Owner("w2", "p1", "v"), [route], "ada", 0)  # of the same project; at its end already
    await calls.listen(Owner("w3", "p2", "v"), [route], "bob", 60)
    with pytest.raises(WeftError) as caught:
        await calls.listen(Owner("w1", "p1", "v"), [route], "ada", 60)
    assert caught.value.code is ErrorCode.CONFLICT
    ((owner, _),) = await calls.listeners("POST")
    assert owner.workflow_id == "w3"


async def test_a_waiting_execution_is_woken_by_its_token_only(world: World) -> None:
    wait = orchestrator_pb2.GetWaitResponse(
        waiting=True, node="Wait", run_index=1, token="good", project_id="p1", status="waiting"
    )
    world.played.waits["e1"] = wait
    for query, status in {"": 401, "?signature=bad": 401, "?signature=good&x=1": 200}.items():
        answer = await world.call("POST", f"/webhook-waiting/e1/after{query}", json={"a": 1})
        assert answer.status_code == status, query
    (command,) = world.commands
    assert isinstance(command, ResumeExecution)
    assert (command.execution_id, command.node, command.run_index, command.token) == ("e1", "Wait", 1, "good")
    assert command.data is not None
    item = items.decode(command.data)[0][0]["json"]
    assert (item["body"], item["query"]["x"]) == ({"a": 1}, "1")
    assert (await world.call("GET", "/webhook-waiting/unknown")).status_code == 404
    for state in ("success", "running"):
        world.played.waits["e2"] = orchestrator_pb2.GetWaitResponse(status=state)
        assert (await world.call("GET", "/webhook-waiting/e2?signature=good")).status_code == 409

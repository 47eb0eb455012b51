"""Credentials are tried and connected, at a provider that authlib's server side plays; nodes use what it gives."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from weft_kit.testing.servers import Postgres

from services.gateway.tests.gateway_world import Client, World, node
from tests.harness.oauth_provider import KEY, Provider

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
PUBLIC = "http://weft.test"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as made:
        paths = ("oauth2-credential", "oauth1-credential")
        made.client.redirect_uris = [f"{PUBLIC}/rest/{path}/callback" for path in paths]
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    pg_server: Postgres, tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> AsyncIterator[World]:
    made = World(pg_server.create_database("t_sign_ins"), tmp_path_factory.mktemp("home"))
    await made.boot(net_allow=f"127.0.0.1:{provider.port}", public_url=PUBLIC)
    yield made
    await made.close()


@pytest.fixture(autouse=True)
def fresh(provider: Provider) -> None:
    provider.agrees, provider.seconds, provider.rotates, provider.pause = True, 3600, True, 0.0
    provider.tokens.clear()
    provider.asked.clear()


async def keep(owner: Client, data: dict[str, Any], kind: str = "oAuth2Api") -> str:
    body = {"name": "Provider", "type": kind, "data": data}
    return str((await owner.data("POST", "/credentials", json=body))["id"])


def browser(owner: Client) -> httpx.AsyncClient:
    """What comes back from the service: no token, the cookies only."""
    return httpx.AsyncClient(transport=owner._transport, base_url=PUBLIC, cookies=owner.cookies)


async def consent(url: str) -> str:
    """The user agrees (or not): where the service sends them."""
    async with httpx.AsyncClient() as service:
        return (await service.get(url)).headers["location"]


async def connect(owner: Client, credential: str) -> httpx.Response:
    url = (await owner.data("GET", f"/credentials/{credential}/oauth2/authorize"))["url"]
    async with browser(owner) as page:
        return await page.get(await consent(url))


async def connected(owner: Client, credential: str) -> bool:
    return (await owner.data("GET", f"/credentials/{credential}"))["connected_at"] is not None


async def call(
    owner: Client, credential: str, url: str, kind: str = "oAuth2Api", *, items: int = 1, **more: Any
) -> dict[str, Any]:
    """Runs an HTTP Request with the credential; the finished execution."""
    parameters = {"authentication": "genericCredentialType", "genericAuthType": kind, "url": url, **more}
    request = node("Call", "httpRequest", version=4.2, parameters=parameters)
    request["credentials"] = {kind: {"id": credential, "name": "x"}}
    code = f"return Array.from({{length: {items}}}, (_, index) => ({{json: {{index}}}}));"
    document = {
        "name": "Call",
        "nodes": [
            node("Start", "manualTrigger"),
            node("Many", "code", version=2, parameters={"jsCode": code}),
            request,
        ],
        "connections": {
            "Start": {"main": [[{"node": "Many", "type": "main", "index": 0}]]},
            "Many": {"main": [[{"node": "Call", "type": "main", "index": 0}]]},
        },
        "settings": {},
    }
    if items == 1:
        document["nodes"].pop(1)  # type: ignore[attr-defined]
        document["connections"] = {"Start": document["connections"]["Many"]}  # type: ignore[index]
    made = await owner.data("POST", "/workflows", json=document)
    run: dict[str, Any] = await owner.data("POST", f"/workflows/{made['id']}/execute?wait=60", json={})
    return run


async def answers(owner: Client, run: dict[str, Any]) -> list[Any]:
    assert run["status"] == "success", run
    found = await owner.data("GET", f"/executions/{run['id']}?include=data")
    return [item["json"] for item in found["node_data"]["Call"][0]["outputs"][0]]


async def test_a_consent_connects_and_a_node_uses_it(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential())
    assert not await connected(owner, credential)
    url = (await owner.data("GET", f"/credentials/{credential}/oauth2/authorize"))["url"]
    asked = parse_qs(urlsplit(url).query)
    assert asked["redirect_uri"] == [f"{PUBLIC}/rest/oauth2-credential/callback"]
    assert (asked["scope"], asked["prompt"]) == (["read write"], ["consent"])
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"]) == 1
    assert asked["state"] != ["mine"]
    page = await connect(owner, credential)
    assert page.status_code == 200
    assert "window.close()" in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    token = provider.tokens[-1].access_token
    assert token not in page.text
    for path in ("", "?limit=250"):
        answer = await owner.get(f"/credentials{path or f'/{credential}'}")
        assert token not in answer.text
        assert KEY not in answer.text
    assert await connected(owner, credential)
    of_a_service = {"authentication": "predefinedCredentialType", "nodeCredentialType": "oAuth2Api"}
    for more in ({}, of_a_service):
        run = await call(owner, credential, f"{provider.base}/me", **more)
        assert await answers(owner, run) == [{"name": "ada", "scope": "read write"}]


async def test_a_sign_in_is_for_one_browser_and_one_use(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential())
    url = (await owner.data("GET", f"/credentials/{credential}/oauth2/authorize"))["url"]
    back = await consent(url)
    async with httpx.AsyncClient(transport=owner._transport, base_url=PUBLIC) as other:
        assert (await other.get(back)).status_code == 400
    assert not await connected(owner, credential)
    async with browser(owner) as page:
        forged = await page.get("/rest/oauth2-credential/callback?code=x&state=<script>alert(1)</script>")
        assert forged.status_code == 400
        assert "<script>" not in forged.text
        first, second = await page.get(back), await page.get(back)
    assert (first.status_code, second.status_code) == (200, 400)
    assert await connected(owner, credential)


async def test_who_does_not_agree_is_told_so(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential())
    provider.agrees = False
    url = (await owner.data("GET", f"/credentials/{credential}/oauth2/authorize"))["url"]
    back = await consent(url)
    async with browser(owner) as page:
        answer = await page.get(back, headers={"Accept-Language": "de-DE"})
    assert answer.status_code == 400
    assert "Nicht verbunden" in answer.text
    assert "access_denied" in answer.text
    assert not await connected(owner, credential)
    tried = await owner.data("POST", f"/credentials/{credential}/test")
    assert not tried["ok"]
    assert "not connected" in tried["message"]


async def test_a_wrong_secret_is_named_and_never_shown(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential(clientSecret="wrong-secret"))
    page = await connect(owner, credential)
    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert "wrong-secret" not in page.text
    assert not await connected(owner, credential)


async def test_a_token_that_has_run_out_is_renewed_once_for_all(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential(authentication="body"))
    assert (await connect(owner, credential)).status_code == 200
    provider.expire()
    provider.asked.clear()
    provider.pause = 0.1
    runs = await asyncio.gather(*(call(owner, credential, f"{provider.base}/me", items=8) for _ in range(3)))
    for run in runs:
        assert len(await answers(owner, run)) == 8
    assert [form["grant_type"] for form in provider.asked] == ["refresh_token"]
    provider.expire()
    run = await call(owner, credential, f"{provider.base}/me")
    assert await answers(owner, run) == [{"name": "ada", "scope": "read write"}]
    assert len(provider.asked) == 2


async def test_two_runners_renew_once(owner: Client, provider: Provider, world: World) -> None:
    """The lease is in the database: whoever asks, wherever, one gets it."""
    from weft_contracts.rpc.workflow_store import Credentials
    from weft_node_runner.adapters.http import GuardedHttp
    from weft_node_runner.adapters.token_store import StoredTokens
    from weft_node_runner.application.tokens import Tokens
    from weft_node_sdk.catalogue import Catalogue
    from weft_node_sdk.credentials import tokens_of

    credential = await keep(owner, provider.credential())
    await connect(owner, credential)
    provider.asked.clear()
    provider.pause = 0.3
    stale = provider.tokens[-1].access_token
    definition = Catalogue.load().credential_type("oAuth2Api") or {}
    http = GuardedHttp([f"127.0.0.1:{provider.port}"])
    store = StoredTokens(world.rpc.client(Credentials))
    held = {**provider.credential(), "oauthTokenData": {"access_token": stale, "refresh_token": "known"}}
    runners = [Tokens(http, store) for _ in range(4)]
    found = await asyncio.gather(
        *(each.current(definition, credential, owner.project, held, stale) for each in runners)
    )
    await http.close()
    assert {tokens_of(secret)["access_token"] for secret in found} == {provider.tokens[-1].access_token}
    assert len(provider.asked) == 1


async def test_a_sign_in_that_can_t_be_renewed_asks_to_be_repeated(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential())
    await connect(owner, credential)
    for token in provider.tokens:
        token.revoked = True
    run = await call(owner, credential, f"{provider.base}/me")
    assert run["status"] == "error"
    assert "gives no token: invalid_grant" in run["error"]["message"]
    assert not (await owner.data("POST", f"/credentials/{credential}/test"))["ok"]


async def test_client_credentials_need_nobody(owner: Client, provider: Provider) -> None:
    data = provider.credential(
        grantType="clientCredentials",
        authentication="body",
        sendAdditionalBodyProperties=True,
        additionalBodyProperties='{"audience": "api"}',
    )
    credential = await keep(owner, data)
    run = await call(owner, credential, f"{provider.base}/me", items=4)
    assert len(await answers(owner, run)) == 4
    assert len(provider.asked) == 1
    assert provider.asked[0]["audience"] == "api"
    provider.expire()
    run = await call(owner, credential, f"{provider.base}/me")
    assert len(await answers(owner, run)) == 1
    assert (await owner.data("POST", f"/credentials/{credential}/test"))["ok"]
    body = {"type": "oAuth2Api", "data": data}
    assert (await owner.data("POST", "/credentials/test", json=body))["ok"]
    body["data"] = {**data, "clientSecret": "wrong"}
    tried = await owner.data("POST", "/credentials/test", json=body)
    assert not tried["ok"]
    assert "invalid_client" in tried["message"]
    assert await owner.refusal("GET", f"/credentials/{credential}/oauth2/authorize") == (
        400,
        "VALIDATION_ERROR",
    )


async def test_oauth1_connects_and_signs(owner: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.old_credential(), "oAuth1Api")
    page = await connect(owner, credential)
    assert page.status_code == 200, page.text
    assert await connected(owner, credential)
    more = {
        "method": "POST",
        "sendBody": True,
        "contentType": "form-urlencoded",
        "bodyParameters": {"parameters": [{"name": "status", "value": "a b&c=ü"}]},
        "sendQuery": True,
        "queryParameters": {"parameters": [{"name": "q", "value": "1 2"}]},
    }
    run = await call(owner, credential, f"{provider.base}/1/me", "oAuth1Api", **more)
    expected = {"name": "ada", "given": {"status": "a b&c=ü"}, "query": {"q": "1 2"}}
    assert await answers(owner, run) == [expected]
    run = await call(owner, credential, f"{provider.base}/1/me?x=a b%2Fc", "oAuth1Api")
    assert (await answers(owner, run))[0]["query"] == {"x": "a b/c"}


async def test_addresses_of_the_user_s_own_are_guarded(owner: Client, provider: Provider) -> None:
    metadata = "http://169.254.169.254/token"
    data = provider.credential(grantType="clientCredentials", accessTokenUrl=metadata)
    tried = await owner.data("POST", "/credentials/test", json={"type": "oAuth2Api", "data": data})
    assert not tried["ok"]
    assert "private network" in tried["message"]
    credential = await keep(owner, provider.credential(accessTokenUrl=metadata))
    page = await connect(owner, credential)
    assert page.status_code == 400
    assert "private network" in page.text
    for url in ("javascript:alert(1)", "", "data:text/html,x"):
        credential = await keep(owner, provider.credential(authUrl=url))
        assert await owner.refusal("GET", f"/credentials/{credential}/oauth2/authorize") == (
            400,
            "VALIDATION_ERROR",
        )


async def test_databases_are_tried(owner: Client, pg_server: Postgres) -> None:
    body = {"type": "postgres", "data": {"host": "127.0.0.1", "port": 5432, "password": "hidden-password"}}
    tried = await owner.data("POST", "/credentials/test", json=body)
    assert (tried["ok"], tried["tested"]) == (False, True)
    assert "private network" in tried["message"]
    assert "hidden-password" not in tried["message"]


async def test_a_service_s_own_kind_is_tried_and_used_at_its_host(owner: Client, provider: Provider) -> None:
    data = {"server": provider.base, "accessToken": KEY}
    for token, ok, message in (
        (KEY, True, "takes the credential"),
        ("wrong-token", False, "Bad credentials"),
    ):
        body = {"type": "githubApi", "data": {**data, "accessToken": token}}
        tried = await owner.data("POST", "/credentials/test", json=body)
        assert (tried["ok"], tried["tested"]) == (ok, True)
        assert message in tried["message"]
        assert token not in tried["message"]
    credential = await keep(owner, data, "githubApi")
    for change, ok in (
        ({}, True),
        ({"accessToken": "wrong-token"}, False),
        ({"server": provider.base}, True),
    ):
        tried = await owner.data("POST", f"/credentials/{credential}/test", json={"data": change})
        assert tried["ok"] is ok
    moved = {"data": {"server": provider.base.replace("127.0.0.1", "localhost")}}
    for method, path in (("POST", "/test"), ("PATCH", "")):
        answer = await owner.request(method, f"/credentials/{credential}{path}", json=moved)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["details"] == {
            "path": "data",
            "reason": "SECRETS_REQUIRED",
            "changed": ["server"],
            "secret_fields": ["accessToken"],
        }
    of_a_service = {"authentication": "predefinedCredentialType", "nodeCredentialType": "githubApi"}
    run = await call(owner, credential, f"{provider.base}/user", "githubApi", **of_a_service)
    assert await answers(owner, run) == [{"login": "ada"}]
    elsewhere = f"http://localhost:{provider.port}/user"
    run = await call(owner, credential, elsewhere, "githubApi", **of_a_service)
    assert run["status"] == "error"
    assert "is not sent to localhost" in run["error"]["message"]


async def test_what_can_t_be_tried_says_so(owner: Client) -> None:
    for kind in ("httpBasicAuth", "oAuth2Api"):
        tried = await owner.data("POST", "/credentials/test", json={"type": kind, "data": {}})
        assert (tried["ok"], tried["tested"]) == (False, False)
        assert tried["message"]
    unknown = {"type": "noSuchApi", "data": {}}
    assert await owner.refusal("POST", "/credentials/test", json=unknown) == (400, "VALIDATION_ERROR")
    credential = await keep(owner, {"user": "a", "password": "b"}, "httpBasicAuth")
    assert await owner.refusal("GET", f"/credentials/{credential}/oauth2/authorize") == (
        400,
        "VALIDATION_ERROR",
    )


async def test_strangers_try_and_connect_nothing(owner: Client, stranger: Client, provider: Provider) -> None:
    credential = await keep(owner, provider.credential())
    for method, path in (("POST", "test"), ("GET", "oauth2/authorize")):
        assert (await stranger.refusal(method, f"/credentials/{credential}/{path}"))[0] == 404
    body = {"type": "httpBasicAuth", "data": {}, "project_id": owner.project}
    assert (await stranger.refusal("POST", "/credentials/test", json=body))[0] == 404

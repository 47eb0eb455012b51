"""What services answer when they are asked for tokens, in the forms that there are."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from weft_node_runner.application import oauth
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.credentials import with_defaults
from weft_node_sdk.testing.fake import FakeHttp, Request

CATALOGUE = Catalogue.load()
SECRET = {
    "authUrl": "https://s.test/authorize?tenant=a",
    "accessTokenUrl": "https://s.test/token",
    "clientId": "me",
    "clientSecret": "client-secret",
}


def service(status: int, body: Any) -> FakeHttp:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def serve(request: Request) -> HttpAnswer:
        return HttpAnswer(status, "", [], data)

    return FakeHttp(serve)


async def test_answers_are_json_or_forms_and_may_nest_the_user_s_token() -> None:
    answers: list[Any] = [
        {"access_token": "t", "expires_in": 60},
        {"access_token": "t", "expires_in": "60"},
        "access_token=t&expires_in=60",
        {"ok": True, "authed_user": {"id": "U", "access_token": "t", "expires_in": 60}},
    ]
    for answer in answers:
        found = await oauth.client_tokens(service(200, answer), SECRET)
        assert found["access_token"] == "t"
        assert 0 < found["expires_at"] - time.time() <= 60
        assert not oauth.is_over(found)
    assert "expires_at" not in await oauth.client_tokens(service(200, {"access_token": "t"}), SECRET)
    assert oauth.is_over({"expires_at": int(time.time()) + 5})
    assert not oauth.is_over({})


async def test_refusals_are_in_the_service_s_words_without_secrets() -> None:
    answers: list[tuple[int, Any, str]] = [
        (
            400,
            {"error": "invalid_grant", "error_description": "client-secret is wrong"},
            "invalid_grant: … is",
        ),
        (200, {"error": "bad_verification_code"}, "bad_verification_code"),
        (200, {"ok": False, "error": "invalid_auth"}, "invalid_auth"),
        (500, "<html>oops</html>", "status 500"),
        (200, "[]", "status 200"),
        (302, "", "status 302"),
    ]
    for status, body, words in answers:
        with pytest.raises(NodeRunError) as caught:
            await oauth.code_tokens(service(status, body), SECRET, "the-code", "https://w.test/cb", "v" * 43)
        assert words in caught.value.message
        assert "client-secret" not in caught.value.message


async def test_clients_prove_themselves_as_they_are_set() -> None:
    for how, secret, header, field in (
        ("header", "client-secret", "Basic bWU6Y2xpZW50LXNlY3JldA==", None),
        ("body", "client-secret", None, ["client-secret"]),
        ("header", "", None, None),
    ):
        http = service(200, {"access_token": "t"})
        await oauth.client_tokens(http, {**SECRET, "authentication": how, "clientSecret": secret})
        (request,) = http.requests
        form = parse_qs((request.body or b"").decode())
        assert request.headers.get("Authorization") == header
        assert form.get("client_secret") == field
        assert ("client_id" in form) is (header is None)
        assert request.options["follow_redirects"] is False


async def test_what_is_not_supported_is_refused() -> None:
    for wrong in (
        {"useDynamicClientRegistration": True},
        {"jweEnabled": True},
        {"clientCredentialType": "certificate"},
    ):
        with pytest.raises(NodeRunError) as caught:
            await oauth.client_tokens(service(200, {"access_token": "t"}), {**SECRET, **wrong})
        assert caught.value.code == "UNSUPPORTED"


def test_addresses_of_consents_are_the_services_own() -> None:
    def asked(kind: str, **fields: Any) -> tuple[str, dict[str, list[str]]]:
        secret = with_defaults(CATALOGUE.credential_type(kind) or {}, {"clientId": "me", **fields})
        parts = urlsplit(oauth.consent_url(secret, "https://w.test/cb", "the-state", "v" * 43))
        return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query)

    address, query = asked("googleDriveOAuth2Api")
    assert address == "https://accounts.google.com/o/oauth2/v2/auth"
    assert query["access_type"] == ["offline"]
    assert query["scope"] == ["https://www.googleapis.com/auth/drive"]
    _, query = asked("googleDriveOAuth2Api", customScopes=True, enabledScopes="a b")
    assert query["scope"] == ["a b"]
    assert asked("gitlabOAuth2Api", server="https://git.test")[0] == "https://git.test/oauth/authorize"
    _, query = asked("slackOAuth2Api", customScopes=True, userScope="chat:write users:read")
    assert query["user_scope"] == ["chat:write users:read"]
    assert "scope" not in query
    _, query = asked(
        "oAuth2Api", **SECRET, authQueryParameters="?a=1&state=mine&redirect_uri=https://evil.test"
    )
    assert (query["tenant"], query["a"], query["state"]) == (["a"], ["1"], ["the-state"])
    assert query["redirect_uri"] == ["https://w.test/cb"]

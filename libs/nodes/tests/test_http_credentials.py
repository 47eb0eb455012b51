"""Credentials of HTTP Request and GraphQL: where they go in the request, and when it is sent again."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import ClientCertificate, HttpAnswer, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.testing.fake import FakeContext, Request

CATALOGUE = Catalogue.load()


def answered(request: Request) -> HttpAnswer:
    return HttpAnswer(200, "OK", [("content-type", "application/json")], b"{}")


def context(credentials: dict[str, Any], *, version: float = 4.2, **parameters: Any) -> FakeContext:
    given = CATALOGUE.fill_defaults(
        "httpRequest", version, {"url": "https://api.example.org/x?a=1", **parameters}
    )
    return FakeContext(
        given, [[{"json": {}}]], version=version, type="httpRequest", serve=answered, credentials=credentials
    )


async def sent(ctx: FakeContext) -> list[Request]:
    await CATALOGUE.implementation("httpRequest")(ctx)
    return ctx.server.requests


def generic(kind: str) -> dict[str, Any]:
    return {"authentication": "genericCredentialType", "genericAuthType": kind}


async def test_each_kind_has_its_place() -> None:
    cases: list[tuple[str, dict[str, Any], dict[str, str], list[tuple[str, str]]]] = [
        ("httpBasicAuth", {"user": "ada", "password": "x:y"}, {"authorization": "Basic YWRhOng6eQ=="}, []),
        ("httpBearerAuth", {"token": "t"}, {"authorization": "Bearer t"}, []),
        ("httpHeaderAuth", {"name": "X-Key", "value": "k"}, {"X-Key": "k"}, []),
        ("httpQueryAuth", {"name": "key", "value": "k&1"}, {}, [("key", "k&1")]),
        (
            "httpCustomAuth",
            {"json": '{"headers": {"X-A": "1"}, "qs": {"b": 2}}'},
            {"X-A": "1"},
            [("b", "2")],
        ),
    ]
    for kind, secret, headers, query in cases:
        (request,) = await sent(context({kind: secret}, **generic(kind)))
        assert headers.items() <= dict(request.headers).items(), kind
        assert list(request.query) == query, kind
        assert request.options["secret_headers"] == set(headers), kind


async def test_a_header_that_would_break_the_request_is_refused() -> None:
    ctx = context({"httpHeaderAuth": {"name": "X", "value": "a\r\nEvil: 1"}}, **generic("httpHeaderAuth"))
    with pytest.raises(NodeRunError):
        await sent(ctx)
    assert ctx.server.requests == []


async def test_a_client_certificate_goes_along() -> None:
    secret = {"cert": " CERT ", "key": "KEY", "passphrase": "p", "ca": "CA"}
    (request,) = await sent(context({"httpSslAuth": secret}, provideSslCertificates=True))
    assert request.options["client"] == ClientCertificate("CERT", "KEY", "p", "CA")


class Renewing(FakeContext):
    """Tokens by number; the service takes the last one only. `most`: how many there are."""

    most = 1

    async def authentication(self, kind: str, stale: str = "") -> Authentication:
        number = min(int(stale or -1) + 1, self.most)
        header = ("authorization", f"Bearer {number}")
        return Authentication(
            headers=[header],
            secret={"tokenExpiredStatusCode": 419},
            access_token=str(number),
            sign_in="oauth2",
        )


@pytest.mark.parametrize(("status", "most", "times"), [(401, 1, 2), (419, 1, 2), (403, 1, 1), (401, 0, 1)])
async def test_a_token_that_is_refused_is_renewed_once(status: int, most: int, times: int) -> None:
    def serve(request: Request) -> HttpAnswer:
        good = request.headers["authorization"] == "Bearer 1"
        return HttpAnswer(200 if good else status, "", [("content-type", "application/json")], b"{}")

    plain = context(
        {"oAuth2Api": {}}, **generic("oAuth2Api"), options={"response": {"response": {"neverError": True}}}
    )
    ctx = Renewing(plain.given, plain.inputs, version=4.2, type="httpRequest", serve=serve)
    ctx.most = most
    requests = await sent(ctx)
    assert len(requests) == times
    assert [dict(each.headers)["authorization"] for each in requests] == ["Bearer 0", "Bearer 1"][:times]


async def test_oauth1_signs_form_bodies_and_queries() -> None:
    secret = {
        "consumerKey": "c",
        "consumerSecret": "s",
        "oauthTokenData": {"oauth_token": "t", "oauth_token_secret": "u"},
    }
    (request,) = await sent(context({"oAuth1Api": secret}, **generic("oAuth1Api")))
    assert request.headers["authorization"].startswith("OAuth ")
    assert 'oauth_token="t"' in request.headers["authorization"]
    assert urlsplit(request.url).query == "a=1"


async def test_no_kind_is_chosen_is_said() -> None:
    for parameters in (generic(""), {"authentication": "predefinedCredentialType"}):
        with pytest.raises(NodeRunError, match="not chosen"):
            await sent(context({}, **parameters))


async def test_graphql_takes_the_same() -> None:
    parameters = {
        "endpoint": "https://api.example.org/graphql",
        "query": "{ me }",
        "authentication": "headerAuth",
    }
    given = CATALOGUE.fill_defaults("graphql", 1.1, parameters)
    ctx = FakeContext(
        given,
        [[{"json": {}}]],
        version=1.1,
        type="graphql",
        serve=answered,
        credentials={"httpHeaderAuth": {"name": "X-Key", "value": "k"}},
    )
    await CATALOGUE.implementation("graphql")(ctx)
    (request,) = ctx.server.requests
    assert request.headers["X-Key"] == "k"
    assert json.loads(request.body or b"")["query"] == "{ me }"

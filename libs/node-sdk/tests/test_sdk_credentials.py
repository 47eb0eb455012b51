"""What credentials add to requests, where they may go, and kinds that extend others."""

import hmac
import re
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_node_sdk import oauth1
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.credentials import (
    authentication,
    filled_tree,
    is_open,
    is_place,
    patched,
    tokens_of,
    with_defaults,
)
from weft_node_sdk.index import build


def kind(**more: Any) -> dict[str, Any]:
    fields = [
        {"name": "server", "type": "string", "default": "https://api.example.org"},
        {"name": "token", "type": "string"},
        {"name": "tenant", "type": "string"},
    ]
    return {"type": "exampleApi", "fields": fields, **more}


def test_fields_are_put_in_their_places() -> None:
    rules = {
        "headers": {"authorization": "Bearer {token}", "x-tenant": "{tenant}", "x-version": "2"},
        "query": {"key": "{token}", "tenant": "{tenant}"},
        "body": {"token": "{token}"},
    }
    found = authentication(kind(authenticate=rules), {"token": "t {tenant}"})
    assert found.headers == [("authorization", "Bearer t {tenant}"), ("x-version", "2")]
    assert found.query == [("key", "t {tenant}")]
    assert found.body == {"token": "t {tenant}"}


PLACED: dict[str, Any] = {
    "type": "exampleApi",
    "fields": [
        {"name": "server", "type": "string", "default": "https://api.example.org"},
        {"name": "user", "type": "string"},
        {"name": "token", "type": "string", "secret": True},
        {"name": "key", "type": "string", "secret": True},
        {"name": "site", "type": "string"},
        {"name": "tokenUrl", "type": "hidden", "default": "https://{site}.example.org/token"},
    ],
}


@pytest.mark.parametrize(
    ("change", "changed", "again"),
    [
        ({"server": "https://evil.test"}, ["server"], ["token", "key"]),
        ({"server": "https://evil.test", "token": "t"}, ["server"], ["key"]),
        ({"server": None}, ["server"], ["token", "key"]),
        ({"site": "evil"}, ["tokenUrl"], ["token", "key"]),
        ({"tokenUrl": "https://evil.test", "key": None}, ["tokenUrl"], ["token"]),
    ],
)
def test_secrets_are_not_kept_for_another_place(
    change: dict[str, Any], changed: list[str], again: list[str]
) -> None:
    held = {"server": "https://own.example.org", "site": "a", "token": "t", "key": "k", "user": "ada"}
    with pytest.raises(WeftError) as caught:
        patched(PLACED, held, change)
    assert caught.value.code is ErrorCode.VALIDATION_ERROR
    assert caught.value.details == {
        "path": "data",
        "reason": "SECRETS_REQUIRED",
        "changed": changed,
        "secret_fields": again,
    }


CHECKED: dict[str, Any] = {
    "type": "exampleDatabase",
    "fields": [
        {"name": "ssl", "type": "options", "default": "require"},
        {"name": "allowUnauthorizedCerts", "type": "boolean", "default": False},
        {"name": "password", "type": "string", "secret": True},
    ],
}


@pytest.mark.parametrize(
    ("field", "strict", "loose"),
    [("allowUnauthorizedCerts", False, True), ("ssl", "require", "allow"), ("ssl", None, "disable")],
)
def test_secrets_are_not_kept_for_whoever_is_on_the_way(field: str, strict: Any, loose: Any) -> None:
    with pytest.raises(WeftError) as caught:
        patched(CHECKED, {field: strict, "password": "p"}, {field: loose})
    assert caught.value.details["changed"] == [field]
    assert caught.value.details["secret_fields"] == ["password"]
    assert patched(CHECKED, {"password": "p"}, {field: loose, "password": "q"})["password"] == "q"
    if strict is not None:  # to look again needs nothing
        assert patched(CHECKED, {field: loose, "password": "p"}, {field: strict})["password"] == "p"


def test_all_kinds_name_what_they_do_not_check_as_such() -> None:
    for each in Catalogue.load().credential_types():
        for field in each["fields"]:
            if field["type"] in ("boolean", "options") and re.search(
                r"ssl|tls|cert|secure|verif", field["name"], re.IGNORECASE
            ):
                name = field["name"]
                assert is_open(name, True) != is_open(name, False), (each["type"], name)


@pytest.mark.parametrize(
    "change",
    [
        {"user": "bea"},
        {"token": "new"},
        {"server": "https://api.example.org"},  # the default, said
        {"server": "https://new.example.org", "token": "t", "key": "k"},
        {"server": "https://new.example.org", "token": None, "key": None},
    ],
)
def test_other_changes_keep_them(change: dict[str, Any]) -> None:
    held = {"site": "a", "token": "t", "key": "k"}
    expected = {name: value for name, value in {**held, **change}.items() if value is not None}
    assert patched(PLACED, held, change) == expected


def test_kinds_that_are_not_installed_keep_nothing_either() -> None:
    with pytest.raises(WeftError):
        patched(None, {"host": "a", "password": "p"}, {"host": "b"})
    assert patched(None, {"host": "a", "password": "p"}, {"password": "q"}) == {"host": "a", "password": "q"}


def test_all_kinds_name_their_places_as_places() -> None:
    """What makes up a host is known as such, and so is what is named like one in any kind."""
    for each in Catalogue.load().credential_types():
        secret = {field["name"] for field in each["fields"] if field.get("secret")}
        request = (each.get("test") or {}).get("request") or {}
        for text in (*each.get("hosts", ()), request.get("url", "")):
            for name in set(re.findall(r"\{(\w+)\}", text)) - secret:
                assert is_place(name), (each["type"], name)
    for name in [
        "host",
        "hostName",
        "sshHost",
        "port",
        "endpoint",
        "serverUrl",
        "accessTokenUrl",
        "shopSubdomain",
        "brokers",
    ]:
        assert is_place(name)


def test_basic_authentication_is_encoded() -> None:
    found = authentication(
        kind(authenticate={"basic": ["{tenant}/token", "{token}"]}), {"token": "ü", "tenant": "a"}
    )
    assert found.headers == [("authorization", f"Basic {b64encode('a/token:ü'.encode()).decode()}")]


def test_kinds_without_rules_go_into_no_request() -> None:
    with pytest.raises(NodeRunError) as caught:
        authentication(kind(), {"token": "secret-value"})
    assert caught.value.code == "UNSUPPORTED"
    assert "secret-value" not in caught.value.message


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        ([], "https://anywhere.test/", True),
        (["{server}"], "https://api.example.org/x", True),
        (["{server}"], "https://api.example.org.evil.test/", False),
        (["{server}"], "https://evil.test/?api.example.org", False),
        (["{server}"], "https://api.example.org@evil.test/", False),
        (["*.example.org"], "https://a.b.EXAMPLE.org:8443/", True),
        (["*.example.org"], "https://example.org/", False),
        (["*.example.org"], "https://evilexample.org/", False),
    ],
)
def test_a_credential_goes_to_its_hosts_only(hosts: list[str], url: str, allowed: bool) -> None:
    found = authentication(kind(authenticate={"headers": {"a": "{token}"}}, hosts=hosts), {"token": "t"})
    if allowed:
        found.check(url)
        return
    with pytest.raises(NodeRunError) as caught:
        found.check(url)
    assert caught.value.code == "CREDENTIAL_HOST"


def test_tokens_are_those_of_the_sign_in() -> None:
    rules = {"headers": {"authorization": "Bearer {access_token}"}}
    definition = kind(authenticate=rules, sign_in="oauth2")
    secret = {"access_token": "not this", "oauthTokenData": {"access_token": "this"}}
    assert authentication(definition, secret).headers == [("authorization", "Bearer this")]
    assert authentication(definition, {}).access_token == ""
    assert tokens_of({"oauthTokenData": "text"}) == {}


def test_hidden_defaults_name_other_fields() -> None:
    definition = kind()
    hidden = {"name": "authUrl", "type": "hidden", "default": "{server}/authorize"}
    definition["fields"] = [*definition["fields"], hidden]
    assert with_defaults(definition, {})["authUrl"] == "https://api.example.org/authorize"
    assert with_defaults(definition, {"server": "https://b.test"})["authUrl"] == "https://b.test/authorize"
    own = {"authUrl": "https://c.test/{server}", "tenant": "{server}"}
    assert with_defaults(definition, own) == {"server": "https://api.example.org", **own}


def test_texts_in_trees_are_filled() -> None:
    tree = {"a": ["{x}", 1, {"b": "{x}{y}"}], "c": None}
    assert filled_tree(tree, {"x": 2.5}) == {"a": ["2.5", 1, {"b": "2.5"}], "c": None}


def test_a_kind_takes_what_it_does_not_say_itself(tmp_path: Path) -> None:
    package = tmp_path / "some_nodes"
    folder = package / "credentials"
    folder.mkdir(parents=True)
    about = {"display_name": "X", "description": "X."}
    field = {"type": "string", "display_name": "F", "description": "F."}
    base = {
        "type": "base", **about, "sign_in": "oauth2", "authenticate": {"headers": {"a": "{access_token}"}},
        "fields": [{**field, "name": "authUrl"}, {**field, "name": "secret", "secret": True}],
    }  # fmt: skip
    fixed = {**field, "name": "authUrl", "type": "hidden", "default": "https://service.test/authorize"}
    middle = {"type": "middle", **about, "extends": "base", "fields": [fixed], "hosts": ["service.test"]}
    last = {
        "type": "last", **about, "extends": "middle", "fields": [{**field, "name": "site"}],
        "test": {"request": {"url": "https://service.test/me"}},
    }  # fmt: skip
    for each in (base, middle, last):
        (folder / f"{each['type']}.json").write_bytes(orjson.dumps(each))
    (package / "index.json").write_bytes(build(package))
    found = Catalogue([("some_nodes", package)]).credential_type("last")
    assert found is not None
    assert [each["name"] for each in found["fields"]] == ["site", "authUrl", "secret"]
    assert found["fields"][1]["type"] == "hidden"
    assert (found["sign_in"], found["hosts"]) == ("oauth2", ["service.test"])
    assert found["authenticate"] == base["authenticate"]
    assert authentication(found, {}).secret["authUrl"] == "https://service.test/authorize"


@pytest.mark.parametrize(
    ("method", "digest"), [("HMAC-SHA1", "sha1"), ("HMAC-SHA256", "sha256"), ("HMAC-SHA512", "sha512")]
)
def test_oauth1_signs_the_base_string_of_the_specification(
    method: str, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request of RFC 5849, 1.2 (over TLS, and with the optional oauth_version)."""
    from authlib.oauth1.rfc5849 import client_auth

    monkeypatch.setattr(client_auth, "generate_nonce", lambda: "chapoH")
    monkeypatch.setattr(client_auth, "generate_timestamp", lambda: "137131202")
    secret = {
        "consumerKey": "dpf43f3p2l4k3l03",
        "consumerSecret": "kd94hf93k423kf44",
        "signatureMethod": method,
        "oauthTokenData": {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": "pfkkdhi9sl3r4s00"},
    }
    url = "https://photos.example.net/photos?file=vacation.jpg&size=original"
    header = oauth1.authorization(secret, "GET", url)
    parameters = (
        "file=vacation.jpg&oauth_consumer_key=dpf43f3p2l4k3l03&oauth_nonce=chapoH"
        f"&oauth_signature_method={method}&oauth_timestamp=137131202&oauth_token=nnch734d00sl2jdk"
        "&oauth_version=1.0&size=original"
    )
    base = f"GET&https%3A%2F%2Fphotos.example.net%2Fphotos&{quote(parameters, safe='')}"
    signature = b64encode(hmac.digest(b"kd94hf93k423kf44&pfkkdhi9sl3r4s00", base.encode(), digest)).decode()
    assert f'oauth_signature="{quote(signature, safe="")}"' in header


def test_oauth1_refuses_what_it_does_not_know() -> None:
    for secret, url in (({"signatureMethod": "MD5"}, "https://a.test/"), ({}, "http://a.test/")):
        with pytest.raises(NodeRunError):
            oauth1.authorization(secret, "GET", url)

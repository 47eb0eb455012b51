"""Webhook and Respond to Webhook, compared by what the caller gets."""

from typing import Any, NotRequired, TypedDict

from tests.compat.cases.build import node, wired
from tests.compat.cases.files import TEXT_FILE

PATH = "compat-hook"
"""Stands for a path of the installation's own."""


class Call(TypedDict):
    """`form`: fields and files of a multipart body, files as [name, type, text]."""

    method: NotRequired[str]
    path: NotRequired[str]
    headers: NotRequired[dict[str, str]]
    body: NotRequired[str]
    form: NotRequired[dict[str, Any]]


class Hooked(TypedDict):
    document: dict[str, Any]
    call: Call


JSON_CALL: Call = {
    "headers": {"content-type": "application/json"},
    "body": '{"n": 1, "l": [1, {"a": "Zoë"}]}',
}
_TOLD = "={{ { body: $json.body, query: $json.query, params: $json.params, type: $json.headers['content-type'], file: Object.values($binary ?? {}).map(b => [b.fileName, b.mimeType]) } }}"
_ONE = "return [{json: {a: 1, o: {b: [2]}}}, {json: {a: 2}}]"


def _raw(name: str, value: str) -> dict[str, Any]:
    return node(name, "set", 3.4, {"mode": "raw", "jsonOutput": value, "options": {}}, 1)


def _code(source: str) -> dict[str, Any]:
    return node("Work", "code", 2, {"jsCode": source}, 1)


def _hooked(
    version: float, parameters: dict[str, Any], *nodes: dict[str, Any], call: Call = JSON_CALL
) -> Hooked:
    full = {"path": PATH, "httpMethod": "POST", "options": {}, **parameters}
    hook = {**node("Hook", "webhook", version, full, 0), "webhookId": PATH}
    names = ["Hook", *(each["name"] for each in nodes)]
    wires = wired(" > ".join(names)) if len(names) > 1 else {}
    document = {
        "name": "compat hook",
        "nodes": [hook, *nodes],
        "connections": wires,
        "settings": {"executionOrder": "v1"},
    }
    return {"document": document, "call": call}


def _received(found: dict[str, Hooked]) -> None:
    for version in (1, 1.1, 2, 2.1):
        tag = f"v{version:g}"
        code = (
            {"responseCode": 202}
            if version < 2
            else {"options": {"responseCode": {"values": {"responseCode": 201}}}}
        )
        found[f"at once {tag}"] = _hooked(version, {}, _code(_ONE))
        found[f"at once, code {tag}"] = _hooked(version, code, _code(_ONE))
        last = {"responseMode": "lastNode"}
        answers: dict[str, dict[str, Any]] = {
            "first": {},
            "all": {"responseData": "allEntries"},
            "none": {"responseData": "noData"},
            "property": {"options": {"responsePropertyName": "o"}},
            "text of a property": {"options": {"responsePropertyName": "a", "responseContentType": "text/html"}},
            "headers": {"options": {"responseHeaders": {"entries": [{"name": "X-One", "value": "={{ $json.body.n }}"}]}}},
        }  # fmt: skip
        for name, parameters in answers.items():
            found[f"last node, {name} {tag}"] = _hooked(version, {**last, **parameters}, _code(_ONE))
        found[f"last node, no items {tag}"] = _hooked(version, last, _code("return []"))
        found[f"last node, error {tag}"] = _hooked(version, last, _code("throw new Error('x')"))
        file = {**TEXT_FILE, "name": "File"}
        found[f"last node, file {tag}"] = _hooked(version, {**last, "responseData": "firstEntryBinary"}, file)
        found[f"last node, no file {tag}"] = _hooked(
            version, {**last, "responseData": "firstEntryBinary"}, _code(_ONE)
        )
    found["at once, text v2"] = _hooked(2, {"options": {"responseData": "=Thanks"}}, _code(_ONE))
    found["at once, nothing v2"] = _hooked(2, {"options": {"noResponseBody": True}}, _code(_ONE))


def _bodies(found: dict[str, Hooked]) -> None:
    calls: dict[str, Call] = {
        "json": JSON_CALL,
        "json list": {"headers": {"content-type": "application/json"}, "body": "[1, 2]"},
        "json broken": {"headers": {"content-type": "application/json"}, "body": "{a"},
        "json charset": {"headers": {"content-type": "application/json; charset=utf-8"}, "body": '{"a": "Zoë"}'},
        "form": {"headers": {"content-type": "application/x-www-form-urlencoded"}, "body": "a=1&b=x+y&l[]=1&l[]=2&o[k]=v"},
        "text": {"headers": {"content-type": "text/plain"}, "body": "Zoë"},
        "xml": {"headers": {"content-type": "application/xml"}, "body": "<A x='1'><b>2</b><b>3</b></A>"},
        "none": {},
        "query": {"path": "?a=1&b=x%20y&l[]=1&l[]=2&c=1&c=2&o[k]=v"},
        "multipart": {"form": {"a": "1", "b": "x", "f": ["a.txt", "text/plain", "hello"]}},
        "vendor json": {"headers": {"content-type": "application/vnd.api+json"}, "body": '{"a": 1}'},
    }  # fmt: skip
    last = {"responseMode": "lastNode"}
    for version in (1, 1.1, 2):
        for name, call in calls.items():
            found[f"body {name} v{version:g}"] = _hooked(version, last, _raw("Told", _TOLD), call=call)
    found["body raw v2"] = _hooked(2, {**last, "options": {"rawBody": True}}, _raw("Told", _TOLD))
    get: Call = {"method": "GET", "path": "?a=1"}
    for version in (1, 2):
        found[f"get v{version:g}"] = _hooked(
            version, {**last, "httpMethod": "GET"}, _raw("Told", _TOLD), call=get
        )
    found["wrong method v2"] = _hooked(2, {}, _code(_ONE), call={"method": "PUT"})
    found["head of get v2"] = _hooked(2, {**last, "httpMethod": "GET"}, _code(_ONE), call={"method": "HEAD"})
    several = {**last, "multipleMethods": True, "httpMethod": ["GET", "POST"]}
    found["several methods v2"] = _hooked(2, several, _raw("Told", _TOLD), call=get)
    found["origin v2"] = _hooked(
        2,
        last,
        _code(_ONE),
        call={**JSON_CALL, "headers": {"origin": "https://x.org", "content-type": "application/json"}},
    )
    allowed = {**last, "options": {"allowedOrigins": "https://x.org"}}
    asked: Call = {
        "method": "OPTIONS",
        "headers": {"origin": "https://x.org", "access-control-request-method": "POST"},
    }
    found["preflight v2"] = _hooked(2, allowed, _code(_ONE), call=asked)
    found["address not allowed v2"] = _hooked(
        2, {**last, "options": {"ipWhitelist": "10.1.2.3"}}, _code(_ONE)
    )
    bot: Call = {**JSON_CALL, "headers": {"user-agent": "Googlebot/2.1", "content-type": "application/json"}}
    found["bot v2"] = _hooked(2, {**last, "options": {"ignoreBots": True}}, _code(_ONE), call=bot)


def _responded(found: dict[str, Hooked]) -> None:
    mode = {"responseMode": "responseNode"}
    table: dict[str, dict[str, Any]] = {
        "first": {"respondWith": "firstIncomingItem"},
        "default": {},
        "all": {"respondWith": "allIncomingItems"},
        "all in a key": {"respondWith": "allIncomingItems", "options": {"responseKey": "rows"}},
        "json": {"respondWith": "json", "responseBody": '={"n": {{ $json.a }}}'},
        "json object": {"respondWith": "json", "responseBody": "={{ $json }}"},
        "json broken": {"respondWith": "json", "responseBody": "={a"},
        "json text": {"respondWith": "json", "responseBody": '"x"'},
        "text": {"respondWith": "text", "responseBody": "=Hi {{ $json.a }}"},
        "html": {"respondWith": "text", "responseBody": "<b>Hi</b>", "options": {"responseHeaders": {"entries": [{"name": "Content-Type", "value": "text/html"}]}}},
        "none": {"respondWith": "noData"},
        "none with code": {"respondWith": "noData", "options": {"responseCode": 204}},
        "redirect": {"respondWith": "redirect", "redirectURL": "https://x.org/{{ 1 }}"},
        "redirect 301": {"respondWith": "redirect", "redirectURL": "https://x.org/", "options": {"responseCode": 301}},
        "code": {"respondWith": "json", "responseBody": '{"ok": false}', "options": {"responseCode": 422}},
        "headers": {"respondWith": "text", "responseBody": "x", "options": {"responseHeaders": {"entries": [{"name": "X-One", "value": "={{ $json.a }}"}, {"name": "X-Two", "value": "2"}]}}},
    }  # fmt: skip
    for version in (1, 1.1, 1.4, 1.5):
        for name, parameters in table.items():
            respond = node("Respond", "respondToWebhook", version, {"options": {}, **parameters}, 2)
            found[f"respond {name} v{version:g}"] = _hooked(2, mode, _code(_ONE), respond)
        file = node("Respond", "respondToWebhook", version, {"respondWith": "binary", "options": {}}, 2)
        found[f"respond file v{version:g}"] = _hooked(2, mode, TEXT_FILE, file)
        found[f"respond no file v{version:g}"] = _hooked(2, mode, _code(_ONE), file)
    found["respond never v2"] = _hooked(2, mode, _code(_ONE))
    found["respond after an error v2"] = _hooked(
        2, mode, _code("throw new Error('x')"), node("Respond", "respondToWebhook", 1.1, {"options": {}}, 2)
    )


def cases() -> dict[str, Hooked]:
    found: dict[str, Hooked] = {}
    _received(found)
    _bodies(found)
    _responded(found)
    return found

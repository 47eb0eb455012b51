"""HTTP Request in its versions, GraphQL and RSS Read, against the stub (tests/compat/stub.py)."""

from typing import Any

from tests.compat.cases.build import Case, document, node
from tests.compat.cases.files import BYTES, SEEN, TEXT_FILE
from tests.compat.stub import BASE

ROWS = [{"n": 1, "t": "a b&c"}, {"n": 2, "t": "Zoë"}]
NEW, OLD = 4.2, 1

Table = dict[str, dict[str, Any]]


def _pairs(**values: Any) -> dict[str, Any]:
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


def _old_pairs(**values: Any) -> dict[str, Any]:
    return {"parameter": [{"name": name, "value": value} for name, value in values.items()]}


def _response(**options: Any) -> dict[str, Any]:
    return {"options": {"response": {"response": options}}}


def _paging(**options: Any) -> dict[str, Any]:
    return {"options": {"pagination": {"pagination": options}}}


def _sent() -> Table:
    body = {"method": "POST", "sendBody": True}
    found: Table = {
        method.lower(): {"url": f"{BASE}/echo", "method": method}
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
    }
    keyed = {"sendQuery": True, "queryParameters": _pairs(q="={{ $json.t }}", n="={{ $json.n }}", empty="")}
    lists = {"sendQuery": True, "specifyQuery": "json", "jsonQuery": '={"ids": [1, 2], "n": {{ $json.n }}}'}
    found |= {
        "query": {"url": f"{BASE}/echo?kept=1", **keyed},
        "query json": {"sendQuery": True, "specifyQuery": "json", "jsonQuery": '{"a": 1, "b": "x y", "c": null, "d": true}'},
        "query lists": lists,
        "query lists repeat": {**lists, "options": {"queryParameterArrays": "repeat"}},
        "query lists indices": {**lists, "options": {"queryParameterArrays": "indices"}},
        "query twice": {"sendQuery": True, "queryParameters": {"parameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}},
        "query bad json": {"sendQuery": True, "specifyQuery": "json", "jsonQuery": "{a"},
        "address encoded": {"url": f"={BASE}/echo?q={{{{ $json.t }}}}"},
        "headers": {"sendHeaders": True, "headerParameters": _pairs(**{"X-One": "={{ $json.n }}", "x-empty": ""})},
        "headers json": {"sendHeaders": True, "specifyHeaders": "json", "jsonHeaders": '{"X-One": "1", "X-Two": 2}'},
        "headers kept in case": {"sendHeaders": True, "headerParameters": _pairs(**{"X-One": "1"}), "options": {"lowercaseHeaders": False}},
        "json pairs": {**body, "bodyParameters": _pairs(a="={{ $json.n }}", b="text", **{"c.d": "e"})},
        "json body": {**body, "specifyBody": "json", "jsonBody": '={{ JSON.stringify({"n": $json.n, "l": [1, {}]}) }}'},
        "json body object": {**body, "specifyBody": "json", "jsonBody": "={{ $json }}"},
        "json body text": {**body, "specifyBody": "json", "jsonBody": '={"t": "{{ $json.t }}", "n": {{ $json.n }}}'},
        "json body broken": {**body, "specifyBody": "json", "jsonBody": '={"t": {{ $json.t }}}'},
        "json body array": {**body, "specifyBody": "json", "jsonBody": "[1, 2]"},
        "form": {**body, "contentType": "form-urlencoded", "bodyParameters": _pairs(a="={{ $json.t }}", n="={{ $json.n }}")},
        "form text": {**body, "contentType": "form-urlencoded", "specifyBody": "string", "body": "a=1&b=x%20y"},
        "multipart": {**body, "contentType": "multipart-form-data", "bodyParameters": {"parameters": [{"name": "a", "value": "={{ $json.t }}"}, {"parameterType": "formData", "name": "n", "value": "={{ $json.n }}"}]}},
        "raw": {**body, "contentType": "raw", "rawContentType": "text/csv", "body": "a,b\n1,{{ 1 }}"},
        "raw xml": {**body, "contentType": "raw", "rawContentType": "application/xml", "body": "=<a>{{ $json.n }}</a>"},
        "put json": {**body, "method": "PUT", "bodyParameters": _pairs(a="1")},
        "delete with body": {**body, "method": "DELETE", "bodyParameters": _pairs(a="1")},
        "get with body": {**body, "method": "GET", "bodyParameters": _pairs(a="1")},
        "empty body": {**body, "bodyParameters": {"parameters": []}},
        "batches": {"options": {"batching": {"batch": {"batchSize": 1, "batchInterval": 10}}}, "sendQuery": True, "queryParameters": _pairs(n="={{ $json.n }}")},
        "no address": {"url": ""},
        "no scheme": {"url": "stub.invalid/echo"},
        "refused": {"url": "http://127.0.0.1:1/"},
        "redirect 302": {"url": f"{BASE}/redirect/2"},
        "redirect post": {"url": f"{BASE}/redirect/1", **body, "bodyParameters": _pairs(a="1")},
        "redirect post 307": {"url": f"{BASE}/redirect/1?status=307", **body, "bodyParameters": _pairs(a="1")},
        "redirect off": {"url": f"{BASE}/redirect/1", "options": {"redirect": {"redirect": {"followRedirects": False}}, **_response(fullResponse=True, neverError=True)["options"]}},
        "redirect too often": {"url": f"{BASE}/redirect/5", "options": {"redirect": {"redirect": {"followRedirects": True, "maxRedirects": 2}}}},
    }  # fmt: skip
    return {name: {"url": f"{BASE}/echo", "options": {}, **parameters} for name, parameters in found.items()}


_ANSWERS = (
    "object", "array", "values", "number", "text-json", "nothing", "broken", "text", "json-as-text", "latin", "html", "xml", "csv", "problem", "untyped", "gzip",
)  # fmt: skip


def _answered() -> Table:
    found: Table = {f"reads {name}": {"url": f"{BASE}/{name}"} for name in _ANSWERS}
    for kind, names in {
        "json": ("object", "array", "nothing", "broken", "text", "json-as-text", "values"),
        "text": ("object", "text", "latin", "nothing"),
    }.items():
        for name in names:
            found[f"{name} as {kind}"] = {"url": f"{BASE}/{name}", **_response(responseFormat=kind)}
    for name in ("object", "array", "text", "nothing"):
        found[f"full {name}"] = {"url": f"{BASE}/{name}", **_response(fullResponse=True)}
    for status in (204, 400, 404, 500):
        found[f"status {status}"] = {"url": f"{BASE}/status/{status}"}
    for status in (201, 404):
        kept = _response(fullResponse=True, neverError=True)
        found[f"status {status} full"] = {"url": f"{BASE}/status/{status}", **kept}
    found["never error"] = {"url": f"{BASE}/status/422", **_response(neverError=True)}
    found["text in a property"] = {
        "url": f"{BASE}/text",
        **_response(responseFormat="text", outputPropertyName="body"),
    }
    return {name: {"options": {}, **parameters} for name, parameters in found.items()}


def _paged() -> Table:
    step = {
        "paginationMode": "updateAParameterInEachRequest",
        "parameters": {"parameters": [{"name": "page", "value": "={{ $pageCount + 1 }}"}]},
    }
    by_body = {"type": "body", "name": "page", "value": "={{ $pageCount + 1 }}"}
    by_header = {"type": "headers", "name": "x-page", "value": "={{ $pageCount + 1 }}"}
    done = {"paginationCompleteWhen": "other", "completeExpression": "={{ $response.body.page >= 3 }}"}
    following = {"paginationMode": "responseContainsNextURL", "nextURL": "={{ $response.body.next }}"}
    limited = {"limitPagesFetched": True, "maxRequests": 2}
    return {
        "until empty": {"url": f"{BASE}/pages?bare=1", **_paging(**step)},
        "until status": {
            "url": f"{BASE}/pages?strict=1",
            **_paging(
                **step,
                paginationCompleteWhen="receiveSpecificStatusCodes",
                statusCodesWhenComplete="404",
            ),
        },
        "until expression": {"url": f"{BASE}/pages", **_paging(**step, **done)},
        "limited": {"url": f"{BASE}/pages", **_paging(**step, **done, **limited)},
        "next address": {
            "url": f"{BASE}/pages",
            **_paging(
                **following,
                paginationCompleteWhen="other",
                completeExpression="={{ !$response.body.next }}",
            ),
        },
        "in the header": {
            "url": f"{BASE}/pages",
            **_paging(**{**step, "parameters": {"parameters": [by_header]}}, **done),
        },
        "in the body": {
            "url": f"{BASE}/pages",
            "method": "POST",
            "sendBody": True,
            "specifyBody": "json",
            "jsonBody": "{}",
            **_paging(**{**step, "parameters": {"parameters": [by_body]}}, **done),
        },
        "the same answer again": {
            "url": f"{BASE}/object",
            **_paging(**{**step, "parameters": {"parameters": [{"name": "a", "value": "1"}]}}, **limited),
        },
        "whole answers": {
            "url": f"{BASE}/pages?bare=1",
            "options": {
                **_paging(**step, **limited)["options"],
                **_response(fullResponse=False, responseFormat="text")["options"],
            },
        },
    }


def _old() -> Table:
    body: dict[str, Any] = {"requestMethod": "POST"}
    keyed: dict[str, Any] = {"queryParametersUi": _old_pairs(q="={{ $json.t }}", n="={{ $json.n }}")}
    found: Table = {
        "get": {},
        "query": keyed,
        "headers": {"headerParametersUi": _old_pairs(**{"X-One": "={{ $json.n }}"})},
        "pairs": {**body, "bodyParametersUi": _old_pairs(a="={{ $json.n }}", b="text")},
        "json": {**body, "jsonParameters": True, "bodyParametersJson": '={"n": {{ $json.n }}}', "queryParametersJson": '{"q": 1}', "headerParametersJson": '{"X-One": "1"}'},
        "form": {**body, "bodyParametersUi": _old_pairs(a="={{ $json.t }}"), "options": {"bodyContentType": "form-urlencoded"}},
        "multipart": {**body, "bodyParametersUi": _old_pairs(a="={{ $json.t }}"), "options": {"bodyContentType": "multipart-form-data"}},
        "raw": {**body, "jsonParameters": True, "bodyParametersJson": "a,b", "options": {"bodyContentType": "raw", "bodyContentCustomMimeType": "text/csv"}},
        "text": {"url": f"{BASE}/text", "responseFormat": "string"},
        "text in a property": {"url": f"{BASE}/text", "responseFormat": "string", "dataPropertyName": "body"},
        "list": {"url": f"{BASE}/array"},
        "list split": {"url": f"{BASE}/array", "options": {"splitIntoItems": True}},
        "full": {"url": f"{BASE}/array", "options": {"fullResponse": True}},
        "status": {"url": f"{BASE}/status/404"},
        "status ignored": {"url": f"{BASE}/status/404", "options": {"ignoreResponseCode": True, "fullResponse": True}},
        "not json": {"url": f"{BASE}/text"},
        "redirect": {"url": f"{BASE}/redirect/1"},
        "redirect off": {"url": f"{BASE}/redirect/1", "options": {"followRedirect": False, "ignoreResponseCode": True, "fullResponse": True}},
        "lists": {"jsonParameters": True, "queryParametersJson": '{"ids": [1, 2]}'},
        "lists repeated": {"jsonParameters": True, "queryParametersJson": '{"ids": [1, 2]}', "options": {"useQueryString": True}},
    }  # fmt: skip
    return {name: {"url": f"{BASE}/echo", "options": {}, **parameters} for name, parameters in found.items()}


def _case(version: float, parameters: dict[str, Any], rows: Any = ROWS, **extra: Any) -> Case:
    nodes = [node("Node", "httpRequest", version, parameters, 1, **extra)]
    return {"document": document(nodes, "Trigger > Node", {"Trigger": rows})}


def _file(name: str, version: float, parameters: dict[str, Any]) -> Case:
    nodes = [node("Node", "httpRequest", version, {"url": f"{BASE}/{name}", **parameters}, 1), SEEN]
    return {"document": document(nodes, "Trigger > Node > Seen", {"Trigger": ROWS[:1]})}


def _upload(version: float, parameters: dict[str, Any], source: dict[str, Any] = TEXT_FILE) -> Case:
    nodes = [source, node("Node", "httpRequest", version, {"url": f"{BASE}/echo", **parameters}, 2)]
    return {"document": document(nodes, "Trigger > File > Node", {"Trigger": ROWS})}


def _http() -> dict[str, Case]:
    found: dict[str, Case] = {}
    version: float
    for name, parameters in {**_sent(), **_answered()}.items():
        found[f"{name} v{NEW:g}"] = _case(NEW, parameters)
    for name, parameters in _paged().items():
        found[f"pages {name} v{NEW:g}"] = _case(NEW, {"options": {}, **parameters}, ROWS[:1])
    for name, parameters in _old().items():
        for version in (1, 2):
            found[f"{name} v{version:g}"] = _case(version, parameters)
    for version in (3, 4, 4.1, 4.3, 4.4):
        for name in ("json pairs", "query lists", "redirect 302", "headers kept in case"):
            found[f"{name} v{version:g}"] = _case(version, _sent()[name])
        for name in ("reads array", "reads text", "reads nothing", "status 404", "full array"):
            found[f"{name} v{version:g}"] = _case(version, _answered()[name])
    for way in ("continueRegularOutput", "continueErrorOutput"):
        mixed = {"url": f"={BASE}/status/{{{{ $json.n === 1 ? 404 : 200 }}}}", "options": {}}
        found[f"{way} v{NEW:g}"] = _case(NEW, mixed, onError=way)
        found[f"{way} v1"] = _case(1, mixed, onError=way)
        refused = {"url": "http://127.0.0.1:1/", "options": {}}
        found[f"{way} refused v{NEW:g}"] = _case(NEW, refused, onError=way)
        for status in (500, 429):
            said = {"url": f"{BASE}/status/{status}", "options": {}}
            found[f"{way} status {status} v{NEW:g}"] = _case(NEW, said, ROWS[:1], onError=way)
    for name, options in {
        "full": {"fullResponse": True, "responseFormat": "file"},
        "full text": {"fullResponse": True, "responseFormat": "text", "outputPropertyName": "t"},
    }.items():
        found[f"csv {name} v{NEW:g}"] = _case(NEW, {"url": f"{BASE}/csv", **_response(**options)}, ROWS[:1])
    found["text full v1"] = _case(
        1, {"url": f"{BASE}/text", "responseFormat": "string", "options": {"fullResponse": True}}, ROWS[:1]
    )
    found["once v4.2"] = _case(NEW, _sent()["get"], executeOnce=True)
    for name in ("picture.png", "bytes", "named", "csv", "object"):
        found[f"file {name} v{NEW:g}"] = _file(name, NEW, _response(responseFormat="file"))
        found[f"file {name} v1"] = _file(name, 1, {"responseFormat": "file", "options": {}})
    for name in ("picture.png", "bytes", "named"):
        found[f"reads {name} v{NEW:g}"] = _file(name, NEW, {"options": {}})
    found["file in a property v4.2"] = _file(
        "csv", NEW, _response(responseFormat="file", outputPropertyName="it")
    )
    post: dict[str, Any] = {"method": "POST", "sendBody": True, "options": {}}
    part = {"parameterType": "formBinaryData", "name": "f", "inputDataFieldName": "data"}
    many = {"parameters": [part, {"parameterType": "formData", "name": "a", "value": "1"}]}
    for version in (3, NEW):
        binary = {**post, "contentType": "binaryData", "inputDataFieldName": "data"}
        found[f"upload v{version:g}"] = _upload(version, binary)
        form = {**post, "contentType": "multipart-form-data", "bodyParameters": many}
        found[f"upload form v{version:g}"] = _upload(version, form)
    missing = {**post, "contentType": "binaryData", "inputDataFieldName": "nope"}
    found[f"upload missing v{NEW:g}"] = _upload(NEW, missing)
    found[f"upload bytes v{NEW:g}"] = _upload(
        NEW, {**post, "contentType": "binaryData", "inputDataFieldName": "data"}, BYTES
    )
    old = {
        "requestMethod": "POST",
        "jsonParameters": True,
        "sendBinaryData": True,
        "options": {"bodyContentType": "raw"},
    }
    found["upload v1"] = _upload(1, old)
    found["upload form v1"] = _upload(
        1, {**old, "binaryPropertyName": "f:data", "options": {"bodyContentType": "multipart-form-data"}}
    )
    return found


_BEHIND: dict[str, tuple[str, float, dict[str, Any]]] = {
    "function": ("function", 1, {"functionCode": "return items[0].json.map(j => ({json: j}))"}),
    "function unchanged": ("function", 1, {"functionCode": "return items"}),
    "function made": ("function", 1, {"functionCode": "return [{json: items[0].json.concat(items.length)}]"}),
    "function item": ("functionItem", 1, {"functionCode": "return item"}),
    "function item made": ("functionItem", 1, {"functionCode": "return [item.length, item]"}),
    "code": ("code", 2, {"jsCode": "return $input.first().json.map(j => ({json: j}))"}),
    "code unchanged": ("code", 2, {"jsCode": "return items"}),
    "code each": ("code", 2, {"mode": "runOnceForEachItem", "jsCode": "return {json: {n: $json.length, item: $json}}"}),
    "nothing": ("noOp", 1, {}),
    "set": ("set", 3.4, {"assignments": {"assignments": [
        {"id": "1", "name": "n", "type": "number", "value": "={{ $json.length }}"},
        {"id": "2", "name": "first", "type": "string", "value": "={{ $json[0]?.id }}"}]}, "options": {}}),
    "set raw": ("set", 3.4, {"mode": "raw", "jsonOutput": "={{ {all: $json} }}", "options": {}}),
    "set included": ("set", 3.4, {"includeOtherFields": True, "assignments": {"assignments": [
        {"id": "1", "name": "n", "type": "number", "value": "={{ $json.length }}"}]}, "options": {}}),
    "if": ("if", 2.2, {"conditions": {"options": {"version": 2, "typeValidation": "strict"}, "combinator": "and", "conditions": [
        {"id": "1", "leftValue": "={{ $json }}", "rightValue": "", "operator": {"type": "array", "operation": "notEmpty", "singleValue": True}}]}}),
    "split": ("splitOut", 1, {"fieldToSplitOut": "0", "options": {}}),
    "aggregate": ("aggregate", 1, {"aggregate": "aggregateAllItemData", "options": {}}),
    "loop": ("splitInBatches", 3, {"options": {}}),
    "sort": ("sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "id"}]}, "options": {}}),
    "unique": ("removeDuplicates", 2, {"options": {}}),
    "file": ("moveBinaryData", 1, {"mode": "jsonToBinary", "options": {"keepSource": True}}),
    "sent": ("httpRequest", 4.2, {"url": f"{BASE}/echo", "method": "POST", "sendBody": True, "specifyBody": "json", "jsonBody": "={{ $json }}", "options": {}}),
    "picture": ("httpRequest", 4.2, {"url": f"{BASE}/picture.png", "options": {}}),
    "xml": ("xml", 1, {"mode": "jsonToxml", "options": {}}),
}  # fmt: skip
"""What stands behind a request whose answer is no object."""
_FOR_ANY = ("function item", "code each", "nothing", "set", "if", "aggregate", "loop")


def _wholes() -> dict[str, Case]:
    gathered = node(
        "Seen", "code", 2, {"jsCode": "return [{json: {found: $input.all().map(i => i.json)}}]"}, 3
    )
    found: dict[str, Case] = {}
    for answer in ("array", "values", "number", "nothing"):
        call = node("Call", "httpRequest", 1, {"url": f"{BASE}/{answer}", "options": {}}, 1)
        for name, (kind, version, parameters) in _BEHIND.items():
            if answer in ("number", "nothing") and name not in _FOR_ANY:
                continue
            nodes = [call, node("Node", kind, version, parameters, 2), gathered]
            found[f"{answer} to {name} v1"] = {
                "document": document(nodes, "Trigger > Call > Node > Seen", {"Trigger": ROWS[:1]})
            }
    return found


def _others() -> dict[str, dict[str, Case]]:
    graphql, rss = {}, {}
    query = "query { a(n: {{ $json.n }}) }"
    asks: Table = {
        "json": {"requestFormat": "json", "query": f"={query}"},
        "variables": {"requestFormat": "json", "query": "query($n: Int) { a(n: $n) }", "variables": '={{ JSON.stringify({"n": $json.n}) }}'},
        "operation": {"requestFormat": "json", "query": "query Q { a }", "operationName": "Q"},
        "graphql": {"requestFormat": "graphql", "query": f"={query}"},
        "get": {"requestMethod": "GET", "query": "query { a }"},
        "text": {"requestFormat": "json", "query": "query { a }", "responseFormat": "string", "dataPropertyName": "body"},
        "wrong": {"requestFormat": "json", "query": "query { wrong }"},
        "headers": {"requestFormat": "json", "query": "query { a }", "headerParametersUi": {"parameter": [{"name": "X-One", "value": "1"}]}},
    }  # fmt: skip
    for name, parameters in asks.items():
        for version in (1, 1.1):
            full = {"requestMethod": "POST", "endpoint": f"{BASE}/graphql", **parameters}
            nodes = [node("Node", "graphql", version, full, 1)]
            graphql[f"{name} v{version:g}"] = Case(
                document=document(nodes, "Trigger > Node", {"Trigger": ROWS})
            )
    for name in ("rss", "atom", "no-feed", "status/404"):
        for version in (1, 1.1, 1.2):
            nodes = [node("Node", "rssFeedRead", version, {"url": f"{BASE}/{name}", "options": {}}, 1)]
            rss[f"{name} v{version:g}"] = Case(
                document=document(nodes, "Trigger > Node", {"Trigger": ROWS[:1]})
            )
    return {"graphql": graphql, "rssFeedRead": rss}


def cases() -> dict[str, dict[str, Case]]:
    return {"httpRequest": {**_http(), **_wholes()}, **_others()}

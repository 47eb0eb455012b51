"""Whole workflows as people build them from core nodes: orders, reports, paging, imports of files, old forms."""

import json
from typing import Any

from tests.compat.cases.build import Case
from tests.compat.cases.engine import Sheet
from tests.compat.cases.files import FOLDER
from tests.compat.cases.single import condition, conditions
from tests.compat.stub import BASE

ORDERS: list[dict[str, Any]] = [
    {"id": "A-1001", "customer": {"name": "Ada Lovelace", "email": "ADA@Example.org ", "country": "GB"}, "placed": "2024-02-28T23:30:00Z", "total": "1,204.50", "currency": "GBP", "items": [{"sku": "p-1", "qty": 2, "price": 500}, {"sku": "p-2", "qty": 1, "price": 204.5}], "tags": "vip, gift ,,new", "notes": None},
    {"id": "A-1002", "customer": {"name": "grace hopper", "email": "grace@navy.mil", "country": "US"}, "placed": "2024-03-10T09:15:00-05:00", "total": "80", "currency": "USD", "items": [{"sku": "p-2", "qty": 4, "price": 20}], "tags": "", "notes": "Leave at the \"back\" door\nThanks"},
    {"id": "A-1003", "customer": {"name": "Jürgen Groß", "email": "not-an-email", "country": "DE"}, "placed": "2023-12-31T23:59:59+01:00", "total": "0", "currency": "EUR", "items": [], "tags": "new", "notes": "ÄÖÜ 😀"},
    {"id": "A-1002", "customer": {"name": "Grace Hopper", "email": "grace@navy.mil", "country": "US"}, "placed": "2024-03-11T09:15:00-05:00", "total": "19.99", "currency": "USD", "items": [{"sku": "p-3", "qty": 1, "price": 19.99}], "tags": "vip", "notes": ""},
]  # fmt: skip
PEOPLE: list[dict[str, Any]] = [
    {"id": 1, "email": "ada@example.org", "name": "Ada", "team": "red", "score": 91, "joined": "2021-04-01", "active": True},
    {"id": 2, "email": "bob@example.org", "name": "Bob", "team": "blue", "score": 55.5, "joined": "2022-11-15", "active": False},
    {"id": 3, "email": "cyd@example.org", "name": "Cyd", "team": "red", "score": None, "joined": "2020-02-29", "active": True},
    {"id": 4, "email": "dee@example.org", "name": "Dee", "team": None, "score": 70, "joined": "2024-01-01", "active": True},
    {"id": 5, "email": "eli@example.org", "name": "Eli", "team": "blue", "score": "62", "joined": "", "active": False},
]  # fmt: skip


def fields(*rows: tuple[str, str, Any], keep: bool = True) -> dict[str, Any]:
    """Parameters of Edit Fields 3.4: (name, type, value)."""
    assigned = [
        {"id": str(n), "name": name, "type": kind, "value": value}
        for n, (name, kind, value) in enumerate(rows)
    ]
    more = {"includeOtherFields": True} if keep else {}
    return {"assignments": {"assignments": assigned}, **more, "options": {}}


def when(kind: str, operation: str, left: Any, right: Any = "", **options: Any) -> dict[str, Any]:
    return {"conditions": conditions(condition(kind, operation, left, right), **options), "options": {}}


def rules(*rows: tuple[str, dict[str, Any]], **options: Any) -> dict[str, Any]:
    """Parameters of Switch 3: (name of the output, condition)."""
    values = [{"conditions": conditions(row), "renameOutput": True, "outputKey": name} for name, row in rows]
    return {"rules": {"values": values}, "options": options}


def get(path: str, **parameters: Any) -> dict[str, Any]:
    """Parameters of HTTP Request 4.2."""
    return {"url": path if path.startswith("=") else BASE + path, "options": {}, **parameters}


def _orders(found: dict[str, Case]) -> None:
    found["orders cleaned, checked and routed"] = (
        Sheet()
        .add("Normalise", "set", 3.4, fields(
            ("email", "string", "={{ $json.customer.email.trim().toLowerCase() }}"),
            ("name", "string", "={{ $json.customer.name.toTitleCase() }}"),
            ("amount", "number", "={{ parseFloat($json.total.replace(/,/g, '')) }}"),
            ("tags", "array", "={{ $json.tags.split(',').map(t => t.trim()).filter(Boolean) }}"),
            ("placedAt", "string", "={{ DateTime.fromISO($json.placed, { zone: 'utc' }).toFormat('yyyy-LL-dd HH:mm') }}"),
            ("valid", "boolean", "={{ $json.customer.email.trim().isEmail() && $json.items.length > 0 }}"),
            ("address.country", "string", "={{ { GB: 'United Kingdom', US: 'United States' }[$json.customer.country] ?? $json.customer.country }}"),
        ))
        .add("Valid?", "if", 2.2, when("boolean", "true", "={{ $json.valid }}"))
        .add("By size", "switch", 3.2, rules(
            ("large", condition("number", "gte", "={{ $json.amount }}", 1000)),
            ("medium", condition("number", "gte", "={{ $json.amount }}", 50)),
            fallbackOutput="extra", renameFallbackOutput="small"))
        .put("Large", "={{ $json.name }} spent {{ $json.amount.format('en-GB', { style: 'currency', currency: $json.currency }) }}", "message")
        .put("Medium", "={{ `Order ${$json.id}: ${$json.items.map(i => i.qty + '×' + i.sku).join(' + ')}` }}", "message")
        .put("Small", "=small {{ $json['id'] }} / {{ $('Normalise').item.json.tags.first() }}", "message")
        .add("Rejected", "set", 3.4, fields(("reason", "string", "={{ $json.items.isEmpty() ? 'empty' : 'email' }}"), ("index", "number", "={{ $itemIndex }}"), keep=False))
        .merge("Together", inputs=4)
        .code("Report", """const all = $input.all();
const by = {};
for (const item of all) (by[item.json.reason ?? item.json.currency] ??= []).push(item.json.message ?? item.json.index);
return { by, count: all.length, first: $('Normalise').first().json.email, last: $('Normalise').last().json.name, ids: $items('Trigger').map(i => i.json.id) };""")
        .wired("Trigger > Normalise > Valid? > By size > Large > Together, By size.1 > Medium > Together.1, By size.2 > Small > Together.2, Valid?.1 > Rejected > Together.3, Together > Report", rows=ORDERS)
    )  # fmt: skip
    found["order lines to totals per sku"] = (
        Sheet()
        .add("Lines", "splitOut", 1, {"fieldToSplitOut": "items", "include": "selectedOtherFields", "fieldsToInclude": "id, customer.country", "options": {"destinationFieldName": "line"}})
        .add("Line total", "set", 3.4, fields(("line.total", "number", "={{ ($json.line.qty * $json.line.price).round(2) }}"), ("sku", "string", "={{ $json.line.sku }}")))
        .add("Per sku", "summarize", 1.1, {"fieldsToSummarize": {"values": [
            {"aggregation": "sum", "field": "line.total"}, {"aggregation": "count", "field": "id"},
            {"aggregation": "countUnique", "field": "id"}, {"aggregation": "concatenate", "field": "id", "separateBy": "|"},
            {"aggregation": "append", "field": "line.qty"}, {"aggregation": "max", "field": "line.price"}]}, "fieldsToSplitBy": "sku", "options": {}})
        .add("Sorted", "sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "sum_line_total", "order": "descending"}]}, "options": {}})
        .add("Top", "limit", 1, {"maxItems": 2})
        .add("One", "aggregate", 1, {"aggregate": "aggregateAllItemData", "destinationFieldName": "top", "options": {}})
        .put("Text", "={{ $json.top.map((t, i) => `${i + 1}. ${t.sku}: ${t.sum_line_total.toFixed(2)}`).join('\\n') }}", "text")
        .wired("Trigger > Lines > Line total > Per sku > Sorted > Top > One > Text", rows=ORDERS)
    )  # fmt: skip
    found["duplicates out, newest kept"] = (
        Sheet()
        .add("Newest first", "sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "placed", "order": "descending"}]}, "options": {}})
        .add("Once", "removeDuplicates", 2, {"compare": "selectedFields", "fieldsToCompare": "id", "options": {}})
        .add("Rename", "renameKeys", 1, {"keys": {"key": [{"currentKey": "customer.name", "newKey": "buyer"}, {"currentKey": "total", "newKey": "amount"}]}, "additionalOptions": {}})
        .code("Each", """const d = DateTime.fromISO($json.placed).setZone('Europe/Berlin');
$input.item.json = { id: $json.id, local: d.toISO(), week: d.weekNumber, quarter: d.quarter, weekend: d.isWeekend, age: Math.floor(DateTime.fromISO('2024-04-01').diff(d, 'days').days) };
return $input.item;""", )
        .add("Filter", "filter", 2.2, when("number", "lt", "={{ $json.age }}", 60))
        .add("Html", "html", 1.2, {"operation": "convertToHtmlTable", "options": {"capitalize": True}})
        .wired("Trigger > Newest first > Once > Rename > Each > Filter > Html", rows=ORDERS)
    )  # fmt: skip
    found["duplicates out, newest kept"]["document"]["nodes"][4]["parameters"]["mode"] = "runOnceForEachItem"
    found["customers matched with people"] = (
        Sheet()
        .code("People", f"return {json.dumps(PEOPLE)}.map(json => ({{ json }}))")
        .code("Tickets", "return [['ada@example.org', 'open', 3], ['ADA@example.org', 'closed', 1], ['bob@example.org', 'open', 2], ['zed@example.org', 'open', 1]].map(([mail, state, prio]) => ({ json: { mail, state, prio, id: mail.length } }))")
        .add("Match", "merge", 3.2, {"mode": "combine", "advanced": True, "mergeByFields": {"values": [{"field1": "email", "field2": "mail"}]}, "joinMode": "enrichInput1", "options": {"clashHandling": {"values": {"resolveClash": "addSuffix"}}, "multipleMatches": "all"}})
        .add("Unmatched", "merge", 3.2, {"mode": "combine", "advanced": True, "mergeByFields": {"values": [{"field1": "email", "field2": "mail"}]}, "joinMode": "keepNonMatches", "outputDataFrom": "both", "options": {}})
        .add("Cross", "merge", 3.2, {"mode": "combine", "combineBy": "combineAll", "options": {"clashHandling": {"values": {"resolveClash": "preferInput1"}}}})
        .add("Sql", "merge", 3.2, {"mode": "combineBySql", "query": "SELECT input1.name, input2.state, input2.prio FROM input1 LEFT JOIN input2 ON input1.email = input2.mail ORDER BY input1.id, input2.prio"})
        .add("Groups", "merge", 3.2, {"mode": "combineBySql", "query": "SELECT team, COUNT(*) AS n, MAX(score) AS best FROM input1 WHERE active = true GROUP BY team ORDER BY n DESC, team"})
        .wired("Trigger > People > Match, Trigger > Tickets > Match.1, People > Unmatched, Tickets > Unmatched.1, People > Cross, Tickets > Cross.1, People > Sql, Tickets > Sql.1, People > Groups, Tickets > Groups.1", rows=[{}])
    )  # fmt: skip


def _calls(found: dict[str, Case]) -> None:
    found["pages until none are left"] = (
        Sheet()
        .add("Start", "set", 3.4, fields(("page", "number", 1), keep=False))
        .add("Get", "httpRequest", 4.2, get("/pages", sendQuery=True, queryParameters={"parameters": [{"name": "page", "value": "={{ $json.page }}"}]}))
        .add("More?", "if", 2.2, when("string", "notEmpty", "={{ $json.next }}"))
        .add("Next page", "set", 3.4, fields(("page", "number", "={{ $json.next.isUrl() ? Number($json.next.match(/page=(\\d+)/)[1]) : 0 }}"), keep=False))
        .code("Gather", """const rows = [];
for (let run = 0; run < 5; run++) {
  try { for (const item of $('Get').all(0, run)) rows.push(...item.json.rows); } catch (e) { break; }
}
return rows.map((json, n) => ({ json: { ...json, n, runs: $('Get').context ? 1 : 0 } }));""")
        .wired("Trigger > Start > Get > More? > Next page > Get, More?.1 > Gather", rows=[{}])
    )  # fmt: skip
    found["pages by the node, split and enriched"] = (
        Sheet()
        .add("Pages", "httpRequest", 4.2, get("/pages", options={"pagination": {"pagination": {"paginationMode": "updateAParameterInEachRequest", "parameters": {"parameters": [{"type": "qs", "name": "page", "value": "={{ $pageCount + 1 }}"}]}, "paginationCompleteWhen": "other", "completeExpression": "={{ !$response.body.next }}", "limitPagesFetched": True, "maxRequests": 5}}}))
        .add("Rows", "splitOut", 1, {"fieldToSplitOut": "rows", "options": {}})
        .add("Detail", "httpRequest", 4.2, get(f"={BASE}/item/{{{{ $json.id }}}}?from={{{{ $('Pages').item.json.page }}}}", options={"batching": {"batch": {"batchSize": 2, "batchInterval": 1}}}))
        .add("Shape", "set", 3.4, fields(("id", "number", "={{ $('Rows').item.json.id }}"), ("page", "number", "={{ $json.query[0][1].toNumber() }}"), ("method", "string", "={{ $json.method }}"), keep=False))
        .add("Per page", "summarize", 1.1, {"fieldsToSummarize": {"values": [{"aggregation": "append", "field": "id"}, {"aggregation": "average", "field": "id"}]}, "fieldsToSplitBy": "page", "options": {"outputFormat": "singleItem"}})
        .wired("Trigger > Pages > Rows > Detail > Shape > Per page", rows=[{}])
    )  # fmt: skip
    found["calls that fail, by each setting"] = (
        Sheet()
        .code("Paths", "return ['/object', '/status/404', '/status/500', '/array'].map((path, i) => ({ json: { path, i } }))")
        .add("Branch", "httpRequest", 4.2, get(f"={BASE}{{{{ $json.path }}}}"), onError="continueErrorOutput")
        .add("Regular", "httpRequest", 4.2, get(f"={BASE}{{{{ $json.path }}}}"), onError="continueRegularOutput")
        .add("Never", "httpRequest", 4.2, get(f"={BASE}{{{{ $json.path }}}}", options={"response": {"response": {"neverError": True, "fullResponse": True}}}), retryOnFail=True, maxTries=2, waitBetweenTries=10)
        .add("Ok", "set", 3.4, fields(("from", "string", "={{ $('Paths').item.json.path }}")))
        .add("Failed", "set", 3.4, fields(("from", "string", "={{ $('Paths').item.json.path }}"), ("had", "boolean", "={{ !!$json.error }}"), keep=False))
        .add("Codes", "set", 3.4, fields(("code", "number", "={{ $json.statusCode }}"), ("text", "string", "={{ $json.body.message ?? typeof $json.body }}"), keep=False))
        .add("Marked", "set", 3.4, fields(("failed", "boolean", "={{ $json.error !== undefined }}"), keep=False))
        .wired("Trigger > Paths > Branch > Ok, Branch.1 > Failed, Paths > Regular > Marked, Paths > Never > Codes", rows=[{}])
    )  # fmt: skip
    found["a token, then calls with it"] = (
        Sheet()
        .add("Login", "httpRequest", 4.2, get("/login", method="POST", sendBody=True, specifyBody="json", jsonBody="={{ JSON.stringify({ user: 'u', pass: $json.pass }) }}"))
        .add("Token", "set", 3.4, fields(("token", "string", "={{ $json.body.pass.base64Encode() }}"), ("expires", "string", "={{ DateTime.fromISO('2024-01-31').plus({ months: 1 }).toISODate() }}"), keep=False))
        .add("Form", "httpRequest", 4.2, get("/form", method="PUT", sendHeaders=True, headerParameters={"parameters": [{"name": "Authorization", "value": "=Bearer {{ $json.token }}"}, {"name": "X-Run", "value": "={{ $runIndex }}"}]}, sendBody=True, contentType="form-urlencoded", bodyParameters={"parameters": [{"name": "a b", "value": "={{ $json.expires }}"}, {"name": "list[]", "value": "1"}, {"name": "list[]", "value": "2"}]}))
        .add("Raw", "httpRequest", 4.2, get("/raw", method="PATCH", sendBody=True, contentType="raw", rawContentType="text/xml", body="=<a>{{ $('Token').item.json.token }}</a>"))
        .add("Query", "httpRequest", 4.2, get("/q?fixed=1", sendQuery=True, specifyQuery="json", jsonQuery='={"a": "{{ $(\'Token\').first().json.expires }}", "b": [1, 2], "c": {"d": 1}}'))
        .code("Sum", "return { form: $('Form').first().json, raw: $('Raw').first().json.body, query: $input.first().json.query }")
        .wired("Trigger > Login > Token > Form > Raw > Query > Sum", rows=[{"pass": "pä ss"}])
    )  # fmt: skip
    found["loop over pages with static data and wait"] = (
        Sheet()
        .code("Seed", "const s = $getWorkflowStaticData('global'); s.seen = []; return Array.from({ length: 5 }, (_, i) => ({ json: { i, due: DateTime.utc(2024, 1, 31).plus({ months: i }).toISODate() } }))")
        .loop("Loop", 2)
        .add("Call", "httpRequest", 4.2, get(f"={BASE}/x?i={{{{ $json.i }}}}&due={{{{ $json.due }}}}"))
        .add("Wait", "wait", 1.1, {"amount": 0})
        .code("Keep", """const s = $getWorkflowStaticData('global');
s.seen.push($input.all().map(i => i.json.query[0][1]).join('+'));
return $input.all().map((item, n) => ({ json: { q: item.json.query, n, run: $runIndex, seen: [...s.seen] }, pairedItem: n }));""")
        .code("End", "return [{ json: { done: $input.all().map(i => i.json.q[1][1]), seen: $getWorkflowStaticData('global').seen, left: $('Loop').context.noItemsLeft } }]")
        .wired("Trigger > Seed > Loop, Loop.1 > Call > Wait > Keep > Loop, Loop > End", rows=[{}])
    )  # fmt: skip


def _old(found: dict[str, Case]) -> None:
    """Nodes as workflows of earlier years have them."""
    found["Function, Set 1, IF 1, Merge 1"] = (
        Sheet()
        .add("Function", "function", 1, {"functionCode": "// adds\nfor (item of items) {\n  item.json.total = item.json.items.reduce((sum, i) => sum + i.qty * i.price, 0);\n  item.json.when = moment ? 'm' : '';\n}\nreturn items;".replace("moment ? 'm' : ''", "new Date(item.json.placed).toISOString()")})
        .add("Item", "functionItem", 1, {"functionCode": "item.key = `${item.customer.country}-${item.id.split('-').pop()}`;\nitem.even = $position % 2 === 0;\ndelete item.items;\nreturn item;".replace("$position % 2 === 0", "item.total % 2 == 0")})
        .add("IF", "if", 1, {"conditions": {"number": [{"value1": "={{$json[\"total\"]}}", "operation": "larger", "value2": 50}], "string": [{"value1": "={{$node[\"Function\"].json[\"customer\"][\"country\"]}}", "operation": "notEqual", "value2": "DE"}]}, "combineOperation": "all"})
        .add("Set", "set", 1, {"keepOnlySet": True, "values": {"string": [{"name": "key", "value": "={{$json[\"key\"]}}"}, {"name": "who.name", "value": "={{$json.customer.name}}"}], "number": [{"name": "total", "value": "={{$json.total}}"}], "boolean": [{"name": "big", "value": True}]}, "options": {}})
        .add("Set small", "set", 2, {"values": {"string": [{"name": "size", "value": "small"}], "boolean": [{"name": "big", "value": "={{ $json.total > 1000 }}"}]}, "options": {"dotNotation": False}})
        .add("Merge", "merge", 1, {})
        .add("Date", "dateTime", 1, {"value": "={{$node['Function'].json.placed}}", "dataPropertyName": "day", "toFormat": "DD.MM.YYYY", "options": {"fromTimezone": "UTC", "toTimezone": "America/New_York"}})
        .wired("Trigger > Function > Item > IF > Set > Merge, IF.1 > Set small > Merge.1, Merge > Date", "", ORDERS)
    )  # fmt: skip
    found["batches with IF noItemsLeft"] = (
        Sheet()
        .add("Lists", "itemLists", 1, {"fieldToSplitOut": "items", "include": "allOtherFields", "options": {}})
        .add("Sort", "itemLists", 1, {"operation": "sort", "sortFieldsUi": {"sortField": [{"fieldName": "items.sku"}, {"fieldName": "id", "order": "descending"}]}, "options": {}})
        .add("SplitInBatches", "splitInBatches", 1, {"batchSize": 2, "options": {"reset": False}})
        .add("Set", "set", 1, {"values": {"string": [{"name": "batch", "value": "={{$node[\"SplitInBatches\"].context[\"currentRunIndex\"]}}"}]}, "options": {}})
        .add("IF", "if", 1, {"conditions": {"boolean": [{"value1": "={{$node[\"SplitInBatches\"].context[\"noItemsLeft\"]}}", "value2": True}]}})
        .add("Function", "function", 1, {"functionCode": "const all = [];\nlet counter = 0;\ndo {\n  try {\n    const found = $items('Set', 0, counter).map(item => item.json.items.sku);\n    all.push(found);\n  } catch (error) {\n    return [{ json: { all, counter, n: items.length } }];\n  }\n  counter++;\n} while (counter < 10);\nreturn [{ json: { all, counter } }];"})
        .wired("Trigger > Lists > Sort > SplitInBatches > Set > IF > Function, IF.1 > SplitInBatches", "v0", ORDERS)
    )  # fmt: skip
    found["HTTP 1, 2 and 3, Move Binary Data, Spreadsheet File"] = (
        Sheet()
        .add("Http1", "httpRequest", 1, {"url": BASE + "/pages", "options": {"splitIntoItems": False}, "queryParametersUi": {"parameter": [{"name": "page", "value": "={{$json[\"p\"]}}"}]}})
        .add("Http2", "httpRequest", 2, {"url": f"={BASE}/post", "requestMethod": "POST", "jsonParameters": True, "options": {}, "bodyParametersJson": "={\"rows\": {{ JSON.stringify($json[\"rows\"]) }} }", "headerParametersJson": "={\"X-Page\": \"{{$json[\"page\"]}}\"}"})
        .add("Http3", "httpRequest", 3, {"url": BASE + "/csv", "options": {"response": {"response": {"responseFormat": "file", "outputPropertyName": "sheet"}}}})
        .add("Read", "spreadsheetFile", 1, {"binaryPropertyName": "sheet", "fileFormat": "csv", "options": {"headerRow": True}})
        .add("Write", "spreadsheetFile", 1, {"operation": "toFile", "fileFormat": "csv", "options": {"fileName": "=out-{{ $itemIndex }}.csv"}})
        .add("Move", "moveBinaryData", 1, {"setAllData": False, "destinationKey": "text", "options": {"jsonParse": False}})
        .add("Crypto", "crypto", 1, {"type": "SHA256", "value": "={{$json.text}}", "dataPropertyName": "hash"})
        .wired("Trigger > Http1 > Http2 > Http3 > Read > Write > Move > Crypto", "v0", [{"p": 2}])
    )  # fmt: skip
    found["Merge 2 and Switch 1 of 2022"] = (
        Sheet()
        .add("Left", "function", 1, {"functionCode": "return [1, 2, 3, 4].map(id => ({ json: { id, left: 'l' + id, o: { a: id } } }))"})
        .add("Right", "function", 1, {"functionCode": "return [3, 2, 2, 9].map((key, n) => ({ json: { key, right: n, o: { b: key } } }))"})
        .add("Keep", "merge", 2, {"mode": "combine", "mergeByFields": {"values": [{"field1": "id", "field2": "key"}]}, "options": {}})
        .add("Enrich", "merge", 2.1, {"mode": "combine", "mergeByFields": {"values": [{"field1": "id", "field2": "key"}]}, "joinMode": "enrichInput1", "options": {"multipleMatches": "first"}})
        .add("Multiplex", "merge", 2, {"mode": "combine", "combinationMode": "multiplex", "options": {"clashHandling": {"values": {"resolveClash": "preferInput1", "mergeMode": "shallowMerge"}}}})
        .add("Switch", "switch", 1, {"dataType": "number", "value1": "={{$json.id}}", "rules": {"rules": [{"operation": "smaller", "value2": 2}, {"operation": "equal", "value2": 3, "output": 2}]}, "fallbackOutput": 3})
        .pass_on("A", "B", "C")
        .add("Choose", "merge", 2, {"mode": "chooseBranch", "output": "input2"})
        .wired("Trigger > Left > Keep, Trigger > Right > Keep.1, Left > Enrich, Right > Enrich.1, Left > Multiplex, Right > Multiplex.1, Enrich > Switch > A, Switch.2 > B, Switch.3 > C, Keep > Choose, Multiplex > Choose.1", rows=[{}])
    )  # fmt: skip
    found["a report of 2021: aggregates by code"] = (
        Sheet()
        .add("Split", "function", 1, {"functionCode": "const out = [];\nfor (const order of items) for (const line of order.json.items) out.push({ json: { ...line, id: order.json.id } });\nreturn out;"})
        .add("Group", "function", 1, {"functionCode": "const sums = {};\nitems.forEach(({ json }) => { sums[json.sku] = (sums[json.sku] || 0) + json.qty * json.price; });\nreturn Object.keys(sums).sort().map(sku => ({ json: { sku, sum: Math.round(sums[sku] * 100) / 100 } }));"})
        .add("Limit", "itemLists", 2, {"operation": "limit", "maxItems": 2, "keep": "lastItems"})
        .add("Summary", "itemLists", 3, {"operation": "summarize", "fieldsToSummarize": {"values": [{"aggregation": "sum", "field": "sum"}, {"aggregation": "concatenate", "field": "sku"}]}, "options": {}})
        .add("Together", "itemLists", 1, {"operation": "aggregateItems", "fieldsToAggregate": {"fieldToAggregate": [{"fieldToAggregate": "sku", "renameField": True, "outputFieldName": "skus"}]}, "options": {}})
        .add("Html", "htmlExtract", 1, {"dataPropertyName": "page", "extractionValues": {"values": [{"key": "cells", "cssSelector": "td", "returnArray": True}, {"key": "head", "cssSelector": "h1"}, {"key": "href", "cssSelector": "a", "returnValue": "attribute", "attribute": "href"}]}, "options": {"trimValues": True}})
        .add("Page", "set", 2, {"keepOnlySet": True, "values": {"string": [{"name": "page", "value": "=<h1>{{$json.skus.length}}</h1><table>{{ $json.skus.map(s => '<tr><td>' + s + '</td></tr>').join('') }}</table><a href=\"/x?a=1&amp;b=2\">x</a>"}]}, "options": {}})
        .add("Markdown", "markdown", 1, {"html": "={{ $node.Page.json.page }}", "options": {}})
        .wired("Trigger > Split > Group > Limit > Summary, Limit > Together > Page > Html > Markdown", "v0", ORDERS)
    )  # fmt: skip


def _code(found: dict[str, Case]) -> None:
    found["code in both modes with all its helpers"] = (
        Sheet()
        .code("Helpers", """const out = [];
for (const [i, item] of $input.all().entries()) {
  const { customer: { name, email = 'none' } = {}, ...rest } = item.json;
  out.push({ json: {
    name, email, slug: name.normalize('NFD').replace(/[\\u0300-\\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, ''),
    b64: Buffer.from(rest.notes ?? '', 'utf8').toString('base64url'), hex: Buffer.from(name).toString('hex').slice(0, 8),
    parts: rest.placed.match(/^(?<y>\\d{4})-(?<m>\\d\\d)/).groups, list: [...new Set(rest.items.flatMap(l => [l.sku, l.sku[0]]))],
    first: i === 0, jm: typeof $jmespath === 'function' ? $jmespath(item.json, 'items[?qty > `1`].sku') : null,
    sorted: [10, 9, 1].sort(), nums: [10, 9, 1].toSorted((a, b) => a - b), last: rest.items.at(-1)?.sku, entries: Object.fromEntries(Object.entries(rest).filter(([k]) => k.length < 4)),
    intl: new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }).format(1234.5), date: new Date('2024-02-29T12:00:00Z').toLocaleDateString('en-US', { timeZone: 'UTC', dateStyle: 'medium' }),
    padded: String(i).padStart(3, '0'), grouped: Object.groupBy ? Object.keys(Object.groupBy(rest.items, l => l.sku)) : null, big: Number(10n ** 3n), esc: encodeURIComponent('a b&ä'),
  }, pairedItem: i });
}
return out;""")
        .code("Each", """const prev = $('Trigger').item.json;
const { DateTime: D } = { DateTime };
return { json: { id: prev.id, n: $itemIndex, same: $('Trigger').itemMatching($itemIndex).json.id === prev.id, month: D.fromISO(prev.placed).setLocale('fr').monthLong, rel: DateTime.fromISO(prev.placed).plus({ days: 40 }).startOf('month').toISODate(), name: $json.name, mode: $input.item.json.slug, node: $node['Trigger'].json.id, prevNode: $prevNode.name, workflow: $workflow.name, dur: Duration.fromObject({ minutes: 90 }).toFormat('h:mm'), between: Interval.fromDateTimes(D.utc(2024, 1, 1), D.utc(2024, 3, 1)).count('days') } };""")
        .add("Python free", "set", 3.4, {"mode": "raw", "jsonOutput": "={\n  \"id\": \"{{ $json.id }}\",\n  \"tags\": {{ JSON.stringify($('Trigger').item.json.tags.split(',')) }},\n  \"text\": {{ $('Trigger').item.json.notes.toJsonString() }},\n  \"n\": {{ $json.n + 1 }}\n}", "options": {}})
        .wired("Trigger > Helpers > Each > Python free", rows=[{**row, "notes": row["notes"] or "-"} for row in ORDERS])
    )  # fmt: skip
    found["code in both modes with all its helpers"]["document"]["nodes"][2]["parameters"]["mode"] = (
        "runOnceForEachItem"
    )
    found["code reads what came before"] = (
        Sheet()
        .add("Config", "set", 3.4, {"mode": "raw", "jsonOutput": "{\"limits\": {\"min\": 10, \"max\": 100}, \"emails\": [\"a@x.org\", \"b@x.org\"], \"template\": \"Hi {{name}}, {{ count }} new\"}", "options": {}})
        .code("Build", """const cfg = $('Config').first().json;
return cfg.emails.map((to, i) => ({ json: { to, body: cfg.template.replace(/\\{\\{\\s*(\\w+)\\s*\\}\\}/g, (_, k) => ({ name: to.split('@')[0].toUpperCase(), count: i * 2 })[k]), within: i * 50 >= cfg.limits.min && i * 50 <= cfg.limits.max }, binary: { note: { data: Buffer.from('note ' + i).toString('base64'), mimeType: 'text/plain', fileName: `n${i}.txt` } } }));""")
        .add("Read", "extractFromFile", 1, {"operation": "text", "binaryPropertyName": "note", "destinationKey": "note", "options": {"keepSource": "both"}})
        .code("Binary", "const out = []; for (let i = 0; i < items.length; i++) { const b = await this.helpers.getBinaryDataBuffer(i, 'note'); out.push({ json: { ...items[i].json, len: b.length, up: b.toString().toUpperCase(), names: Object.keys(items[i].binary) }, binary: items[i].binary }); } return out;")
        .add("As text", "set", 3.4, fields(("file", "string", "={{ $binary.note.fileName }} ({{ $binary.note.mimeType }})"), ("keys", "array", "={{ Object.keys($binary) }}"), ("cfg", "object", "={{ $('Config').first().json.limits }}")))
        .add("All", "aggregate", 1, {"aggregate": "aggregateAllItemData", "include": "specifiedFields", "fieldsToInclude": "file, to, up", "options": {}})
        .wired("Trigger > Config > Build > Read > Binary > As text > All", rows=[{}])
    )  # fmt: skip
    found["code that fails, each way of going on"] = (
        Sheet()
        .code("Bad json", "return items.map(i => ({ json: JSON.parse(i.json.raw) }))", onError="continueErrorOutput")
        .code("Bad each", "if (!$json.raw.startsWith('{')) throw new Error('no object: ' + $json.raw);\nreturn { ...JSON.parse($json.raw), i: $itemIndex };", onError="continueErrorOutput")
        .code("Bad regular", "return { v: $json.raw.nothing.there };", onError="continueRegularOutput")
        .add("Edit", "set", 3.4, fields(("v", "number", "={{ $json.raw.length / $json.missing.deep }}")), onError="continueErrorOutput")
        .pass_on("G1", "B1", "G2", "B2", "G3", "G4", "B4")
        .wired("Trigger > Bad json > G1, Bad json.1 > B1, Trigger > Bad each > G2, Bad each.1 > B2, Trigger > Bad regular > G3, Trigger > Edit > G4, Edit.1 > B4", rows=[{"raw": "{\"a\": 1}"}, {"raw": "oops"}, {"raw": "{\"b\": [2]}"}])
    )  # fmt: skip
    for place in (1, 2):
        found["code that fails, each way of going on"]["document"]["nodes"][1 + place]["parameters"][
            "mode"
        ] = "runOnceForEachItem"


def _files(found: dict[str, Case]) -> None:
    found["people to files and back"] = (
        Sheet()
        .add("Lines", "set", 3.4, fields(("csv", "string", "={{ Object.keys($json).join(';') }}\n{{ $input.all().map(i => Object.values(i.json).map(v => v ?? '').join(';')).join('\\n') }}\n"), keep=False), executeOnce=True)
        .add("Csv", "convertToFile", 1.1, {"operation": "toText", "sourceProperty": "csv", "binaryPropertyName": "csv", "options": {"fileName": "people.csv"}})
        .add("Disk", "readWriteFile", 1, {"operation": "write", "fileName": FOLDER + "/people.csv", "dataPropertyName": "csv", "options": {}})
        .add("Read", "readWriteFile", 1, {"fileSelector": FOLDER + "/people.csv", "options": {"dataPropertyName": "in"}})
        .add("Rows", "extractFromFile", 1, {"operation": "csv", "binaryPropertyName": "in", "options": {"delimiter": ";", "headerRow": True}})
        .add("Xlsx", "convertToFile", 1.1, {"operation": "xlsx", "options": {"sheetName": "People", "headerRow": True}})
        .add("Back", "extractFromFile", 1, {"operation": "xlsx", "options": {"sheetName": "People", "range": "A1:D4"}})
        .add("Json", "convertToFile", 1.1, {"operation": "toJson", "mode": "each", "options": {"format": True, "fileName": "=p{{ $itemIndex }}.json"}})
        .add("Text", "extractFromFile", 1, {"operation": "fromJson", "destinationKey": "p", "options": {}})
        .add("Names", "set", 3.4, fields(("line", "string", "={{ $json.p.id }}:{{ $json.p.name ?? '-' }}:{{ typeof $json.p.id }}"), keep=False))
        .wired("Trigger > Lines > Csv > Disk > Read > Rows > Xlsx > Back > Json > Text > Names", rows=PEOPLE)
    )  # fmt: skip
    found["page scraped, list made, XML out"] = (
        Sheet()
        .code("Page", "return [{ json: { html: '<html><head><title>Shop &amp; Co</title><script>var x = 1;</script></head><body><div class=\"card\" data-id=\"1\"><h2> Tea <small>new</small></h2><p class=\"price\">€ 4,50</p><a href=\"/tea\">go</a></div><div class=\"card\" data-id=\"2\"><h2>Cup</h2><p class=\"price\">€ 12,00</p></div><ul><li>a</li><li></li><li>b</li></ul></body></html>' } }]")
        .add("Cards", "html", 1.2, {"operation": "extractHtmlContent", "dataPropertyName": "html", "extractionValues": {"values": [{"key": "title", "cssSelector": "title"}, {"key": "cards", "cssSelector": ".card", "returnValue": "html", "returnArray": True}, {"key": "ids", "cssSelector": ".card", "returnValue": "attribute", "attribute": "data-id", "returnArray": True}, {"key": "none", "cssSelector": ".absent"}, {"key": "li", "cssSelector": "li", "returnArray": True}]}, "options": {}})
        .add("Split", "splitOut", 1, {"fieldToSplitOut": "cards, ids", "options": {"destinationFieldName": "card, id"}})
        .add("Card", "html", 1.2, {"operation": "extractHtmlContent", "dataPropertyName": "card", "extractionValues": {"values": [{"key": "name", "cssSelector": "h2", "skipSelectors": "small"}, {"key": "price", "cssSelector": ".price"}, {"key": "link", "cssSelector": "a", "returnValue": "attribute", "attribute": "href"}]}, "options": {"trimValues": True, "cleanUpText": True}})
        .add("Clean", "set", 3.4, fields(("price", "number", "={{ Number($json.price.replace(/[^\\d,]/g, '').replace(',', '.')) }}"), ("link", "string", "={{ $json.link ? new URL($json.link, 'https://shop.example').toString() : 'none' }}"), ("id", "string", "={{ $('Split').item.json.id }}")))
        .add("Xml", "xml", 1, {"mode": "jsonToxml", "options": {"rootName": "card", "headless": True}})
        .add("Json", "xml", 1, {"options": {"explicitRoot": False, "explicitArray": True}})
        .add("Template", "html", 1.2, {"html": "<ul>{{ $('Clean').all().map(i => `<li>${i.json.name}</li>`).join('') }}</ul>\n<p>{{ $json.name }}</p>"}, executeOnce=True)
        .add("Md", "markdown", 1, {"html": "={{ $json.html }}", "destinationKey": "md", "options": {}})
        .wired("Trigger > Page > Cards > Split > Card > Clean > Xml > Json > Template > Md", rows=[{}])
    )  # fmt: skip


def _dates(found: dict[str, Case]) -> None:
    found["dates of a subscription"] = (
        Sheet()
        .add("Parse", "dateTime", 2, {"operation": "formatDate", "date": "={{ $json.joined }}", "format": "custom", "customFormat": "dd LLL yyyy", "outputFieldName": "shown", "options": {"includeInputFields": True}})
        .add("Renew", "dateTime", 2, {"operation": "addToDate", "magnitude": "={{ $json.joined }}", "duration": 1, "timeUnit": "years", "outputFieldName": "renew", "options": {"includeInputFields": True}})
        .add("Extract", "dateTime", 2, {"operation": "extractDate", "date": "={{ $json.renew }}", "part": "week", "outputFieldName": "week", "options": {"includeInputFields": True}})
        .add("Between", "dateTime", 2, {"operation": "getTimeBetweenDates", "startDate": "={{ $json.joined }}", "endDate": "2024-06-01", "units": ["month", "day"], "outputFieldName": "since", "options": {"includeInputFields": True}})
        .add("Round", "dateTime", 2, {"operation": "roundDate", "date": "={{ $json.renew }}", "mode": "roundDown", "toNearest": "month", "outputFieldName": "first", "options": {"includeInputFields": True}})
        .add("Edit", "set", 3.4, fields(
            ("a", "string", "={{ $json.joined.toDateTime().plus(3, 'days').format('yyyy-MM-dd') }}"),
            ("b", "string", "={{ DateTime.fromISO($json.joined).endOf('month').toFormat('dd/MM/yyyy HH:mm:ss') }}"),
            ("c", "boolean", "={{ $json.joined.toDateTime().isBetween('2021-01-01', '2023-01-01') }}"),
            ("d", "string", "={{ DateTime.fromISO($json.joined).setZone('Asia/Tokyo', { keepLocalTime: true }).toISO() }}"),
            ("e", "number", "={{ DateTime.fromFormat('31.12.2024 18:30', 'dd.MM.yyyy HH:mm', { zone: 'Europe/Berlin' }).toMillis() }}"),
            ("f", "number", "={{ Math.round(DateTime.fromISO('2024-03-31', { zone: 'Europe/Berlin' }).diff(DateTime.fromISO('2024-03-30', { zone: 'Europe/Berlin' }), 'hours').hours) }}"),
            ("g", "string", "={{ new Date($json.joined).toISOString().split('T')[0] }}"),
            ("h", "string", "={{ DateTime.fromISO($json.joined).toRelative({ base: DateTime.fromISO('2024-06-01') }) }}"),
            ("i", "array", "={{ Array.from({ length: 3 }, (_, n) => DateTime.fromISO($json.joined).minus({ weeks: n }).toISODate()) }}"),
            ("j", "string", "={{ $json.joined.toDateTime().weekdayLong }}, {{ $json.joined.toDateTime().extract('quarter') }}"),
            ("k", "dateTime", "={{ $json.renew }}"),
        ))
        .add("After", "filter", 2.2, when("dateTime", "after", "={{ $json.renew }}", "2022-06-01T00:00:00"))
        .wired("Trigger > Parse > Renew > Extract > Between > Round > Edit > After", rows=PEOPLE[:4])
    )  # fmt: skip
    found["weekly report grouped by date"] = (
        Sheet()
        .code("Sales", "return Array.from({ length: 12 }, (_, i) => ({ json: { at: DateTime.fromISO('2024-02-26T22:30:00Z').plus({ days: i, hours: i * 3 }).toISO(), amount: (i * 37) % 11 + 0.1, shop: ['north', 'south'][i % 2] } }))")
        .add("Week", "set", 3.4, fields(("week", "string", "={{ DateTime.fromISO($json.at).setZone('Europe/Berlin').toFormat(\"kkkk-'W'WW\") }}"), ("day", "string", "={{ $json.at.toDateTime().toFormat('ccc') }}"), ("amount", "number", "={{ $json.amount.round(1) }}")))
        .add("Sum", "summarize", 1, {"fieldsToSummarize": {"values": [{"aggregation": "sum", "field": "amount"}, {"aggregation": "average", "field": "amount"}, {"aggregation": "min", "field": "at"}, {"aggregation": "countUnique", "field": "day"}]}, "fieldsToSplitBy": "week, shop", "options": {}})
        .add("Sort", "sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "week"}, {"fieldName": "shop", "order": "descending"}]}, "options": {}})
        .code("Pivot", "const t = {}; for (const { json: j } of $input.all()) (t[j.week] ??= { week: j.week })[j.shop] = +j.sum_amount.toFixed(2); return Object.values(t)")
        .add("Table", "html", 1.2, {"operation": "convertToHtmlTable", "options": {"customStyling": True, "tableAttributes": "border=1"}})
        .add("Text", "markdown", 1, {"html": "={{ $json.table }}", "options": {}})
        .wired("Trigger > Sales > Week > Sum > Sort > Pivot > Table > Text", rows=[{}])
    )  # fmt: skip


def _loops(found: dict[str, Case]) -> None:
    found["loop with retry counter and give up"] = (
        Sheet()
        .add("Jobs", "set", 3.4, fields(("tries", "number", 0)))
        .loop("Each", 1)
        .add("Try", "set", 3.4, fields(("tries", "number", "={{ $json.tries + 1 }}"), ("run", "number", "={{ $runIndex }}")))
        .add("Call", "httpRequest", 4.2, get(f"={BASE}/status/{{{{ $json.tries >= $json.need ? 200 : 503 }}}}", options={"response": {"response": {"fullResponse": True, "neverError": True}}}))
        .add("Ok?", "if", 2.2, when("number", "equals", "={{ $json.statusCode }}", 200))
        .add("Again?", "if", 2.2, when("number", "lt", "={{ $('Try').item.json.tries }}", 3))
        .add("Back", "set", 3.4, {"mode": "raw", "jsonOutput": "={{ $('Try').item.json }}", "options": {}})
        .add("Good", "set", 3.4, fields(("job", "string", "={{ $('Each').item.json.name }}"), ("tries", "number", "={{ $('Try').item.json.tries }}"), ("state", "string", "ok"), keep=False))
        .add("Bad", "set", 3.4, fields(("job", "string", "={{ $('Each').item.json.name }}"), ("state", "string", "=failed {{ $json.statusCode }}: {{ $json.body.message }}"), keep=False))
        .code("Done", "return { results: $input.all().map(i => i.json), runs: $('Each').context.currentRunIndex }")
        .wired("Trigger > Jobs > Each > Done, Each.1 > Try > Call > Ok? > Good > Each, Ok?.1 > Again? > Back > Try, Again?.1 > Bad > Each", rows=[{"name": "a", "need": 1}, {"name": "b", "need": 3}, {"name": "c", "need": 9}])
    )  # fmt: skip
    found["loop in a loop"] = (
        Sheet()
        .loop("Outer", 2)
        .add("Lines", "splitOut", 1, {"fieldToSplitOut": "items", "include": "selectedOtherFields", "fieldsToInclude": "id", "options": {"destinationFieldName": "line"}}, alwaysOutputData=True)
        .loop("Inner", 1, reset="={{ $prevNode.name === 'Lines' }}")
        .add("Mark", "set", 3.4, fields(("mark", "string", "={{ $('Outer').context.currentRunIndex }}/{{ $runIndex }}/{{ $json.line?.sku ?? 'none' }}"), keep=False))
        .gather("Inner done")
        .add("Back", "set", 3.4, fields(("marks", "array", "={{ $json.data.map(d => d.mark) }}"), keep=False))
        .code("End", "return $input.all()")
        .wired("Trigger > Outer > End, Outer.1 > Lines > Inner > Inner done > Back > Outer, Inner.1 > Mark > Inner", rows=ORDERS)
    )  # fmt: skip
    found["counter until a limit without a loop node"] = (
        Sheet()
        .add("Start", "set", 3.4, {"mode": "raw", "jsonOutput": "{\"n\": 1, \"path\": []}", "options": {}})
        .add("Step", "set", 3.4, fields(("n", "number", "={{ $json.n % 2 === 0 ? $json.n / 2 : 3 * $json.n + 1 }}"), ("path", "array", "={{ [...$json.path, $json.n] }}")))
        .add("Stop?", "switch", 3.2, rules(("long", condition("array", "lengthGte", "={{ $json.path }}", 8)), ("go", condition("boolean", "true", "={{ true }}", ""))))
        .add("Result", "set", 3.4, fields(("sum", "number", "={{ $json.path.sum() }}"), ("max", "number", "={{ $json.path.max() }}"), ("runs", "number", "={{ $('Step').all().length + $runIndex }}"), ("uniq", "array", "={{ $json.path.unique() }}"), ("chunks", "array", "={{ $json.path.chunk(3) }}"), ("pluck", "string", "={{ $json.path.map(String).join('→') }}"), keep=False))
        .wired("Trigger > Start > Step > Stop? > Result, Stop?.1 > Step", rows=[{}])
    )  # fmt: skip


def _shapes(found: dict[str, Case]) -> None:
    found["objects reshaped by expressions"] = (
        Sheet()
        .add("Edit", "set", 3.4, fields(
            ("contact", "object", "={{ { name: $json.customer.name, mail: $json.customer.email?.trim() ?? null, ...($json.customer.country === 'US' && { usa: true }) } }}"),
            ("skus", "array", "={{ $json.items.pluck('sku') }}"),
            ("sum", "number", "={{ $json.items.reduce((a, { qty, price }) => a + qty * price, 0) }}"),
            ("label", "string", "={{ $json.items.length ? `${$json.items.length} line${$json.items.length > 1 ? 's' : ''}` : 'empty' }}"),
            ("nested.list[0].x", "string", "first"),
            ("best", "string", "={{ $json.items.sort((a, b) => b.price - a.price)[0]?.sku || 'n/a' }}"),
            ("digits", "string", "={{ $json.id.match(/\\d+/g)?.join('') }}"),
            ("note", "string", "={{ ($json.notes || '').replace(/[\"\\n]/g, c => c === '\"' ? \"'\" : ' / ').replaceAll('a', 'A') }}"),
            ("json", "string", "={{ JSON.stringify($json.items.map(i => ({ [i.sku]: i.qty })), null, 2) }}"),
            ("query", "string", "={{ Object.entries({ id: $json.id, c: $json.currency }).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&') }}"),
            ("iif", "string", "={{ $if($json.total === '0', 'zero', $ifEmpty($json.tags, 'untagged')) }}"),
            ("bool", "boolean", "={{ !!$json.notes }}"), ("has", "boolean", "={{ 'notes' in $json }}"),
            ("switch", "string", "={{ ({ GBP: '£', USD: '$', EUR: '€' })[$json.currency] }}{{ $json.total }}"),
            ("iife", "string", "={{ (() => { const [a, b = '-'] = $json.customer.name.split(' '); return b + ', ' + a; })() }}"),
            ("min", "number", "={{ $min(...$json.items.map(i => i.qty), 5) }}"),
            ("keys", "array", "={{ $json.keys().filter(k => !['items', 'customer'].includes(k)) }}"),
        ))
        .add("Only", "set", 3.4, {**fields(("id", "string", "={{ $json.id.toLowerCase() }}"), keep=False), "includeOtherFields": True, "include": "selected", "includeFields": "contact.name, skus, nested"})
        .add("Except", "set", 3.4, {**fields(("n", "number", "={{ $('Edit').item.json.sum }}"), keep=False), "includeOtherFields": True, "include": "except", "excludeFields": "nested, skus"}, )
        .add("Keys", "renameKeys", 1, {"keys": {"key": [{"currentKey": "contact.name", "newKey": "who"}]}, "additionalOptions": {"regexReplacement": {"replacements": [{"searchRegex": "^(n)$", "replaceRegex": "sum_$1", "options": {}}]}}})
        .wired("Trigger > Edit > Only > Except > Keys", rows=[{**row, "items": row["items"]} for row in ORDERS])
    )  # fmt: skip
    found["lists split, cleaned and put together again"] = (
        Sheet()
        .code("Data", "return [{ json: { company: { name: 'X', units: [{ unit: 'a', people: ['p1', 'p2'] }, { unit: 'b', people: [] }, { unit: 'c', people: ['p1', null, 'p3'] }] }, meta: { year: 2024 } } }, { json: { company: { name: 'Y', units: null }, meta: {} } }]")
        .add("Units", "splitOut", 1, {"fieldToSplitOut": "company.units", "include": "allOtherFields", "options": {"destinationFieldName": "unit"}})
        .add("People", "splitOut", 1, {"fieldToSplitOut": "unit.people", "include": "selectedOtherFields", "fieldsToInclude": ["unit.unit", "meta.year"], "options": {"destinationFieldName": "person"}})
        .add("No empty", "filter", 2.2, when("string", "notEmpty", "={{ $json.person }}"))
        .add("Unique", "removeDuplicates", 2, {"compare": "selectedFields", "fieldsToCompare": "person", "options": {}})
        .add("List", "aggregate", 1, {"fieldsToAggregate": {"fieldToAggregate": [{"fieldToAggregate": "person", "renameField": True, "outputFieldName": "people"}]}, "options": {}})
        .add("Counts", "summarize", 1.1, {"fieldsToSummarize": {"values": [{"aggregation": "count", "field": "person", "includeEmpty": True}, {"aggregation": "append", "field": "person", "includeEmpty": True}]}, "fieldsToSplitBy": "person", "options": {"skipEmptySplitFields": True}})
        .add("Compare", "compareDatasets", 2.3, {"mergeByFields": {"values": [{"field1": "person", "field2": "person"}]}, "resolve": "includeBoth", "options": {}})
        .pass_on("A", "Same", "Different", "B")
        .wired("Trigger > Data > Units > People > No empty > Unique > List, People > Counts, Unique > Compare, No empty > Compare.1, Compare > A, Compare.1 > Same, Compare.2 > Different, Compare.3 > B", rows=[{}])
    )  # fmt: skip
    found["routes with a fallback, several outputs and regular expressions"] = (
        Sheet()
        .add("Route", "switch", 3.2, rules(
            ("mail", condition("string", "regex", "={{ $json.text }}", "[\\w.]+@[\\w.]+")),
            ("number", condition("string", "regex", "={{ $json.text }}", "^\\d+$")),
            ("long", condition("number", "gt", "={{ $json.text.length }}", 10)),
            ("upper", condition("boolean", "true", "={{ $json.text === $json.text.toUpperCase() }}", "")),
            fallbackOutput="extra", allMatchingOutputs=True))
        .add("Mail", "set", 3.4, fields(("mail", "string", "={{ $json.text.extractEmail() }}"), ("domain", "string", "={{ $json.text.extractDomain() ?? $json.text.extractEmail().extractDomain() }}")))
        .add("Number", "set", 3.4, fields(("n", "number", "={{ $json.text }}"), ("half", "number", "={{ parseInt($json.text, 10) / 2 }}"), ("odd", "boolean", "={{ Number($json.text).isOdd() }}")))
        .add("Long", "set", 3.4, fields(("short", "string", "={{ $json.text.slice(0, 7).trimEnd() + '…' }}"), ("words", "number", "={{ $json.text.split(/\\s+/).length }}"), ("hash", "string", "={{ $json.text.hash('sha1') }}")))
        .pass_on("Upper", "Other")
        .merge("All", inputs=5)
        .add("Order", "sort", 1, {"type": "code", "code": "return a.json.i - b.json.i || JSON.stringify(a.json).length - JSON.stringify(b.json).length"})
        .wired("Trigger > Route > Mail > All, Route.1 > Number > All.1, Route.2 > Long > All.2, Route.3 > Upper > All.3, Route.4 > Other > All.4, All > Order", rows=[{"i": i, "text": text} for i, text in enumerate(["write to ada@example.org now", "12345678901", "HELLO", "short", "", "7", "a fairly long sentence here"])])
    )  # fmt: skip
    for version in (1, 1.1):
        child = (
            Sheet()
            .add("Start", "executeWorkflowTrigger", version, {"workflowInputs": {"values": [{"name": "id"}, {"name": "n", "type": "number"}, {"name": "list", "type": "array"}, {"name": "flag", "type": "boolean"}]}} if version > 1 else {"inputSource": "passthrough"})
            .add("Work", "set", 3.4, fields(("twice", "number", "={{ $json.n * 2 }}"), ("keys", "array", "={{ Object.keys($json) }}"), ("kinds", "string", "={{ typeof $json.n }},{{ Array.isArray($json.list) }},{{ typeof $json.flag }}")))
            .add("Big?", "if", 2.2, when("number", "gt", "={{ $json.twice }}", 10))
            .put("Yes", "big", "size")
            .put("No", "=small {{ $('Start').item.json.id }}", "size")
            .merge("Both")
            .wired("Start > Work > Big? > Yes > Both, Big?.1 > No > Both.1")
        )["document"]  # fmt: skip
        child["nodes"] = [each for each in child["nodes"] if each["name"] != "Trigger"]
        child["pinData"] = {}
        schema = [
            {
                "id": name,
                "displayName": name,
                "type": kind,
                "required": False,
                "display": True,
                "canBeUsedToMatch": True,
            }
            for name, kind in (("id", "string"), ("n", "number"), ("list", "array"), ("flag", "boolean"))
        ]
        mapped = {
            "mappingMode": "defineBelow",
            "value": {
                "id": "={{ $json.id }}",
                "n": "={{ $json.items.length * 4 }}",
                "list": "={{ $json.items }}",
                "flag": "={{ $json.notes ? true : false }}",
            },
            "matchingColumns": [],
            "schema": schema,
            "attemptToConvertTypes": False,
            "convertFieldsToString": True,
        }
        for mode in ("once", "each"):
            call = {
                "workflowId": {"__rl": True, "mode": "id", "value": "child-flow"},
                "workflowInputs": mapped,
                "mode": mode,
                "options": {"waitForSubWorkflow": True},
            }
            case = (
                Sheet()
                .add("Call", "executeWorkflow", 1.2, call)
                .add(
                    "After",
                    "set",
                    3.4,
                    fields(("from", "string", "={{ $('Trigger').item.json.id }}")),
                    onError="continueRegularOutput",
                )
                .wired("Trigger > Call > After", rows=ORDERS)
            )
            case["workflows"] = {"child-flow": child}
            found[f"sub-workflow with inputs v{version:g}, {mode}"] = case


def _reports(found: dict[str, Case]) -> None:
    found["leads scored and answered"] = (
        Sheet()
        .add(
            "Webhook",
            "set",
            3.4,
            {
                "mode": "raw",
                "jsonOutput": "={{ { body: $json, headers: { 'x-key': 'k' }, query: { debug: '1' } } }}",
                "options": {},
            },
        )
        .add(
            "Check",
            "if",
            2.2,
            {
                "conditions": conditions(
                    condition("string", "equals", "={{ $json.headers['x-key'] }}", "k"),
                    condition("string", "notEmpty", "={{ $json.body.email }}", ""),
                    condition("number", "gt", "={{ $json.body.score }}", 0),
                ),
                "options": {},
            },
            onError="continueErrorOutput",
        )
        .add(
            "Tier",
            "set",
            3.4,
            fields(
                (
                    "tier",
                    "string",
                    "={{ $json.body.score >= 90 ? 'gold' : $json.body.score >= 60 ? 'silver' : 'bronze' }}",
                ),
                ("body.team", "string", "={{ $json.body.team ?? 'none' }}"),
            ),
        )
        .add(
            "Text",
            "set",
            3.4,
            fields(
                (
                    "text",
                    "string",
                    "=Hi {{ $json.body.name }},\n\nyou are {{ $json.tier.toUpperCase() }} since {{ $json.body.joined.toDateTime().toFormat('d MMMM yyyy') }}.\n{{ $json.body.active ? 'Thanks!' : '' }}",
                ),
                keep=False,
            ),
        )
        .add(
            "Bad",
            "set",
            3.4,
            {
                "mode": "raw",
                "jsonOutput": '={"error": "invalid", "id": {{ $json.body.id }}, "keys": {{ JSON.stringify(Object.keys($json.body)) }} }',
                "options": {},
            },
        )
        .pass_on("Error")
        .merge("M", inputs=3)
        .code(
            "Out", "return $input.all().map((i, n) => ({ json: { n, ...i.json }, pairedItem: { item: n } }))"
        )
        .wired(
            "Trigger > Webhook > Check > Tier > Text > M, Check.1 > Bad > M.1, Check.2 > Error > M.2, M > Out",
            rows=PEOPLE,
        )
    )
    found["csv of an api turned into mails per team"] = (
        Sheet()
        .add("Csv", "httpRequest", 4.2, get("/csv"))
        .code(
            "Parse",
            "const [head, ...rows] = $json.data.trim().split('\\n').map(l => l.split(','));\nreturn rows.map(r => Object.fromEntries(r.map((v, i) => [head[i], isNaN(v) ? v : Number(v)])));",
        )
        .add(
            "Double",
            "set",
            3.4,
            fields(
                ("a", "number", "={{ $json.a * 2 }}"),
                ("b2", "string", "={{ $json.b.repeat(3).toUpperCase() }}"),
                (
                    "when",
                    "string",
                    "={{ DateTime.fromISO('2024-01-31').plus({ months: $json.a }).toISODate() }}",
                ),
            ),
        )
        .add(
            "Send",
            "httpRequest",
            4.2,
            get(
                "/mail",
                method="POST",
                sendBody=True,
                bodyParameters={
                    "parameters": [
                        {"name": "to", "value": "={{ $json.b }}@x.org"},
                        {"name": "meta.count", "value": "={{ $json.a }}"},
                        {"name": "tags", "value": "={{ ['t', $json.b2] }}"},
                    ]
                },
            ),
        )
        .add(
            "Agg",
            "aggregate",
            1,
            {
                "fieldsToAggregate": {
                    "fieldToAggregate": [
                        {"fieldToAggregate": "body.to"},
                        {
                            "fieldToAggregate": "body.meta.count",
                            "renameField": True,
                            "outputFieldName": "counts",
                        },
                    ]
                },
                "options": {},
            },
        )
        .add(
            "Resp",
            "set",
            3.4,
            fields(
                ("ok", "boolean", True),
                (
                    "summary",
                    "string",
                    "={{ $json.to.length }} sent: {{ $json.to.join(', ') }}; {{ $json.counts.sum() }}",
                ),
                ("first", "object", "={{ $('Parse').first().json }}"),
                ("all", "array", "={{ $('Double').all().map(i => i.json.when) }}"),
                keep=False,
            ),
        )
        .wired("Trigger > Csv > Parse > Double > Send > Agg > Resp", rows=[{}])
    )
    found["accumulator over static data of a node"] = (
        Sheet()
        .code(
            "Seen",
            "const s = $getWorkflowStaticData('node'); s.ids = s.ids || []; const fresh = items.filter(i => !s.ids.includes(i.json.id)); s.ids.push(...fresh.map(i => i.json.id)); return fresh.map(i => ({ json: { ...i.json, known: s.ids.length } }))",
        )
        .add(
            "Top",
            "sort",
            1,
            {
                "sortFieldsUi": {
                    "sortField": [{"fieldName": "team"}, {"fieldName": "joined", "order": "descending"}]
                },
                "options": {},
            },
        )
        .add(
            "Group",
            "summarize",
            1.1,
            {
                "fieldsToSummarize": {
                    "values": [
                        {"aggregation": "append", "field": "name"},
                        {"aggregation": "min", "field": "joined"},
                        {"aggregation": "count", "field": "email"},
                    ]
                },
                "fieldsToSplitBy": "team",
                "options": {},
            },
        )
        .add(
            "Msg",
            "set",
            3.4,
            fields(
                (
                    "m",
                    "string",
                    "={{ $json.team || 'no team' }}: {{ $json.appended_name.join(' & ') }} ({{ $json.count_email }})",
                ),
                keep=False,
            ),
        )
        .add(
            "One",
            "aggregate",
            1,
            {"aggregate": "aggregateAllItemData", "destinationFieldName": "lines", "options": {}},
        )
        .add(
            "Md",
            "markdown",
            1,
            {
                "mode": "markdownToHtml",
                "markdown": "=# Teams\n\n{{ $json.lines.map(l => '- ' + l.m).join('\\n') }}",
                "destinationKey": "html",
                "options": {},
            },
        )
        .add(
            "Name",
            "crypto",
            1,
            {"action": "hash", "type": "SHA256", "value": "={{ $json.html }}", "dataPropertyName": "sum"},
        )
        .wired("Trigger > Seen > Top > Group > Msg > One > Md > Name", rows=[*PEOPLE, PEOPLE[0]])
    )


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, Case] = {}
    for part in (_orders, _calls, _old, _code, _files, _dates, _loops, _shapes, _reports):
        part(found)
    return {"flows": found}

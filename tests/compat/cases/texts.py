"""Date & Time, Crypto, HTML, Markdown, XML, Code, Function, Function Item."""

from typing import Any

from tests.compat.cases.build import Case, named, versions

DATES = [{"d": "2024-02-29T13:45:10.123Z"}, {"d": "2025-12-31"}, {"d": "2024-03-31T01:30:00+01:00"}]
PAGE = '<html><body><h1 id="t">A &amp; B</h1><p class="x">one <b>two</b></p><p class="x"> three </p><a href="/l">link</a><input value="v"></body></html>'
XML = '<?xml version="1.0"?><r a="1"><i>x</i><i k="2">y</i><e/><t> s </t></r>'


def _dates(found: dict[str, dict[str, Case]]) -> None:
    field = "={{ $json.d }}"
    for unit in ("years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds"):
        add = {"operation": "addToDate", "magnitude": field, "timeUnit": unit, "duration": 1}
        versions(found, "dateTime", f"add {unit}", "dateTime", (2,), add, DATES)
        old = {
            "action": "calculate",
            "value": field,
            "operation": "subtract",
            "duration": 1,
            "timeUnit": unit,
        }
        versions(found, "dateTime", f"subtract {unit}", "dateTime", (1,), old, DATES)
    for part in ("year", "month", "week", "day", "hour", "minute", "second"):
        versions(
            found,
            "dateTime",
            f"part {part}",
            "dateTime",
            (2,),
            {"operation": "extractDate", "date": field, "part": part},
            DATES,
        )
        down = {"operation": "roundDate", "date": field, "mode": "roundDown", "toNearest": part}
        versions(found, "dateTime", f"round {part}", "dateTime", (2,), down, DATES)
    for pattern in ("MM/dd/yyyy", "MMMM dd yyyy", "yyyy-MM-dd", "X", "x"):
        versions(
            found,
            "dateTime",
            f"format {pattern}",
            "dateTime",
            (2,),
            {"operation": "formatDate", "date": field, "format": pattern},
            DATES,
        )
    custom = {
        "operation": "formatDate",
        "date": field,
        "format": "custom",
        "customFormat": "EEE dd LLL yy HH:mm",
    }
    between = {
        "operation": "getTimeBetweenDates",
        "startDate": "2024-01-31",
        "endDate": field,
        "units": ["month", "day", "hour"],
    }
    for name, parameters in named(
        {
            "custom": custom,
            "keeps fields": {**custom, "options": {"includeInputFields": True}},
            "from format": {**custom, "date": "31.12.2024", "options": {"fromFormat": "dd.MM.yyyy"}},
            "round up": {"operation": "roundDate", "date": field, "mode": "roundUp", "to": "month"},
            "between": between,
            "between iso": {**between, "options": {"isoString": True}},
            "subtract": {
                "operation": "subtractFromDate",
                "magnitude": field,
                "timeUnit": "days",
                "duration": 60,
                "outputFieldName": "then",
            },
            "no date": {"operation": "extractDate", "date": "soon", "part": "year"},
        }
    ):
        versions(found, "dateTime", name, "dateTime", (2,), parameters, DATES)
    for pattern in ("MM/DD/YYYY", "MMMM DD YYYY", "YYYY-MM-DD", "X"):
        versions(
            found,
            "dateTime",
            f"format {pattern}",
            "dateTime",
            (1,),
            {"value": field, "toFormat": pattern},
            DATES,
        )


def _crypto(found: dict[str, dict[str, Case]]) -> None:
    rows = [{"v": "hello"}, {"v": "Zoë 😀"}]
    for kind in ("MD5", "SHA1", "SHA256", "SHA3-256", "SHA384", "SHA512"):
        for encoding in ("hex", "base64"):
            hashed = {"action": "hash", "type": kind, "value": "={{ $json.v }}", "encoding": encoding}
            versions(found, "crypto", f"{kind} {encoding}", "crypto", (1,), hashed, rows)
        keyed = {
            "action": "hmac",
            "type": kind,
            "value": "={{ $json.v }}",
            "secret": "key",
            "dataPropertyName": "out.h",
        }
        versions(found, "crypto", f"hmac {kind}", "crypto", (1,), keyed, rows)
    versions(found, "crypto", "default type", "crypto", (1, 2), {"value": "={{ $json.v }}"}, rows)


def _markup(found: dict[str, dict[str, Case]]) -> None:
    rows = [{"data": PAGE, "n": 5}]

    def pick(**more: Any) -> dict[str, Any]:
        return {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", **more}]}}

    for name, parameters in {
        "text": pick(cssSelector="p.x"),
        "texts": pick(cssSelector="p.x", returnArray=True),
        "html": pick(cssSelector="p.x", returnValue="html"),
        "attribute": pick(cssSelector="a", returnValue="attribute", attribute="href"),
        "value": pick(cssSelector="input", returnValue="value"),
        "skip": pick(cssSelector="p.x", skipSelectors="b"),
        "missing": pick(cssSelector="table"),
        "raw": {
            **pick(cssSelector="p.x", returnArray=True),
            "options": {"trimValues": False, "cleanUpText": False},
        },
        "template": {"html": "<p>{{ $json.n }} {{ $json.missing }}</p>"},
    }.items():
        versions(found, "html", name, "html", (1.2,), parameters, rows)
    flat = [{"a_b": 1, "c": "<x>"}, {"a_b": 2, "d": True}]
    for name, options in {"plain": {}, "caption": {"caption": "Cap", "capitalize": True}}.items():
        versions(
            found,
            "html",
            f"table {name}",
            "html",
            (1.2,),
            {"operation": "convertToHtmlTable", "options": options},
            flat,
        )
    for name, text in {
        "heading": "<h1>T</h1><p>a <b>b</b> <i>i</i></p>",
        "list": "<ul><li>x</li><li>y</li></ul>",
        "link": '<a href="https://x.org">x</a>',
        "code": "<pre><code>a = 1\n</code></pre>",
    }.items():
        versions(
            found,
            "markdown",
            f"from {name}",
            "markdown",
            (1,),
            {"mode": "htmlToMarkdown", "html": text},
            [{}],
        )
    for name, text in {
        "heading": "# T\n\na **b** _i_",
        "list": "- x\n- y\n",
        "ordered": "1. x\n2. y",
        "link": "[x](https://x.org)",
        "code": "```js\na = 1\n```",
        "quote": "> said",
    }.items():
        versions(
            found,
            "markdown",
            f"to {name}",
            "markdown",
            (1,),
            {"mode": "markdownToHtml", "markdown": text},
            [{}],
        )
    for name, options in named({
        "default": {}, "attributes": {"mergeAttrs": False}, "arrays": {"explicitArray": True}, "no root": {"explicitRoot": False},
        "ignore attributes": {"ignoreAttrs": True}, "trim": {"trim": True}, "normalize": {"normalizeTags": True},
    }):  # fmt: skip
        versions(found, "xml", f"read {name}", "xml", (1,), {"options": options}, [{"data": XML}])
    versions(
        found, "xml", "broken", "xml", (1,), {}, [{"data": "<a><b></a>"}], onError="continueRegularOutput"
    )
    for name, options in named(
        {
            "default": {},
            "headless": {"headless": True},
            "root": {"rootName": "top"},
            "cdata": {"cdata": True},
        }
    ):
        versions(
            found,
            "xml",
            f"write {name}",
            "xml",
            (1,),
            {"mode": "jsonToxml", "options": options},
            [{"a": 1, "l": ["x", "<y>"], "o": {"$": {"k": "v"}, "_": "t"}}],
        )


def _code(found: dict[str, dict[str, Case]]) -> None:
    rows = [{"n": 1}, {"n": 2}, {"n": 3}]
    for name, code in {
        "all": "return $input.all().map(i => ({json: {d: i.json.n * 2}}))",
        "one": "return {sum: items.reduce((s, i) => s + i.json.n, 0)}",
        "fewer": "return items.slice(1)",
        "none": "return []",
        "plain": "return items.map(i => ({v: i.json.n}))",
        "values": "return [{json: {a: NaN, b: undefined, c: null, d: new Date(0), e: new Map([[1, 2]]), f: 1/0}}]",
        "text": "return 'x'",
        "nothing": "const a = 1",
        "throws": "throw new Error('boom')",
        "luxon": "return [{json: {d: DateTime.fromISO('2024-02-29').plus({years: 1}).toISODate()}}]",
        "first": "return [{json: {f: $input.first().json.n, l: $input.last().json.n, t: $('Trigger').all().length}}]",
        "paired": "return [{json: {a: 1}, pairedItem: 2}, {json: {a: 2}, pairedItem: {item: 0}}]",
    }.items():
        versions(found, "code", name, "code", (2,), {"jsCode": code}, rows)
    for name, code in {
        "each": "return {json: {d: $json.n + $itemIndex}}",
        "each plain": "return {d: $input.item.json.n}",
        "each none": "return $json.n > 1 ? $input.item : null",
        "each wrong": "return 5",
    }.items():
        versions(found, "code", name, "code", (2,), {"mode": "runOnceForEachItem", "jsCode": code}, rows)
    for on_error in ("continueRegularOutput", "continueErrorOutput"):
        versions(
            found,
            "code",
            f"throws {on_error}",
            "code",
            (2,),
            {"jsCode": "throw new Error('boom')"},
            rows,
            onError=on_error,
        )
        each = {
            "mode": "runOnceForEachItem",
            "jsCode": "if ($json.n === 2) throw new Error('boom'); return $input.item",
        }
        versions(found, "code", f"each throws {on_error}", "code", (2,), each, rows, onError=on_error)
    versions(
        found,
        "function",
        "adds",
        "function",
        (1,),
        {"functionCode": "items[0].json.x = items.length; return items;"},
        rows,
    )
    versions(found, "function", "new", "function", (1,), {"functionCode": "return [{json: {a: 1}}];"}, rows)
    versions(
        found,
        "functionItem",
        "adds",
        "functionItem",
        (1,),
        {"functionCode": "item.x = item.n + 1; return item;"},
        rows,
    )
    versions(
        found, "functionItem", "new", "functionItem", (1,), {"functionCode": "return {y: item.n};"}, rows
    )


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {}
    _dates(found)
    _crypto(found)
    _markup(found)
    _code(found)
    return found

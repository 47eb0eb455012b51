"""Versions, modes and options that the other tables leave out: older versions that workflows still have, and the newest
where it differs from the one before."""

import json
from typing import Any, Final

from tests.compat.cases.build import Case, document, named, node, one, two, versions
from tests.compat.cases.single import ROWS, condition, conditions

LISTS: Final[list[dict[str, Any]]] = [
    {"g": "a", "n": 3, "s": "x", "tags": ["t1", "t2"], "sub": {"k": 1, "list": [{"v": 1}, {"v": 2}]}},
    {"g": "b", "n": 7, "s": "", "tags": [], "sub": {"k": 2, "list": []}},
    {"g": "a", "n": 5, "s": "Y", "sub": {"k": 3}},
    {"g": "a", "n": 3, "s": "x", "tags": ["t1"], "sub": {"k": 1, "list": [{"v": 3}]}},
]
GO: Final = {"onError": "continueRegularOutput"}


def _branches(found: dict[str, dict[str, Case]]) -> None:
    rows = [
        condition("string", "equals", "={{ $json.s }}", "one"),
        condition("number", "gt", "={{ $json.n }}", "0"),
        condition("boolean", "true", "={{ $json.b }}", ""),
        condition("dateTime", "after", "={{ $json.d }}", "2024-01-01"),
        condition("array", "lengthGt", "={{ $json.l }}", 1),
        condition("object", "empty", "={{ $json.o }}", ""),
        condition("string", "empty", "={{ $json.missing }}", ""),
        condition("number", "equals", "={{ $json.s }}", 1),
        condition("dateTime", "before", "={{ $json.s }}", "2024-01-01"),
        condition("boolean", "equals", "={{ $json.s }}", "={{ true }}"),
        condition("array", "contains", "={{ $json.s }}", "a"),
        condition("string", "contains", "={{ $json.n }}", "1"),
    ]
    for number, row in enumerate(rows):
        for strict in (True, False):
            tag = f"{row['operator']['type']} {row['operator']['operation']} {number}{'' if strict else ' loose'}"
            parameters = {
                "conditions": conditions(row, strict=strict),
                "looseTypeValidation": not strict,
                "options": {},
            }
            versions(found, "if", tag, "if", (2.3,), parameters, ROWS, **GO)
            switch: dict[str, Any] = {"rules": {"values": [{"conditions": conditions(row, strict=strict)}]}}
            switch |= {"looseTypeValidation": not strict, "options": {"fallbackOutput": "extra"}}
            versions(found, "switch", tag, "switch", (3.1, 3.3, 3.4), switch, ROWS, **GO)
    expression = {"mode": "expression", "numberOutputs": 3, "output": "={{ $json.n > 10 ? 2 : 0 }}"}
    versions(found, "switch", "expression", "switch", (3.1, 3.3, 3.4), expression, ROWS)
    for name, output in {
        "below zero": "={{ -1 }}",
        "a fraction": "={{ 1.5 }}",
        "a text": "={{ '1' }}",
        "nothing": "={{ null }}",
    }.items():
        versions(found, "switch", name, "switch", (3, 3.2, 3.4), {**expression, "output": output}, ROWS, **GO)


def _merge(found: dict[str, dict[str, Case]]) -> None:
    first = [{"id": 1, "a": "x", "o": {"p": 1}}, {"id": 2, "a": "y"}, {"id": 3}]
    second = [{"id": 1, "b": "q", "a": "z", "o": {"r": 2}}, {"id": 3, "b": "r"}, {"id": 4, "b": "s"}]
    by = {"mode": "combine", "mergeByFields": {"values": [{"field1": "id", "field2": "id"}]}}
    joined = {"joinMode": "keepMatches", "outputDataFrom": "both"}
    tables: dict[tuple[float, ...], dict[str, dict[str, Any]]] = {
        (2, 2.1): {
            "append": {"mode": "append"},
            "choose": {"mode": "chooseBranch", "output": "input2"},
            "choose empty": {"mode": "chooseBranch", "output": "empty"},
            "position": {"mode": "combine", "combinationMode": "mergeByPosition"},
            "position, all": {"mode": "combine", "combinationMode": "mergeByPosition", "options": {"includeUnpaired": True}},
            "multiplex": {"mode": "combine", "combinationMode": "multiplex"},
            **{f"fields {mode}": {**by, "combinationMode": "mergeByFields", "joinMode": mode}
               for mode in ("keepMatches", "keepNonMatches", "keepEverything", "enrichInput1", "enrichInput2")},
        },
        (3.1,): {
            "append": {"mode": "append", "numberInputs": 2},
            "choose": {"mode": "chooseBranch", "output": "specifiedInput", "useDataOfInput": 2},
            "position": {"mode": "combine", "combineBy": "combineByPosition"},
            "all": {"mode": "combine", "combineBy": "combineAll"},
            "fields": {"mode": "combine", "combineBy": "combineByFields", "fieldsToMatchString": "id", **joined},
            "fields from the first": {"mode": "combine", "combineBy": "combineByFields", "fieldsToMatchString": "id",
                **joined, "outputDataFrom": "input1"},
            "sql": {"mode": "combineBySql", "query": "SELECT input1.id, input2.b FROM input1 LEFT JOIN input2 ON input1.id = input2.id ORDER BY input1.id"},
        },
    }  # fmt: skip
    for at, table in tables.items():
        for name, parameters in table.items():
            for version in at:
                found.setdefault("merge", {})[f"older {name} v{version:g}"] = two(
                    "merge", version, {"options": {}, **parameters}, first, second
                )


def _lists(found: dict[str, dict[str, Case]]) -> None:
    old = (1, 2, 2.1, 2.2)
    fields = {"fields": [{"fieldName": "g"}, {"fieldName": "n"}]}
    for name, parameters in named({
        "split": {"fieldToSplitOut": "tags"},
        "split nested": {"fieldToSplitOut": "sub.list"},
        "split others": {"fieldToSplitOut": "tags", "include": "allOtherFields"},
        "split selected": {"fieldToSplitOut": "tags", "include": "selectedOtherFields", "fieldsToInclude": fields},
        "split renamed": {"fieldToSplitOut": "tags", "options": {"destinationFieldName": "tag"}},
        "split whole": {"fieldToSplitOut": "sub.list", "options": {"disableDotNotation": True}},
        "aggregate": {"operation": "aggregateItems", "fieldsToAggregate": {"fieldToAggregate": [{"fieldToAggregate": "n"}]}},
        "aggregate renamed": {"operation": "aggregateItems", "fieldsToAggregate": {"fieldToAggregate": [
            {"fieldToAggregate": "sub.k", "renameField": True, "outputFieldName": "k"}]}},
        "aggregate lists": {"operation": "aggregateItems", "fieldsToAggregate": {"fieldToAggregate": [{"fieldToAggregate": "tags"}]},
            "options": {"mergeLists": True}},
        "aggregate missing": {"operation": "aggregateItems", "fieldsToAggregate": {"fieldToAggregate": [{"fieldToAggregate": "tags"}]},
            "options": {"keepMissing": True}},
        "aggregate all": {"operation": "aggregateItems", "aggregate": "aggregateAllItemData"},
        "aggregate some": {"operation": "aggregateItems", "aggregate": "aggregateAllItemData", "include": "specifiedFields",
            "fieldsToInclude": fields, "destinationFieldName": "rows"},
        "aggregate but": {"operation": "aggregateItems", "aggregate": "aggregateAllItemData", "include": "allFieldsExcept",
            "fieldsToExclude": fields},
        "duplicates": {"operation": "removeDuplicates"},
        "duplicates but": {"operation": "removeDuplicates", "compare": "allFieldsExcept", "fieldsToExclude": {"fields": [
            {"fieldName": "sub"}, {"fieldName": "tags"}]}},
        "duplicates by": {"operation": "removeDuplicates", "compare": "selectedFields", "fieldsToCompare": {"fields": [{"fieldName": "g"}]}},
        "duplicates by, alone": {"operation": "removeDuplicates", "compare": "selectedFields",
            "fieldsToCompare": {"fields": [{"fieldName": "g"}]}, "options": {"removeOtherFields": True}},
        "sort": {"operation": "sort", "sortFieldsUi": {"sortField": [{"fieldName": "n", "order": "descending"}]}},
        "sort by two": {"operation": "sort", "sortFieldsUi": {"sortField": [{"fieldName": "g"}, {"fieldName": "sub.k", "order": "descending"}]}},
        "sort by code": {"operation": "sort", "type": "code", "code": "return b.json.n - a.json.n;"},
        "limit": {"operation": "limit", "maxItems": 2},
        "limit last": {"operation": "limit", "maxItems": 2, "keep": "lastItems"},
        "summarize": {"operation": "summarize", "fieldsToSummarize": {"values": [
            {"aggregation": "sum", "field": "n"}, {"aggregation": "count", "field": "s"}]}, "fieldsToSplitBy": "g"},
        "summarize in one": {"operation": "summarize", "fieldsToSummarize": {"values": [{"aggregation": "append", "field": "s"}]},
            "fieldsToSplitBy": "g", "options": {"outputFormat": "singleItem"}},
    }):  # fmt: skip
        rows = [row for row in LISTS if "tags" in row] if name.startswith("duplicates") else LISTS
        versions(found, "itemLists", f"older {name}", "itemLists", old, parameters, rows)


def _seen(found: dict[str, dict[str, Case]]) -> None:
    """Across executions: two nodes that share a history stand for two executions of one."""
    group = found.setdefault("removeDuplicates", {})
    by_value = {"operation": "removeItemsSeenInPreviousExecutions", "dedupeValue": "={{ $json.v }}"}
    by_number = {
        **by_value,
        "logic": "removeItemsUpToStoredIncrementalKey",
        "incrementalDedupeValue": "={{ $json.v }}",
    }
    by_date = {**by_value, "logic": "removeItemsUpToStoredDate", "dateDedupeValue": "={{ $json.v }}"}
    clear = {"operation": "clearDeduplicationHistory", "options": {"scope": "workflow"}}
    shared = {"options": {"scope": "workflow"}}
    values = [{"v": "a"}, {"v": "b"}, {"v": "a"}]
    later = [{"v": "b"}, {"v": "c"}, {"v": "d"}]

    def twice(
        name: str, parameters: dict[str, Any], first: list[Any], second: list[Any], between: Any = None
    ) -> None:
        nodes = [node("Node", "removeDuplicates", 2, {**shared, **parameters}, 1)]
        if between:
            nodes.append(node("Clear", "removeDuplicates", 2, between, 2, alwaysOutputData=True))
        nodes += [
            node("Other", "code", 2, {"jsCode": f"return {_js(second)}"}, 3),
            node("Again", "removeDuplicates", 2, {**shared, **parameters}, 4),
            node("New", "noOp", 1, {}, 5),
            node("Known", "noOp", 1, {}, 6),
        ]
        wires = "Trigger > Node > Clear > Other" if between else "Trigger > Node > Other"
        wires += ", Other > Again, Again.0 > New, Again.1 > Known"
        group[f"seen {name} v2"] = {"document": document(nodes, wires, {"Trigger": first})}

    twice("values", by_value, values, later)
    twice("numbers as values", by_value, [{"v": 1}, {"v": 2}], [{"v": 1}, {"v": "2"}, {"v": 3}])
    twice(
        "objects as values",
        by_value,
        [{"v": {"a": 1}}, {"v": None}],
        [{"v": {"a": 1}}, {"v": None}, {"v": {"a": 2}}],
    )
    twice(
        "few values",
        {**by_value, "options": {"scope": "workflow", "historySize": 2}},
        later,
        [*values, {"v": "d"}],
    )
    twice("numbers", by_number, [{"v": 1}, {"v": 5}], [{"v": 5}, {"v": 6}, {"v": 2}])
    twice("texts as numbers", by_number, [{"v": "1"}, {"v": "5"}], [{"v": "5"}, {"v": "6"}])
    twice(
        "dates",
        by_date,
        [{"v": "2024-01-01"}, {"v": "2024-02-01"}],
        [{"v": "2024-02-01"}, {"v": "2024-02-01T00:00:01Z"}, {"v": "2023-01-01"}],
    )
    twice("cleared", by_value, values, later, clear)
    twice("not cleared", by_value, values, later, {"operation": "clearDeduplicationHistory"})
    twice("of a node", {**by_value, "options": {}}, values, later)
    for name, parameters, rows in (
        ("no numbers", by_number, [{"v": "x"}]),
        ("no dates", by_date, [{"v": "soon"}]),
        ("no values", by_value, [{}]),
        ("no history size", {**by_value, "options": {"historySize": 0}}, values),
    ):
        for on_error in ("stopWorkflow", "continueRegularOutput"):
            group[f"seen {name} {on_error} v2"] = one(
                "removeDuplicates", 2, parameters, rows, onError=on_error
            )
    group["cleared alone v2"] = one("removeDuplicates", 2, clear, values)


def _js(rows: list[Any]) -> str:
    return json.dumps([{"json": row} for row in rows])


def _code(found: dict[str, dict[str, Case]]) -> None:
    rows = [{"n": 1}, {"n": 2}, {"n": 3}]
    for name, code in {
        "all": "return $input.all().map(i => ({json: {d: i.json.n * 2}}))",
        "items": "for (const item of items) item.json.x = 1; return items;",
        "one": "return {sum: items.length}",
        "plain": "return items.map(i => ({v: i.json.n}))",
        "throws": "throw new Error('boom')",
        "throws a text": "throw 'boom'",
        "throws an object": "throw {message: 'm', a: 1}",
        "a type error": "return items[9].json",
        "a syntax error": "return [",
        "unknown": "return [{json: {v: nothingHere}}]",
        "wrong": "return 5",
        "a list in json": "return [{json: [1]}]",
        "a text in a list": "return ['a']",
        "mixed": "return [{json: {a: 1}}, {b: 2}]",
        "other keys": "return [{json: {a: 1}, other: 2}]",
        "null": "return null",
        "undefined": "return undefined",
        "binary": "return [{json: {}, binary: {d: {data: 'YQ==', mimeType: 'text/plain', fileName: 'a.txt'}}}]",
        "promise": "return Promise.resolve([{json: {a: 1}}])",
        "awaits": "const v = await new Promise(r => setTimeout(() => r(7), 5)); return [{json: {v}}]",
        "buffer": "return [{json: {b: Buffer.from('é').toString('base64')}}]",
        "requires": "return [{json: {h: typeof require}}]",
        "static": "const d = $getWorkflowStaticData('node'); d.n = 1; return [{json: d}]",
        "log": "console.log('x'); return []",
    }.items():
        at = (1, 2) if name not in {"all", "one", "plain"} else (1,)
        versions(found, "code", f"older {name}", "code", at, {"jsCode": code}, rows)
        if "throw" in code or "error" in name or name in {"unknown", "wrong"}:
            for on_error in ("continueRegularOutput", "continueErrorOutput"):
                versions(
                    found,
                    "code",
                    f"older {name} {on_error}",
                    "code",
                    at,
                    {"jsCode": code},
                    rows,
                    onError=on_error,
                )
    for name, code in {
        "each": "item.json.d = $json.n; return item",
        "each new": "return {json: {i: $itemIndex}}",
        "each plain": "return {d: $input.item.json.n}",
        "each null": "return $json.n > 1 ? item : null",
        "each list": "return [{json: {}}]",
        "each throws": "if ($json.n === 2) throw new Error('boom'); return item",
        "each nothing": "const a = 1",
    }.items():
        for on_error in ("stopWorkflow", "continueRegularOutput", "continueErrorOutput"):
            given = {"mode": "runOnceForEachItem", "jsCode": code}
            versions(found, "code", f"older {name} {on_error}", "code", (1, 2), given, rows, onError=on_error)
    versions(
        found,
        "function",
        "older adds",
        "function",
        (2,),
        {"functionCode": "items[0].json.x = 1; return items;"},
        rows,
    )
    for name, code in {
        "throws": "throw new Error('b')",
        "nothing": "const a = 1;",
        "plain": "return [{a: 1}];",
        "static": "const d = getWorkflowStaticData('global'); d.a = 1; return [{json: d}];",
    }.items():
        versions(found, "function", f"older {name}", "function", (1,), {"functionCode": code}, rows)
        versions(found, "functionItem", f"older {name}", "functionItem", (1,), {"functionCode": code}, rows)


def _html(found: dict[str, dict[str, Case]]) -> None:
    page = '<html><body><h1 id="t">A &amp; B</h1><p class="x">one <b>two</b></p><p class="x"> three </p><a href="/l">l</a></body></html>'
    rows = [{"data": page, "list": [page, "<p class='x'>q</p>"], "n": 5}]
    for name, parameters in named({
        "template": {"operation": "generateHtmlTemplate", "html": "<p>{{ $json.n }}</p>"},
        "text": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "p.x"}]}},
        "texts": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "p.x", "returnArray": True}]}},
        "html": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "body", "returnValue": "html"}]}},
        "of a list": {"operation": "extractHtmlContent", "dataPropertyName": "list", "extractionValues": {"values": [{"key": "k", "cssSelector": "p.x", "returnArray": True}]}},
        "two": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "h1"}, {"key": "a.b", "cssSelector": "a", "returnValue": "attribute", "attribute": "href"}]}},
        "no trim": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "p"}]}, "options": {"trimValues": False}},
        "clean": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "body"}]}, "options": {"cleanUpText": True}},
        "missing": {"operation": "extractHtmlContent", "dataPropertyName": "none", "extractionValues": {"values": [{"key": "k", "cssSelector": "p"}]}},
        "wrong selector": {"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": "p["}]}},
        "table": {"operation": "convertToHtmlTable", "options": {}},
        "table styled": {"operation": "convertToHtmlTable", "options": {"customStyling": True, "tableAttributes": "class='t'", "headerAttributes": "h", "rowAttributes": "r", "cellAttributes": "c", "caption": "C"}},
    }):  # fmt: skip
        versions(found, "html", f"older {name}", "html", (1, 1.1, 1.2), parameters, rows, **GO)


def _sets(found: dict[str, dict[str, Case]]) -> None:
    field = [
        {"name": "a.b", "type": "stringValue", "stringValue": "x"},
        {"name": "o.x", "type": "numberValue", "numberValue": "7"},
        {"name": "l", "type": "arrayValue", "arrayValue": "[1]"},
        {"name": "m", "type": "objectValue", "objectValue": '{"k": 1}'},
        {"name": "t", "type": "booleanValue", "booleanValue": "true"},
    ]
    for include in ("all", "none", "selected", "except"):
        for dots in (True, False):
            given = {"fields": {"values": field}, "include": include, "options": {"dotNotation": dots}}
            given |= {"includeFields": "o.x, s", "excludeFields": "o.x, l"}
            tag = f"older {include}{'' if dots else ', no dots'}"
            versions(found, "set", tag, "set", (3, 3.1, 3.2), given, ROWS, **GO)
            row = {"id": "1", "name": "o.z", "type": "string", "value": "q"}
            new = {
                "assignments": {"assignments": [row]},
                "includeOtherFields": include != "none",
                "include": include,
            }
            new |= {"includeFields": "o.x, s", "excludeFields": "o.x, l", "options": {"dotNotation": dots}}
            versions(
                found,
                "set",
                f"newer {include}{'' if dots else ', no dots'}",
                "set",
                (3.3, 3.4),
                new,
                ROWS,
                **GO,
            )
    for name, value in {"number": "abc", "boolean": "maybe", "array": "{}", "object": "[]"}.items():
        wrong = [{"name": "v", "type": f"{name}Value", f"{name}Value": value}]
        for options in ({}, {"ignoreConversionErrors": True}):
            tag = f"older wrong {name}{', ignored' if options else ''}"
            versions(
                found,
                "set",
                tag,
                "set",
                (3, 3.2),
                {"fields": {"values": wrong}, "options": options},
                ROWS[:1],
                **GO,
            )
    for name, text in {
        "json": '{"a": {{ $json.n }}}',
        "json expression": '={"a.b": {{ $json.n }}}',
        "json wrong": "={a}",
    }.items():
        for include in ("all", "none"):
            raw = {"mode": "raw", "jsonOutput": text, "include": include, "options": {}}
            versions(found, "set", f"older {name} {include}", "set", (3, 3.2), raw, ROWS[:1], **GO)


def _compare(found: dict[str, dict[str, Case]]) -> None:
    first = [{"id": 1, "v": "a", "o": {"x": 1}}, {"id": 2, "v": "b"}, {"id": 3, "v": "c"}]
    second = [{"id": 1, "v": "a", "o": {"x": 1}}, {"id": 2, "v": "B", "w": 1}, {"id": 4, "v": "d"}]
    by = {"mergeByFields": {"values": [{"field1": "id", "field2": "id"}]}}
    for name, more in named({
        "default": {}, "prefer 1": {"resolve": "preferInput1"}, "prefer 2": {"resolve": "preferInput2"}, "both": {"resolve": "includeBoth"},
        "mix": {"resolve": "mix", "preferWhenMix": "input2", "exceptWhenMix": "v"},
        "skips": {"options": {"skipFields": "v, w"}},
        "multiple": {"options": {"multipleMatches": "all"}},
    }):  # fmt: skip
        for version in (1, 2, 2.1, 2.2, 2.3):
            found.setdefault("compareDatasets", {})[f"older {name} v{version:g}"] = two(
                "compareDatasets", version, {**by, "options": {}, **more}, first, second
            )


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {}
    for table in (_branches, _merge, _lists, _seen, _code, _html, _sets, _compare):
        table(found)
    return found

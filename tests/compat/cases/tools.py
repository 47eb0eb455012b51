"""Nodes whose results hang on a clock or on chance, compared by the shape that a Code node tells of them, and small
tools: they run in a sub-workflow, of which the caller's run shows nothing but the shape."""

import json
from collections.abc import Sequence
from typing import Any

from tests.compat.cases.build import Case, document, node, one, wired
from tests.compat.cases.files import SEEN, file_read, file_source

ROWS = [{"n": 1, "v": "hello"}, {"n": 2, "v": "Zoë 😀"}]

_SHAPE = """const shape = (value) => value === null ? 'null' : Array.isArray(value) ? value.map(shape)
  : typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, shape(held)]))
  : typeof value !== 'string' ? typeof value
  : value.replace(/[a-f]/g, 'x').replace(/[g-z]/g, 'z').replace(/[A-Z]/g, 'X').replace(/[0-9]/g, '0');
return $input.all().map((item, i) => ({json: shape(item.json), pairedItem: i}));"""
"""Letters and digits by kind: what stays are the length and the punctuation."""
_LENGTHS = """const shape = (value) => typeof value === 'string' ? value.length : value;
return $input.all().map((item, i) => ({pairedItem: i,
  json: Object.fromEntries(Object.entries(item.json).map(([key, held]) => [key, shape(held)]))}));"""
_LINES = """const found = [];
for (let i = 0; i < $input.all().length; i++) {
  const text = (await this.helpers.getBinaryDataBuffer(i, 'data')).toString();
  const lines = text.replace(/\\r\\n[ \\t]/g, '').split('\\r\\n').filter(Boolean);
  const sorted = (line) => line.replace(/^[^:]*/, (head) => head.split(';').sort().join(';'));
  const {fileName, mimeType} = $input.all()[i].binary.data;
  found.push({json: {fileName, mimeType, lines: lines.filter(line => !/^(PRODID|DTSTAMP|UID:(?!u1@))/.test(line)).map(sorted).sort()}});
}
return found;"""
"""A calendar without what names the program, the time and a random id; the order of lines and of their parameters means nothing."""
_NAMES = (
    "return $input.all().map((item, i) => ({pairedItem: i, json: {keys: Object.keys(item.json).sort()}}));"
)


def within(
    kind: str,
    version: float,
    parameters: dict[str, Any],
    shape: str,
    rows: list[dict[str, Any]] = ROWS,
    then: Sequence[dict[str, Any]] = (),
    **extra: Any,
) -> Case:
    """The node, and what comes `then`, in a sub-workflow; its caller sees what `shape` tells of the items."""
    nodes = [
        node("Start", "executeWorkflowTrigger", 1.1, {"inputSource": "passthrough"}, 0),
        node("Node", kind, version, parameters, 1, **extra),
        *then,
        node("Shape", "code", 2, {"jsCode": shape}, 2),
    ]
    inner = {
        "name": "child",
        "nodes": nodes,
        "connections": wired(" > ".join(each["name"] for each in nodes)),
        "settings": {"executionOrder": "v1"},
    }
    call = {"source": "parameter", "workflowJson": json.dumps(inner), "options": {}}
    outer = [node("Call", "executeWorkflow", 1.2, call, 1)]
    return {"document": document(outer, "Trigger > Call", {"Trigger": rows})}


def _random() -> dict[str, dict[str, Case]]:
    crypto: dict[str, Case] = {}
    for version in (1, 2):
        for kind in ("uuid", "hex", "base64", "ascii"):
            asked = {"action": "generate", "encodingType": kind, "stringLength": 20}
            crypto[f"generate {kind} v{version}"] = within("crypto", version, asked, _LENGTHS)
        deep = {"action": "generate", "dataPropertyName": "a.b"}
        crypto[f"generate deep v{version}"] = within("crypto", version, deep, _LENGTHS)
        for kind in ("SHA3-384", "SHA3-512"):
            asked = {"action": "hash", "type": kind, "value": "={{ $json.v }}"}
            crypto[f"{kind} v{version}"] = one("crypto", version, asked, ROWS)
        file = {"action": "hash", "type": "SHA256", "binaryData": True}
        crypto[f"hash of a file v{version}"] = file_read(
            "crypto", version, file, file_source("some text", "a.txt")
        )
    dates: dict[str, Any] = {
        "now": {},
        "now, no time": {"includeTime": False},
        "now, zone": {"options": {"timezone": "America/New_York"}},
        "now, no time, zone": {"includeTime": False, "options": {"timezone": "Asia/Kolkata"}},
        "now, named": {"outputFieldName": "at", "options": {"includeInputFields": True}},
    }
    now = {
        f"{name} v2": within("dateTime", 2, {"operation": "getCurrentDate", "options": {}, **asked}, _SHAPE)
        for name, asked in dates.items()
    }
    debug: dict[str, Case] = {
        f"random {kind} v1": within(
            "debugHelper",
            1,
            {"category": "randomData", "randomDataType": kind, "randomDataCount": 3, "randomDataSeed": "s"},
            _NAMES,
            ROWS[:1],
        )
        for kind in ("user", "email", "address", "creditCard", "ipv4", "ipv6", "macAddress", "nanoid", "url", "uuid", "latLong", "semver")
    }  # fmt: skip
    debug["random in one list v1"] = within(
        "debugHelper",
        1,
        {
            "category": "randomData",
            "randomDataType": "user",
            "randomDataCount": 2,
            "randomDataSingleArray": True,
        },
        _NAMES,
        ROWS[:1],
    )
    debug["does nothing v1"] = one("debugHelper", 1, {"category": "doNothing"}, ROWS)
    for kind in ("Error", "NodeApiError", "NodeOperationError"):
        asked = {"category": "throwError", "throwErrorType": kind, "throwErrorMessage": "told"}
        debug[f"throws {kind} v1"] = one("debugHelper", 1, asked, ROWS)
        debug[f"throws {kind}, goes on v1"] = one(
            "debugHelper", 1, asked, ROWS, onError="continueRegularOutput"
        )
    return {"crypto": crypto, "dateTime": now, "debugHelper": debug}


def _calendars() -> dict[str, Case]:
    base = {
        "title": "Meet, you",
        "start": "2024-03-01T09:00:00Z",
        "end": "2024-03-01T10:30:00Z",
        "additionalFields": {},
    }
    tables: dict[str, dict[str, Any]] = {
        "event": {},
        "all day": {"allDay": True},
        "told": {"additionalFields": {"description": "Line one\nline two", "location": "Room; 1", "status": "TENTATIVE",
            "busyStatus": "BUSY", "url": "https://x.org/a", "sequence": 2, "calName": "Cal", "fileName": "m.ics"}},
        "repeats": {"additionalFields": {"recurrenceRule": "FREQ=WEEKLY;COUNT=3", "uid": "u1@x.org"}},
        "people": {"additionalFields": {
            "organizerUi": {"organizerValues": {"name": "Ada", "email": "ada@x.org"}},
            "attendeesUi": {"attendeeValues": [{"name": "Zoë", "email": "z@x.org", "rsvp": True}, {"name": "B", "email": "b@x.org"}]}}},
        "place": {"additionalFields": {"geolocationUi": {"geolocationValues": {"lat": "48.2", "lon": "16.4"}}}},
        "no start": {"start": "soon"},
    }  # fmt: skip
    return {f"{name} v1": within("iCal", 1, {**base, **more}, _LINES) for name, more in tables.items()}


def _small() -> dict[str, dict[str, Case]]:
    rows = {"values": [{"key": "k", "value": "={{ $json.v }}"}, {"key": "n", "value": "={{ $json.n }}"}]}
    long = {"values": [{"key": "k" * 60, "value": "v" * 600}]}
    data = {
        f"{name} v{version:g}": one("executionData", version, {"dataToSave": told}, ROWS)
        for version in (1, 1.1)
        for name, told in (("kept", rows), ("long", long), ("none", {}))
    }
    commands = {
        "text": "echo hello",
        "expression": "=echo {{ $json.v }}",
        "fails": "echo out; echo err >&2; exit 3",
        "lines": "printf 'a\\nb\\n\\n'",
        "silent": "true",
    }
    command: dict[str, Case] = {}
    for name, text in commands.items():
        for once in (True, False):
            asked = {"command": text, "executeOnce": once}
            said = "" if once else ", each"
            command[f"{name}{said} v1"] = one("executeCommand", 1, asked, ROWS)
            if name == "fails":
                command[f"{name}, goes on{said} v1"] = one(
                    "executeCommand", 1, asked, ROWS, onError="continueRegularOutput"
                )
    code = "return items.map((item) => ({json: {n: item.json.n * 2}}));"
    return {
        "executionData": data,
        "executeCommand": command,
        "timeSaved": {
            f"{mode} v1": one("timeSaved", 1, {"mode": mode, "minutesSaved": 5}, ROWS)
            for mode in ("once", "perItem")
        },
        "aiTransform": {
            "code v1": one("aiTransform", 1, {"instructions": "double", "jsCode": code}, ROWS),
            "no code v1": one("aiTransform", 1, {"instructions": ""}, ROWS),
        },
    }


_PDF_PARTS = (
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    "<< /Length 60 >>\nstream\n" + "BT /F1 12 Tf 10 50 Td (Hello page) Tj ET".ljust(60) + "\nendstream",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    "<< /Title (A title) /Author (Ada) >>",
)
_PAGES = "return $input.all().map((item) => ({json: {pages: item.json.numpages, text: item.json.text.trim(), title: item.json.info?.Title, keys: Object.keys(item.json).sort()}}));"
_RTF = r"{\rtf1\ansi\trowd\cellx100\cellx200\intbl id\cell name\cell\row\trowd\cellx100\cellx200\intbl 1\cell Ada\cell\row}"


def _pdf() -> bytes:
    text, places = "%PDF-1.4\n", []
    for number, part in enumerate(_PDF_PARTS, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{part}\nendobj\n"
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(places) + 1
    end = f"trailer << /Size {count} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return f"{text}xref\n0 {count}\n0000000000 65535 f \n{rows}{end}".encode()


def _files() -> dict[str, dict[str, Case]]:
    pdf = file_source(_pdf(), "a.pdf", "application/pdf")

    def read(kind: str, parameters: dict[str, Any]) -> Case:
        """Of a PDF, the version of the library that read it is left out."""
        inner = within(kind, 1, parameters, _PAGES)
        call = inner["document"]["nodes"][1]
        return {"document": document([pdf, call], "Trigger > File > Call", {"Trigger": ROWS[:1]})}

    rtf = file_read("extractFromFile", 1, {"operation": "rtf"}, file_source(_RTF, "t.rtf", "application/rtf"))
    nodes = [
        node("Write", "convertToFile", 1.1, {"operation": "rtf", "options": {}}, 1),
        node("Node", "extractFromFile", 1, {"operation": "rtf", "options": {}}, 2),
    ]
    named = [node("Node", "convertToFile", 1.1, {"operation": "csv", "options": {"delimiter": "|"}}, 1), SEEN]
    return {
        "extractFromFile": {
            "pdf v1": read("extractFromFile", {"operation": "pdf", "options": {}}),
            "pdf pages joined v1": read(
                "extractFromFile", {"operation": "pdf", "options": {"joinPages": True}}
            ),
            "rtf v1": rtf,
            "rtf round v1": {"document": document(nodes, "Trigger > Write > Node", {"Trigger": ROWS})},
        },
        "readPDF": {"text v1": read("readPDF", {})},
        "convertToFile": {
            "csv bar v1.1": {"document": document(named, "Trigger > Node > Seen", {"Trigger": ROWS})}
        },
    }


def cases() -> dict[str, dict[str, Case]]:
    found = {**_random(), "iCal": _calendars(), **_small()}
    for group, rows in _files().items():
        found[group] = {**found.get(group, {}), **rows}
    return found

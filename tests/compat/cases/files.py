"""Nodes that make, read and change files, compared by what the files hold: a Code node behind them tells it."""

import base64
import gzip
import io
import json
import zipfile
from typing import Any

from tests.compat.cases.build import Case, document, node
from tests.compat.stub import PIXEL

FOLDER = "/compat-folder"
"""Stands for the folder that nodes may read and write."""

Table = dict[str, dict[str, Any]]
ROWS = [
    {"id": 1, "name": "Ada", "on": True},
    {"id": 2, "name": "Zoë, b", "nested": {"a": [1, 2]}, "none": None},
]
CSV = 'id,name,when\n1,"Ada, L",2024-02-29\n2,Zoë,\n'
PAGE = "<html><body><table><tr><th>id</th><th>name</th></tr><tr><td>1</td><td>Ada</td></tr></table></body></html>"
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTAMP:20240229T120000Z\r\nDTSTART:20240301T090000Z\r\nDTEND:20240301T100000Z\r\nSUMMARY:Meet\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

_SEEN = """const found = [];
for (const [i, item] of $input.all().entries()) {
  const files = {};
  for (const [name, file] of Object.entries(item.binary ?? {})) {
    const bytes = await this.helpers.getBinaryDataBuffer(i, name);
    files[name] = {
      name: file.fileName ?? null, mime: file.mimeType, ending: file.fileExtension ?? null,
      kind: file.fileType ?? null, size: file.fileSize ?? null, CONTENT
    };
  }
  found.push({json: {...item.json, files}, pairedItem: i});
}
return found;"""
SEEN = node("Seen", "code", 2, {"jsCode": _SEEN.replace("CONTENT", "content: bytes.toString('base64')")}, 4)
"""Puts every file of an item into its JSON."""
_NAMED = node("Seen", "code", 2, {"jsCode": _SEEN.replace(" size: file.fileSize ?? null, CONTENT", "")}, 4)
"""The same without what two programs write in two ways (a zip's dates, a sheet's styles)."""


def file_source(content: bytes | str, name: str, mime: str = "") -> dict[str, Any]:
    """A node that gives every item the file as `data`."""
    raw = content.encode() if isinstance(content, str) else content
    file = json.dumps(
        {
            "data": base64.b64encode(raw).decode(),
            "mimeType": mime or "text/plain",
            "fileName": name,
            "fileExtension": name.rpartition(".")[2],
        }
    )
    code = f"return $input.all().map((item, i) => ({{json: item.json, pairedItem: i, binary: {{data: {file}}}}}))"
    return node("File", "code", 2, {"jsCode": code}, 1)


TEXT_FILE = file_source("one,two\n1,Zoë\n", "a b.csv", "text/csv")
BYTES = file_source(b"\x00\x01\xff", "x.bin", "application/octet-stream")


def _written(
    kind: str, version: float, parameters: dict[str, Any], rows: Any = ROWS, seen: Any = SEEN, **extra: Any
) -> Case:
    nodes = [node("Node", kind, version, {"options": {}, **parameters}, 1, **extra), seen]
    return {"document": document(nodes, "Trigger > Node > Seen", {"Trigger": rows})}


def file_read(
    kind: str,
    version: float,
    parameters: dict[str, Any],
    source: dict[str, Any],
    *,
    seen: bool = False,
    **extra: Any,
) -> Case:
    nodes = [
        source,
        node("Node", kind, version, {"options": {}, **parameters}, 2, **extra),
        *([SEEN] if seen else []),
    ]
    wires = "Trigger > File > Node" + (" > Seen" if seen else "")
    return {"document": document(nodes, wires, {"Trigger": [{"n": 1}]})}


def _round(
    kind: str,
    version: float,
    there: dict[str, Any],
    back: dict[str, Any],
    reader: str = "extractFromFile",
    at: float = 1,
    rows: Any = ROWS,
) -> Case:
    """Written by `Write` and read by `Node`, which the case is filed under."""
    nodes = [
        node("Write", kind, version, {"options": {}, **there}, 1),
        node("Node", reader, at, {"options": {}, **back}, 2),
    ]
    return {"document": document(nodes, "Trigger > Write > Node", {"Trigger": rows})}


def _convert() -> dict[str, Case]:
    texts: Table = {
        "csv": {"operation": "csv"},
        "csv semicolon": {"operation": "csv", "options": {"delimiter": ";", "fileName": "out.csv"}},
        "csv headless": {"operation": "csv", "options": {"headerRow": False}},
        "csv in a property": {"operation": "csv", "binaryPropertyName": "it"},
        "json": {"operation": "toJson"},
        "json each": {"operation": "toJson", "mode": "each"},
        "json format": {"operation": "toJson", "options": {"format": True, "fileName": "out.json"}},
        "json each format": {"operation": "toJson", "mode": "each", "options": {"format": True}},
        "text": {"operation": "toText", "sourceProperty": "name"},
        "text named": {"operation": "toText", "sourceProperty": "name", "options": {"fileName": "a.md"}},
        "text latin": {"operation": "toText", "sourceProperty": "name", "options": {"encoding": "latin1"}},
        "text utf16": {"operation": "toText", "sourceProperty": "name", "options": {"encoding": "utf16le"}},
        "text with a mark": {"operation": "toText", "sourceProperty": "name", "options": {"addBOM": True}},
        "text of a number": {"operation": "toText", "sourceProperty": "id"},
        "text of an object": {"operation": "toText", "sourceProperty": "nested"},
        "text missing": {"operation": "toText", "sourceProperty": "nope"},
        "binary": {"operation": "toBinary", "sourceProperty": "name"},
        "binary missing": {"operation": "toBinary", "sourceProperty": "nope"},
        "html": {"operation": "html"},
    }  # fmt: skip
    found: dict[str, Case] = {}
    for name, parameters in texts.items():
        for version in (1, 1.1):
            found[f"{name} v{version:g}"] = _written("convertToFile", version, parameters)
    encoded = [
        {
            "b": base64.b64encode(b"hello").decode(),
            "png": base64.b64encode(PIXEL).decode(),
            "at": "x.txt",
            "deep": {"b": "aGk="},
        }
    ]
    decoded: Table = {
        "base64": {"sourceProperty": "b"},
        "base64 named": {"sourceProperty": "b", "options": {"fileName": "={{ $json.at }}"}},
        "base64 picture": {"sourceProperty": "png"},
        "base64 picture typed": {
            "sourceProperty": "png",
            "options": {"mimeType": "image/png", "fileName": "p"},
        },
        "base64 deep": {"sourceProperty": "deep.b"},
        "not base64": {"sourceProperty": "b", "options": {"dataIsBase64": False}},
    }
    for name, parameters in decoded.items():
        for version in (1, 1.1):
            found[f"{name} v{version:g}"] = _written(
                "convertToFile", version, {"operation": "toBinary", **parameters}, encoded
            )
    for kind in ("xlsx", "xls", "ods"):
        found[f"{kind} v1.1"] = _written("convertToFile", 1.1, {"operation": kind}, seen=_NAMED)
        found[f"{kind} named v1.1"] = _written(
            "convertToFile",
            1.1,
            {"operation": kind, "options": {"fileName": f"b.{kind}", "sheetName": "S"}},
            seen=_NAMED,
        )
    found["text large v1.1"] = _large()
    found["goes on v1.1"] = _written(
        "convertToFile", 1.1, texts["text missing"], onError="continueRegularOutput"
    )
    event = {
        "operation": "iCal",
        "title": "={{ $json.name }}",
        "start": "2024-03-01T09:00:00",
        "end": "2024-03-01T10:00:00",
    }
    found["iCal v1.1"] = _written("convertToFile", 1.1, event, ROWS[:1], _NAMED)
    return found


def _large() -> Case:
    """For how sizes are written."""
    code = "return [999, 1000, 1234, 12345].map(n => ({json: {t: 'x'.repeat(n)}}))"
    size = "return $input.all().map((item, i) => ({json: {size: item.binary.data.fileSize}, pairedItem: i}))"
    nodes = [
        node("Made", "code", 2, {"jsCode": code}, 1),
        node("Node", "convertToFile", 1.1, {"operation": "toText", "sourceProperty": "t", "options": {}}, 2),
        node("Sizes", "code", 2, {"jsCode": size}, 3),
        node(
            "Last",
            "set",
            3.4,
            {
                "assignments": {
                    "assignments": [
                        {
                            "id": "1",
                            "name": "s",
                            "type": "string",
                            "value": "={{ $('Sizes').all().map(i => i.json.size).join() }}",
                        }
                    ]
                },
                "options": {},
            },
            4,
            executeOnce=True,
        ),
    ]
    made = document(nodes, "Trigger > Made > Node > Sizes > Last", {"Trigger": [{}]})
    return {"document": made}


def _extract() -> dict[str, Case]:
    found: dict[str, Case] = {}
    sheet = file_source(CSV, "t.csv", "text/csv")
    for name, options in {
        "csv": {}, "csv headless": {"headerRow": False}, "csv empty cells": {"includeEmptyCells": True}, "csv rows": {"maxRowCount": 1},
        "csv from": {"fromLine": 2}, "csv as text": {"readAsString": True}, "csv raw": {"rawData": True},
    }.items():  # fmt: skip
        found[f"{name} v1"] = file_read("extractFromFile", 1, {"operation": "csv", "options": options}, sheet)
    for name, content, options in (
        ("csv semicolon", "a;b\n1;2\n", {"delimiter": ";"}),
        ("csv tab", "a\tb\n1\t2\n", {"delimiter": "\\t"}),
        ("csv with a mark", "\ufeffa,b\n1,2\n", {}),
        ("csv mark stripped", "\ufeffa,b\n1,2\n", {"enableBOM": True}),
        ("csv ragged", "a,b\n1\n1,2,3\n", {}),
        ("csv quotes", 'a,b\n1"2,3\n', {}),
        ("csv quotes relaxed", 'a,b\n1"2,3\n', {"relaxQuotes": True}),
        ("csv empty", "", {}),
        ("csv types", "a,b,c,d\n1.50,true,,null\n01,1e3, x ,-\n", {}),
        ("csv same names", "a,a\n1,2\n", {}),
        ("csv lines of windows", "a,b\r\n1,2\r\n\r\n3,4\r\n", {}),
        ("csv lines within", 'a,b\n"x\ny",2\n', {}),
    ):
        found[f"{name} v1"] = file_read(
            "extractFromFile",
            1,
            {"operation": "csv", "options": options},
            file_source(content, "t.csv", "text/csv"),
        )
    found["csv latin v1"] = file_read(
        "extractFromFile",
        1,
        {"operation": "csv", "options": {"encoding": "latin1"}},
        file_source("a\nZoë\n".encode("latin-1"), "t.csv", "text/csv"),
    )
    held: str | bytes
    for name, operation, held, options in (
        ("text", "text", "Zoë\n", {}),
        ("text latin", "text", "Zoë".encode("latin-1"), {"encoding": "latin1"}),
        ("text with a mark", "text", "\ufeffx", {}),
        ("text mark kept", "text", "\ufeffx", {"stripBOM": False}),
        ("text keeps binary", "text", "x", {"keepSource": "binary"}),
        ("text keeps both", "text", "x", {"keepSource": "both"}),
        ("json", "fromJson", '{"a": [1, {"b": null}]}', {}),
        ("json list", "fromJson", "[1, 2]", {}),
        ("json broken", "fromJson", "{a", {}),
        ("json empty", "fromJson", "", {}),
        ("json with a mark", "fromJson", '\ufeff{"a": 1}', {}),
        ("xml", "xml", "<r><a>1</a></r>", {}),
        ("ics", "fromIcs", CALENDAR, {}),
        ("base64", "binaryToPropery", b"\x00\xffhello", {}),
        ("html", "html", PAGE, {}),
    ):
        found[f"{name} v1"] = file_read(
            "extractFromFile",
            1,
            {"operation": operation, "options": options},
            file_source(held, "t.txt"),
            seen=True,
        )
    found["text elsewhere v1"] = file_read(
        "extractFromFile", 1, {"operation": "text", "destinationKey": "a.b"}, file_source("x", "t.txt")
    )
    found["no file v1"] = file_read(
        "extractFromFile", 1, {"operation": "text", "binaryPropertyName": "nope"}, file_source("x", "t.txt")
    )
    found["no file goes on v1"] = file_read(
        "extractFromFile",
        1,
        {"operation": "csv", "binaryPropertyName": "nope"},
        file_source("x", "t.txt"),
        onError="continueRegularOutput",
    )
    for kind in ("xlsx", "xls", "ods", "html", "csv"):
        found[f"from {kind} v1"] = _round("convertToFile", 1.1, {"operation": kind}, {"operation": kind})
    write = {"operation": "xlsx"}
    for name, options in {
        "xlsx headless": {"headerRow": False}, "xlsx empty cells": {"includeEmptyCells": True}, "xlsx range": {"range": "A2:B3"}, "xlsx range count": {"range": "1"},
        "xlsx as text": {"readAsString": True}, "xlsx raw": {"rawData": True}, "xlsx other sheet": {"sheetName": "None"},
    }.items():  # fmt: skip
        found[f"{name} v1"] = _round("convertToFile", 1.1, write, {"operation": "xlsx", "options": options})
    kinds = [
        {
            "n": 1.5,
            "big": 12345678901,
            "t": "2024-02-29",
            "z": "007",
            "yes": True,
            "long": "x" * 40,
            "empty": "",
            "nul": None,
            "neg": -0.1,
        }
    ]
    found["xlsx kinds v1"] = _round("convertToFile", 1.1, write, {"operation": "xlsx"}, rows=kinds)
    return found


def _spreadsheet() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for version in (1, 2):
        for kind in ("csv", "html"):
            found[f"to {kind} v{version:g}"] = _written(
                "spreadsheetFile", version, {"operation": "toFile", "fileFormat": kind}
            )
        for kind in ("xlsx", "xls", "ods", "csv", "html"):
            found[f"round {kind} v{version:g}"] = _round(
                "spreadsheetFile",
                version,
                {"operation": "toFile", "fileFormat": kind},
                {},
                "spreadsheetFile",
                version,
            )
        found[f"from csv v{version:g}"] = file_read(
            "spreadsheetFile", version, {}, file_source(CSV, "t.csv", "text/csv")
        )
        found[f"headless v{version:g}"] = file_read(
            "spreadsheetFile",
            version,
            {"options": {"headerRow": False}},
            file_source(CSV, "t.csv", "text/csv"),
        )
    found["from csv stated v2"] = file_read(
        "spreadsheetFile", 2, {"fileFormat": "csv"}, file_source(CSV, "t.csv", "text/csv")
    )
    found["from csv semicolon v2"] = file_read(
        "spreadsheetFile",
        2,
        {"fileFormat": "csv", "options": {"delimiter": ";"}},
        file_source("a;b\n1;2\n", "t.csv", "text/csv"),
    )
    return found


def _move() -> dict[str, Case]:
    found: dict[str, Case] = {}
    rows = [{"t": "Zoë", "b": "aGk=", "o": {"x": [1]}}]
    for version in (1, 1.1):
        one = {"mode": "jsonToBinary", "convertAllData": False}
        written: Table = {
            "all": {"mode": "jsonToBinary"},
            "all kept": {"mode": "jsonToBinary", "options": {"keepSource": True, "fileName": "x.json"}},
            "all raw": {"mode": "jsonToBinary", "options": {"useRawData": True}},
            "field": {**one, "sourceKey": "t"},
            "field raw": {**one, "sourceKey": "t", "options": {"useRawData": True, "mimeType": "text/plain"}},
            "field base64": {
                **one,
                "sourceKey": "b",
                "options": {"dataIsBase64": True, "mimeType": "text/plain"},
            },
            "field object": {**one, "sourceKey": "o", "destinationKey": "file"},
            "field deep": {**one, "sourceKey": "o.x"},
            "field latin": {**one, "sourceKey": "t", "options": {"useRawData": True, "encoding": "latin1"}},
            "field missing": {**one, "sourceKey": "nope"},
        }
        for name, parameters in written.items():
            found[f"to {name} v{version:g}"] = _written("moveBinaryData", version, parameters, rows)
        obj = file_source('{"a": {"b": 1}}', "t.json", "application/json")
        some = {"setAllData": False}
        read: Table = {
            "all": {},
            "field": {**some, "destinationKey": "x"},
            "field parsed": {**some, "destinationKey": "x.y", "options": {"jsonParse": True}},
            "field base64": {**some, "destinationKey": "x", "options": {"keepAsBase64": True}},
            "field kept": {**some, "destinationKey": "x", "options": {"keepSource": True}},
            "missing": {"sourceKey": "nope"},
        }
        for name, parameters in read.items():
            found[f"from {name} v{version:g}"] = file_read(
                "moveBinaryData", version, parameters, obj, seen=True
            )
    found["from text v1"] = file_read("moveBinaryData", 1, {}, file_source("x", "t.txt"), seen=True)
    return found


def _packed() -> dict[str, Case]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in (("a.txt", "one"), ("in/b.csv", "x,y\n"), ("empty/", "")):
            archive.writestr(zipfile.ZipInfo(name), text)
    found: dict[str, Case] = {}
    for version in (1, 1.1):
        zipped, gzipped = (
            file_source(buffer.getvalue(), "f.zip", "application/zip"),
            file_source(gzip.compress(b"text", mtime=0), "a.txt.gz", "application/gzip"),
        )
        found[f"unzip v{version:g}"] = file_read(
            "compression", version, {"operation": "decompress"}, zipped, seen=True
        )
        found[f"unzip prefix v{version:g}"] = file_read(
            "compression", version, {"operation": "decompress", "outputPrefix": "x"}, zipped, seen=True
        )
        found[f"gunzip v{version:g}"] = file_read(
            "compression", version, {"operation": "decompress"}, gzipped, seen=True
        )
        found[f"not packed v{version:g}"] = file_read(
            "compression", version, {"operation": "decompress"}, TEXT_FILE, seen=True
        )
        for kind in ("zip", "gzip"):
            parameters = {"operation": "compress", "outputFormat": kind, "fileName": f"out.{kind}"}
            nodes = [
                TEXT_FILE,
                node("Node", "compression", version, parameters, 2),
                node(
                    "Back",
                    "compression",
                    1.1,
                    {
                        "operation": "decompress",
                        "binaryPropertyName": "data0" if kind == "gzip" and version == 1 else "data",
                    },
                    3,
                ),
                SEEN,
            ]
            found[f"{kind} and back v{version:g}"] = {
                "document": document(nodes, "Trigger > File > Node > Back > Seen", {"Trigger": [{"n": 1}]})
            }
            named = [TEXT_FILE, node("Node", "compression", version, parameters, 2), _NAMED]
            found[f"{kind} v{version:g}"] = {
                "document": document(named, "Trigger > File > Node > Seen", {"Trigger": [{"n": 1}]})
            }
    return found


def _disk() -> dict[str, dict[str, Case]]:
    found: dict[str, Case] = {}
    for version in (1, 1.1):
        write = node(
            "Write",
            "readWriteFile",
            version,
            {"operation": "write", "fileName": f"{FOLDER}/a{version}.csv", "options": {}},
            2,
        )
        for name, selector, options in (
            ("read", f"{FOLDER}/a{version}.csv", {}),
            (
                "read named",
                f"{FOLDER}/a{version}.csv",
                {
                    "fileName": "b.txt",
                    "mimeType": "text/plain",
                    "fileExtension": "txt",
                    "dataPropertyName": "it",
                },
            ),
            ("read by pattern", f"{FOLDER}/a{version}.*", {}),
            ("read nothing", f"{FOLDER}/none*", {}),
            ("read missing", f"{FOLDER}/none.txt", {}),
        ):
            nodes = [
                TEXT_FILE,
                write,
                node("Node", "readWriteFile", version, {"fileSelector": selector, "options": options}, 3),
                SEEN,
            ]
            if name == "read by pattern" and version == 1:
                continue  # the pattern fits the files of both versions
            found[f"{name} v{version:g}"] = {
                "document": document(nodes, "Trigger > File > Write > Node > Seen", {"Trigger": [{"n": 1}]})
            }
        found[f"write no file v{version:g}"] = {
            "document": document(
                [
                    node(
                        "Node",
                        "readWriteFile",
                        version,
                        {"operation": "write", "fileName": f"{FOLDER}/b.csv", "options": {}},
                        2,
                    )
                ],
                "Trigger > Node",
                {"Trigger": [{"n": 1}]},
            )
        }
    old: dict[str, Case] = {}
    nodes = [
        TEXT_FILE,
        node("Write", "writeBinaryFile", 1, {"fileName": f"{FOLDER}/old.csv", "options": {}}, 2),
        node("Node", "readBinaryFile", 1, {"filePath": f"{FOLDER}/old.csv"}, 3),
        SEEN,
    ]
    old["round v1"] = {
        "document": document(nodes, "Trigger > File > Write > Node > Seen", {"Trigger": [{"n": 1}]})
    }
    many = [*nodes[:2], node("Node", "readBinaryFiles", 1, {"fileSelector": f"{FOLDER}/old.*"}, 3), SEEN]
    return {
        "readWriteFile": found,
        "readBinaryFile": old,
        "readBinaryFiles": {
            "pattern v1": {
                "document": document(many, "Trigger > File > Write > Node > Seen", {"Trigger": [{"n": 1}]})
            }
        },
    }


def _html_extract() -> dict[str, Case]:
    page = '<p class="x">one <b>two</b></p><p class="x"> three </p><a href="/l">link</a>'
    found: dict[str, Case] = {}
    picks: Table = {
        "text": {"cssSelector": "p.x"},
        "texts": {"cssSelector": "p.x", "returnArray": True},
        "html": {"cssSelector": "p.x", "returnValue": "html"},
        "attribute": {"cssSelector": "a", "returnValue": "attribute", "attribute": "href"},
        "missing": {"cssSelector": "table"},
    }
    for name, value in picks.items():
        values = {"extractionValues": {"values": [{"key": "k", **value}]}}
        found[f"{name} v1"] = {
            "document": document(
                [node("Node", "htmlExtract", 1, {**values, "options": {}}, 1)],
                "Trigger > Node",
                {"Trigger": [{"data": page}, {"data": ["<p class='x'>l</p>"]}]},
            )
        }
        found[f"file {name} v1"] = file_read(
            "htmlExtract", 1, {"sourceData": "binary", **values}, file_source(page, "p.html", "text/html")
        )
    return found


def cases() -> dict[str, dict[str, Case]]:
    return {
        "convertToFile": _convert(),
        "extractFromFile": _extract(),
        "spreadsheetFile": _spreadsheet(),
        "moveBinaryData": _move(),
        "compression": _packed(),
        **_disk(),
        "htmlExtract": _html_extract(),
    }

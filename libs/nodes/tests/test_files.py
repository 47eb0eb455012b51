"""Files in and out: what one node writes, another reads."""

import io
import os
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.files import sheets, tables

CATALOGUE = Catalogue.load()
ROWS = [
    {"a": 1, "b": 'x,"y"', "c": None, "d": True, "e": {"l": [1.5, {"z": "=1+1"}]}},
    {"a": "é\nz <&> 😀", "f": -2},
]


def node(kind: str, version: float, parameters: dict[str, Any], items: list[Any], **more: Any) -> FakeContext:
    given = CATALOGUE.fill_defaults(kind, version, parameters)
    return FakeContext(given, [items], version=version, type=kind, **more)


async def run(ctx: FakeContext) -> list[Any]:
    outputs = await CATALOGUE.implementation(ctx.type)(ctx)
    return outputs[0]


async def round_trip(kind: str, objects: list[Any], write: dict[str, Any], read: dict[str, Any]) -> list[Any]:
    writer = node(
        "convertToFile", 1.1, {"operation": kind, "options": write}, [{"json": each} for each in objects]
    )
    made = await run(writer)
    reader = node("extractFromFile", 1.1, {"operation": kind, "options": read}, made)
    reader.stored = writer.stored
    return [item["json"] for item in await run(reader)]


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "rtf", "html"])
async def test_a_table_comes_back(kind: str) -> None:
    objects = [{**ROWS[0]}, {**ROWS[1], "a": "é\nz" if kind != "html" else "é z"}]
    first, second = await round_trip(kind, objects, {}, {})
    assert first == {"a": 1, "b": 'x,"y"', "d": True, "e.l.0": 1.5, "e.l.1.z": "=1+1"}
    assert second == {"a": objects[1]["a"], "f": -2}


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods", "rtf"])
async def test_signs_of_markup_and_other_planes_come_back(kind: str) -> None:
    assert await round_trip(kind, [{"a": "<&> 😀 {\\}"}], {}, {}) == [{"a": "<&> 😀 {\\}"}]


async def test_csv_comes_back_as_text() -> None:
    assert await round_trip("csv", ROWS, {}, {"includeEmptyCells": True}) == [
        {"a": "1", "b": 'x,"y"', "c": "", "d": "TRUE", "e.l.0": "1.5", "e.l.1.z": "=1+1", "f": ""},
        {"a": "é\nz <&> 😀", "b": "", "c": "", "d": "", "e.l.0": "", "e.l.1.z": "", "f": "-2"},
    ]


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
async def test_a_sheet_by_name_and_without_header(kind: str) -> None:
    write, read = {"headerRow": False, "sheetName": "S/1"}, {"headerRow": False, "sheetName": "S_1"}
    assert await round_trip(kind, [{"a": 1, "b": "x"}, {"c": True}], write, read) == [
        {"row": [1, "x"]},
        {"row": [None, None, True]},
    ]
    with pytest.raises(NodeRunError, match="no sheet 'Nope'") as caught:
        await round_trip(kind, ROWS, {}, {"sheetName": "Nope"})
    assert caught.value.description == "Its sheets: Sheet."


def workbook() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["d", "dt", "t", "n", "n", None, "last"])
    sheet.append([date(2024, 1, 2), datetime(2024, 1, 2, 12), time(6), 1.0, 2.5, None, "z"])  # noqa: DTZ001
    sheet.append([])
    sheet.append([None, "007"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def test_dates_are_days_and_names_are_told_apart() -> None:
    ctx = node("extractFromFile", 1, {"operation": "xlsx"}, [{"json": {}, "binary": {"data": {"id": "x"}}}])
    ctx.stored["x"] = workbook()
    assert [item["json"] for item in await run(ctx)] == [
        {"d": 45293, "dt": 45293.5, "t": 0.25, "n": 1, "n_1": 2.5, "last": "z"},
        {"dt": "007"},
    ]


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("B1:C2", [["dt", "t"], [45293.5, 0.25]]),
        ("3", [[None, "007", None, None, None, None, None]]),
        ("g1", [["last"]]),
        ("A:A", [["d"], [45293], [None], [None]]),
    ],
)
def test_a_range_is_cut_out(area: str, expected: list[Any]) -> None:
    assert tables.cut(sheets.read(workbook(), ""), area) == expected


@pytest.mark.parametrize("area", ["A1:B2:C3", "x y", "1A"])
def test_what_is_no_range_is_said(area: str) -> None:
    with pytest.raises(NodeRunError, match="neither a row nor"):
        tables.cut([[1]], area)


def test_a_table_that_is_too_wide_for_xls() -> None:
    with pytest.raises(NodeRunError, match="does not fit into an xls file"):
        sheets.write_xls([list(range(300))], "S")


def test_an_archive_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_UNPACKED", 1000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 100_000)
    with pytest.raises(NodeRunError, match="unpacks to 100000 bytes"):
        sheets.read(file.getvalue(), "")


def pdf(*texts: str) -> bytes:
    """A PDF with one line per page."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    font = DictionaryObject(
        {NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1")}
    )
    font[NameObject("/BaseFont")] = NameObject("/Helvetica")
    for text in texts:
        page = writer.add_blank_page(200, 200)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    writer.add_metadata({"/Title": "T"})
    file = io.BytesIO()
    writer.write(file)
    assert len(PdfReader(io.BytesIO(file.getvalue())).pages) == len(texts)
    return file.getvalue()


def locked(data: bytes, password: str) -> bytes:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(password, algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


async def read_pdf(data: bytes, options: dict[str, Any]) -> dict[str, Any]:
    item = {"json": {"k": 1}, "binary": {"data": {"id": "x"}}}
    ctx = node("extractFromFile", 1.1, {"operation": "pdf", "options": options}, [item])
    ctx.stored["x"] = data
    found: dict[str, Any] = (await run(ctx))[0]["json"]
    return found


async def test_a_pdf_is_read() -> None:
    data = pdf("first", "second", "third")
    found = await read_pdf(data, {})
    assert found["text"] == "first\n\nsecond\n\nthird"
    assert (found["numpages"], found["numrender"], found["info"]["Title"]) == (3, 3, "T")
    found = await read_pdf(data, {"joinPages": False, "maxPages": 2, "keepSource": "json"})
    assert (found["text"], found["numpages"], found["numrender"], found["k"]) == (
        ["first", "second"],
        3,
        2,
        1,
    )


async def test_a_locked_pdf_needs_its_password() -> None:
    data = locked(pdf("secret"), "p")
    assert (await read_pdf(data, {"password": "p"}))["text"] == "secret"
    with pytest.raises(NodeRunError, match="needs a password"):
        await read_pdf(data, {})
    with pytest.raises(NodeRunError, match="another password"):
        await read_pdf(data, {"password": "q"})
    ctx = node(
        "readPDF", 1, {"encrypted": True, "password": "p"}, [{"json": {}, "binary": {"data": {"id": "x"}}}]
    )
    ctx.stored["x"] = data
    assert (await run(ctx))[0]["json"]["text"] == "secret"


EVENT = {"title": "Hi, all", "start": "2024-01-02T03:04:05.000Z", "end": "2024-01-02T04:04:05.000Z"}
MORE = {
    "uid": "u1",
    "description": "D",
    "location": "L",
    "status": "TENTATIVE",
    "sequence": 2,
    "recurrenceRule": "FREQ=DAILY;COUNT=3",
    "attendeesUi": {"attendeeValues": [{"name": "Ada", "email": "a@x.y", "rsvp": True}]},
    "organizerUi": {"organizerValues": {"name": "Org", "email": "o@x.y"}},
    "geolocationUi": {"geolocationValues": {"lat": "1.5", "lon": "2.5"}},
}


async def calendar(kind: str, version: float, parameters: dict[str, Any], **more: Any) -> tuple[str, Any]:
    ctx = node(kind, version, {**EVENT, **parameters}, [{"json": {}}], **more)
    made = await run(ctx)
    reader = node("extractFromFile", 1.1, {"operation": "fromIcs"}, made)
    reader.stored = ctx.stored
    return next(iter(ctx.stored.values())).decode(), (await run(reader))[0]["json"]["data"]["events"][0]


async def test_an_event_comes_back() -> None:
    text, event = await calendar("convertToFile", 1.1, {"operation": "iCal", "additionalFields": MORE})
    assert "SUMMARY:Hi\\, all" in text
    assert "RSVP=TRUE" in text
    del event["stamp"]
    assert event == {
        "summary": "Hi, all",
        "uid": "u1",
        "description": "D",
        "location": "L",
        "status": "TENTATIVE",
        "start": {"date": "2024-01-02T03:04:05.000Z", "type": "DATE-TIME"},
        "end": {"date": "2024-01-02T04:04:05.000Z", "type": "DATE-TIME"},
        "sequence": 2,
        "recurrenceRule": "FREQ=DAILY;COUNT=3",
        "organizer": {"email": "o@x.y", "name": "Org"},
        "attendees": [{"email": "a@x.y", "name": "Ada"}],
        "geo": {"lat": 1.5, "lon": 2.5},
    }


async def test_a_whole_day_ends_the_day_after() -> None:
    _, event = await calendar("iCal", 1, {"allDay": True, "end": EVENT["start"]}, timezone="Europe/Berlin")
    assert event["start"] == {"date": "2024-01-02T00:00:00.000Z", "type": "DATE"}
    assert event["end"] == {"date": "2024-01-03T00:00:00.000Z", "type": "DATE"}


async def test_times_in_the_workflow_s_zone() -> None:
    fields = {"additionalFields": {"useWorkflowTimezone": True, "uid": "1"}}
    text, event = await calendar("iCal", 1, fields, timezone="Europe/Berlin")
    assert "DTSTART;TZID=Europe/Berlin:20240102T040405" in text
    assert event["start"]["date"] == "2024-01-02T03:04:05.000Z"


async def test_files_of_the_machine() -> None:
    held = {"/d/a.txt": b"1", "/d/b.csv": b"22"}
    ctx = node("readWriteFile", 1, {"fileSelector": "/d/*"}, [{"json": {"k": 1}}], held_files=held)
    items = await run(ctx)
    assert [item["json"] for item in items] == [
        {
            "mimeType": "text/plain",
            "fileType": "text",
            "fileName": "a.txt",
            "fileExtension": "txt",
            "fileSize": "1 B",
        },
        {
            "mimeType": "text/csv",
            "fileType": "text",
            "fileName": "b.csv",
            "fileExtension": "csv",
            "fileSize": "2 B",
        },
    ]
    assert [ctx.stored[item["binary"]["data"]["id"]] for item in items] == [b"1", b"22"]
    ctx = node("readBinaryFile", 1, {"filePath": "/d/a.txt"}, [{"json": {"k": 1}}], held_files=held)
    assert (await run(ctx))[0]["json"] == {"k": 1}
    ctx = node("readBinaryFiles", 1, {"fileSelector": "/d/*"}, [{"json": {}}, {"json": {}}], held_files=held)
    assert [item["pairedItem"] for item in await run(ctx)] == [[{"item": 0}, {"item": 1}]] * 2


async def test_a_file_is_written_and_appended_to() -> None:
    item = {"json": {"k": 1}, "binary": {"data": {"id": "x"}}}
    for kind, parameters, expected in (
        ("writeBinaryFile", {"fileName": "/d/a"}, b"new"),
        ("writeBinaryFile", {"fileName": "/d/a", "options": {"append": True}}, b"oldnew"),
        ("readWriteFile", {"operation": "write", "fileName": "/d/a", "options": {"append": True}}, b"oldnew"),
    ):
        ctx = node(kind, 1, parameters, [item], held_files={"/d/a": b"old"})
        ctx.stored["x"] = b"new"
        assert (await run(ctx))[0]["json"] == {"k": 1, "fileName": "/d/a"}
        assert ctx.disk.held["/d/a"] == expected


@pytest.mark.parametrize("kind", ["zip", "tar", "targz", "gzip"])
async def test_an_archive_comes_back(kind: str) -> None:
    binary = {name: {"id": name, "fileName": "same.txt", "mimeType": "text/plain"} for name in ("a", "b")}
    name = "a" if kind == "gzip" else "a,b"
    parameters = {
        "operation": "compress",
        "binaryPropertyName": name,
        "outputFormat": kind,
        "fileName": f"x.{kind}",
    }
    ctx = node("compression", 1.1, parameters, [{"json": {"k": 1}, "binary": binary}])
    ctx.stored |= {"a": b"first", "b": b"second" * 100}
    made = await run(ctx)
    back = node("compression", 1.1, {}, made)
    back.stored = ctx.stored
    files = (await run(back))[0]["binary"]
    contents = [back.stored[entry["id"]] for entry in files.values()]
    assert contents == ([b"first"] if kind == "gzip" else [b"first", b"second" * 100])
    if kind != "gzip":
        assert [entry["fileName"] for entry in files.values()] == ["same.txt", "same_1.txt"]


@pytest.mark.parametrize("kind", ["zip", "tar", "targz", "gzip"])
async def test_an_archive_with_too_much_inside(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    from weft_nodes.compression import archives

    packed = await packed_files(kind, {"a": b"0" * 5000})
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1000)
    with pytest.raises(NodeRunError, match="more than 1000 bytes"):
        await unpacked_files(packed)
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_MEMBERS", 0)
    with pytest.raises(NodeRunError, match="More than 0 files"):
        await unpacked_files(packed)


@pytest.mark.parametrize("kind", ["zip", "tar", "targz", "gzip"])
async def test_an_archive_that_is_cut_off_or_none(kind: str) -> None:
    ctx, item = await packed_files(kind, {"a": os.urandom(50_000)})
    key = item["binary"]["data"]["id"]
    for broken in (ctx.stored[key][:20_000], b"no archive at all" * 100):
        ctx.stored[key] = broken
        with pytest.raises(NodeRunError, match=r"can be read|cut off"):
            await unpacked_files((ctx, item))


async def packed_files(kind: str, files: dict[str, bytes]) -> tuple[FakeContext, Any]:
    parameters = {
        "operation": "compress",
        "binaryPropertyName": ",".join(files),
        "outputFormat": kind,
        "fileName": {"targz": "x.tar.gz", "gzip": "x.gz"}.get(kind, f"x.{kind}"),
    }
    ctx = node(
        "compression", 1.1, parameters, [{"json": {}, "binary": {name: {"id": name} for name in files}}]
    )
    ctx.stored |= files
    (made,) = await run(ctx)
    return ctx, made


async def unpacked_files(packed: tuple[FakeContext, Any]) -> list[bytes]:
    ctx, item = packed
    back = node("compression", 1.1, {}, [item])
    back.stored = ctx.stored
    (made,) = await run(back)
    return [back.stored[entry["id"]] for entry in made["binary"].values()]


async def test_formats_that_are_needed_whole_say_how_large_they_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from weft_node_sdk import binary

    monkeypatch.setattr(binary.BinaryReader.whole, "__defaults__", (1000,))
    item = {"json": {}, "binary": {"data": {"id": "x", "fileName": "big.xlsx"}}}
    for operation in ("xlsx", "pdf", "fromJson"):
        ctx = node("extractFromFile", 1.1, {"operation": operation}, [item])
        ctx.stored["x"] = b"x" * 1001
        with pytest.raises(NodeRunError, match=r"'big\.xlsx' has 1001 bytes.* no more than 1000 ") as caught:
            await run(ctx)
        assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf8", b'\xef\xbb\xbfa,b\r\n"x\r\ny",2\r\n'),
        ("utf16le", '\ufeffa,b\n"x\r\ny",2'.encode("utf-16-le")),
        ("utf16", '\ufeffa,b\n"x\r\ny",2'.encode("utf-16-be")),
        ("latin1", b'a,b\r"x\r\ny",2'),
    ],
)
async def test_tables_as_text_in_many_encodings(encoding: str, data: bytes) -> None:
    item = {"json": {}, "binary": {"data": {"id": "x"}}}
    ctx = node("extractFromFile", 1.1, {"operation": "csv", "options": {"encoding": encoding}}, [item])
    ctx.stored["x"] = data
    assert [each["json"] for each in await run(ctx)] == [{"a": "x\r\ny", "b": "2"}]


async def test_a_long_table_as_text_comes_back() -> None:
    rows = [{"n": str(number), "t": "a\nb" if number % 2 else ""} for number in range(20_000)]
    ctx = node("convertToFile", 1.1, {"operation": "csv"}, [{"json": row} for row in rows])
    (made,) = await run(ctx)
    whole = ctx.stored[made["binary"]["data"]["id"]]
    assert whole.startswith(b'\xef\xbb\xbfn,t\n0,\n1,"a\nb"\n')
    assert whole.endswith(b'19999,"a\nb"')
    reader = node(
        "extractFromFile", 1.1, {"operation": "csv", "options": {"includeEmptyCells": True}}, [made]
    )
    reader.stored = ctx.stored
    assert [item["json"] for item in await run(reader)] == rows


async def test_a_large_answer_is_taken_as_a_file_and_not_as_a_value() -> None:
    answer = HttpAnswer(200, "OK", [("content-type", "text/plain")], bytes(64 * 1024 * 1024 + 1))
    given = {"url": "https://a.example/x.bin"}
    ctx = node("httpRequest", 4.2, given, [{"json": {}}], serve=lambda _: answer)
    with pytest.raises(NodeRunError, match="larger than") as caught:
        await run(ctx)
    assert "As a file" in caught.value.description
    small = HttpAnswer(200, "OK", [("content-type", "text/plain")], b"abc" * 100)
    options = {"response": {"response": {"responseFormat": "file"}}}
    ctx = node("httpRequest", 4.2, {**given, "options": options}, [{"json": {}}], serve=lambda _: small)
    entry = (await run(ctx))[0]["binary"]["data"]
    assert (entry["fileName"], entry["bytes"], ctx.stored[entry["id"]]) == ("x.bin", 300, b"abc" * 100)

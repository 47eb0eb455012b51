"""Any table format, by its name."""

import asyncio
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.file_kinds import TABLE_TYPES
from weft_node_sdk.values import entries, value

from weft_nodes.files import csv_text, markup, sheets
from weft_nodes.files.encodings import decode, lines
from weft_nodes.files.tables import Row, cut, guessed, objects_of, table_of, text_cell


async def write_file(
    ctx: RunContext,
    kind: str,
    objects: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    file_name: str,
) -> dict[str, Any]:
    """The entry of a file of format `kind` with one row per object."""
    async with ctx.create_binary() as writer:
        for piece in write(kind, objects, options):
            await writer.write(piece)
            await ctx.checkpoint()
        return await writer.store(mime_type=TABLE_TYPES[kind], file_name=file_name)


async def read_file(
    ctx: RunContext, index: int, name: str, kind: str, options: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rows of a file of an item as objects. CSV is read as it comes; the other formats are needed as a whole.
    Raises NodeRunError where it is no file of that format, or too large."""
    async with ctx.open_binary(index, name) as reader:
        if kind == "csv":
            return await asyncio.to_thread(_read_csv, reader.file, options)
        return await asyncio.to_thread(read, kind, await reader.whole(), options)


def write(kind: str, objects: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Iterable[bytes]:
    """A file of format `kind` with one row per object, in pieces."""
    rows = table_of(objects, header=options.get("headerRow", True) is not False)
    sheet = str(value(options.get("sheetName", "")) or "Sheet")
    match kind:
        case "csv":
            return csv_text.write(rows, str(value(options.get("delimiter", ","))))
        case "html":
            return [markup.write_html(rows)]
        case "rtf":
            return [markup.write_rtf(rows)]
        case "xlsx":
            return [sheets.write_xlsx(rows, sheet)]
        case "xls":
            return [sheets.write_xls(rows, sheet)]
        case "ods":
            return [sheets.write_ods(rows, sheet)]
        case _:
            raise NodeRunError(f"The format '{kind}' is not known", code="UNSUPPORTED")


def _number(options: Mapping[str, Any], name: str, default: int) -> int:
    given = value(options.get(name, default))
    return int(given) if isinstance(given, int | float) else default


def _csv_reading(options: Mapping[str, Any], header: bool) -> csv_text.Reading:
    skipping = entries(options, "skipRecordsWithErrors", "value")
    skips = bool(skipping) and skipping[0].get("enabled") is True
    return csv_text.Reading(
        delimiter=str(value(options.get("delimiter", ","))),
        header=header,
        most_rows=_number(options, "maxRowCount", -1),
        first_line=_number(options, "fromLine", 0),
        most_skipped=_number(skipping[0], "maxSkippedRecords", -1) if skips else None,
    )


def read(kind: str, data: bytes, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a sheet, a page or RTF as objects. Raises NodeRunError where it is no file of that format."""
    header = options.get("headerRow", True) is not False
    include_empty = options.get("includeEmptyCells") is True
    area = str(value(options.get("range", "")) or "")
    rows = cut(_rows(kind, data, str(value(options.get("sheetName", "")) or "")), area)
    found = objects_of(rows, header=header, include_empty=include_empty)
    if kind == "html" and options.get("rawData") is True:
        return [_as_text(each) for each in found]
    return found


def _read_csv(file: IO[bytes], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    header = options.get("headerRow", True) is not False
    encoding = str(value(options.get("encoding", "utf-8")))
    # the mark of UTF-8 is no part of the first column's name, whether the option says so or not
    rows = csv_text.read(lines(file, encoding), _csv_reading(options, header))
    include_empty = options.get("includeEmptyCells") is True
    return objects_of(rows, header=header, include_empty=include_empty, text_rows=True)


def _as_text(json: dict[str, Any]) -> dict[str, Any]:
    return {name: text_cell(cell) if not isinstance(cell, list) else cell for name, cell in json.items()}


def _rows(kind: str, data: bytes, sheet: str) -> list[Row]:
    if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
        return sheets.read(data, sheet)
    if kind == "rtf" or data[:5] == b"{\\rtf":
        return markup.read_rtf(data)
    text = decode(data)
    if kind == "html" or text.lstrip()[:1] == "<":
        return markup.read_html(text)
    if b"\0" in data[:4096]:
        raise NodeRunError(f"The file is no {kind} file that can be read")
    # text under a spreadsheet's name, as many exports are
    rows = csv_text.read(io.StringIO(text, newline=""), csv_text.Reading(header=False, ragged=True))
    return [[guessed(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]

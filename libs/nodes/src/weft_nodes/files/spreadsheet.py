"""Any table format, by its name."""

from collections.abc import Mapping, Sequence
from typing import Any

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import entries, value

from weft_nodes.files import csv_text, markup, sheets
from weft_nodes.files.encodings import decode
from weft_nodes.files.tables import Row, cut, guessed, objects_of, table_of, text_cell


def write(kind: str, objects: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> bytes:
    """A file of format `kind` with one row per object."""
    rows = table_of(objects, header=options.get("headerRow", True) is not False)
    sheet = str(value(options.get("sheetName", "")) or "Sheet")
    match kind:
        case "csv":
            return csv_text.write(rows, str(value(options.get("delimiter", ","))))
        case "html":
            return markup.write_html(rows)
        case "rtf":
            return markup.write_rtf(rows)
        case "xlsx":
            return sheets.write_xlsx(rows, sheet)
        case "xls":
            return sheets.write_xls(rows, sheet)
        case "ods":
            return sheets.write_ods(rows, sheet)
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
    """The rows of a file as objects. Raises NodeRunError where it is no file of that format."""
    header = options.get("headerRow", True) is not False
    include_empty = options.get("includeEmptyCells") is True
    if kind == "csv":
        encoding = str(value(options.get("encoding", "utf-8")))
        # the mark of UTF-8 is no part of the first column's name, whether the option says so or not
        rows = csv_text.read(decode(data, encoding), _csv_reading(options, header))
        return objects_of(rows, header=header, include_empty=include_empty, text_rows=True)
    area = str(value(options.get("range", "")) or "")
    rows = cut(_rows(kind, data, str(value(options.get("sheetName", "")) or "")), area)
    found = objects_of(rows, header=header, include_empty=include_empty)
    if kind == "html" and options.get("rawData") is True:
        return [_as_text(each) for each in found]
    return found


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
    rows = csv_text.read(text, csv_text.Reading(header=False, ragged=True))
    return [[guessed(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]

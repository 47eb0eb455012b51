"""Tables in spreadsheets: xlsx, xls, ods."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import well_formed

from weft_nodes.files.tables import Row, text_cell

MAX_UNPACKED: Final = 512 * 1024 * 1024
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - sheets have no zone


def read(data: bytes, sheet_name: str) -> list[Row]:
    """Rows of a sheet (the first where the name is empty); empty cells are None, dates are days since 1900 as
    the file holds them. Raises NodeRunError where it is no spreadsheet or has no such sheet."""
    from python_calamine import CalamineError, CalamineWorkbook

    _check_size(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = book.sheet_names
        if sheet_name and sheet_name not in names:
            raise NodeRunError(
                f"The spreadsheet has no sheet '{sheet_name}'", description=f"Its sheets: {', '.join(names)}."
            )
        sheet = book.get_sheet_by_name(sheet_name or names[0])
        return [[_cell(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise NodeRunError(f"The file is no spreadsheet that can be read: {error}") from None


def _check_size(data: bytes) -> None:
    """A small archive may hide a table that fills the memory."""
    if data[:2] != b"PK":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise NodeRunError(f"The file is no spreadsheet that can be read: {error}") from None
    if size > MAX_UNPACKED:
        raise NodeRunError(f"The spreadsheet unpacks to {size} bytes", code="TOO_LARGE")


def _cell(cell: Any) -> Any:
    if cell == "" or cell is None:
        return None
    if isinstance(cell, datetime):
        return _days(cell - _EPOCH)
    if isinstance(cell, date):
        return _days(datetime(cell.year, cell.month, cell.day) - _EPOCH)  # noqa: DTZ001
    if isinstance(cell, time):
        return _days(timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second))
    if isinstance(cell, timedelta):
        return _days(cell)
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _days(span: timedelta) -> int | float:
    days = span / timedelta(days=1)
    return int(days) if days.is_integer() else days


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, bool | int | float) else text_cell(cell)


def write_xlsx(rows: Sequence[Row], sheet_name: str) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(sheet_name))
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet)
            plain = _plain(value)
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", plain) if isinstance(plain, str) else plain
            if isinstance(plain, str):
                cell.data_type = "s"  # a text that begins with = is no formula
            cells.append(cell)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def write_xls(rows: Sequence[Row], sheet_name: str) -> bytes:
    """Raises NodeRunError where the format is too small: 65,536 rows, 256 columns."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(_sheet_name(sheet_name))
    try:
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(at, column, _plain(cell))
    except ValueError as error:
        raise NodeRunError(f"The table does not fit into an xls file: {error}") from None
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _sheet_name(given: str) -> str:
    return (
        "".join("_" if character in "[]:*?/\\" else character for character in well_formed(given))[:31]
        or "Sheet"
    )


_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"


def _ods_cell(cell: Any) -> str:
    if cell is None:
        return "<table:table-cell/>"
    plain = _plain(cell)
    text = "".join(f"<text:p>{escape(line)}</text:p>" for line in text_cell(plain).split("\n"))
    if isinstance(plain, bool):
        kind = f'office:value-type="boolean" office:boolean-value="{str(plain).lower()}"'
    elif isinstance(plain, str):
        kind = 'office:value-type="string"'
    else:
        kind = f'office:value-type="float" office:value="{plain}"'
    return f"<table:table-cell {kind}>{text}</table:table-cell>"


def write_ods(rows: Sequence[Row], sheet_name: str) -> bytes:
    body = "".join(
        "<table:table-row>" + "".join(map(_ods_cell, row)) + "</table:table-row>" for row in rows if row
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.2"'
        f' xmlns:office="{_OFFICE}:office:1.0" xmlns:table="{_OFFICE}:table:1.0"'
        f' xmlns:text="{_OFFICE}:text:1.0"><office:body><office:spreadsheet>'
        f"<table:table table:name={quoteattr(_sheet_name(sheet_name))}>{body}</table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="{_OFFICE}:manifest:1.0"'
        f' manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS_TYPE, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return file.getvalue()

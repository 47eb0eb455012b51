"""Tables in HTML and RTF."""

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser
from typing import Any

from weft_nodes.files.tables import Row, guessed, text_cell


def write_html(rows: Sequence[Row]) -> bytes:
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text_cell(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = '<head><meta charset="utf-8"/><title>Table</title></head>'
    return f"<html>{head}<body><table>{body}</table></body></html>".encode()


class _Table(HTMLParser):
    """The rows of the first table; one inside a cell belongs to the cell's text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[Any]] = []
        self._depth = 0
        self._done = False
        self._cell: list[str] | None = None
        self._span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        if self._done or self._depth != 1:
            return
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in {"td", "th"}:
            self._end_cell()
            self._cell = []
            span = dict(attrs).get("colspan") or "1"
            self._span = min(int(span), 1000) if span.isdigit() else 1
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"} and self._depth == 1:
            self._end_cell()
        if tag == "table" and self._depth:
            self._depth -= 1
            self._done = self._done or self._depth == 0

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        if not self.rows:
            self.rows.append([])
        text = re.sub(r"[ \t\r]+", " ", "".join(self._cell)).strip()
        self.rows[-1] += [guessed(text)] + [None] * (self._span - 1)
        self._cell, self._span = None, 1


def read_html(text: str) -> list[Row]:
    table = _Table()
    table.feed(text)
    table.close()
    return list(table.rows)


def _rtf_text(text: str) -> str:
    parts = []
    for character in text:
        if character in "\\{}":
            parts.append(f"\\{character}")
        elif character == "\n":
            parts.append("\\par ")
        elif ord(character) < 128:
            parts.append(character)
        else:
            units = character.encode("utf-16-le")
            parts += [
                f"\\u{int.from_bytes(units[at : at + 2], 'little', signed=True)}?"
                for at in range(0, len(units), 2)
            ]
    return "".join(parts)


def write_rtf(rows: Sequence[Row]) -> bytes:
    parts = ["{\\rtf1\\ansi"]
    for row in rows:
        parts.append("\\trowd\\trautofit1" + "".join(f"\\cellx{at + 1}" for at in range(len(row))))
        cells = "".join(f" {_rtf_text(text_cell(cell))}\\cell" for cell in row)
        parts.append(f"\\pard\\intbl{cells}\\pard\\intbl\\row")
    return ("".join(parts) + "}").encode()


_RTF = re.compile(
    r"\\u(-?\d+) ?(?:\\'[0-9a-fA-F]{2}|\?)?|\\'([0-9a-fA-F]{2})|\\([a-z]+)(-?\d*) ?|\\(.)|([{}\r\n])|([^\\{}\r\n]+)",
    re.DOTALL,
)
_LOSERS = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "generator"}


def read_rtf(data: bytes) -> list[Row]:
    """The rows of all tables. Text outside of tables is left out."""
    rows: list[Row] = []
    row: list[Any] = []
    cell: list[str] = []
    hidden: list[bool] = [False]
    for code, byte, word, _, sign, brace, plain in _RTF.findall(data.decode("utf-8", "replace")):
        if brace == "{":
            hidden.append(hidden[-1])
        elif brace == "}":
            hidden = hidden[:-1] or [False]
        elif word in _LOSERS or sign == "*":
            hidden[-1] = True
        elif hidden[-1]:
            continue
        elif word == "cell":
            row.append(guessed("".join(cell).strip()))
            cell = []
        elif word == "row":
            rows.append(row)
            row, cell = [], []
        elif word in {"trowd", "intbl"}:
            cell = []
        elif word in {"par", "line"}:
            cell.append("\n")
        elif word == "tab":
            cell.append("\t")
        elif code:
            cell.append(_unit(int(code)))
        elif byte:
            cell.append(bytes.fromhex(byte).decode("cp1252", "replace"))
        else:
            cell.append(plain or (sign if sign in "\\{}" else " " if sign == "~" else ""))
    return [[_paired(each) for each in each_row] for each_row in rows]


def _unit(number: int) -> str:
    return chr(number % 0x10000)


def _paired(cell: Any) -> Any:
    """Two halves of a character put together."""
    if not isinstance(cell, str):
        return cell
    return cell.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

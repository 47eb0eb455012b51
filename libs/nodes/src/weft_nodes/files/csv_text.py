"""Tables as text with separators."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from weft_node_sdk.context import NodeRunError

from weft_nodes.files.tables import Row, text_cell

csv.field_size_limit(64 * 1024 * 1024)
_PIECE = 64 * 1024


class Reading(NamedTuple):
    """`most_skipped`: records that may be left out since they have another number of fields; None: none is
    left out, -1: any number. `first_line`: counted from 1. `most_rows`: -1 for all."""

    delimiter: str = ","
    header: bool = True
    most_rows: int = -1
    first_line: int = 1
    most_skipped: int | None = None
    ragged: bool = False
    """Records may have any number of fields."""


def write(rows: Iterable[Row], delimiter: str = ",") -> Iterator[bytes]:
    """UTF-8 with its mark, in pieces; no line end at the end."""
    yield b"\xef\xbb\xbf"
    text = io.StringIO()
    writer = csv.writer(text, delimiter=_separator(delimiter), lineterminator="\n")
    ends = ""
    for row in rows:
        writer.writerow([text_cell(cell) for cell in row])
        if text.tell() > _PIECE:
            piece = ends + text.getvalue()
            body = piece.rstrip("\n")
            ends = piece[len(body) :]
            yield body.encode()
            text.seek(0)
            text.truncate()
    yield (ends + text.getvalue()).rstrip("\n").encode()


def _separator(given: str) -> str:
    separator = {"\\t": "\t", "": ","}.get(given, given)
    if len(separator) != 1 or separator in '"\r\n':
        raise NodeRunError(f"The delimiter {given!r} is not one character")
    return separator


def read(lines: Iterable[str], how: Reading) -> list[Row]:
    """Rows of lines with their ends; an empty field is None. With a header the first row counts, and one of another
    length is an error: NodeRunError names the line."""
    lines = islice(lines, max(how.first_line - 1, 0), None)
    found: list[Row] = []
    skipped = 0
    most = how.most_rows + how.header if how.most_rows >= 0 else None
    for line, cells in _records(lines, how.delimiter):
        if most is not None and len(found) >= most:
            break
        if found and not how.ragged and len(cells) != len(found[0]):
            skipped += 1
            if how.most_skipped is None or 0 <= how.most_skipped < skipped:
                raise NodeRunError(
                    f"Line {line} has {len(cells)} fields, {len(found[0])} were expected",
                    description="Records with errors can be skipped by an option.",
                )
            continue
        found.append(cells)
    return found


def _records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[Any]]]:
    reader = csv.reader(lines, delimiter=_separator(delimiter))
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, [cell or None for cell in cells]
    except csv.Error as error:
        raise NodeRunError(f"Line {reader.line_num} can't be read: {error}") from None

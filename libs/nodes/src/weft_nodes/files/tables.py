"""Items and tables."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.values import to_text, well_formed

Row = Sequence[Any]
_CELL = re.compile(r"([A-Z]{1,3})(\d*)")


def flat(json: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """An object with everything inside at the top, by path with dots."""
    found: dict[str, Any] = {}
    for name, member in json.items():
        path = f"{prefix}{name}"
        if isinstance(member, list):
            found.update(flat({str(index): each for index, each in enumerate(member)}, f"{path}."))
        elif isinstance(member, Mapping):
            found.update(flat(member, f"{path}."))
        else:
            found[path] = member
    return found


def table_of(objects: Iterable[Mapping[str, Any]], *, header: bool) -> list[Row]:
    """Rows of all objects, the columns in the order of their first appearance."""
    listed = [flat(each) for each in objects]
    columns = list(dict.fromkeys(name for each in listed for name in each))
    rows: list[Row] = [columns] if header else []
    return rows + [[each.get(name) for name in columns] for each in listed]


def objects_of(
    rows: Sequence[Row], *, header: bool, include_empty: bool, text_rows: bool = False
) -> list[dict[str, Any]]:
    """Objects from rows whose empty cells are None. Without a header each is `{row: [...]}`, or by position
    where `text_rows`. Columns without a name are `__EMPTY`, a second `a` is `a_1` (the last one wins where
    `text_rows`)."""
    if not header:
        return [{"row": _row(row, include_empty, text_rows)} for row in rows]
    if not rows:
        return []
    names = [_text(cell) for cell in rows[0]] if text_rows else _names(rows[0])
    found = []
    for row in rows[1:]:
        if not text_rows and all(cell is None for cell in row):
            continue
        cells = {name: row[at] if at < len(row) else None for at, name in enumerate(names)}
        if include_empty:
            found.append({name: "" if cell is None else cell for name, cell in cells.items()})
        else:
            found.append({name: cell for name, cell in cells.items() if cell is not None})
    return found


def _row(row: Row, include_empty: bool, text_rows: bool) -> Any:
    cells = ["" if cell is None and include_empty else cell for cell in row]
    if text_rows:
        return {str(at): cell for at, cell in enumerate(cells) if cell is not None}
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)


def _names(row: Row) -> list[str]:
    taken: dict[str, int] = {}
    names: list[str] = []
    for cell in row:
        name = _text(cell) or "__EMPTY"
        count = taken.get(name, -1) + 1
        taken[name] = count
        names.append(f"{name}_{count}" if count else name)
    return names


def text_cell(cell: Any) -> str:
    """A cell as text files show it."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return well_formed(str(to_text(cell) or "")) if cell is not None else ""


def guessed(text: str) -> Any:
    """A cell of a format that knows only text: numbers and booleans are recognised, an empty one is None."""
    stripped = text.strip()
    if not stripped:
        return None
    if stripped in {"TRUE", "FALSE"}:
        return stripped == "TRUE"
    if re.fullmatch(r"-?(\d+|\d*\.\d+)([eE][+-]?\d+)?", stripped) and len(stripped) < 16:
        number = float(stripped)
        return int(number) if number.is_integer() else number
    return text


def cut(rows: list[Row], area: str) -> list[Row]:
    """The part of a table that `area` names: `B2:D9` (either end may lack its row), or the number of the first
    row, counted from 0. Raises NodeRunError for anything else."""
    area = area.strip().upper().replace("$", "")
    if not area:
        return rows
    if area.isdigit():
        return rows[int(area) :]
    ends = [_CELL.fullmatch(part) for part in area.split(":")]
    if not 1 <= len(ends) <= 2 or not all(ends):
        raise NodeRunError(f"The range '{area}' is neither a row nor like A1:C9")
    (left, top), (right, bottom) = (_position(ends[0]), _position(ends[-1]))
    last = bottom + 1 if bottom is not None else len(rows)
    return [list(row)[left : right + 1] for row in rows[top or 0 : last]]


def _position(found: re.Match[str] | None) -> tuple[int, int | None]:
    assert found is not None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return column - 1, int(found[2]) - 1 if found[2] else None

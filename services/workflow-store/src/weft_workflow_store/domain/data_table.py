"""Data tables: what columns and values they may have, and which rows a filter means."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from weft_contracts.errors import ErrorCode, WeftError

MAX_COLUMNS: Final = 100
MAX_ROWS: Final = 100_000
"""Of one table."""
MAX_ROW_BYTES: Final = 64 * 1024
AT_ONCE: Final = 1000
"""Rows that one call brings, and that one page has."""
TYPES: Final = ("string", "number", "boolean", "date")
SYSTEM: Final[Mapping[str, str]] = {"id": "number", "createdAt": "date", "updatedAt": "date"}
"""Columns that every table has."""
COMPARISONS: Final[Mapping[str, str]] = {
    "eq": "=",
    "neq": "IS DISTINCT FROM",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
}
_EXACT: Final = 2**53
_COLUMN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class DataTable:
    """`columns`: without those of the system."""

    id: str
    project_id: str
    name: str
    columns: tuple[Column, ...]
    row_count: int
    created_at: datetime
    updated_at: datetime

    def type_of(self, name: str) -> str:
        """Raises VALIDATION_ERROR for a column that it has not."""
        found = SYSTEM.get(name) or next((each.type for each in self.columns if each.name == name), "")
        if not found:
            raise _wrong(f"The table '{self.name}' has no column '{name}'.", name)
        return found


@dataclass(frozen=True, slots=True)
class Condition:
    column: str
    condition: str
    value: Any


def _wrong(message: str, column: str = "") -> WeftError:
    return WeftError(ErrorCode.VALIDATION_ERROR, message, path=column)


def checked_columns(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Raises VALIDATION_ERROR."""
    if len(columns) > MAX_COLUMNS:
        raise _wrong(f"A table has at most {MAX_COLUMNS} columns.")
    seen: set[str] = set()
    for column in columns:
        if not _COLUMN.fullmatch(column.name):
            raise _wrong(
                f"'{column.name}' can't be the name of a column: letters, digits and _, a letter first, at most 63.",
                column.name,
            )
        if column.name.lower() in {name.lower() for name in SYSTEM}:
            raise _wrong(f"'{column.name}' is a column that every table has.", column.name)
        if column.name in seen:
            raise _wrong(f"There are two columns '{column.name}'.", column.name)
        if column.type not in TYPES:
            raise _wrong(f"A column's type is one of {', '.join(TYPES)}.", column.name)
        seen.add(column.name)
    return tuple(columns)


def checked_row(table: DataTable, given: Any) -> dict[str, Any]:
    """The values as they are kept. Raises VALIDATION_ERROR for what doesn't fit its column."""
    if not isinstance(given, dict):
        raise _wrong("A row is an object of columns and values.")
    row: dict[str, Any] = {}
    for name, value in given.items():
        if name in SYSTEM:
            raise _wrong(f"The column '{name}' is set by the table itself.", name)
        row[name] = converted(value, table.type_of(name), name)
    if len(orjson.dumps(row)) > MAX_ROW_BYTES:
        raise WeftError(ErrorCode.TOO_LARGE, f"A row takes at most {MAX_ROW_BYTES} bytes.")
    return row


def converted(value: Any, kind: str, name: str) -> Any:
    """A value of a column of that type. Dates become texts in UTC with milliseconds, which are ordered as they are."""
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise _wrong(f"The column '{name}' can't hold an object or a list.", name)
    found: Any = None
    match kind:
        case "string":
            found = _text(value)
        case "number":
            found = _number(value)
        case "boolean":
            found = _boolean(value)
        case _:
            found = _date(value)
    if found is None:
        raise _wrong(f"The value of '{name}' is no {kind}.", name)
    return found


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = orjson.dumps(_plain(value)).decode()
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return None if "\x00" in text else text


def _plain(value: float) -> int | float:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _number(value: Any) -> int | float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    value = _plain(value) if abs(value) < _EXACT else float(value)
    return value if math.isfinite(value) else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return {0: False, 1: True}.get(value)


def _date(value: Any) -> str | None:
    when = moment(value)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else None


def moment(value: Any) -> datetime | None:
    """Of ISO 8601, UTC unless it says otherwise, or of milliseconds since the epoch."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            return found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def shown(
    table: DataTable, row_id: int, data: Mapping[str, Any], created: datetime, updated: datetime
) -> dict[str, Any]:
    """A row as it is given: every column, then those of the system."""
    found = {column.name: data.get(column.name) for column in table.columns}
    return {
        **found,
        "id": row_id,
        "createdAt": _date(created.isoformat()),
        "updatedAt": _date(updated.isoformat()),
    }


class Filter:
    """Compiles conditions into SQL; values are bound from `$first` on."""

    def __init__(self, table: DataTable, first: int) -> None:
        self._table = table
        self._first = first
        self.values: list[Any] = []

    def where(self, conditions: Sequence[Condition], *, any_of: bool) -> str:
        """An expression. Raises VALIDATION_ERROR."""
        parts = [self._one(each) for each in conditions]
        return f"({(' OR ' if any_of else ' AND ').join(parts)})" if parts else "true"

    def column(self, name: str) -> tuple[str, str]:
        """How a column is read, and its type. Names are safe: only those of the table get through."""
        kind = self._table.type_of(name)
        if name in SYSTEM:
            return {"id": "id", "createdAt": "created_at", "updatedAt": "updated_at"}[name], kind
        text = f"(data->>'{name}')"
        return {"number": f"{text}::float8", "boolean": f"{text}::boolean"}.get(kind, text), kind

    def _put(self, value: Any) -> str:
        self.values.append(value)
        return f"${self._first + len(self.values) - 1}"

    def _one(self, given: Condition) -> str:
        read, kind = self.column(given.column)
        match given.condition:
            case "isEmpty":
                return f"{read} IS NULL"
            case "isNotEmpty":
                return f"{read} IS NOT NULL"
            case "isTrue" | "isFalse" if kind == "boolean":
                return f"{read} IS {'TRUE' if given.condition == 'isTrue' else 'FALSE'}"
            case "like" | "ilike" if kind == "string":
                pattern = str(converted(given.value, kind, given.column) or "")
                pattern = pattern.replace("\\", "\\\\").replace("_", "\\_")
                pattern = pattern if "%" in pattern else f"%{pattern}%"
                return f"{read} {given.condition.upper()} {self._put(pattern)}"
            case name if name in COMPARISONS:
                return self._compared(given, read, kind)
        raise _wrong(
            f"The condition '{given.condition}' does not go with the column '{given.column}'.", given.column
        )

    def _compared(self, given: Condition, read: str, kind: str) -> str:
        value = given.value
        if value is None and kind != "string":
            if given.condition in {"eq", "neq"}:
                return f"{read} IS {'NOT ' if given.condition == 'neq' else ''}NULL"
            raise _wrong(f"There is nothing to compare '{given.column}' with.", given.column)
        found = converted("" if value is None else value, kind, given.column)
        held = {"id": "::float8", "createdAt": "::timestamptz", "updatedAt": "::timestamptz"}.get(
            given.column, ""
        )
        if given.column in {"createdAt", "updatedAt"}:
            found = moment(found)
        elif kind == "number":
            found, held = float(found), "::float8"
        elif kind in {"string", "date"}:
            # by code points, as every machine has them
            read = f'{read} COLLATE "C"'
        return f"{read} {COMPARISONS[given.condition]} {self._put(found)}{held}"

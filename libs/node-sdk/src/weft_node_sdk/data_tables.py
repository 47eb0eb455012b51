"""Data tables of the project that a workflow runs in.

A table is `{id, project_id, name, columns: [{name, type}], row_count, created_at, updated_at}`, its columns' types are
string, number, boolean and date; a row is `{column: value, …, id, createdAt, updatedAt}`, dates as ISO 8601 in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

Row = dict[str, Any]
AT_ONCE: Final = 1000
"""Rows that one call takes or gives."""


@dataclass(frozen=True)
class TableKey:
    """A table by its id, or by its name."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True)
class RowCondition:
    """`condition`: eq, neq, gt, gte, lt, lte, like, ilike, isEmpty, isNotEmpty, isTrue, isFalse."""

    column: str
    condition: str
    value: Any = None


@dataclass(frozen=True)
class RowFilter:
    """Which rows: those that fulfil all conditions, or any of them; without conditions every one."""

    conditions: Sequence[RowCondition] = field(default=())
    any_of: bool = False


class DataTables(Protocol):
    """All raise NodeRunError where there is no such table or column, or a value doesn't fit."""

    async def page(
        self, *, search: str = "", sort: str = "name", page: int = 1, limit: int = 100
    ) -> tuple[list[dict[str, Any]], int]:
        """One page of tables, and how many there are. `sort`: name, created_at, updated_at; `-` reverses."""

    async def get(self, table: TableKey) -> dict[str, Any]: ...

    async def create(
        self, name: str, columns: Sequence[tuple[str, str]], *, or_get: bool = False
    ) -> dict[str, Any]:
        """`columns`: names and types. `or_get`: the table of that name where there is one."""

    async def rename(self, table: TableKey, name: str) -> dict[str, Any]: ...

    async def delete(self, table: TableKey) -> None: ...

    async def rows(
        self,
        table: TableKey,
        found_by: RowFilter,
        *,
        order_by: str = "",
        descending: bool = False,
        limit: int = AT_ONCE,
        offset: int = 0,
        after_id: int = 0,
    ) -> tuple[list[Row], int]:
        """A page of rows, shorter where rows are large, and how many fit after `after_id`. Without `order_by` by id."""

    async def insert(self, table: TableKey, rows: Sequence[Row]) -> list[Row]:
        """All of them or none."""

    async def update(
        self,
        table: TableKey,
        found_by: RowFilter,
        values: Row,
        *,
        or_insert: bool = False,
        dry_run: bool = False,
    ) -> tuple[list[Row], list[Row], bool]:
        """The rows as they are now; as they were, where nothing is kept; whether one was made because none fitted."""

    async def remove(
        self, table: TableKey, found_by: RowFilter, *, dry_run: bool = False, count_only: bool = False
    ) -> tuple[list[Row], int]:
        """The rows that are gone, unless only their number is asked for."""

"""Statements from the parameters that SQL nodes have in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import entries, located, members, names_in, value

from weft_nodes.databases.sql_text import Statement

_COMPARISONS = {"equal": "=", "!=": "<>", "LIKE": "LIKE", ">": ">", "<": "<", ">=": ">=", "<=": "<="}


class Dialect(NamedTuple):
    quote: Callable[[str], str]
    place: Callable[[int], str]


class Builder:
    """One statement; values are collected as they are placed."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.values: list[Any] = []

    def put(self, given: Any) -> str:
        self.values.append(given)
        return self._dialect.place(len(self.values))

    def columns(self, names: Sequence[str]) -> str:
        return ", ".join(self._dialect.quote(name) for name in names)

    def assignments(self, row: Mapping[str, Any]) -> str:
        return ", ".join(f"{self._dialect.quote(name)} = {self.put(held)}" for name, held in row.items())

    def where(self, parameters: Mapping[str, Any]) -> str:
        """` WHERE …`, or nothing."""
        parts = []
        for entry in entries(parameters, "where", "values"):
            column, condition = str(value(entry.get("column", ""))), str(entry.get("condition", "equal"))
            if not column:
                continue
            if condition in {"IS NULL", "IS NOT NULL"}:
                parts.append(f"{self._dialect.quote(column)} {condition}")
            elif condition in _COMPARISONS:
                held = self.put(value(entry.get("value")))
                parts.append(f"{self._dialect.quote(column)} {_COMPARISONS[condition]} {held}")
            else:
                raise NodeRunError(f"The condition '{condition}' is not known")
        joint = " OR " if parameters.get("combineConditions") == "OR" else " AND "
        return f" WHERE {joint.join(parts)}" if parts else ""

    def order(self, parameters: Mapping[str, Any]) -> str:
        parts = []
        for entry in entries(parameters, "sort", "values"):
            if column := str(value(entry.get("column", ""))):
                down = " DESC" if entry.get("direction") == "DESC" else ""
                parts.append(f"{self._dialect.quote(column)}{down}")
        return f" ORDER BY {', '.join(parts)}" if parts else ""

    def limit(self, parameters: Mapping[str, Any]) -> str:
        if parameters.get("returnAll") is True:
            return ""
        most = value(parameters.get("limit", 50))
        if not isinstance(most, int | float) or most < 0:
            raise NodeRunError(f"The limit {most!r} is no number")
        return f" LIMIT {int(most)}"

    def build(self, text: str) -> Statement:
        return Statement(text, self.values)


def table_name(parameters: Mapping[str, Any]) -> str:
    name = str(value(located(parameters.get("table"))) or "")
    if not name:
        raise NodeRunError("A table must be chosen")
    return name


def _array_columns(columns: Mapping[str, Any]) -> set[str]:
    """As the editor's list of columns says."""
    schema = columns.get("schema")
    found = [each for each in schema if isinstance(each, Mapping)] if isinstance(schema, list) else []
    return {str(each.get("id")) for each in found if each.get("type") == "array"}


def _array(held: Any) -> Any:
    """A text that is one in JSON, as such."""
    try:
        found = parse_json(held) if isinstance(held, str) else None
    except ValueError:
        return held
    return found if isinstance(found, list) else held


def row_of(ctx: RunContext, index: int, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What is to be written for an item, and the columns that rows are matched by. Raises NodeRunError where
    nothing is."""
    json = ctx.items[index]["json"]
    columns = parameters.get("columns")
    if isinstance(columns, Mapping):
        match = [str(name) for name in columns.get("matchingColumns") or []]
        if columns.get("mappingMode") == "autoMapInputData":
            row = dict(json)
        else:
            arrays = _array_columns(columns)
            row = {
                name: _array(held) if name in arrays else held
                for name, held in (columns.get("value") or {}).items()
            }
    else:
        match = names_in(value(parameters.get("columnToMatchOn", "")))
        if parameters.get("dataMode", "autoMapInputData") == "autoMapInputData":
            row = dict(json)
        else:
            sent = entries(parameters, "valuesToSend", "values")
            row = {str(value(entry["column"])): value(entry.get("value")) for entry in sent}
            if match and "valueToMatchOn" in parameters:
                row[match[0]] = value(parameters["valueToMatchOn"])
    if members(parameters).get("replaceEmptyStrings") is True:
        row = {name: None if held == "" else held for name, held in row.items()}
    if not row:
        raise NodeRunError("There is nothing to write: no column has a value")
    return row, match


def split_row(row: Mapping[str, Any], match: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what rows are found by, what is set). Raises NodeRunError where either has nothing."""
    missing = [name for name in match if name not in row]
    if not match or missing:
        text = f"The column to match on, '{missing[0]}', has no value" if missing else "No column to match on"
        raise NodeRunError(text)
    return {name: row[name] for name in match}, {
        name: held for name, held in row.items() if name not in match
    }

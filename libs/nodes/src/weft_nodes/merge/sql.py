"""Merge by SQL: the inputs are tables of an SQLite database that lives in memory for one query.

Nothing outside can be reached: an authorizer refuses files, pragmas and extensions, and sizes and time are
limited. Objects and lists are JSON texts inside, booleans 1 and 0; columns that held them give them back.
"""

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from weft_node_sdk.context import Item, NodeRunError
from weft_node_sdk.values import compact_json, to_text, well_formed

_SECONDS: Final = 30.0
_MOST_ROWS: Final = 1_000_000
_LONGEST_VALUE: Final = 64 * 1024 * 1024
_STEPS: Final = 10_000
"""Instructions of the database between two looks at the clock."""
_REFUSED: Final = frozenset(
    {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_CREATE_VTABLE}
)
_REFUSED_FUNCTIONS: Final = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: _LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_TABLE: Final = re.compile(
    r"\b(?:from|join)\s+(input\d+)\b(?:\s+(?:as\s+)?(?!(?:on|where|left|right|inner|outer|full|cross|join|group|order|"
    r"limit|union|natural|having|using)\b)(\w+))?",
    re.IGNORECASE,
)
_NOT_ROW_BY_ROW: Final = re.compile(
    r"\b(?:union|intersect|except|distinct|group\s+by|with)\b|\b(?:count|sum|avg|min|max|total|group_concat)\s*\(|,\s*input\d+\b(?!\s*\.)",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_ARROW: Final = re.compile(r"->\s*(?=[A-Za-z_])(\w+)")
_ROW: Final = "_row_of_"


class _Column:
    """What the values of a name were, over all inputs."""

    def __init__(self) -> None:
        self.kinds: set[type] = set()

    def restored(self, held: Any) -> Any:
        if self.kinds == {bool}:
            return bool(held)
        if self.kinds & {dict, list} and isinstance(held, str) and held[:1] in ("{", "["):
            try:
                return orjson.loads(held)
            except orjson.JSONDecodeError:
                return held
        return held


def _stored(given: Any) -> Any:
    if isinstance(given, dict | list):
        return compact_json(given)
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) >= 2**63:
        return float(given)
    if isinstance(given, str):
        return well_formed(given)
    return int(given) if isinstance(given, bool) else given


def _whole(held: Any) -> Any:
    return int(held) if isinstance(held, float) and held.is_integer() and abs(held) < 2**53 else held


def _named(name: str) -> str:
    return '"' + well_formed(name).replace('"', '""') + '"'


def _authorize(action: int, first: str | None, second: str | None, *_: Any) -> int:
    refused = action in _REFUSED or (
        action == sqlite3.SQLITE_FUNCTION and str(second or first).lower() in _REFUSED_FUNCTIONS
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


def _outside_quotes(query: str) -> str:
    """The query, what is quoted or a comment blanked out at the same length."""
    return _QUOTED.sub(lambda found: " " * len(found.group()), query)


class _Database:
    def __init__(self, inputs: Sequence[list[Item]], query: str) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._columns: dict[str, _Column] = {}
        self._connection.execute("PRAGMA temp_store = MEMORY")
        tables = {
            found.group(2): found.group(1)
            for found in _TABLE.finditer(_outside_quotes(query))
            if found.group(2)
        }
        for number, items in enumerate(inputs, 1):
            table = f"input{number}"
            names = [table, *(alias for alias, of in tables.items() if of.lower() == table)]
            self._fill(table, items, self._asked(names, query))
        for limit, size in _LIMITS.items():
            self._connection.setlimit(limit, size)
        self._connection.create_function("LEN", 1, lambda text: None if text is None else len(str(text)))
        self._connection.create_function(
            "CONCAT", -1, lambda *parts: "".join(str(to_text(part) or "") for part in parts)
        )
        self._connection.set_authorizer(_authorize)
        end = time.monotonic() + _SECONDS
        self._connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)

    def close(self) -> None:
        self._connection.close()

    @staticmethod
    def _asked(names: list[str], query: str) -> list[str]:
        """Columns that the query names with the table: an input without items has them too."""
        found = re.findall(
            rf"\b(?:{'|'.join(map(re.escape, names))})\s*\.\s*(?:(\w+)|[`\"\[]([^`\"\]]+))",
            query,
            re.IGNORECASE,
        )
        return [plain or quoted for plain, quoted in found]

    def _fill(self, table: str, items: list[Item], asked: list[str]) -> None:
        # SQLite takes names that differ in case for the same
        known: dict[str, str] = {}
        for name in [*(name for item in items for name in item["json"]), *asked]:
            known.setdefault(well_formed(name).lower(), name)
        names = list(known.values()) or ["_"]
        self._connection.execute(f"CREATE TABLE {table} ({', '.join(map(_named, names))})")
        for item in items:
            for name, member in item["json"].items():
                self._columns.setdefault(name, _Column()).kinds.add(type(member))
        marks = ", ".join("?" * len(names))
        rows = ([_stored(item["json"].get(name)) for name in names] for item in items)
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - names are quoted

    def rows(self, query: str, values: Sequence[Any]) -> Iterator[list[tuple[str, Any]]]:
        """(column, value) by row; the last statement's. Raises sqlite3.Error."""
        cursor = self._connection.cursor()
        statements = list(_statements(query))
        for statement in statements[:-1]:
            cursor.execute(statement)
        if not statements:
            return
        cursor.execute(statements[-1], values if "?" in _outside_quotes(statements[-1]) else ())
        names = [column[0] for column in cursor.description or ()]
        for number, row in enumerate(cursor):
            if number >= _MOST_ROWS:
                raise NodeRunError(f"The query gives more than {_MOST_ROWS} rows", description="Use a LIMIT.")
            yield list(zip(names, row, strict=True))

    def json(self, row: list[tuple[str, Any]]) -> dict[str, Any]:
        """The row as an object; null stays only where the data have it. Of columns of one name the last that
        has a value counts."""
        json: dict[str, Any] = {}
        for name, held in row:
            column = self._columns.get(name)
            if held is not None:
                json[name] = column.restored(_whole(held)) if column else _whole(held)
            elif column is not None and type(None) in column.kinds:
                json.setdefault(name, None)
        return json


def _statements(query: str) -> Iterator[str]:
    plain, start = _outside_quotes(query), 0
    for end in [*(found.start() for found in re.finditer(";", plain)), len(query)]:
        if plain[start:end].strip():
            yield query[start:end]
        start = end + 1


def _with_rows(query: str) -> str | None:
    """A query that gives the numbers of the rows too, where each of its rows comes from one row of each table."""
    plain = _outside_quotes(query)
    start = re.match(r"\s*select\b", plain, re.IGNORECASE)
    tables = [(found.group(1).lower(), found.group(2) or found.group(1)) for found in _TABLE.finditer(plain)]
    single = len(re.findall(r"\bselect\b", plain, re.IGNORECASE)) == 1
    if (
        not start
        or not tables
        or not single
        or _NOT_ROW_BY_ROW.search(plain)
        or ";" in plain.strip().rstrip(";")
    ):
        return None
    found = re.search(r"\bfrom\b", plain, re.IGNORECASE)
    if found is None:
        return None
    extra = "".join(f", {alias}.rowid AS {_ROW}{table[5:]}" for table, alias in tables)
    return f"{query[: found.start()]}{extra} {query[found.start() :]}"


def _lineage(row: list[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], list[dict[str, int]]]:
    lineage = [
        {"item": held - 1, "input": int(name[len(_ROW) :]) - 1}
        for name, held in row
        if name.startswith(_ROW) and held is not None
    ]
    return [part for part in row if not part[0].startswith(_ROW)], lineage


def query(inputs: Sequence[list[Item]], text: str, values: Sequence[Any] = ()) -> list[Item]:
    """The rows of the query as items. `values`: for `$1`, `$2` … Raises NodeRunError. Blocks: call it in a
    thread."""
    given = list(values)
    plain = _outside_quotes(text)
    for found in reversed(list(re.finditer(r"\$(\d+)", plain))):
        text = f"{text[: found.start()]}?{found.group(1)}{text[found.end() :]}"
    for found in reversed(list(_ARROW.finditer(_outside_quotes(text)))):
        text = f"{text[: found.start()]}->>'{found.group(1)}'{text[found.end() :]}"
    database = _Database(inputs, text)
    try:
        numbered = _with_rows(text)
        if numbered is not None:
            try:
                return [_item(database, row) for row in database.rows(numbered, given)]
            except sqlite3.Error:
                # what it reads is no plain table after all
                numbered = None
        return [{"json": database.json(row), "pairedItem": []} for row in database.rows(text, given)]
    except sqlite3.Error as error:
        message = "it takes too long" if "interrupted" in str(error) else str(error)
        raise NodeRunError(f"The query can't run: {message}") from None
    finally:
        database.close()


def _item(database: _Database, row: list[tuple[str, Any]]) -> Item:
    plain, lineage = _lineage(row)
    return {"json": database.json(plain), "pairedItem": lineage}

"""Merge by SQL: what a query may not do, and how long it may take."""

from typing import Any

import pytest
from weft_node_sdk.context import Item, NodeRunError
from weft_nodes.merge import sql


def items(*rows: dict[str, Any]) -> list[Item]:
    return [{"json": row} for row in rows]


def rows(text: str, *inputs: list[Item], values: tuple[str, ...] = ()) -> list[Any]:
    return [item["json"] for item in sql.query(inputs or [[], []], text, values)]


@pytest.mark.parametrize(
    "text",
    [
        "ATTACH DATABASE 'x.db' AS x",
        "PRAGMA hard_heap_limit = 0",
        "VACUUM INTO 'x.db'",
        "SELECT load_extension('x')",
        "SELECT readfile('x')",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "SELECT zeroblob(1000000000)",
        "",
    ],
)
def test_nothing_outside_is_reached(text: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if text:
        with pytest.raises(NodeRunError, match="can't run"):
            rows(text)
    else:
        assert rows(text) == []
    assert not list(tmp_path.iterdir())


def test_an_endless_query_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_SECONDS", 0.0)
    with pytest.raises(NodeRunError, match="takes too long"):
        rows("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_MOST_ROWS", 3)
    data = items(*({"a": index} for index in range(4)))
    with pytest.raises(NodeRunError, match="more than 3 rows"):
        rows("SELECT * FROM input1", data)


def test_values_come_back_as_they_were() -> None:
    data = [{"a": 1, "b": 2.5, "c": "é", "d": True, "e": {"x": [1]}, "f": [], "g": None, "h": 10**20}]
    assert rows("SELECT * FROM input1", items(*data)) == data


def test_names_of_columns_are_free() -> None:
    data = items({"a b": 1, 'q"q': 2, "Ä": 3, "select": 4})
    assert rows('SELECT "a b", `q"q`, [Ä], "select" FROM input1', data) == [
        {"a b": 1, 'q"q': 2, "Ä": 3, "select": 4}
    ]


def test_rows_know_where_they_come_from() -> None:
    first, second = items({"a": 1}, {"a": 2}), items({"a": 2, "b": 3})
    text = "SELECT x.a, b FROM input1 x JOIN input2 ON x.a = input2.a -- from nowhere"
    (found,) = sql.query([first, second], text)
    assert found["pairedItem"] == [{"item": 1, "input": 0}, {"item": 0, "input": 1}]
    (found,) = sql.query([first, second], "SELECT COUNT(*) AS n FROM input1")
    assert found == {"json": {"n": 2}, "pairedItem": []}


def test_strings_and_comments_are_no_sql() -> None:
    data = items({"a": "x; y $1 from input2"})
    assert rows("SELECT a FROM input1 WHERE a = 'x; y $1 from input2' /* ; */", data) == [data[0]["json"]]

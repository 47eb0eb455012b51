"""MySQL: queries and rows of tables, by MariaDB."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weft_kit.testing.databases import MariaDb

from tests.compat.cases.build import Case, named
from tests.compat.servers.served import HOST, Served, asked, chain, where

_TABLES = """
CREATE OR REPLACE DATABASE weft;
USE weft;
CREATE TABLE people (id int PRIMARY KEY AUTO_INCREMENT, name varchar(20) NOT NULL, age int, email varchar(40) UNIQUE, born date,
    score decimal(6,2), data longtext, active tinyint(1) DEFAULT 1, seen datetime, big bigint);
INSERT INTO people VALUES (1, 'Ada', 36, 'ada@x.org', '1815-12-10', 1.50, '{"x": 1}', 1, '2024-02-29 13:45:10', 12345678901234567),
    (2, 'Bob', 20, 'bob@x.org', NULL, NULL, NULL, 0, NULL, NULL), (3, 'Zoë', NULL, NULL, '2024-02-29', -0.25, 'text', NULL, '2024-02-29', -1);
CREATE TABLE pairs (a int, b varchar(5), n int DEFAULT 7, PRIMARY KEY (a, b));
INSERT INTO pairs VALUES (1, 'x', 1), (1, 'y', 2);
"""
PEOPLE = "SELECT * FROM people ORDER BY id"
NEW = (2.4,)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = MariaDb(folder / "mariadb")
    server.start()
    secret = {
        "host": HOST,
        "port": server.port,
        "database": "weft",
        "user": "weft",
        "password": "secret",
        "ssl": False,
    }
    words = [
        "mariadb",
        "--no-defaults",
        f"--socket={server.folder / 'socket'}",
        "--user=root",
        "--default-character-set=utf8mb4",
    ]

    def reset() -> None:
        subprocess.run(words, input=_TABLES.encode(), check=True)

    try:
        yield Served({"mySql": secret}, reset)
    finally:
        server.kill()


def _node(parameters: Mapping[str, Any], version: float, name: str = "Node", **extra: Any) -> dict[str, Any]:
    return asked("mySql", "mySql", version, parameters, name, **extra)


def _seen(query: str = PEOPLE) -> dict[str, Any]:
    """What is there afterwards."""
    return _node(
        {"operation": "executeQuery", "query": query}, 2.4, "Seen", executeOnce=True, alwaysOutputData=True
    )


def _query(text: str, **options: Any) -> dict[str, Any]:
    return {"operation": "executeQuery", "query": text, "options": options}


KINDS = """SELECT 1 a, CAST(5 AS UNSIGNED) b, 9007199254740993 c, 1.50 d, CAST(0.1 AS FLOAT) e, 1e300 f, TRUE g, NULL h, 'é' i,
CAST('2024-02-29' AS DATE) j, CAST('2024-02-29 13:45:10.123456' AS DATETIME(6)) k, CAST('13:45:10' AS TIME) l,
CAST('{"a": [1, null]}' AS CHAR) m, JSON_OBJECT('a', 1) n, X'0001FF' o, b'101' p, ST_GeomFromText('POINT(1.5 2)') q,
YEAR('2024-01-01') r, COUNT(*) s, SUM(1.5) t, AVG(2) u, CAST('0000-00-00' AS DATE) v, UNHEX('E9') w, '' x,
CAST(-1.10 AS DECIMAL(10,3)) y, 12345678901 z"""
_TEXTS = {
    "rows": PEOPLE,
    "no rows": "SELECT * FROM people WHERE id = 99",
    "insert": "INSERT INTO people (name) VALUES ('Cy')",
    "insert two": "INSERT INTO people (name) VALUES ('Cy'), ('Di')",
    "update": "UPDATE people SET age = 1 WHERE id < 3",
    "update nothing": "UPDATE people SET age = 1 WHERE id = 99",
    "delete": "DELETE FROM people WHERE id = 3",
    "create": "CREATE TABLE fresh (id int)",
    "two selects": "SELECT 1 AS a; SELECT 2 AS b, 3 AS c;",
    "insert and select": "INSERT INTO people (name) VALUES ('Cy'); SELECT COUNT(*) AS n FROM people",
    "comment": "-- all; of them\nSELECT /* a; b */ 1 AS a # end",
    "quotes": "SELECT 'a;b' AS a, \"x\" AS b, 'it\\'s' AS c, '100%' AS d",
    "unnamed": "SELECT 1, 'x', COUNT(*) FROM people",
    "same names": "SELECT 1 AS a, 2 AS a",
    "wrong": "SELEC 1",
    "no table": "SELECT * FROM nowhere",
    "conflict": "INSERT INTO people (name, email) VALUES ('Cy', 'ada@x.org')",
    "show": "SHOW TABLES",
    "templates": "SELECT '{{ $json.name }}' AS a, {{ $json.n + 1 }} AS b",
    "expression": "=SELECT '{{ $json.name }}' AS a, {{ $json.n + 1 }} AS b",
}
_ITEM = {"name": "O'Brien, Jr.", "n": 2, "none": None, "yes": True, "list": [1, 2], "object": {"a": [1], "b": "it's"}, "day": "2024-02-29", "real": 1.5, "number": "007", "digits": "12"}  # fmt: skip
_PARAMETERS: dict[str, tuple[str, Any]] = {
    "text": ("SELECT $1 AS a, $2 AS b", "x, y"),
    "text numbers": ("SELECT name FROM people WHERE id = $1 AND age > $2", "1,5"),
    "text expressions": ("SELECT $1 AS a, $2 AS b", "={{ $json.n }},{{ $json.day }}"),
    "text with commas": ("SELECT $1 AS a, $2 AS b", "={{ $json.name }},{{ $json.n }}"),
    "text leading zeros": ("SELECT $1 AS a, $2 AS b", "={{ $json.number }},{{ $json.digits }}"),
    "list": (
        "SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d",
        "={{ [$json.name, $json.n, $json.yes, $json.real] }}",
    ),
    "list digits": ("SELECT $1 AS a, $2 AS b", "={{ [$json.number, $json.digits] }}"),
    "list with none": ("SELECT $1 AS a, $2 AS b", "={{ [$json.none, $json.missing] }}"),
    "list with an object": ("SELECT $1 AS a", "={{ [JSON.stringify($json.object)] }}"),
    "list with a list": ("SELECT name FROM people WHERE id IN ($1) ORDER BY id", "={{ [$json.list] }}"),
    "number": ("SELECT $1 AS a", "={{ $json.n }}"),
    "name": ("SELECT $1:name FROM $2:name ORDER BY id", "name, people"),
    "in quotes": ("SELECT '$1' AS a, $1 AS b", "x"),
    "twice": ("SELECT $1 AS a, $1 AS b", "x"),
    "too few": ("SELECT $1 AS a, $2 AS b", "x"),
    "insert": (
        "INSERT INTO people (name, data) VALUES ($1, $2)",
        "={{ [$json.name, JSON.stringify($json.object)] }}",
    ),
    "limit": ("SELECT id FROM people ORDER BY id LIMIT $1", "={{ [$json.n] }}"),
    "two statements": ("SELECT $1 AS a; SELECT $2 AS b", "x, y"),
}


def _queries() -> dict[str, Case]:
    found: dict[str, Case] = {}
    row = [{"name": "Ada", "n": 1}]
    for name, text in _TEXTS.items():
        every = name in {"rows", "insert", "no rows", "two selects"}
        for version in (1, 2, 2.2, 2.4, 2.5) if every else NEW:
            node = _node(_query(text), version, alwaysOutputData=name == "no rows")
            found[f"query {name} v{version:g}"] = chain(node, rows=row)
    for version in (1, 2, 2.4):
        found[f"query kinds v{version:g}"] = chain(_node(_query(KINDS), version))
    for name, options in named(
        {
            "numbers as text": {"largeNumbersOutput": "text"},
            "decimals": {"decimalNumbers": True},
            "detailed": {"detailedOutput": True},
        }
    ):
        found[f"query {name} v2.4"] = chain(_node(_query(PEOPLE, **options), 2.4))
    detailed = _query("UPDATE people SET age = 1 WHERE id < 3", detailedOutput=True)
    found["query detailed update v2.4"] = chain(_node(detailed, 2.4))
    for name, (text, given) in _PARAMETERS.items():
        for version in (2.2, 2.4, 2.5) if name in {"text with commas", "list", "list digits"} else NEW:
            found[f"parameters {name} v{version:g}"] = chain(
                _node(_query(text, queryReplacement=given), version), rows=[_ITEM]
            )
    good, bad = (
        [{"id": 11, "n": "a"}, {"id": 12, "n": "b"}],
        [{"id": 11, "n": "a"}, {"id": 1, "n": "b"}, {"id": 13, "n": "c"}],
    )
    for batching in ("single", "independently", "transaction"):
        for name, rows in {"good": good, "wrong": bad}.items():
            for on_error in ("stopWorkflow", "continueRegularOutput", "continueErrorOutput"):
                text = "INSERT INTO people (id, name) VALUES ($1, $2)"
                query = _query(text, queryReplacement="={{ [$json.id, $json.n] }}", queryBatching=batching)
                found[f"batch {batching} {name} {on_error} v2.4"] = chain(
                    _node(query, 2.4, onError=on_error), _seen(), rows=rows
                )
        query = _query(
            "SELECT id, name FROM people WHERE id = $1",
            queryReplacement="={{ [$json.id] }}",
            queryBatching=batching,
        )
        found[f"batch {batching} select v2.4"] = chain(
            _node(query, 2.4), rows=[{"id": 1}, {"id": 99}, {"id": 2}]
        )
    return found


def _at(table: str) -> dict[str, Any]:
    return {"table": {"__rl": True, "mode": "name", "value": table}}


def _columns(
    version: float, values: Mapping[str, Any] | None, match: Sequence[str] = (), given: Any = ""
) -> dict[str, Any]:
    """`given`: the value to match on of old versions."""
    mode = "autoMapInputData" if values is None else "defineBelow"
    sent = {"values": [{"column": c, "value": v} for c, v in (values or {}).items() if c not in match]}
    return {
        "dataMode": mode,
        "valuesToSend": sent,
        "columnToMatchOn": (match or [""])[0],
        "valueToMatchOn": given,
    }


_PERSON = {"name": "Cy", "age": 5, "email": "cy@x.org", "born": "2020-01-31", "score": 2.5, "data": {"k": [1]}, "active": False, "seen": "2024-02-29 10:00:00"}  # fmt: skip


def _rows() -> dict[str, Case]:
    found: dict[str, Case] = {}
    auto: dict[str, Any] = {
        "one": [_PERSON],
        "two": [{"name": "Cy", "age": 1}, {"name": "Di", "age": 3}],
        "two unlike": [{"name": "Cy"}, {"name": "Di", "age": 3}],
        "unknown column": [{"name": "Cy", "nope": 1}],
        "nulls": [{"name": "Cy", "age": None}],
        "iso date": [{"name": "Cy", "seen": "2024-02-29T10:00:00.000Z"}],
        "conflict": [{"name": "Cy", "email": "new@x.org"}, {"name": "Di", "email": "ada@x.org"}],
    }
    for name, rows in auto.items():
        for version in (2, 2.4, 2.5) if name in {"one", "two unlike"} else NEW:
            parameters = {"operation": "insert", **_at("people"), **_columns(version, None)}
            found[f"insert auto {name} v{version:g}"] = chain(_node(parameters, version), _seen(), rows=rows)
    for batching in ("single", "independently", "transaction"):
        for on_error in ("continueRegularOutput", "stopWorkflow"):
            parameters = {
                "operation": "insert",
                **_at("people"),
                **_columns(2.4, None),
                "options": {"queryBatching": batching},
            }
            node = _node(parameters, 2.4, onError=on_error)
            found[f"insert conflict {batching} {on_error} v2.4"] = chain(node, _seen(), rows=auto["conflict"])
    for name, options in named({
        "skip": {"skipOnConflict": True}, "low": {"priority": "LOW_PRIORITY"}, "empty as null": {"replaceEmptyStrings": True},
        "detailed": {"detailedOutput": True},
    }):  # fmt: skip
        rows = [{"name": "Cy", "email": ""}, {"name": "Di", "email": "ada@x.org" if name == "skip" else "d"}]
        parameters = {"operation": "insert", **_at("people"), **_columns(2.4, None), "options": options}
        found[f"insert {name} v2.4"] = chain(_node(parameters, 2.4), _seen(), rows=rows)
    for version in (2, 2.4):
        below = _columns(version, {"name": "={{ $json.name }}", "age": "5"})
        found[f"insert below v{version:g}"] = chain(
            _node({"operation": "insert", **_at("people"), **below}, version), _seen(), rows=[_PERSON]
        )
    for operation in ("update", "upsert"):
        changes: dict[str, Any] = {
            "one": [{"id": 1, "name": "Eva", "age": 1}],
            "two": [{"id": 1, "name": "Eva"}, {"id": 2, "name": "Max"}],
            "same": [{"id": 1, "name": "Ada"}],
            "not there": [{"id": 1, "name": "Eva"}, {"id": 77, "name": "New"}],
            "missing match": [{"name": "Eva"}],
            "null": [{"id": 2, "name": "Eva", "age": None}],
        }
        for name, rows in changes.items():
            for version in (2, 2.4, 2.5) if name in {"one", "not there"} else NEW:
                parameters = {"operation": operation, **_at("people"), **_columns(version, None, ["id"])}
                found[f"{operation} auto {name} v{version:g}"] = chain(
                    _node(parameters, version), _seen(), rows=rows
                )
        values = {"age": "={{ $json.n }}", "name": "Q"}
        parameters = {
            "operation": operation,
            **_at("people"),
            **_columns(2.4, values, ["id"], "={{ $json.id }}"),
        }
        found[f"{operation} below v2.4"] = chain(_node(parameters, 2.4), _seen(), rows=[{"id": 2, "n": 8}])
    for operation, more in named({
        "insert": {"columns": "name,age"}, "insert ignoring": {"columns": "id,name", "options": {"ignore": True}},
        "update": {"updateKey": "id", "columns": "name,age"},
    }):  # fmt: skip
        given = {"operation": operation.split()[0], **_at("people"), **more}
        rows = [{"id": 1, "name": "Eva", "age": 3}, {"id": 9, "name": "Max", "age": 4}]
        found[f"{operation} v1"] = chain(_node(given, 1), _seen(), rows=rows)
    return found


def _reads() -> dict[str, Case]:
    found: dict[str, Case] = {}
    chosen: dict[str, dict[str, Any]] = {
        "all": {"returnAll": True},
        "limit": {"limit": 2, "sort": {"values": [{"column": "id", "direction": "DESC"}]}},
        "equal": where(("name", "equal", "Ada")),
        "unequal": where(("name", "!=", "Ada")),
        "like": where(("name", "LIKE", "%o%")),
        "greater": where(("age", ">", "20")),
        "is null": where(("age", "IS NULL", "")),
        "expression": where(("id", "equal", "={{ $json.id }}")),
        "or": {**where(("name", "equal", "Ada"), ("age", "equal", "20")), "combineConditions": "OR"},
        "columns": {"options": {"outputColumns": ["name", "id"]}},
        "distinct": {"options": {"outputColumns": ["active"], "selectDistinct": True}},
        "nothing found": where(("id", "equal", "99")),
        "unknown column": where(("nope", "equal", "1")),
    }
    for name, parameters in chosen.items():
        for version in (2, 2.4, 2.5) if name in {"all", "equal", "nothing found"} else (2.4,):
            given = {"operation": "select", **_at("people"), **parameters}
            found[f"select {name} v{version:g}"] = chain(
                _node(given, version, alwaysOutputData=True), rows=[{"id": 2}]
            )
    for name, parameters in {
        "rows": {"deleteCommand": "delete", **where(("id", ">", "={{ $json.id }}"))},
        "truncate": {"deleteCommand": "truncate"}, "drop": {"deleteCommand": "drop"},
    }.items():  # fmt: skip
        for version in (2.4, 2.5):
            given = {"operation": "deleteTable", **_at("pairs"), **parameters}
            if name == "rows":
                given.update(_at("people"))
            on = {"onError": "continueRegularOutput"}
            after = PEOPLE if name == "rows" else "SELECT * FROM pairs"
            found[f"delete {name} v{version:g}"] = chain(
                _node(given, version, **on), _seen(after) | on, rows=[{"id": 1}]
            )
    return found


def cases() -> dict[str, Case]:
    return {**_queries(), **_rows(), **_reads()}

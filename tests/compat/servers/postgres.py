"""Postgres: queries and rows of tables, in every version that documents have."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weft_kit.testing.servers import Postgres

from tests.compat.cases.build import Case
from tests.compat.servers.served import HOST, Served, asked, by_port, chain, where

DATABASE = "compat"
_TABLES = """
SET client_min_messages = error;
DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA other;
CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL, age int, email text UNIQUE, born date, meta jsonb,
    tags text[], score numeric(8,2), active boolean DEFAULT true, seen timestamptz, big bigint);
INSERT INTO people (name, age, email, born, meta, tags, score, active, seen, big) VALUES
    ('Ada', 36, 'ada@x.org', '1815-12-10', '{"a": [1, {"b": null}]}', '{x,y}', 1.5, true, '2024-02-29 13:45:10.123456+02', 12345678901234567),
    ('Bob', 20, 'bob@x.org', NULL, NULL, NULL, NULL, false, NULL, NULL),
    ('Zoë', NULL, NULL, '2024-02-29', '[1, "two"]', '{}', -0.25, NULL, '2024-02-29', -1);
CREATE TABLE pairs (a int, b text, n int DEFAULT 7, PRIMARY KEY (a, b));
INSERT INTO pairs VALUES (1, 'x', 1), (1, 'y', 2);
CREATE TABLE kids (id int PRIMARY KEY, parent int REFERENCES people);
CREATE TABLE other.notes (id int PRIMARY KEY, "the Text" text);
INSERT INTO other.notes VALUES (1, 'one');
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE moods (id int PRIMARY KEY, m mood, at timestamp, on_day date, j json, u uuid, raw bytea, n numeric, l int[], js jsonb[]);
CREATE VIEW adults AS SELECT id, name FROM people WHERE age > 30;
"""
NEW, OLD = (2.6,), (1, 2, 2.3, 2.5, 2.6, 2.7)
_SEVERAL = {
    "text",
    "text one with commas",
    "text mixed",
    "text with nothing",
    "text of json",
    "text with commas",
    "list",
    "text expressions",
    "text with an object",
}
PEOPLE = "SELECT id, name, age, email, born, meta, tags, score, active, seen, big FROM people ORDER BY id"


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = Postgres(folder / "postgres")
    server.start()
    try:
        server.create_database(DATABASE)
        with by_port(server.socket) as port:
            secret = {
                "host": HOST,
                "port": port,
                "database": DATABASE,
                "user": "postgres",
                "password": "x",
                "ssl": "disable",
            }
            yield Served({"postgres": secret}, lambda: server.run(DATABASE, _TABLES))
    finally:
        server.kill()


def _node(parameters: Mapping[str, Any], version: float, name: str = "Node", **extra: Any) -> dict[str, Any]:
    return asked("postgres", "postgres", version, parameters, name, **extra)


def _seen(query: str) -> dict[str, Any]:
    """What is there afterwards."""
    return _node(
        {"operation": "executeQuery", "query": query}, 2.6, "Seen", executeOnce=True, alwaysOutputData=True
    )


def _query(text: str, **options: Any) -> dict[str, Any]:
    return {"operation": "executeQuery", "query": text, "options": options}


_KINDS = {
    "numbers": "1::int2 a, 2::int4 b, 9007199254740993::int8 c, 1.50::numeric d, 0.1::float4 e, 1e300::float8 f, 5::oid g",
    "no numbers": "'NaN'::float8 a, 'Infinity'::float8 b, 'NaN'::numeric c, NULL::int d",
    "texts": "'x'::char(3) a, 'é'::varchar b, 'a'::name c, 'happy'::mood d, true e, '<a/>'::xml f, B'101' g, ''::text h",
    "dates": "'2024-02-29'::date a, '2024-02-29 13:45:10.123456'::timestamp b, '2024-02-29 13:45:10.5+02'::timestamptz c",
    "odd dates": "'infinity'::timestamp a, '-infinity'::date b",
    "far dates": "'12345-01-01'::date a, '0044-03-15 BC'::date b, '0999-01-01'::timestamp c",
    "times": "'13:45:10.25'::time a, '13:45:10+02'::timetz b",
    "intervals": "'1 year 2 mons 3 days 04:05:06.789'::interval a, '-1 day'::interval b, '00:00:00'::interval c, '90 minutes'::interval d, '-00:00:01.5'::interval e",
    "json": """'{"z": [1, null]}'::json a, '{"z": [1, null]}'::jsonb b, '"text"'::jsonb c, '5'::jsonb d, 'null'::jsonb e, '{"x": 9007199254740993}'::jsonb f""",
    "bytes": "'\\x0001ff'::bytea a, ARRAY['\\x01'::bytea] b",
    "networks": "'10.0.0.1/8'::inet a, '10.0.0.0/8'::cidr b, '08:00:2b:01:02:03'::macaddr c, 'c0ffee00-0000-4000-8000-000000000000'::uuid d",
    "shapes": "'(1.5,2)'::point a, '<(1,2),3>'::circle b, '((0,0),(1,1))'::box c, '[(0,0),(1,1)]'::path d",
    "money": "'12.30'::money a, '-1234.5'::money b",
    "ranges": "'[1,5)'::int4range a, '[2024-01-01,2024-02-01)'::daterange b",
    "searches": "'a & b'::tsquery a, 'a b'::tsvector b",
    "rows": "ROW(1, 'x') a, ROW(NULL, ROW(2)) b",
    "arrays of numbers": "'{1,2}'::int4[] a, '{1,2}'::int8[] b, '{1.50,2}'::numeric[] c, '{1.5,NaN}'::float8[] d, ARRAY[[1,2],[3,4]] e, '{}'::int4[] f, '{1,NULL}'::int2[] g",
    "arrays of texts": """'{a,NULL,"b c"}'::text[] a, '{t,f}'::bool[] b, '{happy,sad}'::mood[] c, '{c0ffee00-0000-4000-8000-000000000000}'::uuid[] d, '{x}'::varchar[] e""",
    "arrays of dates": "'{2024-02-29}'::date[] a, '{2024-02-29 10:00:00}'::timestamp[] b, '{2024-02-29 10:00:00+02}'::timestamptz[] c, '{10:00:00}'::time[] d, '{1 day}'::interval[] e",
    "arrays of json": """ARRAY['{"a":1}'::jsonb] a, ARRAY['[1]'::json] b""",
    "arrays of money": "'{12.30}'::money[] a, ARRAY['(1,2)'::point] b, ARRAY['10.0.0.1'::inet] c",
}  # fmt: skip

_TEXTS: dict[str, str] = {
    "rows": PEOPLE,
    "no rows": "SELECT * FROM people WHERE id = 99",
    "insert": "INSERT INTO people (name) VALUES ('Cy')",
    "insert returning": "INSERT INTO people (name) VALUES ('Cy'), ('Di') RETURNING id, name",
    "update": "UPDATE people SET age = 1 WHERE id = 1",
    "update nothing": "UPDATE people SET age = 1 WHERE id = 99",
    "update returning nothing": "UPDATE people SET age = 1 WHERE id = 99 RETURNING *",
    "delete": "DELETE FROM people WHERE id = 3",
    "create": "CREATE TABLE IF NOT EXISTS fresh (id int)",
    "two selects": "SELECT 1 AS a; SELECT 2 AS b, 3 AS c;",
    "insert and select": "INSERT INTO people (name) VALUES ('Cy'); SELECT count(*) FROM people",
    "select and insert": "SELECT count(*) FROM people; INSERT INTO people (name) VALUES ('Cy');",
    "two inserts": "INSERT INTO people (name) VALUES ('Cy'); INSERT INTO people (name) VALUES ('Di')",
    "begin and commit": "BEGIN; INSERT INTO people (name) VALUES ('Cy'); COMMIT;",
    "do": "DO $$ BEGIN PERFORM 1; END $$",
    "comment within": "-- all; of them\nSELECT /* a; b */ 1 AS a",
    "quotes": "SELECT 'a;b' AS a, $t$c;$1$t$ AS b, 'it''s' AS c",
    "unnamed": "SELECT 1, 'x', count(*) FROM people",
    "same names": "SELECT 1 AS a, 2 AS a",
    "view": "SELECT * FROM adults",
    "wrong": "SELEC 1",
    "no table": "SELECT * FROM nowhere",
    "conflict": "INSERT INTO people (name, email) VALUES ('Cy', 'ada@x.org')",
    "no rows with": "WITH gone AS (DELETE FROM people WHERE id = 3 RETURNING *) SELECT * FROM gone WHERE false",
    "json made": "SELECT json_build_object('id', id, 'name', name) AS row, json_agg(tags) AS l FROM people WHERE id < 3 GROUP BY id",
    "row": "SELECT people FROM people WHERE id = 2",
    "explain": "EXPLAIN (COSTS OFF) SELECT * FROM pairs",
    "show": "SHOW TimeZone",
    "templates": "SELECT '{{ $json.name }}' AS a, {{ $json.n + 1 }} AS b",
    "expression": "=SELECT '{{ $json.name }}' AS a, {{ $json.n + 1 }} AS b",
}  # fmt: skip
_ITEM = {
    "name": "O'Brien, Jr.", "n": 2, "empty": "", "none": None, "yes": True, "list": [1, 2], "texts": ["a", "b,c"],
    "object": {"a": [1], "b": "it's"}, "day": "2024-02-29", "real": 1.5, "json": '{"q": "1, 2"}', "table": "people",
}  # fmt: skip
_PARAMETERS: dict[str, tuple[str, Any]] = {
    "text": ("SELECT $1 AS a, $2 AS b", "x, y"),
    "text one": ("SELECT $1 AS a", "x"),
    "text numbers": ("SELECT name FROM people WHERE id = $1 AND age > $2", "1,5"),
    "text expressions": ("SELECT $1 AS a, $2 AS b", "={{ $json.n }},{{ $json.day }}"),
    "text expressions spaced": ("SELECT $1 AS a, $2::int AS b", "={{ $json.day }}, {{ $json.n }}"),
    "text with commas": ("SELECT $1 AS a, $2 AS b", "={{ $json.name }},{{ $json.n }}"),
    "text one with commas": ("SELECT $1 AS a", "={{ $json.name }}"),
    "text with an object": ("SELECT $1 AS a, $2 AS b", "={{ $json.object }},{{ $json.n }}"),
    "text of json": ("SELECT $1 AS a", "={{ $json.json }}"),
    "text with nothing": ("SELECT $1 AS a, $2 AS b", "={{ $json.empty }},{{ $json.n }}"),
    "text with none": ("SELECT $1 AS a, $2 AS b", "={{ $json.none }},{{ $json.missing }}"),
    "text mixed": ("SELECT $1 AS a, $2 AS b", "={{ $json.n }}, plain"),
    "list": ("SELECT $1 AS a, $2 AS b, $3 AS c", "={{ [$json.name, $json.n, $json.yes] }}"),
    "list typed": ("SELECT $1::text AS a, $2::int + 1 AS b, $3::boolean AS c, $4::numeric AS d", "={{ [$json.name, $json.n, $json.yes, $json.real] }}"),
    "list with none": ("SELECT $1 AS a, $2 AS b", "={{ [$json.none, $json.missing] }}"),
    "list with an object": ("SELECT $1::jsonb AS a", "={{ [$json.object] }}"),
    "list with json": ("SELECT $1::jsonb AS a", "={{ [JSON.stringify($json.object)] }}"),
    "list with a list": ("SELECT name FROM people WHERE id = ANY($1)", "={{ [$json.list] }}"),
    "list with a list of texts": ("SELECT $1::text[] AS a", "={{ [$json.texts] }}"),
    "list with a date": ("SELECT $1::date AS a, $2::timestamptz AS b", "={{ [$json.day, new Date('2024-02-29T10:00:00Z')] }}"),
    "list with luxon": ("SELECT $1::timestamptz AS a", "={{ [DateTime.fromISO('2024-02-29T10:00:00Z')] }}"),
    "number": ("SELECT $1 AS a", "={{ $json.n }}"),
    "object": ("SELECT $1::jsonb AS a", "={{ $json.object }}"),
    "none": ("SELECT 1 AS a", "={{ $json.none }}"),
    "boolean": ("SELECT $1 AS a", "={{ $json.yes }}"),
    "name": ("SELECT $1:name FROM $2:name ORDER BY id", "={{ ['name', 'people'] }}"),
    "names": ("SELECT $1:name FROM people ORDER BY id", "={{ [['id', 'name']] }}"),
    "schema and table": ("SELECT * FROM $1:name.$2:name", "other, notes"),
    "tilde": ("SELECT $1~ FROM people ORDER BY id", "name"),
    "csv": ("SELECT name FROM people WHERE id IN ($1:csv) ORDER BY id", "={{ [$json.list] }}"),
    "list mode": ("SELECT name FROM people WHERE name IN ($1:list) ORDER BY id", "={{ [['Ada', 'Bob']] }}"),
    "json mode": ("SELECT $1:json AS a", "={{ [$json.object] }}"),
    "in quotes": ("SELECT '$1' AS a, $1 AS b", "x"),
    "in quotes within": ("SELECT name FROM people WHERE name LIKE '%$1%'", "da"),
    "twice": ("SELECT $1 AS a, $1::text AS b", "x"),
    "too few": ("SELECT $1 AS a, $2 AS b", "x"),
    "too many": ("SELECT $1 AS a", "x, y"),
    "none given": ("SELECT $1 AS a", ""),
    "insert object": ("INSERT INTO people (name, meta) VALUES ($1, $2) RETURNING name, meta", "={{ [$json.name, $json.object] }}"),
    "insert list": ("INSERT INTO people (name, tags) VALUES ($1, $2) RETURNING name, tags", "={{ [$json.name, $json.texts] }}"),
    "insert list as json": ("INSERT INTO people (name, meta) VALUES ($1, $2) RETURNING meta", "={{ [$json.name, $json.list] }}"),
    "limit": ("SELECT id FROM people ORDER BY id LIMIT $1", "={{ $json.n }}"),
    "concatenated": ("SELECT 'a' || $1 AS a", "x"),
    "interval": ("SELECT ('2024-02-29'::date - $1::interval) AS a", "1 day"),
    "in a string of a function": ("SELECT jsonb_build_object('k', $1::text, 'n', $2::int) AS a", "={{ [$json.name, 5] }}"),
    "two statements": ("SELECT $1 AS a; SELECT $2 AS b", "x, y"),
    "backslash": ("SELECT $1 AS a", "={{ ['a\\\\b\\nc'] }}"),
    "zero byte": ("SELECT $1 AS a", "={{ ['a\\u0000b'] }}"),
}  # fmt: skip


def _queries() -> dict[str, Case]:
    found: dict[str, Case] = {}
    row = [{"name": "Ada", "n": 1}]
    for name, text in _TEXTS.items():
        for version in OLD if name in {"rows", "insert", "no rows", "update nothing"} else NEW:
            found[f"query {name} v{version:g}"] = chain(
                _node(_query(text), version, alwaysOutputData=name.startswith("no rows")), rows=row
            )
    for name, kinds in _KINDS.items():
        for version in (2.6, 2.7) if "dates" in name else NEW:
            query = _query(f"SELECT {kinds}")
            found[f"kinds {name} v{version:g}"] = chain(
                _node(query, version, onError="continueRegularOutput")
            )
    numbers = "SELECT 5::int8 a, 1.50::numeric b, 9007199254740993::int8 c, '{1,2}'::int8[] d, '{1.5}'::numeric[] e, count(*) FROM people"
    for version in NEW:
        found[f"query numbers v{version:g}"] = chain(
            _node(_query(numbers, largeNumbersOutput="numbers"), version)
        )
    old = {**_query(numbers), "additionalFields": {"largeNumbersOutput": "numbers"}}
    found["query numbers v1"] = chain(_node(old, 1))
    for name, (text, given) in _PARAMETERS.items():
        for version in (2.2, 2.4, 2.5, 2.6, 2.7) if name in _SEVERAL else NEW:
            found[f"parameters {name} v{version:g}"] = chain(
                _node(_query(text, queryReplacement=given), version), rows=[_ITEM]
            )
    quoted = _query(
        "SELECT '$1' AS a, $1 AS b", queryReplacement="x", treatQueryParametersInSingleQuotesAsText=True
    )
    found["parameters in quotes as text v2.6"] = chain(_node(quoted, 2.6))
    replaced = _query(
        "SELECT $1 AS a, $2 AS b", queryReplacement="={{ ['', $json.n] }}", replaceEmptyStrings=True
    )
    found["parameters empty as null v2.6"] = chain(_node(replaced, 2.6), rows=[_ITEM])
    named = {**_query("SELECT $1 AS a, $2 AS b"), "additionalFields": {"queryParams": "name,n"}}
    found["parameters of fields v1"] = chain(_node(named, 1), rows=[_ITEM])
    gone = {**_query("SELECT $1 AS a, $2 AS b"), "additionalFields": {"queryParams": "name, missing"}}
    found["parameters of missing fields v1"] = chain(_node(gone, 1), rows=[_ITEM])
    return found


def _batches() -> dict[str, Case]:
    found: dict[str, Case] = {}
    rows = [{"id": 1, "n": "1"}, {"id": 2, "n": "x"}, {"id": 3, "n": "3"}]
    good = [{"id": 1, "n": "1"}, {"id": 2, "n": "2"}]
    insert = "INSERT INTO moods (id, n) VALUES ($1, $2::numeric)"
    select = "SELECT id, name, $2 AS n FROM people WHERE id = $1"
    texts = {
        "select": (select, good),
        "insert": (insert, good),
        "insert returning": (f"{insert} RETURNING id, n", good),
        "insert wrong": (insert, rows),
        "nothing found": (f"{select} AND false", good),
    }
    for batching in ("single", "independently", "transaction"):
        for name, (text, given) in texts.items():
            for on_error in ("stopWorkflow", "continueRegularOutput", "continueErrorOutput"):
                if on_error != "stopWorkflow" and name != "insert wrong":
                    continue
                told = {
                    "stopWorkflow": "",
                    "continueRegularOutput": " goes on",
                    "continueErrorOutput": " to errors",
                }
                query = _query(text, queryReplacement="={{ [$json.id, $json.n] }}", queryBatching=batching)
                for version in NEW:
                    node = _node(query, version, onError=on_error, alwaysOutputData=name == "nothing found")
                    found[f"batch {batching} {name}{told[on_error]} v{version:g}"] = chain(
                        node, _seen("SELECT id, n FROM moods ORDER BY id"), rows=given
                    )
    for mode in ("multiple", "independently", "transaction"):
        for name, given in (("insert", good), ("insert wrong", rows)):
            for on in (False, True):
                query = {
                    **_query("INSERT INTO moods (id, n) VALUES ($1, $2::numeric) RETURNING id, n"),
                    "additionalFields": {"mode": mode, "queryParams": "id,n"},
                }
                node = _node(query, 1, continueOnFail=on)
                found[f"batch {mode} {name}{' goes on' if on else ''} v1"] = chain(
                    node, _seen("SELECT id, n FROM moods ORDER BY id"), rows=given
                )
    return found


def _at(table: str, schema: str = "public", mode: str = "list") -> dict[str, Any]:
    return {
        "schema": {"__rl": True, "mode": mode, "value": schema},
        "table": {"__rl": True, "mode": mode, "value": table},
    }


_TYPES = {"id": "number", "age": "number", "score": "number", "active": "boolean", "born": "dateTime", "seen": "dateTime", "meta": "object", "tags": "array", "big": "number"}  # fmt: skip


def _columns(
    values: Mapping[str, Any] | None, match: Sequence[str] = (), names: Sequence[str] = ()
) -> dict[str, Any]:
    """As the editor writes them."""
    schema = [
        {
            "id": name,
            "displayName": name,
            "required": False,
            "defaultMatch": name == "id",
            "display": True,
            "type": _TYPES.get(name, "string"),
            "canBeUsedToMatch": True,
        }
        for name in (values or dict.fromkeys(names))
    ]
    return {
        "columns": {
            "mappingMode": "defineBelow" if values is not None else "autoMapInputData",
            "value": values if values is not None else {},
            "matchingColumns": list(match),
            "schema": schema,
        }
    }


_PERSON = {"name": "Cy", "age": 5, "email": "cy@x.org", "born": "2020-01-31", "meta": {"k": [1]}, "tags": ["a", "b"], "score": 2.5, "active": False, "seen": "2024-02-29T10:00:00.000Z"}  # fmt: skip


def _inserts() -> dict[str, Case]:
    found: dict[str, Case] = {}
    below: dict[str, dict[str, Any]] = {
        "all": {name: f"={{{{ $json.{name} }}}}" for name in _PERSON},
        "some": {"name": "={{ $json.name }}", "age": 7},
        "texts": {"name": "Di", "age": "41", "active": "true", "score": "1.25", "born": "2024-02-29", "meta": '{"a": 1}', "tags": '["q"]'},
        "nulls": {"name": "Di", "age": None, "email": "={{ null }}", "meta": "={{ $json.missing }}"},
        "json text": {"name": "Di", "meta": "={{ JSON.stringify($json.meta) }}"},
        "list into json": {"name": "Di", "meta": "={{ [1, {a: 2}] }}"},
        "empty text": {"name": "", "email": ""},
        "iso into date": {"name": "Di", "born": "={{ $json.seen }}"},
        "luxon": {"name": "Di", "seen": "={{ DateTime.fromISO('2024-02-29T10:00:00Z') }}"},
        "wrong number": {"name": "Di", "age": "old"},
        "missing required": {"age": 5},
        "literal null": {"name": "Di", "active": None},
        "expression null": {"name": "Di", "active": "={{ null }}"},
    }  # fmt: skip
    for name, values in below.items():
        for version in NEW:
            parameters = {"operation": "insert", **_at("people"), **_columns(values)}
            found[f"insert {name} v{version:g}"] = chain(
                _node(parameters, version), _seen(PEOPLE), rows=[_PERSON]
            )
    auto: dict[str, Any] = {
        "one": [_PERSON],
        "two": [{"name": "Cy"}, {"name": "Di", "age": 3}],
        "unknown column": [{"name": "Cy", "nope": 1}],
        "texts": [
            {"name": 5, "age": "41", "active": "false", "score": "1.5", "born": "2024-02-29T10:00:00Z"}
        ],
        "nulls": [{"name": "Cy", "age": None, "meta": None}],
        "object into text": [{"name": {"a": 1}}],
        "list into json": [{"name": "Cy", "meta": [1, "two"]}],
        "text into json": [{"name": "Cy", "meta": "plain"}],
        "number into json": [{"name": "Cy", "meta": 5}],
        "nothing": [{}],
        "conflict": [{"name": "Cy", "email": "new@x.org"}, {"name": "Di", "email": "ada@x.org"}],
    }
    for name, rows in auto.items():
        for version in (2.3, 2.6, 2.7) if name in {"one", "unknown column", "list into json"} else NEW:
            parameters = {"operation": "insert", **_at("people"), **_columns(None, (), list(_PERSON))}
            found[f"insert auto {name} v{version:g}"] = chain(
                _node(parameters, version), _seen(PEOPLE), rows=rows
            )
        for version in (2,):
            parameters = {"operation": "insert", **_at("people", mode="name"), "dataMode": "autoMapInputData"}
            found[f"insert auto {name} v{version:g}"] = chain(
                _node(parameters, version), _seen(PEOPLE), rows=rows
            )
    for name, options in {
        "skip": {"skipOnConflict": True},
        "output columns": {"outputColumns": ["id", "name"]},
        "output all": {"outputColumns": ["*"]},
        "empty as null": {"replaceEmptyStrings": True},
        "numbers": {"largeNumbersOutput": "numbers"},
    }.items():
        rows = [
            {"name": "Cy", "email": "", "big": 5},
            {"name": "Di", "email": "ada@x.org" if name == "skip" else "d"},
        ]
        for version in NEW:
            parameters = {
                "operation": "insert",
                **_at("people"),
                **_columns(None, (), ["name"]),
                "options": options,
            }
            found[f"insert {name} v{version:g}"] = chain(_node(parameters, version), _seen(PEOPLE), rows=rows)
    for batching in ("single", "independently", "transaction"):
        for on_error in ("continueRegularOutput", "continueErrorOutput", "stopWorkflow"):
            parameters = {"operation": "insert", **_at("people"), **_columns(None, (), ["name"])}
            node = _node({**parameters, "options": {"queryBatching": batching}}, 2.6, onError=on_error)
            found[f"insert conflict {batching} {on_error} v2.6"] = chain(
                node, _seen(PEOPLE), rows=auto["conflict"]
            )
    other = {"operation": "insert", **_at("notes", "other"), **_columns(None)}
    found["insert other schema v2.6"] = chain(_node(other, 2.6), rows=[{"id": 2, "the Text": "x"}])
    sent = {"values": [{"column": "name", "value": "={{ $json.name }}"}, {"column": "age", "value": "5"}]}
    for version in (2,):
        parameters = {"operation": "insert", **_at("people"), "dataMode": "defineBelow", "valuesToSend": sent}
        found[f"insert below v{version:g}"] = chain(_node(parameters, version), _seen(PEOPLE), rows=[_PERSON])
    mixed = {"id": 1, "m": "happy", "at": "2024-02-29T10:00:00Z", "on_day": "2024-02-29", "j": [{"a": 1}], "u": "c0ffee00-0000-4000-8000-000000000000", "raw": "text", "n": "1.50", "l": [1, 2], "js": [{"a": 1}, {"b": 2}]}  # fmt: skip
    for version in NEW:
        parameters = {"operation": "insert", **_at("moods"), **_columns(None)}
        found[f"insert mixed v{version:g}"] = chain(_node(parameters, version), rows=[mixed])
        one = [{"id": 1, "l": []}, {"id": 2, "m": "angry"}]
        found[f"insert unlike v{version:g}"] = chain(
            _node(parameters, version, onError="continueRegularOutput"), rows=one
        )
    for name, columns, returned in (
        ("some", "name,age", "*"),
        ("typed", "name:text,age:int", "id,name"),
        ("missing", "name,email", "id, email"),
        ("spaces", "name, age", "*"),
        ("objects", "name,meta,tags", "name,meta,tags"),
    ):
        parameters = {
            "operation": "insert",
            "schema": "public",
            "table": "people",
            "columns": columns,
            "returnFields": returned,
        }
        found[f"insert {name} v1"] = chain(
            _node(parameters, 1), _seen(PEOPLE), rows=[{"name": "Cy", "age": 3, "meta": {"a": 1}, "tags": ["x"]}, {"name": "Di", "age": 4}]
        )  # fmt: skip
    return found


def _changes() -> dict[str, Case]:
    found: dict[str, Case] = {}
    below: dict[str, tuple[dict[str, Any], list[str]]] = {
        "one": ({"id": "={{ $json.id }}", "age": 99, "meta": "={{ {a: $json.id} }}"}, ["id"]),
        "by name": ({"name": "Ada", "age": 50, "active": False}, ["name"]),
        "literal null": ({"id": 1, "age": None, "name": "x"}, ["id"]),
        "to null": ({"id": "={{ $json.id }}", "age": "={{ null }}", "name": "x"}, ["id"]),
        "only match": ({"id": 1}, ["id"]),
        "no match column": ({"id": 1, "age": 4}, []),
        "text into number": ({"id": "1", "age": "12", "tags": ["z"]}, ["id"]),
    }
    for operation in ("update", "upsert"):
        for name, (values, match) in below.items():
            for version in NEW:
                if operation == "upsert" and name == "by name":
                    continue
                parameters = {"operation": operation, **_at("people"), **_columns(values, match)}
                found[f"{operation} {name} v{version:g}"] = chain(
                    _node(parameters, version), _seen(PEOPLE), rows=[{"id": 1}]
                )
        auto: dict[str, Any] = {
            "one": [{"id": 1, "name": "Eva", "age": 1}],
            "two": [{"id": 1, "name": "Eva"}, {"id": 2, "name": "Max", "tags": ["t"]}],
            "not there": [{"id": 1, "name": "Eva"}, {"id": 77, "name": "New"}],
            "missing match": [{"name": "Eva"}],
            "unknown column": [{"id": 1, "name": "Eva", "nope": 1}],
            "null": [{"id": 2, "name": "Eva", "age": None, "meta": [1]}],
        }
        for name, rows in auto.items():
            for version in (2.4, 2.6, 2.7) if name in {"one", "not there"} else NEW:
                parameters = {
                    "operation": operation,
                    **_at("people"),
                    **_columns(None, ["id"], ["id", "name"]),
                }
                found[f"{operation} auto {name} v{version:g}"] = chain(
                    _node(parameters, version), _seen(PEOPLE), rows=rows
                )
            for version in (2,) if name in {"one", "not there"} else ():
                parameters = {
                    "operation": operation,
                    **_at("people"),
                    "dataMode": "autoMapInputData",
                    "columnToMatchOn": "id",
                }
                found[f"{operation} auto {name} v{version:g}"] = chain(
                    _node(parameters, version), _seen(PEOPLE), rows=rows
                )  # fmt: skip
        sent = {"values": [{"column": "age", "value": "={{ $json.n }}"}, {"column": "name", "value": "Q"}]}
        old = {"operation": operation, **_at("people"), "dataMode": "defineBelow", "columnToMatchOn": "id", "valueToMatchOn": "={{ $json.id }}", "valuesToSend": sent}  # fmt: skip
        for version in (2,):
            found[f"{operation} below v{version:g}"] = chain(
                _node(old, version), _seen(PEOPLE), rows=[{"id": 2, "n": 8}]
            )
        pair = {"operation": operation, **_at("pairs"), **_columns({"a": 1, "b": "x", "n": 9}, ["a", "b"])}
        chosen = {**pair, "options": {"outputColumns": ["n"]}}
        for version in NEW:
            found[f"{operation} by two v{version:g}"] = chain(
                _node(pair, version), _seen("SELECT * FROM pairs ORDER BY 1, 2")
            )
            found[f"{operation} output columns v{version:g}"] = chain(_node(chosen, version))
        for batching in ("single", "independently", "transaction"):
            for on_error in ("continueRegularOutput", "stopWorkflow"):
                parameters = {
                    "operation": operation,
                    **_at("people"),
                    **_columns(None, ["id"]),
                    "options": {"queryBatching": batching},
                }
                rows = [
                    {"id": 1, "name": "Eva", "email": "e"},
                    {"id": 2, "name": "F", "email": "e"},
                    {"id": 3, "name": "G"},
                ]
                found[f"{operation} {batching} {on_error} v2.6"] = chain(
                    _node(parameters, 2.6, onError=on_error), _seen(PEOPLE), rows=rows
                )  # fmt: skip
    for name, parameters in {
        "one": {"columns": "name,age"},
        "with key": {"columns": "id,name"},
        "by name": {"columns": "age", "updateKey": "name"},
        "returned": {"columns": "age", "returnFields": "id,age"},
    }.items():
        given = {"operation": "update", "schema": "public", "table": "people", "updateKey": "id", "returnFields": "*", **parameters}  # fmt: skip
        found[f"update {name} v1"] = chain(
            _node(given, 1),
            _seen(PEOPLE),
            rows=[{"id": 1, "name": "Ada", "age": 3}, {"id": 2, "name": "Bob", "age": 4}],
        )
    gone = {"operation": "update", "schema": "public", "table": "people", "updateKey": "id", "columns": "name", "returnFields": "*"}  # fmt: skip
    found["update not there v1"] = chain(
        _node(gone, 1, alwaysOutputData=True), rows=[{"id": 99, "name": "x"}]
    )
    return found


def _selects() -> dict[str, Case]:
    found: dict[str, Case] = {}
    chosen: dict[str, dict[str, Any]] = {
        "all": {"returnAll": True},
        "limit": {"limit": 2, "sort": {"values": [{"column": "id", "direction": "DESC"}]}},
        "limit of nothing": {"limit": 0},
        "limit by default": {},
        "equal": where(("name", "equal", "Ada")),
        "equal number": where(("age", "equal", "36")),
        "equal number given": where(("age", "equal", 36)),
        "equal boolean": where(("active", "equal", "true")),
        "unequal": where(("name", "!=", "Ada")),
        "like": where(("name", "LIKE", "%o%")),
        "greater": where(("age", ">", "20")),
        "less": where(("age", "<", 36)),
        "at least": where(("born", ">=", "2000-01-01")),
        "at most": where(("score", "<=", "0")),
        "is null": where(("age", "IS NULL", "")),
        "is not null": where(("born", "IS NOT NULL", "")),
        "expression": where(("id", "equal", "={{ $json.id }}")),
        "missing expression": where(("id", "equal", "={{ $json.missing }}")),
        "null": where(("age", "equal", "={{ null }}")),
        "empty text": where(("name", "equal", "")),
        "text against number": where(("age", "equal", "old")),
        "and": where(("name", "equal", "Ada"), ("age", "equal", "20")),
        "or": {**where(("name", "equal", "Ada"), ("age", "equal", "20")), "combineConditions": "OR"},
        "quote": where(("name", "equal", "O'Brien")),
        "list": where(("id", "equal", "={{ [1, 2] }}")),
        "unknown column": where(("nope", "equal", "1")),
        "columns": {"options": {"outputColumns": ["name", "id"]}},
        "columns all": {"options": {"outputColumns": ["*"]}},
        "columns and all": {"options": {"outputColumns": ["*", "id"]}},
        "numbers": {"options": {"largeNumbersOutput": "numbers"}},
        "sort": {"sort": {"values": [{"column": "active", "direction": "ASC"}, {"column": "name", "direction": "DESC"}]}},
        "nothing found": where(("id", "equal", "99")),
    }  # fmt: skip
    for name, parameters in chosen.items():
        for version in (2, 2.6, 2.7) if name in {"all", "expression", "nothing found"} else NEW:
            given = {"operation": "select", **_at("people"), **parameters}
            found[f"select {name} v{version:g}"] = chain(
                _node(given, version, alwaysOutputData=True), rows=[{"id": 2}]
            )
    for name, at in {
        "view": _at("adults"),
        "other schema": _at("notes", "other"),
        "no table": _at("nowhere"),
    }.items():
        found[f"select {name} v2.6"] = chain(_node({"operation": "select", **at, "returnAll": True}, 2.6))
    many = {"operation": "select", **_at("people"), **chosen["expression"]}
    found["select of many items v2.6"] = chain(_node(many, 2.6), rows=[{"id": 2}, {"id": 99}, {"id": 1}])
    return found


def _deletes() -> dict[str, Case]:
    found: dict[str, Case] = {}
    condition = {"where": {"values": [{"column": "id", "condition": ">", "value": "={{ $json.id }}"}]}}
    chosen: dict[str, dict[str, Any]] = {
        "rows": {"deleteCommand": "delete", **condition},
        "all rows": {"deleteCommand": "delete"},
        "truncate": {"deleteCommand": "truncate"},
        "truncate restarts": {"deleteCommand": "truncate", "restartSequences": True},
        "truncate cascade": {"deleteCommand": "truncate", "options": {"cascade": True}},
        "drop": {"deleteCommand": "drop"},
        "drop cascade": {"deleteCommand": "drop", "options": {"cascade": True}},
    }
    for name, parameters in chosen.items():
        for version in (2.6, 2.7):
            given = {"operation": "deleteTable", **_at("people"), **parameters}
            after = (
                "INSERT INTO people (name) VALUES ('New') RETURNING id, (SELECT count(*) FROM people) AS n"
            )
            on = {"onError": "continueRegularOutput"}
            found[f"delete {name} v{version:g}"] = chain(
                _node(given, version, **on), _seen(after) | on, rows=[{"id": 1}]
            )
    pairs = {"operation": "deleteTable", **_at("pairs")}
    for name in ("truncate", "drop"):
        found[f"delete {name} pairs v2.6"] = chain(
            _node({**pairs, "deleteCommand": name}, 2.6), rows=[{}, {}]
        )
    gone = {"operation": "deleteTable", **_at("nowhere"), "deleteCommand": "drop"}
    found["delete drop missing v2.6"] = chain(_node(gone, 2.6))
    return found


def cases() -> dict[str, Case]:
    return {**_queries(), **_batches(), **_inserts(), **_changes(), **_selects(), **_deletes()}

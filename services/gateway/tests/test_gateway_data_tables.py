"""Data tables: by the API, and by the Data Table node in workflows that run here."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.gateway.tests.gateway_world import Client, World, node

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
COLUMNS = [
    {"name": "s", "type": "string"},
    {"name": "n", "type": "number"},
    {"name": "b", "type": "boolean"},
    {"name": "d", "type": "date"},
]
ROWS: list[dict[str, Any]] = [
    {"s": "a", "n": 1, "b": True, "d": "2026-01-02"},
    {"s": "b", "n": "2.5", "b": "false", "d": "2026-01-02T03:04:05+02:00"},
    {"s": "", "n": 7.0},
    {"n": -1, "b": True},
    {"s": "A_b%", "d": 1767312000000},
]


async def table(client: Client, name: str, rows: list[dict[str, Any]] = ROWS) -> dict[str, Any]:
    made: dict[str, Any] = await client.data("POST", "/data-tables", json={"name": name, "columns": COLUMNS})
    if rows:
        await client.data("POST", f"/data-tables/{made['id']}/rows", json={"rows": rows})
    return made


async def test_rows_are_kept_by_the_types_of_their_columns(owner: Client) -> None:
    made = await table(owner, "Types", [])
    place = f"/data-tables/{made['id']}"
    first, second, *_ = await owner.data("POST", f"{place}/rows", json={"rows": ROWS})
    assert {name: first[name] for name in "snbd"} == {
        "s": "a",
        "n": 1,
        "b": True,
        "d": "2026-01-02T00:00:00.000Z",
    }
    assert (second["n"], second["b"], second["d"]) == (2.5, False, "2026-01-02T01:04:05.000Z")
    assert [first["id"], second["id"]] == [1, 2]
    assert first["createdAt"] == first["updatedAt"]
    large = {"s": 1e20, "n": 1e20}
    (kept,) = await owner.data("POST", f"{place}/rows", json={"rows": [large]})
    assert (kept["s"], kept["n"]) == ("100000000000000000000", 1e20)
    for wrong in (
        {"n": "abc"},
        {"b": "yes"},
        {"d": "soon"},
        {"s": {"a": 1}},
        {"zzz": 1},
        {"id": 5},
        {"s": "\x00"},
    ):
        refused = await owner.refusal("POST", f"{place}/rows", json={"rows": [{"s": "good"}, wrong]})
        assert refused == (400, "VALIDATION_ERROR"), wrong
    long = await owner.refusal("POST", f"{place}/rows", json={"rows": [{"s": "x" * 70_000}]})
    assert long == (413, "TOO_LARGE")
    assert (await owner.data("GET", place))["row_count"] == 6


@pytest.mark.parametrize(
    ("filters", "match", "ids"),
    [
        ([("s", "eq", "a"), ("n", "gt", "2")], "any", [1, 2, 3]),
        ([("n", "gte", 1), ("b", "isTrue", None)], "all", [1]),
        ([("s", "neq", "a")], "all", [2, 3, 4, 5]),
        ([("s", "isEmpty", None)], "all", [4]),
        ([("s", "eq", None)], "all", [3]),
        ([("s", "like", "_")], "all", [5]),
        ([("s", "like", "A%")], "all", [5]),
        ([("s", "ilike", "A%")], "all", [1, 5]),
        ([("b", "isFalse", None)], "all", [2]),
        ([("b", "eq", "true")], "all", [1, 4]),
        ([("d", "gt", "2026-01-02T00:00:00Z")], "all", [2]),
        ([("d", "eq", "2026-01-02")], "all", [1, 5]),
        ([("id", "lt", 3)], "all", [1, 2]),
        ([("createdAt", "gt", "2020-01-01")], "all", [1, 2, 3, 4, 5]),
        ([("n", "eq", None)], "all", [5]),
        ([], "all", [1, 2, 3, 4, 5]),
    ],
)
async def test_rows_are_found(owner: Client, filters: list[Any], match: str, ids: list[int]) -> None:
    found = (await owner.data("GET", "/data-tables?search=Found")) or [await table(owner, "Found")]
    body = {"filters": [dict(zip(("column", "condition", "value"), each, strict=True)) for each in filters]}
    rows = await owner.data(
        "POST", f"/data-tables/{found[0]['id']}/rows/query", json={**body, "match": match}
    )
    assert [row["id"] for row in rows] == ids


async def test_conditions_that_make_no_sense_are_named(owner: Client) -> None:
    place = f"/data-tables/{(await table(owner, 'Sense'))['id']}/rows"
    for column, condition, given in (
        ("zzz", "eq", 1),
        ("n", "like", "1"),
        ("n", "eq", "abc"),
        ("s", "isTrue", None),
        ("s", "bogus", ""),
        ("n", "gt", None),
        ("s')--", "eq", 1),
    ):
        body = {"filters": [{"column": column, "condition": condition, "value": given}]}
        refused = await owner.refusal("POST", f"{place}/query", json=body)
        assert refused == (400, "VALIDATION_ERROR"), (column, condition)
    assert (await owner.refusal("POST", f"{place}/delete", json={"filters": []}))[0] == 400


async def test_no_value_keeps_the_store_busy(owner: Client) -> None:
    made = await table(owner, "Digits", [])
    digits = await owner.refusal(
        "POST", f"/data-tables/{made['id']}/rows", json={"rows": [{"n": "1" * 200_000 + "x"}]}
    )
    assert digits == (400, "VALIDATION_ERROR")


async def test_an_answer_has_a_limit(owner: Client) -> None:
    columns = [{"name": f"c{number:062}", "type": "string"} for number in range(100)]
    made = await owner.data("POST", "/data-tables", json={"name": "Wide", "columns": columns})
    place = f"/data-tables/{made['id']}"
    for _ in range(5):
        await owner.data("POST", f"{place}/rows", json={"rows": [{}] * 1000})
    wide = {"column": "id", "condition": "gte"}
    everything = await owner.refusal("POST", f"{place}/rows/delete", json={"filters": [{**wide, "value": 1}]})
    assert everything == (413, "TOO_LARGE")
    some = await owner.data("POST", f"{place}/rows/delete", json={"filters": [{**wide, "value": 4990}]})
    assert [row["id"] for row in some["rows"]] == list(range(4990, 5001))
    assert (await owner.data("GET", place))["row_count"] == 4989


async def test_pages_and_orders(owner: Client) -> None:
    place = f"/data-tables/{(await table(owner, 'Pages'))['id']}/rows/query"
    answer = await owner.post(place, json={"sort": "-n", "limit": 2, "page": 2})
    assert [row["n"] for row in answer.json()["data"]] == [1, -1]
    assert answer.json()["pagination"] == {"page": 2, "limit": 2, "total": 5, "total_pages": 3}


async def test_columns_come_and_go(owner: Client) -> None:
    made = await table(owner, "Columns")
    place = f"/data-tables/{made['id']}"
    await owner.data("PUT", f"{place}/columns/s", json={"name": "text"})
    await owner.data("DELETE", f"{place}/columns/b")
    changed = await owner.data("POST", f"{place}/columns", json={"name": "more", "type": "number"})
    assert [each["name"] for each in changed["columns"]] == ["text", "n", "d", "more"]
    rows = await owner.data("POST", f"{place}/rows/query", json={"limit": 1})
    assert {name: rows[0].get(name, "-") for name in ("text", "b", "more", "s")} == {
        "text": "a",
        "b": "-",
        "more": None,
        "s": "-",
    }
    for name in ("id", "updatedAT", "1a", "a b", "text", "x" * 64):
        refused = await owner.refusal("POST", f"{place}/columns", json={"name": name})
        assert refused == (400, "VALIDATION_ERROR"), name
    assert await owner.refusal("DELETE", f"{place}/columns/gone") == (404, "NOT_FOUND")
    assert await owner.refusal("POST", "/data-tables", json={"name": "Columns"}) == (409, "CONFLICT")
    other = await table(owner, "Other", [])
    taken = await owner.refusal("PUT", f"/data-tables/{other['id']}", json={"name": "Columns"})
    assert taken == (409, "CONFLICT")
    assert (await owner.data("PUT", place, json={"name": "Renamed"}))["name"] == "Renamed"
    both = [
        owner.request("PUT", f"/data-tables/{each['id']}", json={"name": "Both"}) for each in (made, other)
    ]
    assert sorted(answer.status_code for answer in await asyncio.gather(*both)) == [200, 409]
    for each in (made, other):
        await owner.data("DELETE", f"/data-tables/{each['id']}")
    assert await owner.refusal("GET", place) == (404, "NOT_FOUND")


async def test_tables_belong_to_a_project(owner: Client, stranger: Client, world: World) -> None:
    made = await table(owner, "Private")
    place = f"/data-tables/{made['id']}"
    for method, path, body in (
        ("GET", place, None),
        ("DELETE", place, None),
        ("PUT", place, {"name": "Mine"}),
        ("POST", f"{place}/rows/query", {}),
        ("POST", f"{place}/rows", {"rows": [{"s": "x"}]}),
        ("PATCH", f"{place}/rows", {"values": {"s": "x"}}),
        ("GET", f"/data-tables?project_id={made['project_id']}", None),
    ):
        assert (await stranger.refusal(method, path, json=body))[0] == 404, (method, path)
    assert await world.client().refusal("GET", place) == (401, "UNAUTHENTICATED")
    key = await owner.data("POST", "/api-keys", json={"name": "r", "scopes": ["data_table:read"]})
    reader = world.client()
    reader.headers["X-API-Key"] = key["key"]
    assert (await reader.data("GET", place))["name"] == "Private"
    assert await reader.refusal("POST", f"{place}/rows", json={"rows": [{}]}) == (403, "FORBIDDEN")


async def run(
    client: Client,
    parameters: dict[str, Any],
    items: list[dict[str, Any]],
    *,
    version: float = 1.1,
    on_error: str = "continueRegularOutput",
) -> list[Any]:
    """The items of one run of the node."""
    nodes = [
        node("Start", "manualTrigger"),
        node("T", "dataTable", version=version, parameters=parameters, onError=on_error),
    ]
    links = {"Start": {"main": [[{"node": "T", "type": "main", "index": 0}]]}}
    workflow = await client.data(
        "POST", "/workflows", json={"name": "T", "nodes": nodes, "connections": links, "settings": {}}
    )
    body = {"trigger_data": [{"json": each} for each in items]}
    done = await client.data("POST", f"/workflows/{workflow['id']}/execute?wait=60", json=body)
    assert done["status"] == "success", done
    found: list[Any] = done["node_data"]["T"][0]["outputs"][0]
    return found


def chosen(name: str) -> dict[str, Any]:
    return {"dataTableId": {"__rl": True, "mode": "name", "value": name}}


def by(*conditions: tuple[str, str, Any]) -> dict[str, Any]:
    names = ("keyName", "condition", "keyValue")
    return {"filters": {"conditions": [dict(zip(names, each, strict=True)) for each in conditions]}}


def mapped(**values: Any) -> dict[str, Any]:
    return {"columns": {"mappingMode": "defineBelow", "value": values}}


def short(items: list[Any]) -> list[Any]:
    return [
        {
            name: held
            for name, held in item["json"].items()
            if name not in {"createdAt", "updatedAt", "b", "d"}
        }
        for item in items
    ]


async def test_the_node_writes_rows(owner: Client) -> None:
    await table(owner, "Node", [])
    values = mapped(s="={{ $json.s }}", n="={{ $json.n }}")
    given = [{"s": "a", "n": 1}, {"s": "b", "n": "x"}, {"s": "c", "n": "3"}]
    found = await run(owner, {**chosen("Node"), **values}, given)
    assert short([found[0], found[2]]) == [{"s": "a", "n": 1, "id": 1}, {"s": "c", "n": 3, "id": 2}]
    assert found[1]["json"] == {"error": "The value of 'n' is no number."}
    assert [item["pairedItem"]["item"] for item in found] == [0, 1, 2]

    automatic = {"columns": {"mappingMode": "autoMapInputData", "value": None}}
    found = await run(owner, {**chosen("Node"), **automatic}, [{"s": "d", "id": 99, "createdAt": "x"}])
    assert short(found) == [{"s": "d", "n": None, "id": 3}]
    many = {**chosen("Node"), **automatic, "options": {"optimizeBulk": True}}
    found = await run(owner, many, [{"s": "bulk", "n": number} for number in range(1500)])
    assert [item["json"] for item in found] == [{"success": True, "insertedRows": 1500}]

    read = {"operation": "get", **chosen("Node"), "returnAll": True, **by(("s", "eq", "bulk"))}
    assert [item["json"]["n"] for item in await run(owner, read, [{}])] == list(range(1500))
    ordered = {**read, "returnAll": False, "limit": 2, "orderBy": True, "orderByColumn": "n"}
    assert [item["json"]["n"] for item in await run(owner, ordered, [{}])] == [1499, 1498]


async def test_the_node_changes_and_deletes_rows(owner: Client) -> None:
    await table(owner, "Changes", [{"s": "a", "n": 1}, {"s": "b", "n": 2}])
    a, u = by(("s", "eq", "a")), by(("s", "eq", "u"))
    dry = {"options": {"dryRun": True}}
    update = {"operation": "update", **chosen("Changes"), **a}
    assert short(await run(owner, {**update, **mapped(n="11")}, [{}])) == [{"s": "a", "n": 11, "id": 1}]
    assert short(await run(owner, {**update, **mapped(n=12), **dry}, [{}])) == [
        {"s": "a", "n": 11, "id": 1, "dryRunState": "before"},
        {"s": "a", "n": 12, "id": 1, "dryRunState": "after"},
    ]
    upsert = {"operation": "upsert", **chosen("Changes"), **u, **mapped(s="u", n=5)}
    assert short(await run(owner, {**upsert, **dry}, [{}])) == [
        {"s": None, "n": None, "id": None, "dryRunState": "before"},
        {"s": "u", "n": 5, "id": 0, "dryRunState": "after"},
    ]
    assert short(await run(owner, upsert, [{}])) == [{"s": "u", "n": 5, "id": 3}]
    assert short(await run(owner, {**upsert, **mapped(n=6)}, [{}])) == [{"s": "u", "n": 6, "id": 3}]

    for operation, name, passes in (
        ("rowExists", "u", True),
        ("rowExists", "nobody", False),
        ("rowNotExists", "u", False),
        ("rowNotExists", "nobody", True),
    ):
        asked = {"operation": operation, **chosen("Changes"), **by(("s", "eq", name))}
        assert [item["json"] for item in await run(owner, asked, [{"k": 1}])] == [{"k": 1}] * passes

    delete = {"operation": "deleteRows", **chosen("Changes"), **u}
    assert short(await run(owner, {**delete, **dry}, [{}])) == [
        {"s": "u", "n": 6, "id": 3, "dryRunState": "before"},
        {"s": None, "n": None, "id": None, "dryRunState": "after"},
    ]
    assert short(await run(owner, delete, [{}])) == [{"s": "u", "n": 6, "id": 3}]
    (refused,) = await run(owner, {**delete, "filters": {}}, [{}])
    assert refused["json"] == {"error": "At least one condition is needed"}


async def test_the_node_works_with_tables(owner: Client) -> None:
    columns = {"columns": {"column": [{"name": "s", "type": "string"}, {"name": "n", "type": "number"}]}}
    create = {"resource": "table", "operation": "create", "tableName": "Made", **columns}
    (made,) = await run(owner, create, [{}])
    assert made["json"]["columns"] == [
        {"name": "s", "type": "string", "index": 0},
        {"name": "n", "type": "number", "index": 1},
    ]
    (again,) = await run(owner, create, [{}])
    assert again["json"] == {"error": "There is a data table 'Made' already."}
    (there,) = await run(owner, {**create, "options": {"createIfNotExists": True}}, [{}])
    assert there["json"]["id"] == made["json"]["id"]
    listed = await run(
        owner, {"resource": "table", "operation": "list", "options": {"filterName": "made"}}, [{}]
    )
    assert [item["json"]["name"] for item in listed] == ["Made"]
    await run(owner, {**chosen("Made"), **mapped(s="x")}, [{}, {}])
    clear = {"resource": "table", "operation": "clear", **chosen("Made")}
    assert (await run(owner, clear, [{}]))[0]["json"] == {"success": True, "deletedCount": 2}
    rename = {"resource": "table", "operation": "update", **chosen("Made"), "newName": "Other"}
    assert (await run(owner, rename, [{}]))[0]["json"] == {"success": True, "name": "Other"}
    delete = {"resource": "table", "operation": "delete", **chosen("Other")}
    assert (await run(owner, delete, [{}]))[0]["json"] == {"success": True, "deletedTableId": "Other"}
    (gone,) = await run(owner, {"operation": "get", **chosen("Other")}, [{}])
    assert gone["json"] == {"error": "There is no data table 'Other'."}


async def test_the_node_sees_its_project_alone(owner: Client, stranger: Client) -> None:
    made = await table(owner, "Secret")
    by_id = {"operation": "get", "dataTableId": {"__rl": True, "mode": "id", "value": made["id"]}}
    (item,) = await run(stranger, by_id, [{}])
    assert item["json"] == {"error": f"There is no data table '{made['id']}'."}


async def test_a_workflow_has_its_own_rights(owner: Client, world: World) -> None:
    """Whoever may run it makes it write, although their own role would not let them."""
    await table(owner, "Rights", [])
    operator = await world.user("operator@example.org")
    connection = await asyncpg.connect(world.dsn)
    await connection.execute(
        "INSERT INTO auth.project_members (project_id, user_id, role) VALUES ($1, $2, 'operator')",
        owner.project,
        operator.id,
    )
    await connection.close()
    nodes = [
        node("Start", "manualTrigger"),
        node("T", "dataTable", version=1.1, parameters={**chosen("Rights"), **mapped(s="x")}),
    ]
    links = {"Start": {"main": [[{"node": "T", "type": "main", "index": 0}]]}}
    document = {"name": "T", "nodes": nodes, "connections": links, "settings": {}}
    workflow = await owner.data("POST", "/workflows", json=document)
    done = await operator.data("POST", f"/workflows/{workflow['id']}/execute?wait=60", json={})
    assert done["status"] == "success", done
    own = await operator.data("GET", f"/data-tables?project_id={owner.project}&search=Rights")
    refused = await operator.refusal("POST", f"/data-tables/{own[0]['id']}/rows", json={"rows": [{"s": "y"}]})
    assert refused == (403, "FORBIDDEN")


async def test_the_node_s_choices(owner: Client) -> None:
    made = await table(owner, "Choices")
    place = "/nodes/dataTable/options"
    found = await owner.data("POST", place, json={"loader": "table", "search": "choic"})
    assert [(each["name"], each["value"]) for each in found["options"]] == [("Choices", made["id"])]
    parameters = {"dataTableId": {"__rl": True, "mode": "list", "value": made["id"]}}
    found = await owner.data("POST", place, json={"loader": "columns", "parameters": parameters})
    assert [(each["name"], each["type"]) for each in found["options"]] == [
        ("s", "string"),
        ("n", "number"),
        ("b", "boolean"),
        ("d", "dateTime"),
    ]
    found = await owner.data("POST", place, json={"loader": "column", "parameters": parameters})
    assert [each["name"] for each in found["options"]][:3] == ["id", "createdAt", "updatedAt"]
    found = await owner.data("POST", place, json={"loader": "condition", "search": "empty"})
    assert [each["value"] for each in found["options"]] == ["isEmpty", "isNotEmpty"]

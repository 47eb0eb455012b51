"""What a project may keep in data tables; the rest is tested through the gateway."""

import orjson
import pytest
from weft_contracts.errors import ErrorCode
from weft_contracts.pb import workflow_store_pb2 as pb

from .store_world import HOME, OTHER, World, refused

pytestmark = pytest.mark.integration


async def test_the_rows_of_a_project_are_limited(world: World) -> None:
    await world.again(max_data_table_rows=3)

    async def table(name: str, project_id: str = HOME) -> pb.DataTableKey:
        column = pb.DataColumn(name="a", type="string")
        call = pb.CreateDataTableRequest(project_id=project_id, name=name, columns=[column])
        return pb.DataTableKey(id=(await world.tables.Create(call)).table.id)

    async def insert(key: pb.DataTableKey, count: int) -> None:
        rows = orjson.dumps([{"a": "x"}] * count)
        await world.tables.InsertRows(pb.InsertRowsRequest(table=key, rows=rows))

    first, second, other = await table("first"), await table("second"), await table("third", OTHER)
    await insert(first, 2)
    with refused(ErrorCode.TOO_LARGE):
        await insert(second, 2)
    await insert(second, 1)
    with refused(ErrorCode.TOO_LARGE):
        await insert(first, 1)
    await insert(other, 3)
    await world.tables.Delete(pb.DeleteDataTableRequest(table=first))
    await insert(second, 2)

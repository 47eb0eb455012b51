"""The one statement that commits."""

import re

import asyncpg
from weft_orchestrator.adapters.postgres_commits import END, LEAN, PLANS

from services.orchestrator.tests.orchestrator_world import World


async def test_rows_are_found_by_their_keys_however_few_there_were_when_the_plan_was_made(
    world: World,
) -> None:
    statement = LEAN + END
    arrays = max(int(number) for number in re.findall(r"\$(\d+)", statement)) - 2
    connection = await asyncpg.connect(world.dsn, server_settings=PLANS)
    try:
        await connection.execute(f"PREPARE committing AS {statement}")
        arguments = ", ".join(["'{}'"] * arrays + ["0", "0"])
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE committing({arguments})"))
    finally:
        await connection.close()
    assert "Seq Scan" not in plan, plan
    assert plan.count("Index Scan using executions") > 0, plan

"""What is sealed in a database under another master key, sealed with the one of today."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from weft_kit.database import Database, database_errors
from weft_kit.identity.secrets import MasterKey

BATCH_ROWS: Final = 200


@dataclass(frozen=True)
class SealedColumn:
    """A column with what `MasterKey.seal` gave for this purpose; both names are our own."""

    table: str
    column: str
    purpose: str


async def reseal(database: Database, master: MasterKey, columns: Iterable[SealedColumn]) -> int:
    """Goes over them in transactions of a few rows, each of which is done or not: it may be ended at any moment and
    called again. How many values were changed. Raises UNAVAILABLE, and INTERNAL where one is damaged or under a key
    that nobody gave."""
    changed = 0
    for each in columns:
        while done := await _batch(database, master, each):
            changed += done
    return changed


async def _batch(database: Database, master: MasterKey, sealed: SealedColumn) -> int:
    table, column = sealed.table, sealed.column
    others = (
        f"SELECT ctid, {column} AS sealed FROM {table} "  # noqa: S608 - our own names
        f"WHERE substring({column} FROM 1 FOR {len(master.mark)}) <> $1 LIMIT {BATCH_ROWS} FOR UPDATE"
    )
    change = f"UPDATE {table} SET {column} = $1 WHERE ctid = $2"  # noqa: S608 - our own names
    pool = await database.pool()
    with database_errors():
        async with pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(others, master.mark)
            opened = [(master.open(sealed.purpose, row["sealed"]), row["ctid"]) for row in rows]
            again = [(master.seal(sealed.purpose, data), place) for data, place in opened]
            await connection.executemany(change, again)
    return len(rows)

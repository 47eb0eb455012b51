"""What the database says while things die, and the table of what came of it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

HEAD = "| fault | executions in flight | lost | stuck | doubled | recovery (s) |\n|---|---|---|---|---|---|\n"
UNFINISHED = (
    "SELECT accepted.id::text FROM unnest($1::text[]::uuid[]) AS accepted(id) "
    "LEFT JOIN orchestrator.executions AS known USING (id) "
    "WHERE known.id IS NULL OR known.status IN ('queued', 'running', 'waiting')"
)


class Ledger:
    """Asks PostgreSQL at `dsn`; from threads without a loop."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Raises what asyncpg raises."""

        async def ask() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self._dsn, timeout=5)
            try:
                return [tuple(row) for row in await connection.fetch(query, *arguments)]
            finally:
                await connection.close()

        return asyncio.run(ask())

    def unfinished(self, accepted: list[str]) -> list[str]:
        """Those of the accepted executions that have not ended, or are not known yet."""
        return [row[0] for row in self.rows(UNFINISHED, accepted)]

    def settle(self, accepted: list[str], seconds: float) -> float:
        """Seconds until all of them had ended, the database being away or not."""
        began = time.monotonic()
        while True:
            left = accepted
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                left = self.unfinished(accepted)
            if not left:
                return time.monotonic() - began
            assert time.monotonic() - began < seconds, f"{len(left)} executions are stuck: {left[:5]}"
            time.sleep(0.1)


@dataclass
class Table:
    """One row a fault. Where an invariant fails its test fails, so a row that is there shows what was seen."""

    rows: list[str] = field(default_factory=list)

    def add(self, fault: str, in_flight: int, recovery: float) -> None:
        self.rows.append(f"| {fault} | {in_flight} | 0 | 0 | 0 | {recovery:.1f} |")
        print(self.rows[-1], flush=True)

    def written(self, path: Path) -> Iterator["Table"]:
        """For a fixture: the rows are in the file at the end."""
        yield self
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + "\n".join(self.rows) + "\n")

"""The unit of work on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from weft_kit.database import Database, database_errors
from weft_kit.identity.secrets import MasterKey

from weft_auth.adapters.postgres_accounts import PostgresProjects, PostgresUsers
from weft_auth.adapters.postgres_audit import PostgresAudit
from weft_auth.adapters.postgres_second_factors import PostgresSecondFactors
from weft_auth.adapters.postgres_sessions import PostgresApiKeys, PostgresFailures, PostgresSessions
from weft_auth.application.ports import Outbox, Transaction


@dataclass(frozen=True)
class PostgresTransaction:
    users: PostgresUsers
    projects: PostgresProjects
    sessions: PostgresSessions
    second_factors: PostgresSecondFactors
    api_keys: PostgresApiKeys
    failures: PostgresFailures
    audit: PostgresAudit
    outbox: Outbox


class PostgresStore:
    """Implements Store. `outbox` binds the outbox to the transaction's connection, `committed` is called after
    each."""

    def __init__(
        self,
        database: Database,
        master: MasterKey,
        outbox: Callable[[AsyncConnection], Outbox],
        committed: Callable[[], None],
    ) -> None:
        self._database = database
        self._master = master
        self._outbox = outbox
        self._committed = committed

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._begin()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[Transaction]:
        with database_errors():
            async with self._database.engine.begin() as connection:
                yield PostgresTransaction(
                    PostgresUsers(connection),
                    PostgresProjects(connection),
                    PostgresSessions(connection),
                    PostgresSecondFactors(connection, self._master),
                    PostgresApiKeys(connection),
                    PostgresFailures(connection),
                    PostgresAudit(connection),
                    self._outbox(connection),
                )
        self._committed()

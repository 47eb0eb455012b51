"""Second factors in PostgreSQL, their secrets sealed. Lives as long as its transaction."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from weft_kit.identity.secrets import MasterKey

from weft_auth.adapters.tables import second_factors
from weft_auth.domain.second_factor import SecondFactor

PURPOSE = "second factor"


class PostgresSecondFactors:
    def __init__(self, connection: AsyncConnection, master: MasterKey) -> None:
        self._connection = connection
        self._master = master

    async def get(self, user_id: str) -> SecondFactor | None:
        found = select(second_factors).where(second_factors.c.user_id == user_id).with_for_update()
        row = (await self._connection.execute(found)).first()
        if row is None:
            return None
        secret = self._master.open(PURPOSE, row.secret).decode()
        return SecondFactor(secret, row.enabled, row.last_step, tuple(row.recovery))

    async def put(self, user_id: str, factor: SecondFactor) -> None:
        values = {
            "secret": self._master.seal(PURPOSE, factor.secret.encode()),
            "enabled": factor.enabled,
            "last_step": factor.last_step,
            "recovery": list(factor.recovery),
        }
        row = insert(second_factors).values(user_id=user_id, **values)
        await self._connection.execute(
            row.on_conflict_do_update(index_elements=[second_factors.c.user_id], set_=values)
        )

    async def remove(self, user_id: str) -> None:
        await self._connection.execute(delete(second_factors).where(second_factors.c.user_id == user_id))

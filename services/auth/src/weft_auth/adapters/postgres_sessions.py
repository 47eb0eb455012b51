"""Sessions, API keys and failed sign-ins in PostgreSQL. Each object lives as long as its transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from weft_auth.adapters.tables import api_keys, sessions, sign_in_failures
from weft_auth.domain.lockout import FORGET, Failures
from weft_auth.domain.model import ApiKey, OpenSession, Session


class PostgresSessions:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session, address: str, user_agent: str, at: datetime) -> None:
        """Removes the user's sessions that have ended as well: nobody asks for them."""
        over = (sessions.c.user_id == session.user_id) & (
            sessions.c.expires_at < session.expires_at - FORGET * 30
        )
        await self._connection.execute(delete(sessions).where(over))
        row = {
            "id": session.id,
            "user_id": session.user_id,
            "token_hash": session.token_hash,
            "expires_at": session.expires_at,
            "revoked": session.revoked,
            "address": address,
            "user_agent": user_agent[:300],
            "created_at": at,
            "last_used_at": at,
        }
        await self._connection.execute(insert(sessions).values(row))

    async def get(self, session_id: str) -> Session | None:
        s = sessions.c
        found = select(s.id, s.user_id, s.token_hash, s.expires_at, s.revoked).where(s.id == session_id)
        row = (await self._connection.execute(found.with_for_update())).first()
        return Session(*row) if row else None

    async def of(self, user_id: str, now: datetime) -> Sequence[OpenSession]:
        s = sessions.c
        mine = (
            select(s.id, s.address, s.user_agent, s.created_at, s.last_used_at, s.expires_at)
            .where(s.user_id == user_id, s.revoked.is_(False), s.expires_at > now)
            .order_by(s.last_used_at.desc(), s.id)
        )
        return [OpenSession(*row) for row in await self._connection.execute(mine)]

    async def rotate(self, session_id: str, token_hash: bytes, expires_at: datetime, at: datetime) -> None:
        values = {"token_hash": token_hash, "expires_at": expires_at, "last_used_at": at}
        await self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(values))

    async def revoke(self, session_id: str) -> None:
        await self._connection.execute(
            update(sessions).where(sessions.c.id == session_id).values(revoked=True)
        )

    async def revoke_all(self, user_id: str) -> None:
        await self._connection.execute(
            update(sessions).where(sessions.c.user_id == user_id).values(revoked=True)
        )


def _api_key(row: Row[tuple[object, ...]]) -> ApiKey:
    k = row._mapping  # noqa: SLF001 - SQLAlchemy's name for it
    names = ("id", "user_id", "name", "prefix", "created_at", "expires_at", "last_used_at")
    return ApiKey(scopes=tuple(k["scopes"]), **{name: k[name] for name in names})


class PostgresApiKeys:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, key: ApiKey, salt: bytes, digest: bytes) -> None:
        row = {
            "id": key.id,
            "user_id": key.user_id,
            "name": key.name,
            "prefix": key.prefix,
            "salt": salt,
            "digest": digest,
            "scopes": list(key.scopes),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        await self._connection.execute(insert(api_keys).values(row))

    async def of(self, user_id: str) -> Sequence[ApiKey]:
        mine = select(api_keys).where(api_keys.c.user_id == user_id).order_by(api_keys.c.id.desc())
        return [_api_key(row) for row in await self._connection.execute(mine)]

    async def remove(self, user_id: str, key_id: str) -> bool:
        mine = (api_keys.c.user_id == user_id) & (api_keys.c.id == key_id)
        return (await self._connection.execute(delete(api_keys).where(mine))).rowcount > 0

    async def by_prefix(self, prefix: str) -> Sequence[tuple[ApiKey, bytes, bytes]]:
        found = await self._connection.execute(select(api_keys).where(api_keys.c.prefix == prefix))
        return [(_api_key(row), row.salt, row.digest) for row in found]

    async def used(self, key_id: str, at: datetime) -> None:
        await self._connection.execute(
            update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=at)
        )


class PostgresFailures:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, subject: str) -> Failures | None:
        f = sign_in_failures.c
        row = (await self._connection.execute(select(f.count, f.last_at).where(f.subject == subject))).first()
        return Failures(*row) if row else None

    async def count(self, subject: str, at: datetime) -> None:
        """One more; from one again after a long pause. Rows of the long past go."""
        f = sign_in_failures.c
        await self._connection.execute(delete(sign_in_failures).where(f.last_at < at - FORGET))
        first = insert(sign_in_failures).values(subject=subject, count=1, last_at=at)
        more = first.on_conflict_do_update(
            index_elements=[f.subject],
            set_={"count": case((f.last_at < at - FORGET, 1), else_=f.count + 1), "last_at": at},
        )
        await self._connection.execute(more)

    async def clear(self, subject: str) -> None:
        await self._connection.execute(delete(sign_in_failures).where(sign_in_failures.c.subject == subject))

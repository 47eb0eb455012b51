"""Users and projects in PostgreSQL. Each object lives as long as its transaction."""

from collections.abc import Sequence

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from weft_contracts.errors import ErrorCode, WeftError

from weft_auth.adapters.tables import installation, project_members, projects, users
from weft_auth.domain.model import Project, User

_USER = [column for column in users.c if column.name != "password_hash"]


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(**{column.name: row._mapping[column] for column in _USER})  # noqa: SLF001 - SQLAlchemy's name for it


class PostgresUsers:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_registration(self) -> None:
        await self._connection.execute(select(installation.c.issuer).with_for_update())

    async def any(self) -> bool:
        return bool(await self._connection.scalar(select(exists().select_from(users))))

    async def add(self, user: User, password_hash: str) -> None:
        values = {column.name: getattr(user, column.name) for column in _USER}
        try:
            await self._connection.execute(insert(users).values(password_hash=password_hash, **values))
        except IntegrityError:
            raise WeftError(
                ErrorCode.CONFLICT, "That e-mail has an account here; sign in.", field="email"
            ) from None

    async def get(self, user_id: str) -> User | None:
        row = (await self._connection.execute(select(*_USER).where(users.c.id == user_id))).first()
        return _user(row) if row else None

    async def by_email(self, email: str) -> tuple[User, str] | None:
        row = (await self._connection.execute(select(users).where(users.c.email == email))).first()
        return (_user(row), row.password_hash) if row else None

    async def password_hash(self, user_id: str) -> str | None:
        return await self._connection.scalar(select(users.c.password_hash).where(users.c.id == user_id))

    async def rename(self, user_id: str, first_name: str, last_name: str) -> None:
        names = {"first_name": first_name, "last_name": last_name}
        await self._connection.execute(update(users).where(users.c.id == user_id).values(names))

    async def set_password(self, user_id: str, password_hash: str) -> None:
        change = update(users).where(users.c.id == user_id).values(password_hash=password_hash)
        await self._connection.execute(change)


class PostgresProjects:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, project_id: str, name: str, kind: str, owner: str | None) -> None:
        row = insert(projects).values(id=project_id, name=name, kind=kind).on_conflict_do_nothing()
        await self._connection.execute(row)
        if owner is not None:
            await self._own(project_id, owner)

    async def claim(self, project_id: str, name: str, owner: str) -> None:
        await self._connection.execute(update(projects).where(projects.c.id == project_id).values(name=name))
        await self._own(project_id, owner)

    async def _own(self, project_id: str, owner: str) -> None:
        member = insert(project_members).values(project_id=project_id, user_id=owner, role="owner")
        await self._connection.execute(member)

    async def of(self, user_id: str) -> Sequence[Project]:
        mine = (
            select(projects.c.id, projects.c.name, projects.c.kind, project_members.c.role)
            .join_from(projects, project_members, projects.c.id == project_members.c.project_id)
            .where(project_members.c.user_id == user_id)
            .order_by(projects.c.created_at, projects.c.id)
        )
        return [Project(*row) for row in await self._connection.execute(mine)]

    async def role(self, user_id: str, project_id: str) -> str | None:
        member = project_members.c
        found = select(member.role).where(member.user_id == user_id, member.project_id == project_id)
        return await self._connection.scalar(found)

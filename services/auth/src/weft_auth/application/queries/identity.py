"""Who somebody is, which projects they have, and, the one policy point, what they may do there."""

from collections.abc import Sequence

from weft_contracts.errors import ErrorCode, WeftError

from weft_auth.application.ports import Clock, Store
from weft_auth.domain.model import ApiKey, OpenSession, Project, User, unknown_user
from weft_auth.domain.roles import allows


class IdentityQueries:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def user(self, user_id: str) -> User:
        """Raises NOT_FOUND."""
        async with self._store.transaction() as tx:
            user = await tx.users.get(user_id)
        if user is None:
            raise unknown_user()
        return user

    async def needs_owner(self) -> bool:
        async with self._store.transaction() as tx:
            return not await tx.users.any()

    async def api_keys(self, user_id: str) -> Sequence[ApiKey]:
        """Newest first."""
        async with self._store.transaction() as tx:
            return await tx.api_keys.of(user_id)

    async def sessions(self, user_id: str) -> Sequence[OpenSession]:
        """Those that go on, used last first."""
        async with self._store.transaction() as tx:
            return await tx.sessions.of(user_id, self._clock())

    async def projects(self, user_id: str) -> tuple[Sequence[Project], str]:
        """The user's projects, and which of them is the default one. Raises NOT_FOUND."""
        async with self._store.transaction() as tx:
            user, projects = await tx.users.get(user_id), await tx.projects.of(user_id)
        if user is None:
            raise unknown_user()
        return projects, user.personal_project_id

    async def authorize(self, user_id: str, project_id: str, action: str) -> str:
        """The user's role. Raises NOT_FOUND where they are no member, so that nobody learns of others' projects,
        and FORBIDDEN where their role does not allow it."""
        async with self._store.transaction() as tx:
            role = await tx.projects.role(user_id, project_id)
        if role is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such project.")
        if not allows(role, action):
            message = f"Your role in this project, {role}, does not allow {action}."
            raise WeftError(ErrorCode.FORBIDDEN, message, action=action, role=role)
        return role

"""Registering, and looking after one's account."""

from dataclasses import replace
from typing import Literal

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import IdentityChanged

from weft_auth.application.commands.sessions import Sessions
from weft_auth.application.ports import Clock, PasswordHasher, Store, Transaction
from weft_auth.application.recording import audited
from weft_auth.domain.model import Tokens, User, unknown_user
from weft_auth.domain.passwords import check_strength, normal_email

_NAME_LENGTH = 100


class Accounts:
    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        sessions: Sessions,
        clock: Clock,
        registration: Literal["open", "invite", "closed"],
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._sessions = sessions
        self._clock = clock
        self._registration = registration

    async def register(
        self, email: str, password: str, first_name: str, last_name: str
    ) -> tuple[User, Tokens]:
        """A new user with a project of their own; the first one is the installation's owner and takes over its
        first project. Raises VALIDATION_ERROR, FORBIDDEN where registration is not open, CONFLICT where the
        e-mail is taken."""
        email = normal_email(email)
        first_name, last_name = _name(first_name, "first_name"), _name(last_name, "last_name")
        check_strength(password, email)
        async with self._store.transaction() as tx:
            await self._may_register(tx)
        hashed = await self._hasher.hash(password)
        async with self._store.transaction() as tx:
            await tx.users.lock_registration()
            first = await self._may_register(tx)
            project = INSTANCE_PROJECT if first else new_id()
            role: Literal["owner", "user"] = "owner" if first else "user"
            user = User(new_id(), email, first_name, last_name, role, project, self._clock())
            await tx.users.add(user, hashed)
            await self._give_project(tx, user, first)
            await tx.outbox.identity(IdentityChanged(user.id, "registered", project))
            await tx.outbox.audit(
                audited(user.id, "user.registered", "user", user.id, project, self._clock())
            )
            return user, await self._sessions.open(tx, user.id, "", "")

    async def _may_register(self, tx: Transaction) -> bool:
        """Whether it is the first user. Raises FORBIDDEN."""
        if not await tx.users.any():
            return True
        if self._registration != "open":
            message = "Registration is closed here; ask an owner of this installation for an invitation."
            raise WeftError(ErrorCode.FORBIDDEN, message, registration=self._registration)
        return False

    async def _give_project(self, tx: Transaction, user: User, first: bool) -> None:
        name = f"{user.first_name or user.email.partition('@')[0]}'s project"
        if first:
            await tx.projects.claim(user.personal_project_id, name, user.id)
            await tx.outbox.identity(IdentityChanged(user.id, "project_claimed", user.personal_project_id))
        else:
            await tx.projects.add(user.personal_project_id, name, "personal", user.id)

    async def rename(self, user_id: str, first_name: str | None, last_name: str | None) -> User:
        """None leaves a name as it is. Raises NOT_FOUND."""
        async with self._store.transaction() as tx:
            user = await tx.users.get(user_id)
            if user is None:
                raise unknown_user()
            changed = replace(
                user,
                first_name=user.first_name if first_name is None else _name(first_name, "first_name"),
                last_name=user.last_name if last_name is None else _name(last_name, "last_name"),
            )
            await tx.users.rename(user_id, changed.first_name, changed.last_name)
            await tx.outbox.identity(IdentityChanged(user_id, "updated"))
            await tx.outbox.audit(audited(user_id, "user.updated", "user", user_id, "", self._clock()))
        return changed

    async def change_password(self, user_id: str, current: str, new: str) -> None:
        """Ends every session of the user. Raises FORBIDDEN for a wrong current password, RATE_LIMITED after too
        many of them, VALIDATION_ERROR for a weak new one."""
        async with self._store.transaction() as tx:
            user, hashed = await tx.users.get(user_id), await tx.users.password_hash(user_id)
        if user is None or hashed is None:
            raise unknown_user()
        check_strength(new, user.email)
        await self._sessions.admit(user.email, "")
        if not await self._hasher.verify(current, hashed):
            await self._sessions.count_failure(user.email, "")
            raise WeftError(ErrorCode.FORBIDDEN, "The current password is wrong.", field="current_password")
        replaced = await self._hasher.hash(new)
        async with self._store.transaction() as tx:
            await tx.users.set_password(user_id, replaced)
            await tx.sessions.revoke_all(user_id)
            await tx.outbox.identity(IdentityChanged(user_id, "signed_out"))
            await tx.outbox.audit(
                audited(user_id, "user.password_changed", "user", user_id, "", self._clock())
            )


def _name(text: str, field: str) -> str:
    name = " ".join(text.split())
    if len(name) > _NAME_LENGTH:
        message = f"A name has at most {_NAME_LENGTH} characters."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, field=field)
    return name

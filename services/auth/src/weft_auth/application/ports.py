"""What auth's use cases need from the outside."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from weft_contracts.messages import AuditRecorded, IdentityChanged

from weft_auth.domain.lockout import Failures
from weft_auth.domain.model import ApiKey, OpenSession, Project, Session, User
from weft_auth.domain.second_factor import SecondFactor


class Users(Protocol):
    async def lock_registration(self) -> None:
        """One registration at a time until the transaction ends."""

    async def any(self) -> bool: ...

    async def add(self, user: User, password_hash: str) -> None:
        """Raises CONFLICT where the e-mail is taken."""

    async def get(self, user_id: str) -> User | None: ...

    async def by_email(self, email: str) -> tuple[User, str] | None:
        """With the password's hash."""

    async def password_hash(self, user_id: str) -> str | None: ...

    async def rename(self, user_id: str, first_name: str, last_name: str) -> None: ...

    async def set_password(self, user_id: str, password_hash: str) -> None: ...


class Projects(Protocol):
    async def add(self, project_id: str, name: str, kind: str, owner: str | None) -> None:
        """Does nothing where it exists."""

    async def claim(self, project_id: str, name: str, owner: str) -> None:
        """The project of nobody gets its owner and a name."""

    async def of(self, user_id: str) -> Sequence[Project]: ...

    async def role(self, user_id: str, project_id: str) -> str | None: ...


class Sessions(Protocol):
    async def add(self, session: Session, address: str, user_agent: str, at: datetime) -> None: ...

    async def get(self, session_id: str) -> Session | None:
        """Locked until the transaction ends."""

    async def of(self, user_id: str, now: datetime) -> Sequence[OpenSession]:
        """Those that go on, used last first."""

    async def rotate(
        self, session_id: str, token_hash: bytes, expires_at: datetime, at: datetime
    ) -> None: ...

    async def revoke(self, session_id: str) -> None: ...

    async def revoke_all(self, user_id: str) -> None: ...


class SecondFactors(Protocol):
    async def get(self, user_id: str) -> SecondFactor | None:
        """Locked until the transaction ends."""

    async def put(self, user_id: str, factor: SecondFactor) -> None: ...

    async def remove(self, user_id: str) -> None: ...


class ApiKeys(Protocol):
    async def add(self, key: ApiKey, salt: bytes, digest: bytes) -> None: ...

    async def of(self, user_id: str) -> Sequence[ApiKey]: ...

    async def remove(self, user_id: str, key_id: str) -> bool: ...

    async def by_prefix(self, prefix: str) -> Sequence[tuple[ApiKey, bytes, bytes]]:
        """With salt and digest."""

    async def used(self, key_id: str, at: datetime) -> None: ...


class SignInFailures(Protocol):
    async def of(self, subject: str) -> Failures | None: ...

    async def count(self, subject: str, at: datetime) -> None: ...

    async def clear(self, subject: str) -> None: ...


class Audit(Protocol):
    async def add(self, event_id: str, event: AuditRecorded) -> None:
        """A second time with the same id does nothing."""


class Outbox(Protocol):
    async def identity(self, event: IdentityChanged) -> None:
        """Leaves when the transaction has committed."""

    async def audit(self, event: AuditRecorded) -> None: ...


class Transaction(Protocol):
    """One unit of work. Leaving its context commits; an exception undoes everything."""

    @property
    def users(self) -> Users: ...

    @property
    def projects(self) -> Projects: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def second_factors(self) -> SecondFactors: ...

    @property
    def api_keys(self) -> ApiKeys: ...

    @property
    def failures(self) -> SignInFailures: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def outbox(self) -> Outbox: ...


class Store(Protocol):
    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Raises UNAVAILABLE where the database is out of reach."""


class PasswordHasher(Protocol):
    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Takes the same time where there is no hash, and is False."""


class TokenSigner(Protocol):
    def sign(self, user_id: str, now: datetime, seconds: int) -> str:
        """An access token."""


class Installation(Protocol):
    """What makes this installation itself."""

    issuer: str
    pepper: bytes
    """Of API keys' hashes."""


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, in UTC."""

"""What auth knows about people, their projects and their keys. Times are aware datetimes in UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from weft_contracts.errors import ErrorCode, WeftError

InstanceRole = Literal["owner", "admin", "user"]
ProjectRole = Literal["owner", "admin", "editor", "operator", "viewer"]


@dataclass(frozen=True)
class User:
    """`email` is lower case and unique."""

    id: str
    email: str
    first_name: str
    last_name: str
    role: InstanceRole
    personal_project_id: str
    created_at: datetime


@dataclass(frozen=True)
class Project:
    id: str
    name: str
    kind: Literal["personal", "team"]
    role: str
    """Of the member who asks."""


@dataclass(frozen=True)
class Session:
    """A family of refresh tokens: only the newest one, whose hash is `token_hash`, is good."""

    id: str
    user_id: str
    token_hash: bytes
    expires_at: datetime
    revoked: bool


@dataclass(frozen=True)
class OpenSession:
    """A session as its user sees it."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class ApiKey:
    id: str
    user_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Tokens:
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds that the access token lives."""


def unknown_user() -> WeftError:
    return WeftError(ErrorCode.NOT_FOUND, "There is no such user.")

"""What a failure of the database means to a caller."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from weft_contracts.errors import ErrorCode, WeftError

CONNECTION_FAILURES: tuple[type[Exception], ...] = (
    OSError,  # refused, reset, no socket; a TimeoutError is one, too
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # cut between two messages of one statement
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted yet
)
"""The server is down, starting, stopping or out of reach: the same statement may work in a moment."""


def lost(error: BaseException) -> bool:
    """Whether the connection failed, not the statement. SQLAlchemy wraps what asyncpg raised, twice, and says
    so itself where it did (`connection_invalidated`; it is not imported for that)."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CONNECTION_FAILURES) or getattr(seen, "connection_invalidated", False):
            return True
        seen = seen.__cause__
    return False


def _unstorable(error: BaseException) -> bool:
    """Whether the statement failed on a text that PostgreSQL can't hold: zero characters, halves of pairs."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
            return True
        seen = seen.__cause__
    return False


@contextmanager
def database_errors() -> Iterator[None]:
    """Raises UNAVAILABLE in place of a lost connection, VALIDATION_ERROR for a text that can't be stored; other
    failures pass as they are."""
    try:
        yield
    except Exception as error:
        if lost(error):
            raise WeftError(
                ErrorCode.UNAVAILABLE, "The database is out of reach; try again in a moment."
            ) from error
        if _unstorable(error):
            raise WeftError(
                ErrorCode.VALIDATION_ERROR, "A text holds a character that can't be stored."
            ) from error
        raise

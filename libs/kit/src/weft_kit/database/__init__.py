"""PostgreSQL: one asyncpg pool for the hot path, one SQLAlchemy engine for everything else, migrations."""

from weft_kit.database.failures import database_errors
from weft_kit.database.postgres import Database

__all__ = ["Database", "database_errors"]

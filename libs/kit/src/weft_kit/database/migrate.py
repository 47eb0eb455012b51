"""Brings schemas to their newest version: one Alembic tree and one version table per schema.

A package's tree is `migrations/versions/<id>_<words>.py`, ids ascending ("0001", "0002"). Environment and
configuration are supplied here. A schema that is at its head, or beyond, costs one query and no import of
Alembic.
"""

import importlib.util
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg

from weft_kit.database.failures import database_errors
from weft_kit.database.postgres import CONNECT_SECONDS

log = logging.getLogger("weft.migrate")

SCHEMAS: Final[Mapping[str, str]] = {
    "auth": "weft_auth",
    "workflow_store": "weft_workflow_store",
    "orchestrator": "weft_orchestrator",
    "scheduler": "weft_scheduler",
    "webhook_ingress": "weft_webhook_ingress",
}
"""Schema to the package of the service that owns it."""

_LOCK = 0x77656674  # "weft"; one migration at a time per database


async def migrate_all(dsn: str) -> None:
    """Every schema of SCHEMAS, in its order. Raises UNAVAILABLE where the server is out of reach."""
    connection = await _connect(dsn)
    try:
        stale = [
            schema for schema, package in SCHEMAS.items() if not await _at_head(connection, schema, package)
        ]
    finally:
        await connection.close()
    for schema in stale:
        await _upgrade(dsn, SCHEMAS[schema], schema)


async def migrate(dsn: str, package: str, schema: str) -> None:
    """One schema. Raises UNAVAILABLE where the server is out of reach."""
    connection = await _connect(dsn)
    try:
        current = await _at_head(connection, schema, package)
    finally:
        await connection.close()
    if not current:
        await _upgrade(dsn, package, schema)


def head(package: str) -> str:
    """The newest version in a package's tree, "" where it has none."""
    return max(
        (path.name.partition("_")[0] for path in _tree(package).glob("versions/[0-9]*.py")), default=""
    )


def _tree(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(spec.submodule_search_locations[0]) / "migrations"


async def _connect(dsn: str) -> Any:
    with database_errors():
        return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)


async def _at_head(connection: Any, schema: str, package: str) -> bool:
    if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.alembic_version") is None:
        return not head(package)
    newest = f"SELECT max(version_num) FROM {schema}.alembic_version"  # noqa: S608 - our own names
    # A newer one: the release after ours has been here, and we run on its schema.
    return bool((await connection.fetchval(newest) or "") >= head(package))


async def _upgrade(dsn: str, package: str, schema: str) -> None:
    from sqlalchemy import event, text

    from weft_kit.database.postgres import Database

    database = Database(dsn)
    event.listen(database.engine.sync_engine, "do_execute", _run_scripts)
    try:
        async with database.engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
            await connection.run_sync(_run_alembic, package, schema)
    finally:
        await database.close()
    log.info("schema %s is at version %s", schema, head(package))


def _run_alembic(connection: Any, package: str, schema: str) -> None:
    """All missing versions, in the transaction of `connection`."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_tree(package)))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def upgrade(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001 - what alembic.command.upgrade does

    with EnvironmentContext(config, script, fn=upgrade) as environment:
        environment.configure(connection=connection, version_table_schema=schema, transactional_ddl=True)
        environment.run_migrations()


def _run_scripts(_cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """A script of several statements can't be prepared: it takes the driver's simple protocol."""
    from sqlalchemy.util import await_only

    if parameters or ";" not in statement.rstrip().rstrip(";"):
        return False
    await_only(context.root_connection.connection.driver_connection.execute(statement))
    return True

"""A new master key, also where the command is killed in the middle."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from weft_auth.adapters.installation import KeptInstallation
from weft_auth.adapters.postgres_second_factors import PURPOSE
from weft_cli.embedded.lock import HomeLock
from weft_cli.main import cli
from weft_kit.blobs.opening import blobs_of
from weft_kit.database import Database
from weft_kit.database.migrate import migrate_all
from weft_kit.identity.secrets import MasterKey, ensure_secrets
from weft_kit.settings import CoreSettings
from weft_workflow_store.adapters.envelope import Envelope

pytestmark = pytest.mark.integration
SECRET = {"user": "ada", "password": "a passphrase"}
BYTES = (
    "SELECT table_schema || '.' || table_name AS table, column_name AS column FROM information_schema.columns "
    "JOIN information_schema.tables USING (table_schema, table_name) WHERE data_type = 'bytea' "
    "AND table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
)


EVERYTHING = {
    "auth.installation.pepper",
    "auth.signing_keys.private_key",
    "auth.second_factors.secret",
    "workflow_store.credentials.wrapped_key",
    "workflow_store.credentials.sign_in",
    "workflow_store.variables.value",
}


async def populated(dsn: str, master: MasterKey) -> bytes:
    """Something in every column that is sealed; the pepper."""
    await migrate_all(dsn)
    pepper = await installation(dsn, master)
    envelope = Envelope(master)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO auth.users VALUES ('u', 'ada@example.org', '', '', '', 'owner', 'p', now())"
        )
        await connection.execute(
            "INSERT INTO auth.second_factors (user_id, secret, enabled, last_step, recovery) "
            "VALUES ('u', $1, true, 0, '{}')",
            master.seal(PURPOSE, b"seed"),
        )
        for number in range(500):
            await connection.execute(
                "INSERT INTO workflow_store.credentials "
                "(id, project_id, created_by, name, type, wrapped_key, data, sign_in) "
                "VALUES ($1, 'p', 'u', 'Login', 'httpBasicAuth', $2, $3, $4)",
                f"c{number}",
                *envelope.seal(f"c{number}", orjson.dumps(SECRET)),
                envelope.seal_sign_in(b"open") if number == 7 else None,
            )
        await connection.execute(
            "INSERT INTO workflow_store.variables (project_id, key, value, type, is_secret) "
            "VALUES ('p', 'token', $1, 'string', true)",
            envelope.seal_value("hidden"),
        )
    finally:
        await connection.close()
    return pepper


async def installation(dsn: str, master: MasterKey) -> bytes:
    """What auth does when it starts; the pepper."""
    database = Database(dsn)
    try:
        kept = KeptInstallation(database, master)
        await kept.load()
        return kept.pepper
    finally:
        await database.close()


async def sealed_with(dsn: str, mark: bytes) -> set[str]:
    """Columns of the whole database with a value that this key sealed."""
    connection = await asyncpg.connect(dsn)
    try:
        found = set()
        for row in await connection.fetch(BYTES):
            query = f"SELECT 1 FROM {row['table']} WHERE substring({row['column']} FROM 1 FOR 5) = $1 LIMIT 1"
            if await connection.fetchval(query, mark):
                found.add(f"{row['table']}.{row['column']}")
        return found
    finally:
        await connection.close()


async def credentials(dsn: str, master: MasterKey) -> list[Any]:
    """All that is different among them, opened."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT id, wrapped_key, data FROM workflow_store.credentials")
    finally:
        await connection.close()
    opened = {Envelope(master).open(row["id"], row["wrapped_key"], row["data"]) for row in rows}
    return [orjson.loads(each) for each in opened]


def masters(home: Path) -> tuple[CoreSettings, MasterKey]:
    settings = ensure_secrets(CoreSettings.load(home=home))
    return settings, MasterKey(settings.master_key, settings.master_key_previous)


def rotated(environment: dict[str, str]) -> Result:
    return CliRunner().invoke(cli, ["keys", "rotate"], env=environment)


async def killed_in_the_middle(dsn: str, environment: dict[str, str], mark: bytes) -> None:
    """Ends the command between the credentials, which it has done, and the variables."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM workflow_store.variables FOR UPDATE")
            command = [sys.executable, "-m", "weft_cli.main", "keys", "rotate"]
            process = subprocess.Popen(command, env=environment, start_new_session=True)
            try:
                async with asyncio.timeout(60):
                    while "workflow_store.credentials.wrapped_key" in await sealed_with(dsn, mark):
                        assert process.poll() is None
                        await asyncio.sleep(0.05)
            finally:
                process.kill()
                process.wait()
    finally:
        await connection.close()


def test_a_rotation_that_was_killed_loses_nothing_and_goes_on(tmp_path: Path, pg_dsn: str) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "WEFT_HOME": str(home), "WEFT_DATABASE_URL": pg_dsn}
    settings, old = masters(home)
    pepper = asyncio.run(populated(pg_dsn, old))
    asyncio.run(blobs_of(settings).put("g/files/a", b"a file"))
    assert asyncio.run(sealed_with(pg_dsn, old.mark)) == EVERYTHING

    with HomeLock(home):
        running = rotated(environment)
    assert running.exit_code == 3
    assert "already runs" in running.stderr

    asyncio.run(killed_in_the_middle(pg_dsn, environment, old.mark))
    settings, both = masters(home)
    assert asyncio.run(sealed_with(pg_dsn, old.mark)) == {"workflow_store.variables.value"}
    assert asyncio.run(credentials(pg_dsn, both)) == [SECRET]
    assert asyncio.run(blobs_of(settings).get("g/files/a")) == b"a file"

    done = rotated(environment)
    assert done.exit_code == 0, done.output
    assert "1 values of the database, 1 blobs" in done.stdout
    settings, new = masters(home)
    assert not settings.master_key_previous
    assert new.mark == both.mark
    assert asyncio.run(sealed_with(pg_dsn, old.mark)) == set()
    assert asyncio.run(sealed_with(pg_dsn, new.mark)) == EVERYTHING
    assert asyncio.run(credentials(pg_dsn, new)) == [SECRET]
    assert asyncio.run(installation(pg_dsn, new)) == pepper
    assert asyncio.run(blobs_of(settings).get("g/files/a")) == b"a file"


def test_the_settings_name_both_keys_while_services_run(tmp_path: Path, pg_dsn: str) -> None:
    first, second = (SecretStr(f"the key of {day}, long enough") for day in ("yesterday", "today"))
    pepper = asyncio.run(populated(pg_dsn, MasterKey(first)))
    environment = {
        "WEFT_HOME": str(tmp_path / "home"),
        "WEFT_DATABASE_URL": pg_dsn,
        "WEFT_MASTER_KEY": second.get_secret_value(),
        "WEFT_MASTER_KEY_PREVIOUS": first.get_secret_value(),
    }
    strange = rotated({**environment, "WEFT_MASTER_KEY_PREVIOUS": "a key that sealed nothing"})
    assert strange.exit_code == 1
    assert "another WEFT_MASTER_KEY" in strange.stderr
    for changed in ("505 values", "0 values"):
        done = rotated(environment)
        assert done.exit_code == 0, done.output
        assert changed in done.stdout
    assert asyncio.run(credentials(pg_dsn, MasterKey(second))) == [SECRET]
    assert asyncio.run(installation(pg_dsn, MasterKey(second))) == pepper


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    one = CliRunner().invoke(cli, ["keys", "rotate"], env={"WEFT_HOME": home, "WEFT_MASTER_KEY": "k" * 20})
    cluster = CliRunner().invoke(
        cli, ["keys", "rotate"], env={"WEFT_HOME": home, "WEFT_KAFKA_BROKERS": "k:1"}
    )
    assert (one.exit_code, cluster.exit_code) == (3, 3)
    assert "WEFT_MASTER_KEY_PREVIOUS" in one.stderr
    assert "both keys" in cluster.stderr
    assert not Path(home).exists()

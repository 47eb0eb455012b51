"""`weft keys rotate`: everything sealed with the master key is sealed with a new one."""

import asyncio
from contextlib import AbstractContextManager, nullcontext

import click
from weft_auth.adapters import sealed as of_auth
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.blobs import Rewrapped
from weft_kit.blobs.opening import blobs_of
from weft_kit.database import Database
from weft_kit.database.migrate import migrate_all
from weft_kit.identity.resealing import reseal
from weft_kit.identity.secrets import MasterKey, begin_rotation, end_rotation, ensure_secrets
from weft_kit.settings import CoreSettings
from weft_workflow_store.adapters import sealed as of_workflow_store

from weft_cli.embedded.lock import HomeLock
from weft_cli.embedded.run import database_of


def rotate() -> int:
    """0 when nothing needs the key before; 1 where old files do. Where the settings name no key, the one in
    `<home>/secrets` is changed, and no Weft may run on that folder; else the services go on. Raises CONFLICT."""
    settings = CoreSettings.load()
    given = bool(settings.master_key)
    if given and not settings.master_key_previous:
        message = "Name the new key in WEFT_MASTER_KEY and the one before in WEFT_MASTER_KEY_PREVIOUS."
        raise WeftError(ErrorCode.CONFLICT, message)
    if not given and settings.kafka_brokers:
        message = "The services of a cluster keep no key in a folder; name both keys in the settings."
        raise WeftError(ErrorCode.CONFLICT, message)
    # a cluster's services use the database and both keys meanwhile; a folder has one process
    alone = not (given and settings.dsn)
    lock: AbstractContextManager[object] = HomeLock(settings.home) if alone else nullcontext()
    with lock:
        if not given:
            ensure_secrets(settings)
            begin_rotation(settings.home)
        settings = ensure_secrets(settings)
        with database_of(settings) as dsn:
            values, blobs = asyncio.run(_reseal(settings, dsn))
        click.echo(f"under the new key now: {values} values of the database, {blobs.changed} blobs")
        if blobs.left:
            click.echo(
                f"{blobs.left} blobs from before keys could be changed need the old key until retention removes them; "
                "it stays, then run this again"
            )
            return 1
        if not given:
            end_rotation(settings.home)
    if given:
        click.echo("WEFT_MASTER_KEY_PREVIOUS may go once no service runs without the new key")
    return 0


async def _reseal(settings: CoreSettings, dsn: str) -> tuple[int, Rewrapped]:
    await migrate_all(dsn)
    master = MasterKey(settings.master_key, settings.master_key_previous)
    database = Database(dsn)
    try:
        values = await reseal(database, master, (*of_auth.SEALED, *of_workflow_store.SEALED))
    finally:
        await database.close()
    return values, await blobs_of(settings).rewrap()

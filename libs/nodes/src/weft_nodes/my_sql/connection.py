"""A connection to MySQL or MariaDB, guarded."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.databases.failures import unusable
from weft_nodes.databases.running import Rows
from weft_nodes.databases.sql_text import Statement
from weft_nodes.my_sql.values import Reading, decoders, encode
from weft_nodes.network.ports import UNREACHABLE, port_of
from weft_nodes.network.tls import client_context
from weft_nodes.ssh_.tunnel import reached

_NO_SERVER: Final = 2003
"""The client's own code: nothing answers there."""


class Connection:
    """Runs statements. Values are quoted by the driver, by the rules of the server's mode."""

    def __init__(self, driver: Any, headers: bool) -> None:
        self._driver = driver
        self._headers = headers

    async def execute(self, statement: Statement) -> Rows | None:
        """The rows of all its results; for a statement without, None or what the server says of it."""
        rows, header = await self._run(statement)
        return rows if rows is not None or not self._headers else [header]

    async def execute_detailed(self, statement: Statement) -> Rows:
        """The text as it was sent, and rows or what the server says."""
        rows, header = await self._run(statement)
        sent = self._driver.cursor().mogrify(statement.text, _bound(statement))
        return [{"sql": sent, "data": header if rows is None else rows}]

    async def _run(self, statement: Statement) -> tuple[Rows | None, dict[str, Any]]:
        with _said():
            async with self._driver.cursor() as cursor:
                await cursor.execute(statement.text, _bound(statement))
                header = _header(cursor)
                rows: Rows | None = None
                more = True
                while more:
                    if cursor.description is not None:
                        names = [column[0] for column in cursor.description]
                        found = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
                        rows = (rows or []) + found
                    more = await cursor.nextset()
                return rows, header

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        with _said():
            await self._driver.begin()
        try:
            yield
        except BaseException:
            # without a connection there is nothing left to undo
            if self._driver.connected:
                await self._driver.rollback()
            raise
        with _said():
            await self._driver.commit()


def _bound(statement: Statement) -> tuple[Any, ...]:
    return tuple(map(encode, statement.values))


def _header(cursor: Any) -> dict[str, Any]:
    """What the server says of a statement without rows, by the names that the field has for it."""
    result = cursor._result  # noqa: SLF001 - the driver has no other way to the message
    # the text comes with the byte of its length
    info = (result.message or b"")[1:].decode(errors="replace")
    changed = re.search(r"Changed: (\d+)", info)
    return {
        "fieldCount": 0,
        "affectedRows": result.affected_rows,
        "insertId": result.insert_id or 0,
        "info": info,
        "serverStatus": result.server_status or 0,
        "warningStatus": result.warning_count,
        "changedRows": int(changed[1]) if changed else 0,
    }


@contextmanager
def _said() -> Iterator[None]:
    """Failures of the driver in words."""
    import asyncmy

    try:
        yield
    except asyncmy.errors.MySQLError as error:
        code, text = error.args if len(error.args) == 2 else ("", str(error))
        hint = f"The server's code: {code}" if code else ""
        if code == _NO_SERVER:
            hint = UNREACHABLE
        raise NodeRunError(str(text), description=hint, code="DATABASE_ERROR") from None
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise unusable(error) from None


class _NoPlainPassword:
    """A server may ask for the password itself; over a connection that anyone can read it gets none."""

    def __init__(self, _: Any) -> None:
        pass

    def authenticate(self, _: Any) -> Any:
        raise ValueError("the server asks for the password in plain text; turn on TLS")


def _tls(secret: Mapping[str, Any], host: str) -> Any:
    if secret.get("ssl") is not True:
        return None
    return client_context(
        host,
        ca=str(secret.get("caCertificate") or ""),
        certificate=str(secret.get("clientCertificate") or ""),
        key=str(secret.get("clientPrivateKey") or ""),
    )


def _seconds(secret: Mapping[str, Any], options: Mapping[str, Any]) -> float:
    """Small numbers are taken for seconds: the option's default is 30."""
    given = options.get("connectionTimeoutMillis", secret.get("connectTimeout", 10000))
    if not isinstance(given, int | float) or given <= 0:
        return 10.0
    return given / 1000 if given >= 1000 else float(given)


@asynccontextmanager
async def connect(
    ctx: Outbound,
    secret: Mapping[str, Any],
    options: Mapping[str, Any],
    reading: Reading,
    *,
    headers: bool = False,
) -> AsyncIterator[Connection]:
    """Open for one run of the node. `headers`: see `Connection.execute`."""
    host, port = str(secret.get("host", "localhost")), port_of(secret.get("port"), 3306)
    seconds = _seconds(secret, options)
    from asyncmy.constants import CLIENT
    from asyncmy.converters import conversions

    from weft_nodes.my_sql.driver import Driver

    async with reached(ctx, secret, host, port, seconds=seconds) as (address, at):
        with _said():
            tls = _tls(secret, host)
            async with asyncio.timeout(seconds):
                driver = Driver(  # type: ignore[no-untyped-call]
                    host=address,
                    port=at,
                    user=str(secret.get("user", "")),
                    password=str(secret.get("password", "")),
                    db=str(secret.get("database", "")) or None,
                    ssl=tls,
                    connect_timeout=seconds,
                    autocommit=True,
                    client_flag=CLIENT.FOUND_ROWS,
                    conv={**conversions, **decoders(reading)},
                    auth_plugin_map={}
                    if tls
                    else dict.fromkeys(("mysql_clear_password", "dialog"), _NoPlainPassword),
                )
                await driver.connect()
        try:
            yield Connection(driver, headers)
        finally:
            driver.close()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connect(ctx, secret, {"connectionTimeoutMillis": 10}, Reading()) as connection:
        await connection.execute(Statement("SELECT 1", []))

"""A connection to Microsoft SQL Server, guarded. The driver blocks, so that it works in a thread."""
# ruff: noqa: SLF001 - its public `connect` goes where servers send it

import asyncio
import os
import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import compact_json

from weft_nodes.databases.failures import unusable
from weft_nodes.databases.running import MOST_ROWS, Rows, too_many
from weft_nodes.databases.sql_text import Statement
from weft_nodes.databases.values import buffer, number
from weft_nodes.microsoft_sql.channel import establish
from weft_nodes.network.ports import port_of
from weft_nodes.network.tls import NamedContext, client_context

_VERSIONS: Final = {
    "7_4": 0x74000004,
    "7_3_B": 0x730B0003,
    "7_3_A": 0x730A0003,
    "7_2": 0x72090002,
    "7_1": 0x71000001,
}
_SAFE: Final = 2**53
_ODBC: Final = 0x02
"""The session's settings are those that ANSI asks for."""


class Connection:
    """`changed`: rows that the last statement has touched."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self.changed = 0

    async def execute(self, statement: Statement) -> Rows | None:
        """The rows of all results; None for a statement that has no rows by its nature. Raises NodeRunError."""
        with _said():
            return await asyncio.to_thread(self._execute, statement)

    def _execute(self, statement: Statement) -> Rows | None:
        found: Rows = []
        read = False
        with self._driver.cursor() as cursor:
            if statement.values:
                cursor.execute(statement.text, tuple(map(_bound, statement.values)))
            else:
                cursor.execute(statement.text)
            while True:
                if cursor.description:
                    read = True
                    names = [column[0] for column in cursor.description]
                    for row in cursor:
                        found.append({name: _plain(held) for name, held in zip(names, row, strict=True)})
                        if len(found) > MOST_ROWS:
                            raise too_many()
                if not cursor.nextset():
                    break
            self.changed = max(cursor.rowcount, 0)
        return found if read else None


def _bound(given: Any) -> Any:
    if isinstance(given, dict | list):
        return compact_json(given)
    return Decimal(repr(given)) if isinstance(given, float) else given


def _plain(held: Any) -> Any:
    """As the field knows it from JavaScript."""
    match held:
        case bool() | None | str():
            return held
        case int():
            return held if abs(held) < _SAFE else str(held)
        case float() | Decimal():
            return number(str(held))
        case datetime():
            moment = held.replace(tzinfo=UTC) if held.tzinfo is None else held.astimezone(UTC)
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return f"{held.isoformat()}T00:00:00.000Z"
        case time():
            return held.isoformat()
        case bytes() | bytearray():
            return buffer(bytes(held))
        case uuid.UUID():
            return str(held).upper()
    return str(held)


@contextmanager
def _said() -> Iterator[None]:
    """Failures of the driver in words."""
    import pytds

    try:
        yield
    except pytds.Error as error:
        text = str(error.args[0] if error.args else error)
        raise NodeRunError(text, code="DATABASE_ERROR") from None
    except (OSError, TimeoutError, ValueError) as error:
        raise unusable(error) from None


def _seconds(secret: Mapping[str, Any], name: str) -> float:
    given = secret.get(name, 15000)
    return given / 1000 if isinstance(given, int | float) and given > 0 else 15.0


def _context(secret: Mapping[str, Any], host: str) -> NamedContext | None:
    if secret.get("tls", True) is False:
        return None
    verify = secret.get("allowUnauthorizedCerts") is not True
    context = client_context(host, verify=verify, shared=False)
    # inside of this protocol there is no newer one
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _open(address: str, port: int, secret: Mapping[str, Any], context: NamedContext | None) -> Any:
    """By the driver's parts: its own `connect` goes wherever a server sends it, past the guard."""
    import pytds
    from pytds import tds_base, tls
    from pytds.connection import NonMarsConnection
    from pytds.tds_socket import _TdsSocket

    tls.establish_channel = establish
    login = tds_base._TdsLogin()
    login.client_host_name = "weft"
    login.library = login.app_name = "weft"
    login.server_name = address
    login.user_name, login.password = str(secret.get("user") or ""), str(secret.get("password") or "")
    login.database = str(secret.get("database") or "")
    login.tds_version = _VERSIONS.get(str(secret.get("tdsVersion", "7_4")), _VERSIONS["7_4"])
    login.client_lcid = 0x0409
    login.pid = os.getpid()
    login.option_flag2 = _ODBC
    login.tls_ctx = context
    login.enc_flag = 1 if context else 2
    login.client_tz = UTC
    login.connect_timeout, login.query_timeout = (
        _seconds(secret, name) for name in ("connectTimeout", "requestTimeout")
    )
    login.bytes_to_unicode = True
    sock = socket.create_connection((address, port), login.connect_timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        driver = _TdsSocket(
            sock=sock, login=login, row_strategy=pytds.tuple_row_strategy, use_tz=None, autocommit=True
        )
        route = driver.login()
        if route is not None:
            raise ValueError(
                f"the server sends its clients on to {route['server']}:{route['port']}; "
                "put that address into the credential"
            )
        sock.settimeout(login.query_timeout)
        return NonMarsConnection(pooling=False, key=(), tds_socket=driver)
    except BaseException:
        sock.close()
        raise


def _closed(opening: "asyncio.Task[Any]") -> None:
    """Of a connection that nobody waits for any more."""
    if not opening.cancelled() and opening.exception() is None:
        with suppress(Exception):
            opening.result().close()


@asynccontextmanager
async def connect(ctx: Outbound, secret: Mapping[str, Any]) -> AsyncIterator[Connection]:
    """Open for one run of the node."""
    if secret.get("domain"):
        raise NodeRunError("Sign-ins of Windows users (a domain) are not there yet", code="UNSUPPORTED")
    host, port = str(secret.get("server") or "localhost"), port_of(secret.get("port"), 1433)
    address = await ctx.connect_address(host, port)
    opening = asyncio.create_task(asyncio.to_thread(_open, address, port, secret, _context(secret, host)))
    try:
        with _said():
            driver = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(
            _closed
        )  # its thread goes on, for `connectTimeout` at most between two answers
        raise
    try:
        yield Connection(driver)
    finally:
        with suppress(Exception):  # it is of no use any more
            driver.close()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connect(ctx, secret) as connection:
        await connection.execute(Statement("SELECT 1", []))

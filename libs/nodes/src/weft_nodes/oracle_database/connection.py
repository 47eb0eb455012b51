"""A connection to Oracle Database, guarded: python-oracledb in its thin mode, which speaks the protocol itself.

A listener may send its clients on to another server, and the driver follows by itself. So it works in an event loop of
its own, in a thread, that opens connections to the address that was checked and to no other.
"""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.databases.running import MOST_ROWS, Rows, too_many
from weft_nodes.databases.sql_text import Statement
from weft_nodes.oracle_database.values import bound, plain

T = TypeVar("T")
_PORT: Final = 1521
_EASY: Final = re.compile(
    r"(?:tcp:)?(?://)?(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?(?:/(?P<service>[\w.$-]*))?"
)
"""Easy Connect: https://docs.oracle.com/en/database/oracle/oracle-database/23/netag/."""
_CALL_SECONDS: Final = 3600
"""A statement's longest round trip."""
_OPEN_SECONDS: Final = 60.0


class Target(NamedTuple):
    """What a connection string names."""

    host: str
    port: int
    service: str | None
    sid: str | None


class Out(NamedTuple):
    """A bind that the statement fills. `given`: what it holds before, for one that goes both ways."""

    kind: str
    size: int
    given: Any = None


class _GuardedLoop(asyncio.SelectorEventLoop):
    """`refused`: where the driver was sent on to."""

    def __init__(self, address: str, port: int) -> None:
        super().__init__()
        self._target = (address, port)
        self.refused = ""

    async def create_connection(self, protocol_factory: Any, *where: Any, **named: Any) -> Any:
        if where != self._target:
            self.refused = ":".join(map(str, where))
            raise ConnectionRefusedError(f"{self.refused} is another server")
        return await super().create_connection(protocol_factory, *where, **named)


class _Worker:
    """Runs coroutines of the driver in the loop's thread; who is cancelled cancels them."""

    def __init__(self, loop: _GuardedLoop) -> None:
        self.loop = loop
        self._thread = threading.Thread(target=loop.run_forever, name="oracle", daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.to_thread(self._thread.join)
        self.loop.close()


class Connection:
    """`exact`: numbers that JavaScript would round are texts."""

    def __init__(self, driver: Any, worker: _Worker, *, exact: bool = False, fetched: int = 100) -> None:
        self._driver = driver
        self._worker = worker
        self._exact = exact
        self._fetched = fetched

    async def execute(self, statement: Statement) -> Rows | None:
        """The rows; None for a statement that has none by its nature. Values stand at `:1`, `:2`, …. Raises
        NodeRunError."""
        return await self.run(statement.text, statement.values)

    async def run(self, text: str, binds: list[Any] | dict[str, Any]) -> Rows | None:
        """The same with named binds, too; those that are `Out` become one row more, under their names."""
        with _said(self._worker.loop):
            return await self._worker.run(self._run(text, binds))

    async def _run(self, text: str, binds: list[Any] | dict[str, Any]) -> Rows | None:
        with self._driver.cursor() as cursor:
            cursor.arraysize = cursor.prefetchrows = self._fetched
            cursor.outputtypehandler = _fetched_as
            given: Any = (
                {name: self._bind(cursor, held) for name, held in binds.items()}
                if isinstance(binds, dict)
                else [bound(held) for held in binds]
            )
            await cursor.execute(text, given)
            outs = {
                name: plain(given[name].getvalue(), exact=self._exact)
                for name, held in (binds.items() if isinstance(binds, dict) else ())
                if isinstance(held, Out)
            }
            if not cursor.description:
                return [outs] if outs else None
            names = [column[0] for column in cursor.description]
            rows: Rows = []
            while part := await cursor.fetchmany():
                rows += [
                    {name: plain(held, exact=self._exact) for name, held in zip(names, row, strict=True)}
                    for row in part
                ]
                if len(rows) > MOST_ROWS:
                    raise too_many()
            return rows + ([outs] if outs else [])

    @staticmethod
    def _bind(cursor: Any, held: Any) -> Any:
        import oracledb

        if not isinstance(held, Out):
            return bound(held)
        kinds = {
            "number": oracledb.DB_TYPE_NUMBER,
            "date": oracledb.DB_TYPE_TIMESTAMP,
            "boolean": oracledb.DB_TYPE_BOOLEAN,
            "json": oracledb.DB_TYPE_JSON,
            "vector": oracledb.DB_TYPE_VECTOR,
            "blob": oracledb.DB_TYPE_RAW,
        }
        made = cursor.var(kinds.get(held.kind, oracledb.DB_TYPE_VARCHAR), held.size)
        if held.given is not None:
            made.setvalue(0, bound(held.given))
        return made

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Undone as a whole by a failure."""
        self._driver.autocommit = False
        try:
            yield
        except BaseException:
            with suppress(Exception):
                await self._worker.run(self._driver.rollback())
            raise
        with _said(self._worker.loop):
            await self._worker.run(self._driver.commit())


def _fetched_as(cursor: Any, about: Any) -> Any:
    """Numbers without loss, large objects as what they hold."""
    import oracledb

    kinds = {
        oracledb.DB_TYPE_NUMBER: Decimal,
        oracledb.DB_TYPE_CLOB: oracledb.DB_TYPE_LONG,
        oracledb.DB_TYPE_NCLOB: oracledb.DB_TYPE_LONG_NVARCHAR,
        oracledb.DB_TYPE_BLOB: oracledb.DB_TYPE_LONG_RAW,
    }
    kind = kinds.get(about.type_code)
    return None if kind is None else cursor.var(kind, arraysize=cursor.arraysize)


@contextmanager
def _said(loop: _GuardedLoop | None = None) -> Iterator[None]:
    """Failures of the driver in words."""
    import oracledb

    try:
        yield
    except (oracledb.Error, OSError, TimeoutError, ValueError, OverflowError) as error:
        if loop is not None and loop.refused:
            message = (
                f"The server sends its clients on to {loop.refused}; put that address into the credential"
            )
            raise NodeRunError(message, code="DATABASE_ERROR") from None
        text = str(error).partition("\n")[0] or "the connection timed out"
        raise NodeRunError(text, code="DATABASE_ERROR") from None


def target_of(text: str) -> Target:
    """Of an Easy Connect string or a descriptor with one address. Nothing is looked up in files. Raises
    NodeRunError."""
    text = text.strip()
    if text.startswith("("):
        return _described(text)
    found = _EASY.fullmatch(text)
    if found is None:
        raise NodeRunError(
            "The connection string is none that is known: host:port/service, or (DESCRIPTION=…) with one address",
            code="CREDENTIAL_INVALID",
        )
    port = int(found["port"] or _PORT)
    if not 0 < port < 65536:
        raise NodeRunError(f"The connection string's port {port} is no port", code="CREDENTIAL_INVALID")
    return Target(found["host"].strip("[]"), port, found["service"] or None, None)


def _described(text: str) -> Target:
    import oracledb

    with _said():
        params = oracledb.ConnectParams()
        params.parse_connect_string(text)
    host, port, protocol = params.host, params.port, params.protocol
    service, sid = params.service_name, params.sid
    if not isinstance(host, str) or not isinstance(port, int) or protocol != "tcp":
        raise NodeRunError("The connection string must name one address, by tcp", code="UNSUPPORTED")
    return Target(
        host, port, service if isinstance(service, str) else None, sid if isinstance(sid, str) else None
    )


async def _opened(loop_target: tuple[str, int], target: Target, secret: Mapping[str, Any]) -> Any:
    import oracledb

    given = secret.get("transportConnectTimeout", 20)
    seconds = float(given) if isinstance(given, int | float) and given > 0 else 20.0
    mode = secret.get("privilege")
    driver = await asyncio.wait_for(
        oracledb.connect_async(
            user=str(secret.get("user") or ""),
            password=str(secret.get("password") or ""),
            host=loop_target[0],
            port=loop_target[1],
            service_name=target.service,
            sid=target.sid,
            tcp_connect_timeout=seconds,
            retry_count=0,
            mode=oracledb.AuthMode(mode) if isinstance(mode, int) and mode else None,
            program="weft",
            machine="weft",
            terminal="weft",
            osuser="weft",
        ),
        _OPEN_SECONDS,
    )
    driver.call_timeout = _CALL_SECONDS * 1000
    return driver


@asynccontextmanager
async def connect(
    ctx: Outbound, secret: Mapping[str, Any], options: Mapping[str, Any]
) -> AsyncIterator[Connection]:
    """Open for one run of the node. What is not committed by then is undone."""
    for setting, what in (("useSSL", "TLS and wallets"), ("useThickMode", "Oracle's client libraries")):
        if secret.get(setting) is True:
            raise NodeRunError(f"Connections by {what} ({setting}) are not there yet", code="UNSUPPORTED")
    target = target_of(str(secret.get("connectionString") or "localhost/orcl"))
    address = await ctx.connect_address(target.host, target.port)
    fetched = options.get("fetchArraySize", 100)
    worker = _Worker(_GuardedLoop(address, target.port))
    try:
        with _said(worker.loop):
            driver = await worker.run(_opened((address, target.port), target, secret))
        try:
            driver.autocommit = options.get("autoCommit", True) is not False
            yield Connection(
                driver,
                worker,
                exact=options.get("largeNumbersOutputAsString") is True,
                fetched=min(max(int(fetched), 1), 10_000) if isinstance(fetched, int | float) else 100,
            )
        finally:
            with suppress(Exception):  # it is of no use any more
                await asyncio.wait_for(worker.run(driver.close()), 5)
    finally:
        await worker.close()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connect(ctx, secret, {}) as connection:
        await connection.execute(Statement("SELECT 1 FROM dual", []))

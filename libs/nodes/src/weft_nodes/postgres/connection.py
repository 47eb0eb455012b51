"""A connection to PostgreSQL, guarded."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.databases.failures import unusable
from weft_nodes.databases.running import Rows
from weft_nodes.databases.sql_text import Statement
from weft_nodes.network.ports import port_of
from weft_nodes.network.tls import client_context
from weft_nodes.postgres.values import decoders, encode, reading
from weft_nodes.ssh_.tunnel import reached


class Connection:
    """Runs statements; all values travel as text, so that the server reads them as it reads literals."""

    def __init__(
        self, driver: Any, codecs: Mapping[str, Callable[[str], Any]], *, large_as_numbers: bool
    ) -> None:
        self._driver = driver
        self._codecs = codecs
        self._large_as_numbers = large_as_numbers

    async def execute(self, statement: Statement) -> Rows:
        return await self.run(statement) or []

    async def run(self, statement: Statement) -> Rows | None:
        """None for a statement that has no rows by its nature."""
        with _said():
            prepared = await self._prepared(statement.text)
            wanted = prepared.get_parameters()
            values = [
                given
                if given is None or (kind.kind == "array" and isinstance(given, list))
                else encode(given)
                for given, kind in zip(statement.values, wanted, strict=False)
            ]
            reads = [
                reading(column.type.name, large_as_numbers=self._large_as_numbers)
                for column in prepared.get_attributes()
            ]
            rows = [
                {name: read(held) for read, (name, held) in zip(reads, row.items(), strict=True)}
                for row in await prepared.fetch(*values)
            ]
            # a change that returns nothing is as one without RETURNING
            return rows if rows or prepared.get_statusmsg().startswith("SELECT") else None

    async def _prepared(self, text: str) -> Any:
        """With ranges and rows, which the driver can't read by our codecs, as texts; so are arrays of the database's
        own types, as in n8n."""
        import asyncpg

        try:
            prepared = await self._driver.prepare(text)
            columns = prepared.get_attributes()
        except asyncpg.UnsupportedClientFeatureError:
            for name in self._codecs:
                await self._driver.reset_type_codec(name, schema=_CATALOG)
            prepared = None
            columns = (await self._driver.prepare(text)).get_attributes()
            await self.set_codecs()
        if prepared is not None and not any(map(_is_odd, columns)):
            return prepared
        names = [f"c{number}" for number in range(len(columns))]
        chosen = ", ".join(
            f"{name}{'::text' if _is_odd(column) else ''} AS {identifier(column.name)}"
            for name, column in zip(names, columns, strict=True)
        )
        return await self._driver.prepare(f"WITH q({', '.join(names)}) AS ({text}\n) SELECT {chosen} FROM q")  # noqa: S608

    async def set_codecs(self) -> None:
        for name, decode in self._codecs.items():
            await self._driver.set_type_codec(
                name, schema=_CATALOG, encoder=str, decoder=decode, format="text"
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._driver.transaction():
            yield


_CATALOG: Final = "pg_catalog"


def _is_odd(column: Any) -> bool:
    kind = column.type.kind
    own = kind == "array" and column.type.schema != _CATALOG
    return own or kind in {"composite", "range", "multirange"} or column.type.name == "record"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _said() -> Iterator[None]:
    """Failures of the driver in words, with the server's hint."""
    import asyncpg

    try:
        yield
    except asyncpg.PostgresError as error:
        more = [str(text) for text in (error.detail, error.hint) if text]
        raise NodeRunError(str(error.args[0]), description=" ".join(more), code="DATABASE_ERROR") from None
    except (asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise unusable(error) from None


def _tls(secret: Mapping[str, Any], host: str) -> Any:
    if secret.get("allowUnauthorizedCerts") is True:
        return client_context(host, verify=False)
    match secret.get("ssl", "disable"):
        case "require":
            return client_context(host)
        case "allow":
            return "allow"
        case _:
            return False


@asynccontextmanager
async def connect(
    ctx: Outbound,
    secret: Mapping[str, Any],
    options: Mapping[str, Any],
    large_numbers: str,
    *,
    days: bool = False,
) -> AsyncIterator[Connection]:
    """Open for one run of the node. `large_numbers`: `text` or `numbers`, see `reading`; `days`: see `decoders`."""
    host, port = str(secret.get("host", "localhost")), port_of(secret.get("port"), 5432)
    given = options.get("connectionTimeout", 30)
    seconds = float(given) if isinstance(given, int | float) and given > 0 else 30.0
    import asyncpg

    async with reached(ctx, secret, host, port, seconds=seconds) as (address, at):
        with _said():
            driver = await asyncpg.connect(
                host=address,
                port=at,
                user=str(secret.get("user", "postgres")),
                password=str(secret.get("password", "")),
                database=str(secret.get("database", "postgres")),
                ssl=_tls(secret, host),
                timeout=seconds,
                statement_cache_size=0,  # a pooler in between would not know them
                server_settings={"timezone": "UTC", "intervalstyle": "iso_8601", "application_name": "weft"},
            )
        try:
            connection = Connection(driver, decoders(days=days), large_as_numbers=large_numbers == "numbers")
            with _said():
                await connection.set_codecs()
            yield connection
        finally:
            await driver.close(timeout=5)


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connect(ctx, secret, {"connectionTimeout": 10}, "text") as connection:
        await connection.execute(Statement("SELECT 1", []))

"""A connection to MongoDB that goes to nothing but addresses that were checked.

A cluster says by itself where its members are, and the driver would connect to what it says. So it is told to connect
to one member only; which one takes writes is asked here, and each address goes through the guard.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple

from weft_node_sdk.context import NodeRunError, Outbound

from weft_nodes.network.ports import UNREACHABLE, port_of
from weft_nodes.network.tls import NamedContext, client_context

_PORT: Final = 27017
_HOPS: Final = 8
"""Members that are asked for the one that takes writes."""
_KEPT: Final = {
    "authsource",
    "authmechanism",
    "appname",
    "retrywrites",
    "retryreads",
    "w",
    "journal",
    "wtimeoutms",
    "readconcernlevel",
    "readpreference",
}
"""Options of a connection string that reach the driver. None of the rest may: some read files of this machine or ask
the cloud it runs in for its credentials."""
_MECHANISMS: Final = {"DEFAULT", "SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN", "MONGODB-X509"}


class _Place(NamedTuple):
    hosts: list[tuple[str, int]]
    database: str
    options: dict[str, Any]
    tls: bool
    verify: bool


@contextmanager
def said() -> Iterator[None]:
    """Failures of the driver in words."""
    from bson.errors import BSONError
    from pymongo.errors import BulkWriteError, PyMongoError, ServerSelectionTimeoutError

    try:
        yield
    except BulkWriteError as error:
        failed = error.details.get("writeErrors") or [{}]
        raise NodeRunError(str(failed[0].get("errmsg") or error), code="DATABASE_ERROR") from None
    except ServerSelectionTimeoutError as error:
        # the rest tells timeouts and the driver's own view of the servers
        text = str(error).partition(" (configured timeouts")[0].partition(", Timeout: ")[0]
        text = text.replace("No servers found yet", "no server answers")
        raise NodeRunError(
            f"The database can't be reached: {text}", description=UNREACHABLE, code="DATABASE_ERROR"
        ) from None
    except PyMongoError as error:
        details = getattr(error, "details", None) or {}
        raise NodeRunError(str(details.get("errmsg") or error), code="DATABASE_ERROR") from None
    except (BSONError, OverflowError, OSError, ValueError) as error:
        raise NodeRunError(f"The database can't be used: {error}", code="DATABASE_ERROR") from None


async def _place(secret: Mapping[str, Any]) -> _Place:
    """Where to go and how. Raises NodeRunError for what may not be."""
    database = str(secret.get("database") or "")
    tls = secret.get("tls") is True
    if secret.get("configurationType") != "connectionString":
        user = str(secret.get("user") or "")
        options = {"username": user, "password": str(secret.get("password") or "")} if user else {}
        host = (str(secret.get("host") or "localhost"), port_of(secret.get("port"), _PORT))
        return _Place([host], database, options, tls, verify=True)
    found = await _parsed(str(secret.get("connectionString") or ""))
    given = {str(name).lower(): held for name, held in found["options"].items()}
    options = {name: held for name, held in given.items() if name in _KEPT}
    mechanism = str(options.get("authmechanism", "DEFAULT")).upper()
    if mechanism not in _MECHANISMS:
        raise NodeRunError(f"The authentication '{mechanism}' is not available here", code="UNSUPPORTED")
    if found["username"]:
        options |= {"username": found["username"], "password": found["password"] or ""}
    secured = tls or any(_true(given.get(name)) for name in ("tls", "ssl"))
    loose = any(
        _true(given.get(name))
        for name in ("tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "tlsinsecure")
    )
    hosts = [(str(host), int(port or _PORT)) for host, port in found["nodelist"]]
    return _Place(hosts, database or str(found["database"] or ""), options, secured, verify=not loose)


async def _parsed(text: str) -> Mapping[str, Any]:
    """The parts of a connection string; of `mongodb+srv://` the hosts that DNS names. Raises NodeRunError."""
    from pymongo.asynchronous.uri_parser import parse_uri
    from pymongo.errors import PyMongoError

    try:
        # not validated: that opens the files which the text names
        return await parse_uri(text, validate=False)
    except (PyMongoError, ValueError):
        # the library's words may have the password in them
        said_of = "The connection string can't be read, or DNS does not know its hosts"
        raise NodeRunError(said_of, code="DATABASE_ERROR") from None


def _true(given: Any) -> bool:
    return given is True or str(given).lower() == "true"


def _tls(secret: Mapping[str, Any], host: str, *, verify: bool) -> NamedContext:
    ca, certificate, key, passphrase = (
        str(secret.get(name) or "") for name in ("ca", "cert", "key", "passphrase")
    )
    return client_context(host, verify=verify, ca=ca, certificate=certificate, key=key, passphrase=passphrase)


async def _client(ctx: Outbound, secret: Mapping[str, Any], place: _Place, host: str, port: int) -> Any:
    from pymongo import AsyncMongoClient

    address = await ctx.connect_address(host, port)
    with said():
        client: Any = AsyncMongoClient(
            f"[{address}]" if ":" in address else address,
            port,
            directConnection=True,
            tls=place.tls,
            maxPoolSize=1,
            serverSelectionTimeoutMS=10_000,
            connectTimeoutMS=10_000,
            socketTimeoutMS=300_000,
            uuidRepresentation="standard",
            datetime_conversion="DATETIME_AUTO",
            tz_aware=True,
            **place.options,
        )
        if place.tls:
            # the driver makes its context from files only, and would check the address, not the name
            client.options.pool_options._PoolOptions__ssl_context = _tls(secret, host, verify=place.verify)  # noqa: SLF001
    return client


async def _writable(ctx: Outbound, secret: Mapping[str, Any], place: _Place) -> Any:
    """A client of the member that takes writes. Raises NodeRunError."""
    waiting = list(place.hosts)
    asked: set[tuple[str, int]] = set()
    failure = NodeRunError("The connection string names no host", code="DATABASE_ERROR")
    while waiting and len(asked) < _HOPS:
        host, port = waiting.pop(0)
        asked.add((host, port))
        try:
            client = await _client(ctx, secret, place, host, port)
            hello = await _hello(client)
        except NodeRunError as error:
            failure = error
            continue
        if hello.get("ismaster"):
            return client
        await client.close()
        failure = NodeRunError(f"'{host}' takes no writes and knows nobody who does", code="DATABASE_ERROR")
        told, _, number = str(hello.get("primary") or "").rpartition(":")
        primary = (told.strip("[]"), int(number)) if told and number.isdecimal() else None
        if primary and primary not in asked:
            waiting.insert(0, primary)
    raise failure


async def _hello(client: Any) -> Mapping[str, Any]:
    try:
        with said():
            found: Mapping[str, Any] = await client.admin.command("isMaster")
            return found
    except BaseException:
        await client.close()
        raise


@asynccontextmanager
async def connect(ctx: Outbound, secret: Mapping[str, Any]) -> AsyncIterator[Any]:
    """The database, open for one run of the node."""
    place = await _place(secret)
    if not place.database:
        raise NodeRunError("The credential names no database")
    client = await _writable(ctx, secret, place)
    try:
        yield client[place.database]
    finally:
        await client.close()


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the server can't be reached or does not take the credential."""
    async with connect(ctx, secret) as database:
        with said():
            await database.command("ping")

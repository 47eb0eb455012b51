"""The one file of auth that knows concrete classes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from weft_contracts import topics
from weft_contracts.messages import AuditRecorded, Envelope
from weft_contracts.rpc import auth as rpc
from weft_kit.identity.secrets import MasterKey
from weft_kit.outbox import Outbox
from weft_kit.service import AsgiApp, Infra

from weft_auth.adapters.bcrypt_hasher import BcryptHasher
from weft_auth.adapters.installation import KeptInstallation
from weft_auth.adapters.outbox import bound
from weft_auth.adapters.postgres_store import PostgresStore
from weft_auth.application.commands.accounts import Accounts
from weft_auth.application.commands.api_keys import ApiKeyCommands
from weft_auth.application.commands.sessions import Sessions
from weft_auth.application.commands.two_factor import TwoFactor
from weft_auth.application.queries.identity import IdentityQueries
from weft_auth.entrypoints.grpc import AccessServicer, AuthServicer
from weft_auth.settings import AuthSettings


def _now() -> datetime:
    return datetime.now(UTC)


class AuthService:
    name = "auth"
    asgi: AsgiApp | None = None

    def __init__(
        self,
        servicers: Mapping[type, object],
        installation: KeptInstallation,
        store: PostgresStore,
        outbox: Outbox,
    ) -> None:
        self.servicers = servicers
        self._installation = installation
        self._store = store
        self._outbox = outbox
        self._started = False

    async def record(self, envelope: Envelope) -> None:
        """Keeps an audit event, once."""
        if isinstance(envelope.body, AuditRecorded):
            async with self._store.transaction() as tx:
                await tx.audit.add(envelope.id, envelope.body)

    async def start(self) -> None:
        await self._installation.load()
        await self._outbox.start()
        self._started = True

    async def drain(self) -> None:
        """Nothing is held: calls end by themselves."""

    async def stop(self) -> None:
        await self._outbox.stop()
        self._started = False

    def ready(self) -> str:
        return "" if self._started else "not running"


def build(settings: AuthSettings, infra: Infra) -> AuthService:
    outbox = Outbox("auth", infra.bus, infra.database)
    master = MasterKey(settings.master_key, settings.master_key_previous)
    store = PostgresStore(infra.database, master, bound(outbox), outbox.wake)
    installation = KeptInstallation(infra.database, master)
    hasher = BcryptHasher(settings.password_cost)
    sessions = Sessions(
        store,
        hasher,
        installation,
        installation,
        _now,
        timedelta(minutes=settings.access_token_minutes),
        timedelta(days=settings.refresh_token_days),
    )
    accounts = Accounts(store, hasher, sessions, _now, settings.registration)
    queries = IdentityQueries(store, _now)
    two_factor = TwoFactor(store, installation, sessions, _now)
    api_keys = ApiKeyCommands(store, installation, _now)
    servicers: Mapping[type, object] = {
        rpc.Auth: AuthServicer(
            accounts, sessions, two_factor, api_keys, queries, installation, settings.registration
        ),
        rpc.Access: AccessServicer(queries),
    }
    service = AuthService(servicers, installation, store, outbox)
    infra.bus.subscribe(topics.AUDIT_EVENTS, service.record, "auth")
    return service

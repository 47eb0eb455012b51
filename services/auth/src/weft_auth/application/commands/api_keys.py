"""Keys for scripts."""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id

from weft_auth.application.ports import Clock, Installation, Store
from weft_auth.application.recording import audited
from weft_auth.domain.model import ApiKey
from weft_auth.domain.tokens import api_key_hash, api_key_prefix, check_scopes, new_api_key

MOST_KEYS = 100
_USE_IS_NOTED = timedelta(minutes=1)


class ApiKeyCommands:
    def __init__(self, store: Store, installation: Installation, clock: Clock) -> None:
        self._store = store
        self._installation = installation
        self._clock = clock

    async def create(
        self, user_id: str, name: str, scopes: Sequence[str], expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        """The key's facts and the key itself, which is not stored. No scopes: all that the user may. Raises
        VALIDATION_ERROR, CONFLICT where the user has MOST_KEYS already."""
        now, name, unique = self._clock(), name.strip(), tuple(dict.fromkeys(scopes))
        if not 1 <= len(name) <= 120:
            message = "A key needs a name of at most 120 characters."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message, field="name")
        if expires_at is not None and expires_at <= now:
            raise WeftError(ErrorCode.VALIDATION_ERROR, "The key would have expired.", field="expires_at")
        check_scopes(unique)
        key, salt = new_api_key(), secrets.token_bytes(16)
        made = ApiKey(new_id(), user_id, name, api_key_prefix(key), unique, now, expires_at, None)
        async with self._store.transaction() as tx:
            if len(await tx.api_keys.of(user_id)) >= MOST_KEYS:
                message = f"You have {MOST_KEYS} keys; delete one first."
                raise WeftError(ErrorCode.CONFLICT, message)
            await tx.api_keys.add(made, salt, api_key_hash(key, salt, self._installation.pepper))
            await tx.outbox.audit(audited(user_id, "api_key.created", "api_key", made.id, "", now, name=name))
        return made, key

    async def delete(self, user_id: str, key_id: str) -> None:
        """Raises NOT_FOUND where the user has no such key."""
        async with self._store.transaction() as tx:
            if not await tx.api_keys.remove(user_id, key_id):
                raise WeftError(ErrorCode.NOT_FOUND, "You have no such API key.")
            await tx.outbox.audit(audited(user_id, "api_key.deleted", "api_key", key_id, "", self._clock()))

    async def verify(self, key: str) -> ApiKey:
        """Raises UNAUTHENTICATED where the key is unknown, expired or revoked."""
        now, prefix = self._clock(), api_key_prefix(key)
        if prefix:
            async with self._store.transaction() as tx:
                for found, salt, digest in await tx.api_keys.by_prefix(prefix):
                    same = hmac.compare_digest(digest, api_key_hash(key, salt, self._installation.pepper))
                    if same and (found.expires_at is None or found.expires_at > now):
                        if found.last_used_at is None or now - found.last_used_at > _USE_IS_NOTED:
                            await tx.api_keys.used(found.id, now)
                        return found
        raise WeftError(ErrorCode.UNAUTHENTICATED, "The API key is not valid.")

"""Turning the second factor on and off."""

from dataclasses import replace

from weft_contracts.errors import ErrorCode, WeftError

from weft_auth.application.commands.sessions import Sessions
from weft_auth.application.ports import Clock, Installation, Store
from weft_auth.application.recording import audited
from weft_auth.domain.model import unknown_user
from weft_auth.domain.second_factor import new_recovery_codes, new_second_factor


class TwoFactor:
    def __init__(self, store: Store, installation: Installation, sessions: Sessions, clock: Clock) -> None:
        self._store = store
        self._installation = installation
        self._sessions = sessions
        self._clock = clock

    async def state(self, user_id: str) -> tuple[bool, int]:
        """Whether it is on, and how many recovery codes are left."""
        async with self._store.transaction() as tx:
            factor = await tx.second_factors.get(user_id)
        return (True, len(factor.recovery)) if factor and factor.enabled else (False, 0)

    async def set_up(self, user_id: str) -> tuple[str, str]:
        """A new secret and its URI, which counts once `enable` has seen a code of it. Raises CONFLICT where the
        second factor is on."""
        async with self._store.transaction() as tx:
            user, held = await tx.users.get(user_id), await tx.second_factors.get(user_id)
            if user is None:
                raise unknown_user()
            if held is not None and held.enabled:
                raise WeftError(ErrorCode.CONFLICT, "Two-factor sign-in is on already.")
            factor = new_second_factor()
            await tx.second_factors.put(user_id, factor)
        return factor.secret, factor.uri(user.email)

    async def enable(self, user_id: str, code: str) -> list[str]:
        """The recovery codes, shown once. Raises CONFLICT where nothing was set up, FORBIDDEN for a wrong code."""
        now, pepper = self._clock(), self._installation.pepper
        codes, digests = new_recovery_codes(pepper)
        async with self._store.transaction() as tx:
            factor = await tx.second_factors.get(user_id)
            if factor is None or factor.enabled:
                raise WeftError(ErrorCode.CONFLICT, "Set up an authenticator app first.")
            taken = factor.take(code, now, pepper)
            if taken is None:
                raise WeftError(ErrorCode.FORBIDDEN, "That is not the app's current code.", field="code")
            await tx.second_factors.put(user_id, replace(taken, enabled=True, recovery=digests))
            await tx.outbox.audit(audited(user_id, "user.two_factor_on", "user", user_id, "", now))
        return codes

    async def disable(self, user_id: str, code: str) -> None:
        """Raises FORBIDDEN for a wrong code, RATE_LIMITED after too many. Off already is no error."""
        async with self._store.transaction() as tx:
            user = await tx.users.get(user_id)
        if user is None:
            raise unknown_user()
        await self._sessions.admit(user.email, "")
        now = self._clock()
        async with self._store.transaction() as tx:
            factor = await tx.second_factors.get(user_id)
            right = factor is None or factor.take(code, now, self._installation.pepper) is not None
            if right:
                await tx.second_factors.remove(user_id)
                await tx.outbox.audit(audited(user_id, "user.two_factor_off", "user", user_id, "", now))
        if not right:
            await self._sessions.count_failure(user.email, "", user_id)
            raise WeftError(ErrorCode.FORBIDDEN, "That code is wrong.", field="code")

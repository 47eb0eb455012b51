"""Signing in, staying signed in, signing out."""

import hmac
from datetime import timedelta

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import IdentityChanged

from weft_auth.application.ports import (
    Clock,
    Installation,
    PasswordHasher,
    Store,
    TokenSigner,
    Transaction,
)
from weft_auth.application.recording import audited
from weft_auth.domain.model import Session, Tokens, User
from weft_auth.domain.tokens import RefreshToken, new_refresh_token, read_refresh_token


class Sessions:
    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        signer: TokenSigner,
        installation: Installation,
        clock: Clock,
        access_life: timedelta,
        refresh_life: timedelta,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._signer = signer
        self._installation = installation
        self._clock = clock
        self._access_life = access_life
        self._refresh_life = refresh_life

    async def sign_in(
        self, email: str, password: str, code: str, address: str, user_agent: str
    ) -> tuple[User, Tokens]:
        """Raises UNAUTHENTICATED for a wrong pair, in the same words and time whether there is such a user, and
        with `second_factor` (`required` or `wrong`) where the pair is right and the code is not; RATE_LIMITED
        with `retry_after` seconds after too many wrong ones."""
        email = email.strip().lower()
        await self.admit(email, address)
        async with self._store.transaction() as tx:
            found = await tx.users.by_email(email)
        if not await self._hasher.verify(password, found[1] if found else None) or found is None:
            await self.count_failure(email, address, found[0].id if found else "")
            raise WeftError(ErrorCode.UNAUTHENTICATED, "The e-mail or the password is wrong.")
        user = found[0]
        async with self._store.transaction() as tx:
            passed = await self._passes(tx, user.id, code)
            if passed:
                return user, await self._enter(tx, user, address, user_agent)
        await self.count_failure(email, address, user.id)
        message = "That code is wrong."
        raise WeftError(ErrorCode.UNAUTHENTICATED, message, field="code", second_factor="wrong")

    async def _enter(self, tx: Transaction, user: User, address: str, user_agent: str) -> Tokens:
        await tx.failures.clear(_account(user.email))
        tokens = await self.open(tx, user.id, address, user_agent)
        await tx.outbox.audit(audited(user.id, "session.opened", "user", user.id, "", self._clock(), address))
        return tokens

    async def _passes(self, tx: Transaction, user_id: str, code: str) -> bool:
        """Uses the code up where the user has a second factor. Raises UNAUTHENTICATED where there is none to
        use."""
        factor = await tx.second_factors.get(user_id)
        if factor is None or not factor.enabled:
            return True
        if not code.strip():
            message = "Give the code of your authenticator app, or a recovery code."
            raise WeftError(ErrorCode.UNAUTHENTICATED, message, field="code", second_factor="required")
        taken = factor.take(code, self._clock(), self._installation.pepper)
        if taken is not None:
            await tx.second_factors.put(user_id, taken)
        return taken is not None

    async def admit(self, email: str, address: str) -> None:
        """Raises RATE_LIMITED while the account or the address has to wait."""
        now = self._clock()
        async with self._store.transaction() as tx:
            waits = [
                failures.wait(kind, now)
                for kind, subject in _subjects(email, address)
                if (failures := await tx.failures.of(subject)) is not None
            ]
        wait = max(waits, default=0.0)
        if wait > 0:
            message = f"Too many wrong passwords; try again in {wait:.0f} s."
            raise WeftError(ErrorCode.RATE_LIMITED, message, retry_after=wait)

    async def count_failure(self, email: str, address: str, user_id: str = "") -> None:
        now = self._clock()
        async with self._store.transaction() as tx:
            for _, subject in _subjects(email, address):
                await tx.failures.count(subject, now)
            await tx.outbox.audit(audited(user_id, "session.refused", "user", user_id, "", now, address))

    async def open(self, tx: Transaction, user_id: str, address: str, user_agent: str) -> Tokens:
        """A new family of refresh tokens, in the caller's transaction."""
        token = new_refresh_token(new_id())
        now = self._clock()
        session = Session(token.session_id, user_id, token.hash, now + self._refresh_life, revoked=False)
        await tx.sessions.add(session, address, user_agent, now)
        return self._tokens(user_id, token)

    async def refresh(self, text: str) -> tuple[User, Tokens]:
        """New tokens for the newest refresh token of a family. An older one has been stolen or its thief is
        faster: the family ends. Raises UNAUTHENTICATED."""
        token = read_refresh_token(text)
        renewed = None
        if token is not None:
            async with self._store.transaction() as tx:
                renewed = await self._rotate(tx, token)
        if renewed is None:
            raise WeftError(ErrorCode.UNAUTHENTICATED, "The session has ended; sign in again.")
        return renewed

    async def _rotate(self, tx: Transaction, token: RefreshToken) -> tuple[User, Tokens] | None:
        now = self._clock()
        session = await tx.sessions.get(token.session_id)
        if session is None or session.revoked or session.expires_at <= now:
            return None
        if not hmac.compare_digest(session.token_hash, token.hash):
            await self._end(tx, session, "session.token_reused")
            return None
        user = await tx.users.get(session.user_id)
        if user is None:
            return None
        fresh = new_refresh_token(session.id)
        await tx.sessions.rotate(session.id, fresh.hash, now + self._refresh_life, now)
        return user, self._tokens(user.id, fresh)

    async def sign_out(self, text: str, everywhere: bool, user_id: str) -> None:
        """Ends the token's session, or all of its user's. `user_id`: the caller, for whom no token is needed
        to end all. An unknown token is no error: it is signed out already."""
        token = read_refresh_token(text)
        async with self._store.transaction() as tx:
            session = await tx.sessions.get(token.session_id) if token else None
            if (
                session is not None
                and token is not None
                and hmac.compare_digest(session.token_hash, token.hash)
            ):
                user_id = session.user_id
                await tx.sessions.revoke(session.id)
            if everywhere and user_id:
                await tx.sessions.revoke_all(user_id)
            if user_id:
                action = "session.closed_everywhere" if everywhere else "session.closed"
                await tx.outbox.identity(IdentityChanged(user_id, "signed_out"))
                await tx.outbox.audit(audited(user_id, action, "user", user_id, "", self._clock()))

    async def revoke(self, user_id: str, session_id: str) -> None:
        """Raises NOT_FOUND where the user has no such session."""
        async with self._store.transaction() as tx:
            session = await tx.sessions.get(session_id)
            if session is None or session.user_id != user_id:
                raise WeftError(ErrorCode.NOT_FOUND, "You have no such session.")
            await self._end(tx, session, "session.revoked")

    async def _end(self, tx: Transaction, session: Session, action: str) -> None:
        await tx.sessions.revoke(session.id)
        await tx.outbox.identity(IdentityChanged(session.user_id, "signed_out"))
        await tx.outbox.audit(audited(session.user_id, action, "session", session.id, "", self._clock()))

    def _tokens(self, user_id: str, refresh: RefreshToken) -> Tokens:
        seconds = int(self._access_life.total_seconds())
        return Tokens(self._signer.sign(user_id, self._clock(), seconds), refresh.text, seconds)


def _account(email: str) -> str:
    return f"account:{email[:254]}"


def _subjects(email: str, address: str) -> list[tuple[str, str]]:
    subjects = [("account", _account(email))]
    return [*subjects, ("address", f"address:{address}")] if address else subjects

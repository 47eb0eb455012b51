"""Snowflake by its SQL API: https://docs.snowflake.com/en/developer-guide/sql-api/.

Each call stands alone: what a statement sets (`USE`, temporary tables, transactions) holds for the statements that
are sent with it, not for later ones.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outbound, RunContext
from weft_node_sdk.credentials import Authentication, tokens_of
from weft_node_sdk.values import compact_json, number_text

from weft_nodes.databases.running import Rows
from weft_nodes.databases.sql_text import Statement
from weft_nodes.network.rest import Rest, read
from weft_nodes.snowflake.values import row

_PLACE: Final = "/api/v2/statements"
_LONGEST: Final = 2 * 24 * 3600.0
"""Seconds: what Snowflake lets a statement run by default."""
_LIFE: Final = 3540
"""Seconds that a signed token holds; an hour is the most."""
Renew = Callable[[str], Awaitable[Authentication]]


@dataclass(frozen=True)
class Connection:
    """`defaults`: database, schema, warehouse, role. `renew`: for a token that has run out."""

    ctx: RunContext | None
    rest: Rest
    defaults: Mapping[str, str]
    renew: Renew | None = None

    async def execute(self, statement: Statement) -> Rows | None:
        """None for a statement that has no rows by its nature. Without values the text may hold several statements;
        the rows of all are given. Raises NodeRunError."""
        body: dict[str, Any] = {"statement": statement.text, **self.defaults}
        if statement.values:
            body["bindings"] = {
                str(number): _bound(held) for number, held in enumerate(statement.values, start=1)
            }
        else:
            body["parameters"] = {"MULTI_STATEMENT_COUNT": "0"}
        first = await self._finished(await self._ask("POST", _PLACE, body=body))
        handles = first.get("statementHandles")
        if not isinstance(handles, list):
            return await self._rows(first)
        found: Rows = []
        for handle in handles:
            found += await self._rows(await self._finished(await self._ask("GET", f"{_PLACE}/{handle}")))
        return found

    async def _finished(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer once the statement has ended; while it runs there is no result."""
        clock = asyncio.get_running_loop()
        end, pause = clock.time() + _LONGEST, 0.2
        while "resultSetMetaData" not in answer and "statementHandles" not in answer:
            handle = answer.get("statementHandle")
            if not handle or clock.time() > end:
                raise NodeRunError("Snowflake: the statement does not end", code="TIMEOUT")
            try:
                if self.ctx is not None:
                    await self.ctx.checkpoint()
                await asyncio.sleep(pause)
            except BaseException:
                with suppress(NodeRunError):
                    await self._ask("POST", f"{_PLACE}/{handle}/cancel")
                raise
            pause = min(pause * 2, 10.0)
            answer = await self._ask("GET", f"{_PLACE}/{handle}")
        return answer

    async def _rows(self, first: Mapping[str, Any]) -> Rows:
        about = first.get("resultSetMetaData") or {}
        columns = about.get("rowType") or []
        found = [row(columns, each) for each in first.get("data") or []]
        for partition in range(1, len(about.get("partitionInfo") or [])):
            place = f"{_PLACE}/{first.get('statementHandle')}"
            page = await self._ask("GET", place, query={"partition": partition})
            found += [row(columns, each) for each in page.get("data") or []]
        return found

    async def _ask(
        self, method: str, place: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> dict[str, Any]:
        headers = [("accept", "application/json"), ("user-agent", "weft")]
        rest = self.rest
        answer = await rest.answer(method, place, query, body, headers)
        if answer.status == 401 and self.renew is not None and rest.added.access_token:
            fresh = await self.renew(rest.added.access_token)
            answer = await replace(rest, added=fresh).answer(method, place, query, body, headers)
        found = read(answer)
        if answer.status >= 400 or not isinstance(found, dict):
            told = found.get("message") if isinstance(found, dict) else ""
            raise NodeRunError(
                f"Snowflake: {told or answer.reason or f'status {answer.status}'}",
                code="AUTHENTICATION_FAILED" if answer.status == 401 else "DATABASE_ERROR",
                http_status=answer.status,
            )
        return found


def _bound(given: Any) -> dict[str, Any]:
    """A value of a statement, with its type."""
    if isinstance(given, bool):
        return {"type": "BOOLEAN", "value": "true" if given else "false"}
    if isinstance(given, int):
        return {"type": "FIXED", "value": str(given)}
    if isinstance(given, float):
        return {"type": "REAL", "value": number_text(given)}
    if isinstance(given, dict | list):
        return {"type": "TEXT", "value": compact_json(given)}
    return {"type": "TEXT", "value": given}


def signed(account: str, user: str, key: str, passphrase: str) -> str:
    """A token of a key pair. Raises NodeRunError where the key can't be read."""
    import jwt
    from cryptography.hazmat.primitives import serialization as form

    text = key.strip().replace("\\n", "\n")
    try:
        private = form.load_pem_private_key(text.encode(), passphrase.encode() or None)
    except (ValueError, TypeError):
        raise NodeRunError(
            "The private key can't be read, or the passphrase is not its own", code="CREDENTIAL_INVALID"
        ) from None
    public = private.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    print_ = base64.b64encode(hashlib.sha256(public).digest()).decode()
    # of a locator with its region, the locator
    name = f"{account.partition('.')[0].upper()}.{user.upper()}"
    now = int(time.time())
    claim = {"iss": f"{name}.SHA256:{print_}", "sub": name, "iat": now, "exp": now + _LIFE}
    try:
        return jwt.encode(claim, private, "RS256")  # type: ignore[arg-type]
    except (TypeError, jwt.PyJWTError):
        raise NodeRunError("Snowflake takes RSA keys only", code="CREDENTIAL_INVALID") from None


def _named(secret: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {name: str(secret[name]) for name in names if secret.get(name)}


def _host(secret: Mapping[str, Any]) -> str:
    account = str(secret.get("account") or "").strip()
    host = str(secret.get("host") or "").strip() or (account and f"{account}.snowflakecomputing.com")
    if not host:
        raise NodeRunError("The credential names no account", code="CREDENTIAL_INVALID")
    return host


async def by_secret(ctx: Outbound, secret: Mapping[str, Any], run: RunContext | None = None) -> Connection:
    """By a key pair, or a programmatic access token."""
    host = _host(secret)

    async def added(_: str = "") -> Authentication:
        signs = secret.get("authentication", "password") == "keyPair"
        if signs:
            parts = (
                str(secret.get(name) or "") for name in ("account", "username", "privateKey", "passphrase")
            )
            token, kind = await asyncio.to_thread(signed, *parts), "KEYPAIR_JWT"
        else:
            token, kind = str(secret.get("password") or ""), "PROGRAMMATIC_ACCESS_TOKEN"
        headers = [("authorization", f"Bearer {token}"), ("X-Snowflake-Authorization-Token-Type", kind)]
        return Authentication(headers, hosts=[host], access_token=token if signs else "")

    rest = Rest(ctx.http, "Snowflake", f"https://{host}", await added(), {})
    return Connection(run, rest, _named(secret, ("database", "schema", "warehouse", "role")), added)


async def by_sign_in(ctx: RunContext) -> Connection:
    kind = "snowflakeOAuth2Api"

    async def added(stale: str = "") -> Authentication:
        found = await ctx.authentication(kind, stale)
        if not found.access_token and not tokens_of(found.secret):
            raise NodeRunError("The credential is not signed in", code="AUTHENTICATION_FAILED")
        return replace(found, headers=[*found.headers, ("X-Snowflake-Authorization-Token-Type", "OAUTH")])

    first = await added()
    rest = Rest(ctx.http, "Snowflake", f"https://{_host(first.secret)}", first, {})
    return Connection(ctx, rest, _named(first.secret, ("database", "schema", "warehouse")), added)


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the account can't be reached or does not take the credential."""
    await (await by_secret(ctx, secret)).execute(Statement("SELECT 1", []))

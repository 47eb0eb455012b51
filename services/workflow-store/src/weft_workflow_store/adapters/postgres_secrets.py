"""Credentials and variables: kept in PostgreSQL, sealed, opened for those who may."""

from dataclasses import replace
from typing import Any

import asyncpg
import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import AuditRecorded, CredentialChanged
from weft_kit.identity.access import AccessPolicy
from weft_kit.items import dumps_js, loads_js
from weft_kit.rpc import caller
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.credentials import TOKENS, patched, readable

from weft_workflow_store.adapters.envelope import Envelope
from weft_workflow_store.adapters.postgres import Store, Transaction
from weft_workflow_store.domain.secrets import (
    Credential,
    Variable,
    check_name,
    check_secret,
    check_variable,
    has_tokens,
    value_of,
)


def credential_of(row: Any) -> Credential:
    return Credential(
        row["id"],
        row["project_id"],
        row["created_by"],
        row["name"],
        row["type"],
        row["created_at"],
        row["updated_at"],
        row["connected_at"],
    )


class Credentials:
    def __init__(self, store: Store, policy: AccessPolicy, envelope: Envelope, catalogue: Catalogue) -> None:
        self._store = store
        self._policy = policy
        self._envelope = envelope
        self._catalogue = catalogue

    async def create(self, project_id: str, name: str, kind: str, data: bytes) -> Credential:
        project_id = project_id or await self._policy.default_project()
        await self._policy.require(project_id, "credential:create")
        check_name("name", name)
        check_name("type", kind)
        credential_id = new_id()
        wrapped, sealed = self._envelope.seal(credential_id, check_secret(data))
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "INSERT INTO workflow_store.credentials "
                "(id, project_id, created_by, name, type, wrapped_key, data, connected_at) "
                "VALUES ($1,$2,$3,$4,$5,$6,$7, CASE WHEN $8 THEN now() END) RETURNING *",
                credential_id,
                project_id,
                caller().user_id,
                name,
                kind,
                wrapped,
                sealed,
                has_tokens(data),
            )
            await self._tell(tx, credential_id, project_id, "created")
            return credential_of(row)

    async def page(
        self, projects: list[str], kind: str, search: str, limit: int, offset: int
    ) -> tuple[list[Credential], int]:
        mine = await self._policy.projects("credential:read")
        wanted = [each for each in projects if each in mine] if projects else mine
        where = (
            "project_id = ANY($1) AND ($2 = '' OR type = $2) "
            "AND ($3 = '' OR position(lower($3) in lower(name)) > 0)"
        )
        async with self._store.transaction() as tx:
            total = await tx.connection.fetchval(
                f"SELECT count(*) FROM workflow_store.credentials WHERE {where}",  # noqa: S608
                wanted,
                kind,
                search,
            )
            rows = await tx.connection.fetch(
                f"SELECT * FROM workflow_store.credentials WHERE {where} "  # noqa: S608
                f"ORDER BY lower(name), id LIMIT {limit} OFFSET {offset}",
                wanted,
                kind,
                search,
            )
        return [credential_of(row) for row in rows], int(total)

    async def get(self, credential_id: str) -> tuple[Credential, bytes, list[str]]:
        """With its fields that are no secrets (JSON, empty for who may not change it), and the names of those that
        are."""
        async with self._store.transaction() as tx:
            row = await self.mine(tx, credential_id, "credential:read")
        try:
            await self._policy.require(row["project_id"], "credential:update")
        except WeftError as error:
            if error.code is not ErrorCode.FORBIDDEN:
                raise
            return credential_of(row), b"", []
        secret = loads_js(self._opened(row))
        secret.pop(TOKENS, None)
        shown, kept = readable(self._catalogue.credential_type(row["type"]), secret)
        return credential_of(row), dumps_js(shown), kept

    async def update(
        self, credential_id: str, name: str | None, data: bytes | None, *, partial: bool = False
    ) -> Credential:
        """`partial`: `data` changes the fields that it names; else it replaces all. Raises VALIDATION_ERROR, too, where
        secrets would be kept for another place, see `patched`."""
        async with self._store.transaction() as tx:
            row = await self.mine(tx, credential_id, "credential:update")
            if name is not None:
                row = await tx.connection.fetchrow(
                    "UPDATE workflow_store.credentials SET name = $2, updated_at = now() WHERE id = $1 RETURNING *",
                    credential_id,
                    check_name("name", name),
                )
            if data is not None and partial:
                check_secret(data)
                held = loads_js(self._opened(row))
                definition = self._catalogue.credential_type(row["type"])
                after = patched(definition, held, loads_js(data or b"{}"))
                data = None if after == held else dumps_js(after)
            if data is not None:
                # who is about to put new tokens in has got them for the old secrets
                row = await tx.connection.fetchrow(
                    "UPDATE workflow_store.credentials SET wrapped_key = $2, data = $3, updated_at = now(), "
                    "lease = '', sign_in = NULL, connected_at = CASE WHEN $4 THEN now() END WHERE id = $1 RETURNING *",
                    credential_id,
                    *self._envelope.seal(credential_id, check_secret(data)),
                    has_tokens(data),
                )
            await self._tell(tx, credential_id, row["project_id"], "updated")
            return credential_of(row)

    async def delete(self, credential_id: str) -> None:
        async with self._store.transaction() as tx:
            row = await self.mine(tx, credential_id, "credential:delete")
            await tx.connection.execute("DELETE FROM workflow_store.credentials WHERE id = $1", credential_id)
            await self._tell(tx, credential_id, row["project_id"], "deleted")

    async def decrypt(self, credential_id: str, project_id: str) -> tuple[Credential, bytes]:
        """For a task of the project. Raises NOT_FOUND."""
        async with self._store.transaction() as tx:
            row = await tx.connection.fetchrow(
                "SELECT * FROM workflow_store.credentials WHERE id = $1 AND project_id = $2",
                credential_id,
                project_id,
            )
        if row is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such credential in this project.")
        return credential_of(row), self._opened(row)

    def _opened(self, row: Any) -> bytes:
        return self._envelope.open(row["id"], row["wrapped_key"], row["data"])

    async def mine(self, tx: Transaction, credential_id: str, action: str) -> Any:
        """The row, locked. Raises NOT_FOUND, FORBIDDEN."""
        projects = await self._policy.projects()
        row = await tx.connection.fetchrow(
            "SELECT * FROM workflow_store.credentials WHERE id = $1 AND project_id = ANY($2) FOR UPDATE",
            credential_id,
            projects,
        )
        if row is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such credential.", id=credential_id)
        await self._policy.require(row["project_id"], action)
        return row

    @staticmethod
    async def _tell(tx: Transaction, credential_id: str, project_id: str, action: Any) -> None:
        await tx.tell_credential(CredentialChanged(credential_id, project_id, action))
        by = caller().user_id
        await tx.audit(AuditRecorded(by, f"credential.{action}", "credential", credential_id, project_id))


class Variables:
    def __init__(self, store: Store, policy: AccessPolicy, envelope: Envelope) -> None:
        self._store = store
        self._policy = policy
        self._envelope = envelope

    async def of(self, project_id: str) -> list[Variable]:
        """Secret ones without their value."""
        project_id = await self._allowed(project_id, "variable:read")
        return [
            Variable(project_id, each.key, "" if each.is_secret else each.value, each.type, each.is_secret)
            for each in await self._all(project_id)
        ]

    async def put(self, variable: Variable, *, create: bool) -> Variable:
        action = "variable:create" if create else "variable:update"
        variable = replace(variable, project_id=await self._allowed(variable.project_id, action))
        check_variable(variable)
        sealed = self._envelope.seal_value(variable.value)
        conflict = (
            ""
            if create
            else (
                " ON CONFLICT (project_id, key) DO UPDATE SET value = excluded.value, type = excluded.type, "
                "is_secret = excluded.is_secret, updated_at = now()"
            )
        )
        async with self._store.transaction() as tx:
            try:
                await tx.connection.execute(
                    "INSERT INTO workflow_store.variables (project_id, key, value, type, is_secret) "  # noqa: S608
                    f"VALUES ($1,$2,$3,$4,$5){conflict}",
                    variable.project_id,
                    variable.key,
                    sealed,
                    variable.type,
                    variable.is_secret,
                )
            except asyncpg.UniqueViolationError:
                message = f"There is a variable {variable.key} already."
                raise WeftError(ErrorCode.CONFLICT, message, key=variable.key) from None
        return variable

    async def delete(self, project_id: str, key: str) -> None:
        project_id = await self._allowed(project_id, "variable:delete")
        async with self._store.transaction() as tx:
            gone = await tx.connection.fetchval(
                "DELETE FROM workflow_store.variables WHERE project_id = $1 AND key = $2 RETURNING true",
                project_id,
                key,
            )
        if not gone:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such variable.", key=key)

    async def _allowed(self, project_id: str, action: str) -> str:
        """The project, the caller's default one where none is named."""
        project_id = project_id or await self._policy.default_project()
        await self._policy.require(project_id, action)
        return project_id

    async def values(self, project_id: str) -> bytes:
        """`$vars` of a project, JSON."""
        return orjson.dumps({each.key: value_of(each) for each in await self._all(project_id)})

    async def _all(self, project_id: str) -> list[Variable]:
        async with self._store.transaction() as tx:
            rows = await tx.connection.fetch(
                "SELECT * FROM workflow_store.variables WHERE project_id = $1 ORDER BY key", project_id
            )
        return [
            Variable(
                project_id, row["key"], self._envelope.open_value(row["value"]), row["type"], row["is_secret"]
            )
            for row in rows
        ]

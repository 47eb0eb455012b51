"""Workflows, versions, routes and schedules in PostgreSQL; each object lives as long as its transaction."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from weft_contracts import topics
from weft_contracts.ids import new_id
from weft_contracts.messages import (
    AnyWorkflowEvent,
    AuditRecorded,
    CredentialChanged,
    Envelope,
    Message,
    Route,
    ScheduleRule,
)
from weft_kit.database import Database, database_errors
from weft_kit.outbox import Outbox

from weft_workflow_store.domain.document import Document
from weft_workflow_store.domain.inspection import Issue
from weft_workflow_store.domain.routing import path_key
from weft_workflow_store.domain.workflow import PublishedRoute, PublishedSchedule, Tag, Version, Workflow

_SORTS: Final = {"name": "lower(name)", "created_at": "created_at", "updated_at": "updated_at"}
_NO_DOCUMENT: Final = (
    "id, project_id, created_by, name, description, ''::bytea AS document, content_hash, version_id, version, "
    "published_version_id, published_version, seq, issues, node_count, tags, source_id, created_at, updated_at, "
    "deleted_at, archived_at"
)


def _workflow(row: Any) -> Workflow:
    return Workflow(
        id=row["id"],
        project_id=row["project_id"],
        created_by=row["created_by"],
        name=row["name"],
        description=row["description"],
        is_active=row["published_version_id"] is not None,
        document=row["document"],
        content_hash=row["content_hash"],
        version_id=row["version_id"],
        version=row["version"],
        published_version_id=row["published_version_id"],
        published_version=row["published_version"],
        seq=row["seq"],
        issues=tuple(msgspec.json.decode(row["issues"], type=list[Issue])),
        node_count=row["node_count"],
        tags=list(row["tags"]),
        source_id=row["source_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
        is_archived=row["archived_at"] is not None,
    )


def _version(row: Any) -> Version:
    return Version(
        row["id"],
        row["workflow_id"],
        row["project_id"],
        row["version"],
        row["document"],
        row["content_hash"],
        row["created_at"],
        row["created_by"],
    )


class Transaction:
    def __init__(self, connection: Any, outbox: Outbox) -> None:
        self.connection = connection
        self._outbox = outbox

    # --- workflows --------------------------------------------------------------------------------------

    async def add(
        self,
        workflow_id: str,
        project_id: str,
        by: str,
        document: Document,
        name: str,
        issues: list[Issue],
        key: str,
    ) -> bool:
        """False where the key was used before."""
        added = await self.connection.fetchval(
            "INSERT INTO workflow_store.workflows (id, project_id, created_by, name, description, document, "
            "content_hash, version_id, issues, node_count, tags, source_id, idempotency_key) "
            "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13) ON CONFLICT DO NOTHING RETURNING true",
            workflow_id,
            project_id,
            by,
            name,
            document.description,
            document.text,
            document.content_hash,
            new_id(),
            msgspec.json.encode(issues),
            len(document.nodes),
            document.tags,
            document.source_id,
            key or None,
        )
        return bool(added)

    async def by_key(self, by: str, key: str) -> Workflow | None:
        row = await self.connection.fetchrow(
            "SELECT * FROM workflow_store.workflows WHERE created_by = $1 AND idempotency_key = $2", by, key
        )
        return _workflow(row) if row else None

    async def get(
        self, workflow_id: str, projects: Sequence[str] | None, *, lock: bool = False, deleted: bool = False
    ) -> Workflow | None:
        """`projects` None: of any."""
        row = await self.connection.fetchrow(
            "SELECT * FROM workflow_store.workflows WHERE id = $1 "  # noqa: S608
            "AND ($2::text[] IS NULL OR project_id = ANY($2)) "
            f"AND (deleted_at IS NULL OR $3) {'FOR UPDATE' if lock else ''}",
            workflow_id,
            projects,
            deleted,
        )
        return _workflow(row) if row else None

    async def by_source(self, project_id: str, source_id: str) -> Workflow | None:
        """The newest workflow that was imported from that id."""
        row = await self.connection.fetchrow(
            "SELECT * FROM workflow_store.workflows WHERE project_id = $1 AND source_id = $2 "
            "AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 1",
            project_id,
            source_id,
        )
        return _workflow(row) if row else None

    async def page(
        self,
        projects: Sequence[str],
        *,
        search: str,
        active: bool | None,
        tag: str,
        archived: bool,
        sort: str,
        limit: int,
        offset: int,
    ) -> tuple[list[Workflow], int]:
        where = (
            "project_id = ANY($1) AND deleted_at IS NULL AND ($2 = '' OR name ILIKE '%' || $2 || '%') "
            "AND ($3::boolean IS NULL OR (published_version_id IS NOT NULL) = $3) AND ($4 = '' OR $4 = ANY(tags)) "
            "AND (archived_at IS NOT NULL) = $5"
        )
        search = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        arguments = (list(projects), search, active, tag, archived)
        total = await self.connection.fetchval(
            f"SELECT count(*) FROM workflow_store.workflows WHERE {where}",  # noqa: S608
            *arguments,
        )
        column = _SORTS.get(sort.lstrip("-"), "updated_at")
        descending = sort.startswith("-") or not sort
        rows = await self.connection.fetch(
            f"SELECT {_NO_DOCUMENT} FROM workflow_store.workflows WHERE {where} "  # noqa: S608
            f"ORDER BY {column} {'DESC' if descending else ''}, id LIMIT {limit} OFFSET {offset}",
            *arguments,
        )
        return [_workflow(row) for row in rows], int(total)

    async def write_draft(self, workflow_id: str, document: Document, name: str, issues: list[Issue]) -> None:
        await self.connection.execute(
            "UPDATE workflow_store.workflows SET document = $2, content_hash = $3, version_id = $4, name = $5, "
            "description = $6, issues = $7, node_count = $8, tags = $9, updated_at = now() WHERE id = $1",
            workflow_id,
            document.text,
            document.content_hash,
            new_id(),
            name,
            document.description,
            msgspec.json.encode(issues),
            len(document.nodes),
            document.tags,
        )

    async def credential_ids(self, project_id: str, ids: Sequence[str]) -> set[str]:
        """Which of the ids are credentials of the project."""
        rows = await self.connection.fetch(
            "SELECT id FROM workflow_store.credentials WHERE project_id = $1 AND id = ANY($2::text[])",
            project_id,
            list(ids),
        )
        return {row["id"] for row in rows}

    async def set_deleted(self, workflow_id: str, deleted: bool) -> None:
        await self.connection.execute(
            "UPDATE workflow_store.workflows SET deleted_at = CASE WHEN $2 THEN now() END, updated_at = now() "
            "WHERE id = $1",
            workflow_id,
            deleted,
        )

    async def set_archived(self, workflow_id: str, archived: bool) -> None:
        await self.connection.execute(
            "UPDATE workflow_store.workflows SET archived_at = CASE WHEN $2 THEN now() END, updated_at = now() "
            "WHERE id = $1",
            workflow_id,
            archived,
        )

    async def next_seq(self, workflow_id: str) -> int:
        return int(
            await self.connection.fetchval(
                "UPDATE workflow_store.workflows SET seq = seq + 1 WHERE id = $1 RETURNING seq", workflow_id
            )
        )

    # --- versions ---------------------------------------------------------------------------------------

    async def snapshot(self, workflow: Workflow, by: str) -> Version:
        """The draft as an immutable version; the newest one where nothing changed. The workflow is locked."""
        newest = await self.connection.fetchrow(
            "SELECT * FROM workflow_store.versions WHERE workflow_id = $1 ORDER BY version DESC LIMIT 1",
            workflow.id,
        )
        if newest is not None and newest["content_hash"] == workflow.content_hash:
            return _version(newest)
        number = newest["version"] + 1 if newest is not None else 1
        taken = await self.connection.fetchval(
            "SELECT true FROM workflow_store.versions WHERE id = $1", workflow.version_id
        )
        row = await self.connection.fetchrow(
            "INSERT INTO workflow_store.versions "
            "(id, workflow_id, project_id, version, document, content_hash, created_by) "
            "VALUES ($1,$2,$3,$4,$5,$6,$7) RETURNING *",
            new_id() if taken else workflow.version_id,
            workflow.id,
            workflow.project_id,
            number,
            workflow.document,
            workflow.content_hash,
            by,
        )
        await self.connection.execute(
            "UPDATE workflow_store.workflows SET version = $2 WHERE id = $1", workflow.id, number
        )
        return _version(row)

    async def keep(self, project_id: str, document: bytes, content_hash: bytes) -> Version:
        """The document as the only version of no workflow, under an id that it alone has in its project."""
        mark = hashlib.sha256(project_id.encode() + content_hash).hexdigest()[:32]
        await self.connection.execute(
            "INSERT INTO workflow_store.versions "
            "(id, workflow_id, project_id, version, document, content_hash, created_by) "
            "VALUES ($1,$1,$2,1,$3,$4,'') ON CONFLICT DO NOTHING",
            mark,
            project_id,
            document,
            content_hash,
        )
        row = await self.connection.fetchrow("SELECT * FROM workflow_store.versions WHERE id = $1", mark)
        return _version(row)

    async def version(self, version_id: str) -> Version | None:
        row = await self.connection.fetchrow(
            "SELECT * FROM workflow_store.versions WHERE id = $1", version_id
        )
        return _version(row) if row else None

    async def version_number(self, workflow_id: str, number: int) -> Version | None:
        row = await self.connection.fetchrow(
            "SELECT * FROM workflow_store.versions WHERE workflow_id = $1 AND version = $2",
            workflow_id,
            number,
        )
        return _version(row) if row else None

    async def versions(self, workflow_id: str) -> list[Version]:
        rows = await self.connection.fetch(
            "SELECT id, workflow_id, project_id, version, ''::bytea AS document, content_hash, created_by, created_at "
            "FROM workflow_store.versions WHERE workflow_id = $1 ORDER BY version DESC",
            workflow_id,
        )
        return [_version(row) for row in rows]

    # --- publishing ---------------------------------------------------------------------------------------

    async def unpublish(self, workflow_id: str) -> None:
        for table in ("webhooks", "schedules"):
            await self.connection.execute(
                f"DELETE FROM workflow_store.{table} WHERE workflow_id = $1",  # noqa: S608
                workflow_id,
            )
        await self.connection.execute(
            "UPDATE workflow_store.workflows SET published_version_id = NULL, published_version = 0, "
            "updated_at = now() WHERE id = $1",
            workflow_id,
        )

    async def claim(self, route: Route, version: Version, seq: int) -> tuple[str, str] | None:
        """None, or the (project, workflow) that has the address already."""
        taken = await self.connection.fetchrow(
            "INSERT INTO workflow_store.webhooks VALUES ($1,$2,$3,$4,$5,$6,$7,$8) "
            "ON CONFLICT (method, path_key) DO UPDATE SET method = webhooks.method "
            "RETURNING project_id, workflow_id",
            route.method,
            path_key(route.path),
            route.path,
            version.workflow_id,
            version.project_id,
            version.id,
            seq,
            msgspec.json.encode(route),
        )
        other = taken["workflow_id"] != version.workflow_id
        return (taken["project_id"], taken["workflow_id"]) if other else None

    async def schedule(
        self, number: int, rule: ScheduleRule, timezone: str, version: Version, seq: int
    ) -> None:
        await self.connection.execute(
            "INSERT INTO workflow_store.schedules VALUES ($1,$2,$3,$4,$5,$6,$7)",
            version.workflow_id,
            number,
            version.project_id,
            version.id,
            seq,
            timezone,
            msgspec.json.encode(rule),
        )

    async def point_at(self, version: Version) -> None:
        await self.connection.execute(
            "UPDATE workflow_store.workflows SET published_version_id = $2, published_version = $3, "
            "updated_at = now() WHERE id = $1",
            version.workflow_id,
            version.id,
            version.version,
        )

    async def routes(self, method: str) -> list[PublishedRoute]:
        """All, or those of a method."""
        rows = await self.connection.fetch(
            "SELECT * FROM workflow_store.webhooks WHERE $1 = '' OR method = $1", method
        )
        return [
            PublishedRoute(
                row["workflow_id"],
                row["project_id"],
                row["version_id"],
                row["seq"],
                msgspec.json.decode(row["route"], type=Route),
            )
            for row in rows
        ]

    async def schedules(self) -> list[PublishedSchedule]:
        rows = await self.connection.fetch(
            "SELECT * FROM workflow_store.schedules ORDER BY workflow_id, number"
        )
        return [
            PublishedSchedule(
                row["workflow_id"],
                row["project_id"],
                row["version_id"],
                row["seq"],
                row["timezone"],
                msgspec.json.decode(row["rule"], type=ScheduleRule),
            )
            for row in rows
        ]

    async def welcome(self) -> bool:
        """True for the first who asks, ever."""
        return bool(
            await self.connection.fetchval(
                "UPDATE workflow_store.installation SET welcomed = true WHERE NOT welcomed RETURNING true"
            )
        )

    # --- tags ---------------------------------------------------------------------------------------------

    async def tags(self, project_id: str) -> list[Tag]:
        rows = await self.connection.fetch(
            "SELECT name, sum(used)::int AS used FROM ("
            "SELECT name, 0 AS used FROM workflow_store.tags WHERE project_id = $1 UNION ALL "
            "SELECT unnest(tags), 1 FROM workflow_store.workflows WHERE project_id = $1 AND deleted_at IS NULL"
            ") found GROUP BY name ORDER BY lower(name), name",
            project_id,
        )
        return [Tag(row["name"], project_id, row["used"]) for row in rows]

    async def has_tag(self, project_id: str, name: str) -> bool:
        return any(tag.name == name for tag in await self.tags(project_id))

    async def add_tag(self, project_id: str, name: str) -> None:
        await self.connection.execute(
            "INSERT INTO workflow_store.tags (project_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            project_id,
            name,
        )

    async def drop_tag(self, project_id: str, name: str) -> None:
        await self.connection.execute(
            "DELETE FROM workflow_store.tags WHERE project_id = $1 AND name = $2", project_id, name
        )

    async def bearing(self, project_id: str, tag: str) -> list[Workflow]:
        """Workflows with the tag, locked."""
        rows = await self.connection.fetch(
            "SELECT * FROM workflow_store.workflows WHERE project_id = $1 AND $2 = ANY(tags) "
            "AND deleted_at IS NULL ORDER BY id FOR UPDATE",
            project_id,
            tag,
        )
        return [_workflow(row) for row in rows]

    # --- events -------------------------------------------------------------------------------------------

    async def tell(self, event: AnyWorkflowEvent) -> None:
        await self._stage(topics.WORKFLOW_EVENTS, event, event.workflow_id, event.project_id)

    async def tell_credential(self, event: CredentialChanged) -> None:
        await self._stage(topics.CREDENTIAL_EVENTS, event, event.credential_id, event.project_id)

    async def audit(self, event: AuditRecorded) -> None:
        await self._stage(topics.AUDIT_EVENTS, event, event.object_id, event.project_id)

    async def _stage(self, topic: str, body: Message, key: str, project_id: str) -> None:
        await self._outbox.stage_rows(
            self.connection, [(topic, Envelope(new_id(), body, key, project_id), None)]
        )


class Store:
    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Leaving it commits and sends what was told. Raises UNAVAILABLE."""
        with database_errors():
            pool = await self._database.pool()
            async with pool.acquire() as connection, connection.transaction():
                yield Transaction(connection, self._outbox)
        self._outbox.wake()

"""The audit log in PostgreSQL: rows are only ever added."""

from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from weft_contracts.messages import AuditRecorded

from weft_auth.adapters.tables import audit_log


class PostgresAudit:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, event_id: str, event: AuditRecorded) -> None:
        row = {
            "id": event_id,
            "actor": event.actor,
            "action": event.action,
            "object_type": event.object_type,
            "object_id": event.object_id,
            "project_id": event.project_id,
            "at": datetime.fromtimestamp(event.at / 1_000_000, UTC),
            "address": event.address,
            "request_id": event.request_id,
            "details": event.details,
        }
        await self._connection.execute(insert(audit_log).values(row).on_conflict_do_nothing())

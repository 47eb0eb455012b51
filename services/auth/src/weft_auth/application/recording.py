"""How use cases say what they did."""

from datetime import datetime

from weft_contracts.messages import AuditRecorded
from weft_kit.rpc import current


def audited(
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    project_id: str,
    at: datetime,
    address: str = "",
    **details: str,
) -> AuditRecorded:
    """An audit event with the address and request id of the call at hand."""
    who = current.get()
    return AuditRecorded(
        actor=actor,
        action=action,
        object_type=object_type,
        object_id=object_id,
        project_id=project_id,
        at=int(at.timestamp() * 1_000_000),
        address=address or (who.address if who else ""),
        request_id=who.request_id if who else "",
        details=details,
    )

"""Workflows, their immutable versions, and who may call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from weft_contracts.messages import Route, ScheduleRule

from weft_workflow_store.domain.inspection import Issue


@dataclass(frozen=True, slots=True)
class Workflow:
    """`document` is the draft as it was received (empty in lists), `version_id` its own id, which is also the id
    of the immutable version made of it. `version`: newest immutable one, 0 before the first. `seq` counts the
    workflow's events."""

    id: str
    project_id: str
    created_by: str
    name: str
    description: str
    is_active: bool
    document: bytes
    content_hash: bytes
    version_id: str
    version: int
    published_version_id: str | None
    published_version: int
    seq: int
    issues: tuple[Issue, ...]
    node_count: int
    tags: list[str]
    source_id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """Never changes. `document` is empty in lists."""

    id: str
    workflow_id: str
    project_id: str
    version: int
    document: bytes
    content_hash: bytes
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Tag:
    """`workflow_count`: workflows whose draft bears it."""

    name: str
    project_id: str
    workflow_count: int


@dataclass(frozen=True, slots=True)
class PublishedRoute:
    workflow_id: str
    project_id: str
    version_id: str
    seq: int
    route: Route


@dataclass(frozen=True, slots=True)
class PublishedSchedule:
    workflow_id: str
    project_id: str
    version_id: str
    seq: int
    timezone: str
    rule: ScheduleRule


class _Settings(msgspec.Struct):
    settings: dict[str, Any] | None = None


def settings_of(document: bytes) -> Mapping[str, Any]:
    """The settings of a stored document, without reading the rest of it."""
    return msgspec.json.decode(document, type=_Settings).settings or {}


def may_be_called(settings: Mapping[str, Any], *, same_project: bool, caller_ids: set[str]) -> bool:
    """n8n's `callerPolicy`; `caller_ids` are the ids that the calling workflow goes by."""
    policy = settings.get("callerPolicy", "workflowsFromSameOwner")
    if policy == "any":
        return True
    if policy == "none":
        return False
    if policy == "workflowsFromAList":
        listed = {part.strip() for part in str(settings.get("callerIds") or "").split(",")} - {""}
        return bool(listed & caller_ids)
    return same_project
